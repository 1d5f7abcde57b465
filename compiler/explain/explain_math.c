/* explain_math.c - formulas of a lesson in three scripts: text, TeX and MathML. A forward formula
 * is what node_text says of the node, with labels for its operands. A backward formula is the
 * record's rule, read by the compiler's own parser. */
#include "explain/explain.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- expressions in a script ---- */

typedef struct Writer {
    const Lesson *l;
    Math math;
    const char *const *name; /* of a b c y dy, in the script */
} Writer;

/* One of three texts, by the script. */
static const char *by_script(Math math, const char *text, const char *tex, const char *html)
{
    switch (math) {
    case M_TEX: return tex;
    case M_HTML: return html;
    default: return text;
    }
}

static const char *escape(const Lesson *l, const char *s, Math math)
{
    Text t = text_empty(l->ngc);
    for (; *s; s++) {
        if (math == M_HTML && strchr("<>&\"", *s))
            text_add(&t, "&#%d;", *s);
        else if (math == M_TEX && strchr("_#%&$", *s))
            text_add(&t, "\\%c", *s);
        else if (math == M_TEX && strchr("{}^~\\", *s))
            text_add(&t, "\\symbol{%d}", *s);
        else
            text_put(&t, s, 1);
    }
    return t.at;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

/* Where the index in a name begins: after the only "_" of "w_out", after the only letter of "h12".
 * NULL: it has none. */
static const char *name_index(const char *label)
{
    const char *index = label + 1;
    const char *allowed = DIGITS;
    size_t base = 1;
    const char *mark = strchr(label, '_');
    if (mark) {
        index = mark + 1;
        allowed = LETTERS DIGITS;
        base = (size_t)(mark - label);
    }

    if (base == 0 || strspn(label, LETTERS) < base)
        return NULL;
    if (!*index || index[strspn(index, allowed)])
        return NULL;
    return index;
}

/* A name with an index: the index below the line. */
static const char *indexed_name(const Lesson *l, const char *label, const char *index, Math math)
{
    Ngc *ngc = l->ngc;
    size_t size = strcspn(label, "_"); /* of what is before the index, without the "_" */
    if (size > (size_t)(index - label))
        size = (size_t)(index - label);
    const char *base = text_format(ngc, "%.*s", (int)size, label);

    if (math == M_HTML)
        return text_format(ngc, "<msub><mi>%s</mi><mi>%s</mi></msub>", base, index);
    if (size == 1)
        return text_format(ngc, "%s_{%s}", base, index);
    return text_format(ngc, "\\mathit{%s}_{%s}", base, index);
}

/* A number or a name that is not a derivative's. */
static const char *plain_name(const Lesson *l, const char *label, Math math)
{
    Ngc *ngc = l->ngc;
    if (math == M_TEXT)
        return label;

    /* a number */
    if (is_digit(*label) || *label == '-') {
        if (math == M_TEX)
            return label;
        return text_format(ngc, "<mn>%s</mn>", escape(l, label, math));
    }

    const char *index = name_index(label);
    if (index)
        return indexed_name(l, label, index, math);
    const char *name = escape(l, label, math);
    if (math == M_HTML)
        return text_format(ngc, "<mi>%s</mi>", name);
    /* of several letters, TeX would make a product */
    if (label[0] && label[1])
        return text_format(ngc, "\\mathit{%s}", name);
    return name;
}

const char *math_name(const Lesson *l, const char *label, Math math)
{
    Ngc *ngc = l->ngc;
    const char *slash = strstr(label, "/d");
    if (math == M_TEXT || *label != 'd' || !slash)
        return plain_name(l, label, math);

    const char *loss = text_format(ngc, "%.*s", (int)(slash - label) - 1, label + 1);
    const char *of = plain_name(l, loss, math);
    const char *by = plain_name(l, slash + 2, math);
    if (math == M_TEX)
        return text_format(ngc, "\\frac{\\partial %s}{\\partial %s}", of, by);
    return text_format(ngc,
                       "<mfrac><mrow><mo>&#8706;</mo>%s</mrow>"
                       "<mrow><mo>&#8706;</mo>%s</mrow></mfrac>",
                       of, by);
}

/* How tightly the parts of an expression hang together: a sum less than a product. */
enum { COMPARES = 1, ADDS, MULTIPLIES, RAISES, TRANSPOSES, IS_WHOLE };

static int binding(const Expr *x)
{
    switch (x->kind) {
    case X_NEG: return MULTIPLIES;
    case X_NUM: return x->num < 0 ? MULTIPLIES : IS_WHOLE;
    case X_TRANSPOSE: return TRANSPOSES;
    case X_BINARY: break;
    default: return IS_WHOLE;
    }

    switch (*x->name) {
    case '+':
    case '-': return ADDS;
    case '*':
    case '/':
    case '@': return MULTIPLIES;
    case '^': return RAISES;
    default: return COMPARES;
    }
}

static const char *write_expr(const Writer *w, const Expr *x);

/* A part of an expression, in parentheses where it binds less than it must. */
static const char *part(const Writer *w, const Expr *x, int tight)
{
    const char *s = write_expr(w, x);
    if (binding(x) >= tight)
        return s;
    const char *format = by_script(w->math, "(%s)", "(%s)", "<mrow><mo>(</mo>%s<mo>)</mo></mrow>");
    return text_format(w->l->ngc, format, s);
}

static const char *sign(const Writer *w, const char *op)
{
    static const struct {
        const char *op, *tex, *html;
    } table[] = {
        {"*", "\\cdot ", "&#183;"}, {"@", "\\,", "&#8290;"},    {"<", "<", "&lt;"},
        {"<=", "\\le ", "&#8804;"}, {">", ">", "&gt;"},         {">=", "\\ge ", "&#8805;"},
        {"==", "=", "="},           {"!=", "\\ne ", "&#8800;"}, {"-", "-", "&#8722;"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (same_text(op, table[i].op))
            return by_script(w->math, op, table[i].tex, table[i].html);
    return op;
}

static const char *write_fraction(const Writer *w, const Expr *x)
{
    const char *format =
        by_script(w->math, "", "\\frac{%s}{%s}", "<mfrac><mrow>%s</mrow><mrow>%s</mrow></mfrac>");
    return text_format(w->l->ngc, format, write_expr(w, x->a), write_expr(w, x->b));
}

static const char *write_power(const Writer *w, const Expr *x)
{
    const char *format =
        by_script(w->math, "", "{%s}^{%s}", "<msup><mrow>%s</mrow><mrow>%s</mrow></msup>");
    return text_format(w->l->ngc, format, part(w, x->a, TRANSPOSES), write_expr(w, x->b));
}

static const char *write_binary(const Writer *w, const Expr *x)
{
    if (w->math != M_TEXT && *x->name == '/')
        return write_fraction(w, x);
    if (w->math != M_TEXT && *x->name == '^')
        return write_power(w, x);

    /* on the right, an operator that binds as tightly needs parentheses: a - (b - c) */
    int tight = binding(x);
    bool associates = *x->name == '+';
    const char *a = part(w, x->a, tight);
    const char *b = part(w, x->b, associates ? tight : tight + 1);
    const char *format = by_script(w->math, "%s %s %s", "%s %s%s", "%s<mo>%s</mo>%s");
    if (w->math == M_TEXT && tight >= MULTIPLIES && *x->name != '@')
        format = "%s%s%s";
    return text_format(w->l->ngc, format, a, sign(w, x->name), b);
}

static const char *write_call(const Writer *w, const Expr *x)
{
    const char *open = by_script(w->math, "%s(", "\\mathrm{%s}(", "<mi>%s</mi><mo>(</mo>");
    const char *comma = by_script(w->math, ", ", ", ", "<mo>,</mo>");
    const char *close = by_script(w->math, ")", ")", "<mo>)</mo>");
    Text t = {.ngc = w->l->ngc};

    text_add(&t, open, x->a->name);
    for (const Arg *a = x->args; a; a = a->next) {
        text_add(&t, "%s", write_expr(w, a->value));
        if (a->next)
            text_add(&t, "%s", comma);
    }
    text_add(&t, "%s", close);
    return t.at;
}

/* Where a rule's name is in a list of a b c y dy. */
static int name_place(const char *name)
{
    if (same_text(name, "dy"))
        return 4;
    if (*name == 'y')
        return 3;
    return *name - 'a';
}

static const char *write_expr(const Writer *w, const Expr *x)
{
    Ngc *ngc = w->l->ngc;
    const char *format;
    switch (x->kind) {
    case X_NUM: return plain_name(w->l, text_format(ngc, "%.6g", x->num), w->math);
    case X_NAME: return w->name[name_place(x->name)];
    case X_NEG:
        format = by_script(w->math, "-%s", "-%s", "<mo>&#8722;</mo>%s");
        return text_format(ngc, format, part(w, x->a, RAISES));
    case X_TRANSPOSE:
        format =
            by_script(w->math, "%s'", "{%s}^{\\top}", "<msup><mrow>%s</mrow><mi>T</mi></msup>");
        return text_format(ngc, format, part(w, x->a, TRANSPOSES));
    case X_BINARY: return write_binary(w, x);
    case X_CALL: return write_call(w, x);
    default: return "?";
    }
}

/* Has write_expr a form for it? Indices and lists are written as text. */
static bool is_writable(const Expr *x)
{
    switch (x->kind) {
    case X_NUM:
    case X_NAME: return true;
    case X_NEG:
    case X_TRANSPOSE: return is_writable(x->a);
    case X_BINARY: return is_writable(x->a) && is_writable(x->b);
    case X_CALL:
        for (const Arg *a = x->args; a; a = a->next)
            if (!is_writable(a->value))
                return false;
        return true;
    default: return false;
    }
}

/* ---- rules ---- */

/* Is the word one of the names that rules have for their values: a b c y dy? */
static bool is_rule_name(const char *word, size_t n)
{
    if (n == 1)
        return strchr("abcy", *word) != NULL;
    return is_word(word, n, "dy");
}

/* Is a rule an expression of the language, and not words? */
static bool math_rule_parses(const char *rule)
{
    for (const char *c = rule; *c;) {
        size_t n = word_size(c);
        bool is_name = n > 0 && !is_digit(*c);
        bool is_call = c[n] == '(';
        if (is_name && !is_call && !is_rule_name(c, n))
            return false;

        /* "a word": an article, not an operand */
        if (is_name && n == 1 && c[1] == ' ' && isalpha((unsigned char)c[2]))
            return false;
        c += n ? n : 1;
    }
    return true;
}

static bool is_number(const Expr *x, double value)
{
    if (x->kind == X_NUM)
        return x->num == value;
    return x->kind == X_NEG && x->a->kind == X_NUM && x->a->num == -value;
}

static Expr *at_one(Ngc *ngc, const Expr *x);

/* A copy whose parts have 1 for dy. */
static Expr *copy_at_one(Ngc *ngc, const Expr *x)
{
    Expr *y = arena_copy(ngc, x, sizeof *x);
    if (x->kind == X_NAME && same_text(x->name, "dy")) {
        y->kind = X_NUM;
        y->num = 1;
    }
    if (x->a && x->kind != X_CALL) /* of a call it is the function's name */
        y->a = at_one(ngc, x->a);
    if (x->b)
        y->b = at_one(ngc, x->b);
    for (Arg **a = &y->args; *a; a = &(*a)->next) {
        *a = arena_copy(ngc, *a, sizeof **a);
        (*a)->value = at_one(ngc, (*a)->value);
    }
    return y;
}

/* The rule with 1 for dy, which is the local slope. 1*x = x, and -1*x = -x. */
static Expr *at_one(Ngc *ngc, const Expr *x)
{
    Expr *y = copy_at_one(ngc, x);
    if (x->kind != X_BINARY || *x->name != '*')
        return y;

    if (is_number(y->a, 1))
        return y->b;
    if (is_number(y->b, 1))
        return y->a;
    if (is_number(y->a, -1)) {
        y->kind = X_NEG;
        y->a = y->b;
    }
    return y;
}

/* Which of a b c dy the word means in a rule of words; -1: it is only a word. A letter is an
 * operand at the end and before a comma. Elsewhere it may be an article. */
static int meant_name(const char *word, size_t n, int nargs)
{
    if (is_word(word, n, "dy"))
        return 4;
    bool ends = word[n] == '\0' || word[n] == ',';
    if (n == 1 && ends && *word >= 'a' && *word < 'a' + nargs)
        return *word - 'a';
    return -1;
}

/* A rule in words, with names in it. TeX and MathML mark what is words. */
static const char *rule_words(const Lesson *l, const char *rule, const char *const *names,
                              int nargs, Math math)
{
    const char *open = by_script(math, "", "\\text{", "<mtext>");
    const char *close = by_script(math, "", "}", "</mtext>");
    Text t = {.ngc = l->ngc};
    bool in_words = false;

    for (const char *c = rule; *c;) {
        size_t n = word_size(c);
        int name = meant_name(c, n, nargs);

        /* from words to a name, or back */
        if ((name < 0) != in_words) {
            in_words = !in_words;
            text_add(&t, "%s", in_words ? open : close);
        }

        if (name >= 0)
            text_add(&t, "%s", names[name]);
        else if (*c == ' ' && math == M_HTML)
            text_add(&t, "&#160;");
        else
            text_put(&t, c, n ? n : 1);
        c += n ? n : 1;
    }
    if (in_words)
        text_add(&t, "%s", close);
    return t.at;
}

const char *math_rule(const Lesson *l, const Step *s, const char *const *names, bool local,
                      Math math)
{
    Ngc *ngc = l->ngc;
    const char *rule = op_rule(ngc, s->y, s->operand);
    if (!rule)
        return "";
    if (!math_rule_parses(rule)) {
        int operands = min_int(s->y->nargs, 3);
        return rule_words(l, rule, names, operands, math);
    }

    Expr *x = parse_expr(ngc, rule);
    if (local)
        x = at_one(ngc, x);
    Writer w = {l, math, names};
    return write_expr(&w, x);
}

static double binary_value(const char *op, double a, double b)
{
    bool or_equal = op[1] == '=';
    switch (*op) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    case '/': return a / b;
    case '^': return pow(a, b);
    case '<': return or_equal ? a <= b : a < b;
    case '>': return or_equal ? a >= b : a > b;
    case '=': return a == b;
    case '!': return a != b;
    default: return NAN;
    }
}

/* The value of a call, by the record of the op that is called so. */
static double call_value(const Expr *x, const double *abcy)
{
    double arg[3] = {0};
    int n = 0;
    for (const Arg *a = x->args; a && n < 3; a = a->next)
        arg[n++] = math_value(a->value, abcy);

    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = op_info[op];
        if (info->value && info->arity == n && same_text(info->name, x->a->name))
            return info->value(arg[0], arg[1], arg[2]);
    }
    return NAN;
}

double math_value(const Expr *x, const double *abcy)
{
    switch (x->kind) {
    case X_NUM: return x->num;
    case X_NAME: {
        int place = name_place(x->name);
        if (place == 4)
            return 1;
        return abcy[place];
    }
    case X_NEG: return -math_value(x->a, abcy);
    case X_BINARY: return binary_value(x->name, math_value(x->a, abcy), math_value(x->b, abcy));
    case X_CALL: return call_value(x, abcy);
    default: return NAN;
    }
}

double math_slope(const Lesson *l, const Step *s, const double *abcy)
{
    const char *rule = op_info[s->y->op]->rule[s->operand];
    if (!rule)
        return NAN;
    return math_value(parse_expr(l->ngc, rule), abcy);
}

/* ---- forward ---- */

/* The node's formula with these names for its operands, and nothing of how those are computed. */
static const char *bare_formula(const Lesson *l, const Node *n, const char *const *operand)
{
    Ngc *ngc = l->ngc;
    const char *words = lesson_loop_words(l, n);
    if (words)
        return words;

    Node *y = arena_copy(ngc, n, sizeof *n);
    y->name = NULL;
    y->arg = arena_array(ngc, n->nargs + 1, sizeof *y->arg);
    for (int i = 0; i < n->nargs; i++) {
        y->arg[i] = arena_copy(ngc, n->arg[i], sizeof *y);
        y->arg[i]->op = OP_random; /* a leaf, of which node_text prints the name */
        y->arg[i]->name = operand[i];
    }
    return node_text(l->g, y, 2);
}

/* The node's formula in a b c, as an expression; NULL where write_expr has no form for it. */
static const Expr *formula_expr(const Lesson *l, const Node *n)
{
    static const char *const letters[3] = {"a", "b", "c"};
    if (n->nargs > 3 || n->op == OP_collect || n->op == OP_passes || lesson_loop_words(l, n))
        return NULL;
    const char *text = bare_formula(l, n, letters);
    const Expr *x = NULL;
    if (math_rule_parses(text))
        x = parse_expr(l->ngc, text);
    return x && is_writable(x) ? x : NULL;
}

const char *math_formula(const Lesson *l, const Node *n, const char *const *operand, Math math)
{
    if (math == M_TEXT)
        return bare_formula(l, n, operand);

    const Expr *x = formula_expr(l, n);
    if (!x)
        return text_format(l->ngc, by_script(math, "%s", "\\text{%s}", "<mtext>%s</mtext>"),
                           escape(l, bare_formula(l, n, operand), math));

    const char *names[5] = {"", "", "", "", ""};
    for (int i = 0; i < n->nargs; i++)
        names[i] = math_name(l, operand[i], math);
    Writer w = {l, math, names};
    return write_expr(&w, x);
}

/* ---- words for LaTeX and HTML ---- */

const char *html_words(const Lesson *l, const char *s)
{
    return escape(l, s, M_HTML);
}

const char *tex_words(const Lesson *l, const char *s)
{
    static const char *const named[128] = {
        ['^'] = "asciicircum", ['~'] = "asciitilde", ['\\'] = "backslash",
        ['<'] = "less",        ['>'] = "greater",    ['|'] = "bar"};
    Text t = text_empty(l->ngc);
    for (; *s; s++) {
        if (strchr("_#%&${}", *s))
            text_add(&t, "\\%c", *s);
        else if (*s > 0 && named[(int)*s])
            text_add(&t, "\\text%s{}", named[(int)*s]);
        else
            text_put(&t, s, 1);
    }
    return t.at;
}
