/* explain_math.c - formulas of a lesson in three scripts. A forward formula is what node_text says
 * of the node with its operands replaced by their labels; a backward one is the record's rule, read
 * by the parser that the compiler reads it by. */
#include "explain.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* ---- expressions in a script ---- */

typedef struct Writer {
    const Lesson *l;
    Math math;
    const char *const *name; /* of a b c y dy, in the script */
} Writer;

static const char *escape(const Lesson *l, const char *s, Math math)
{
    Text t = {.ngc = l->ngc};
    text_put(&t, "", 0);
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

/* Where the index in a name begins: what follows its only "_", or the digits behind its only
 * letter; NULL: it has none. */
static const char *name_index(const char *label)
{
    const char *mark = strchr(label, '_'), *at = mark ? mark + 1 : label + 1;
    size_t letters = mark ? (size_t)(mark - label) : 1;
    if (letters == 0 ||
        strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") < letters || !*at)
        return NULL;
    for (const char *c = at; *c; c++)
        if (mark ? !isalnum((unsigned char)*c) : !isdigit((unsigned char)*c))
            return NULL;
    return at;
}

static const char *plain_name(const Lesson *l, const char *label, Math math)
{
    bool number = isdigit((unsigned char)*label) || *label == '-';
    const char *index = number ? NULL : name_index(label);
    if (math == M_TEXT)
        return label;
    if (index) {
        const char *base =
            text_format(l->ngc, "%.*s", (int)(index - label - (index[-1] == '_')), label);
        if (math == M_HTML)
            return text_format(l->ngc, "<msub><mi>%s</mi><mi>%s</mi></msub>", base, index);
        return text_format(l->ngc, base[1] ? "\\mathit{%s}_{%s}" : "%s_{%s}", base, index);
    }
    if (math == M_HTML)
        return text_format(l->ngc, "<m%c>%s</m%c>", number ? 'n' : 'i', escape(l, label, math),
                           number ? 'n' : 'i');
    return number ? label
                  : text_format(l->ngc, label[1] ? "\\mathit{%s}" : "%s", escape(l, label, math));
}

const char *math_name(const Lesson *l, const char *label, Math math)
{
    const char *slash = strstr(label, "/d");
    if (math == M_TEXT || *label != 'd' || !slash)
        return plain_name(l, label, math);
    const char *of =
        plain_name(l, text_format(l->ngc, "%.*s", (int)(slash - label) - 1, label + 1), math);
    const char *by = plain_name(l, slash + 2, math);
    if (math == M_TEX)
        return text_format(l->ngc, "\\frac{\\partial %s}{\\partial %s}", of, by);
    return text_format(
        l->ngc, "<mfrac><mrow><mo>&#8706;</mo>%s</mrow><mrow><mo>&#8706;</mo>%s</mrow></mfrac>", of,
        by);
}

static int binding(const Expr *x)
{
    if (x->kind == X_NEG || (x->kind == X_NUM && x->num < 0))
        return 3;
    if (x->kind == X_TRANSPOSE)
        return 5;
    if (x->kind != X_BINARY)
        return 6;
    return strchr("+-", *x->name) ? 2 : strchr("*/@", *x->name) ? 3 : *x->name == '^' ? 4 : 1;
}

static const char *write_expr(const Writer *w, const Expr *x);

/* A part of an expression, in parentheses where it binds less than it must. */
static const char *part(const Writer *w, const Expr *x, int tight)
{
    const char *s = write_expr(w, x);
    if (binding(x) >= tight)
        return s;
    return text_format(w->l->ngc,
                       w->math == M_HTML ? "<mrow><mo>(</mo>%s<mo>)</mo></mrow>" : "(%s)", s);
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
        if (strcmp(op, table[i].op) == 0)
            op = w->math == M_TEX ? table[i].tex : table[i].html;
    return op;
}

static const char *write_binary(const Writer *w, const Expr *x)
{
    Ngc *ngc = w->l->ngc;
    int prec = binding(x);
    if (*x->name == '/' && w->math == M_TEX)
        return text_format(ngc, "\\frac{%s}{%s}", write_expr(w, x->a), write_expr(w, x->b));
    if (*x->name == '/' && w->math == M_HTML)
        return text_format(ngc, "<mfrac><mrow>%s</mrow><mrow>%s</mrow></mfrac>",
                           write_expr(w, x->a), write_expr(w, x->b));
    if (*x->name == '^' && w->math == M_TEX)
        return text_format(ngc, "{%s}^{%s}", part(w, x->a, 5), write_expr(w, x->b));
    if (*x->name == '^' && w->math == M_HTML)
        return text_format(ngc, "<msup><mrow>%s</mrow><mrow>%s</mrow></msup>", part(w, x->a, 5),
                           write_expr(w, x->b));
    const char *a = part(w, x->a, prec), *b = part(w, x->b, prec + (*x->name != '+'));
    if (w->math == M_HTML)
        return text_format(ngc, "%s<mo>%s</mo>%s", a, sign(w, x->name), b);
    if (w->math == M_TEX)
        return text_format(ngc, "%s %s%s", a, sign(w, x->name), b);
    bool tight = prec >= 3 && *x->name != '@';
    return text_format(ngc, tight ? "%s%s%s" : "%s %s %s", a, x->name, b);
}

static const char *write_call(const Writer *w, const Expr *x)
{
    Text t = {.ngc = w->l->ngc};
    text_add(&t,
             w->math == M_HTML  ? "<mi>%s</mi><mo>(</mo>"
             : w->math == M_TEX ? "\\mathrm{%s}("
                                : "%s(",
             x->a->name);
    for (const Arg *a = x->args; a; a = a->next)
        text_add(&t, "%s%s", write_expr(w, a->value),
                 !a->next            ? ""
                 : w->math == M_HTML ? "<mo>,</mo>"
                                     : ", ");
    text_add(&t, w->math == M_HTML ? "<mo>)</mo>" : ")");
    return t.at;
}

static const char *write_expr(const Writer *w, const Expr *x)
{
    Ngc *ngc = w->l->ngc;
    switch (x->kind) {
    case X_NUM: return plain_name(w->l, text_format(ngc, "%.6g", x->num), w->math);
    case X_NAME:
        return w->name[strcmp(x->name, "dy") == 0 ? 4 : *x->name == 'y' ? 3 : *x->name - 'a'];
    case X_NEG:
        return text_format(ngc, w->math == M_HTML ? "<mo>&#8722;</mo>%s" : "-%s", part(w, x->a, 4));
    case X_TRANSPOSE:
        return text_format(ngc,
                           w->math == M_HTML  ? "<msup><mrow>%s</mrow><mi>T</mi></msup>"
                           : w->math == M_TEX ? "{%s}^{\\top}"
                                              : "%s'",
                           part(w, x->a, 5));
    case X_BINARY: return write_binary(w, x);
    case X_CALL: return write_call(w, x);
    default: return "?";
    }
}

/* Has write_expr a form for it? Indices and lists are told as text. */
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

/* Is a rule an expression of the language, and not words? */
bool math_rule_parses(const char *rule)
{
    for (const char *c = rule; *c;) {
        size_t n = 0;
        while (isalnum((unsigned char)c[n]) || c[n] == '_')
            n++;
        bool name = n > 0 && !isdigit((unsigned char)*c);
        if (name && c[n] != '(' && !(n == 1 && strchr("abcy", *c)) &&
            !(n == 2 && strncmp(c, "dy", 2) == 0))
            return false;
        if (name && n == 1 && c[1] == ' ' && isalpha((unsigned char)c[2]))
            return false;
        c += n ? n : 1;
    }
    return true;
}

static bool is_number(const Expr *x, double value)
{
    return (x->kind == X_NUM && x->num == value) ||
           (x->kind == X_NEG && is_number(x->a, -value) && x->a->kind == X_NUM);
}

/* The rule with 1 for dy: what the local slope is. */
static Expr *at_one(Ngc *ngc, const Expr *x)
{
    Expr *y = arena_copy(ngc, x, sizeof *x);
    if (x->kind == X_NAME && strcmp(x->name, "dy") == 0) {
        y->kind = X_NUM;
        y->num = 1;
    }
    y->a = x->a && x->kind != X_CALL ? at_one(ngc, x->a) : x->a;
    y->b = x->b ? at_one(ngc, x->b) : NULL;
    for (Arg **a = &y->args; *a; a = &(*a)->next) {
        *a = arena_copy(ngc, *a, sizeof **a);
        (*a)->value = at_one(ngc, (*a)->value);
    }
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

/* A rule in words, with names in it. */
static const char *rule_words(const Lesson *l, const char *rule, const char *const *names,
                              int nargs, Math math)
{
    Text t = {.ngc = l->ngc};
    bool words = false;
    for (const char *c = rule; *c;) {
        size_t n = 0;
        while (isalnum((unsigned char)c[n]) || c[n] == '_')
            n++;
        bool alone = c[n] == '\0' || c[n] == ',';
        int k = n == 2 && strncmp(c, "dy", 2) == 0                 ? 4
                : n == 1 && alone && *c >= 'a' && *c < 'a' + nargs ? *c - 'a'
                                                                   : -1;
        if (math != M_TEXT && (k >= 0) == words) {
            text_add(&t, "%s",
                     !words          ? math == M_TEX ? "\\text{" : "<mtext>"
                     : math == M_TEX ? "}"
                                     : "</mtext>");
            words = !words;
        }
        if (k >= 0)
            text_add(&t, "%s", names[k]);
        else if (*c == ' ' && math == M_HTML && n == 0)
            text_add(&t, "&#160;");
        else
            text_put(&t, c, n ? n : 1);
        c += n ? n : 1;
    }
    if (words)
        text_add(&t, "%s", math == M_TEX ? "}" : "</mtext>");
    return t.at;
}

const char *math_rule(const Lesson *l, const Step *s, const char *const *names, bool local,
                      Math math)
{
    const char *rule = op_rule(l->ngc, s->y, s->operand);
    if (!rule)
        return "";
    if (!math_rule_parses(rule))
        return rule_words(l, rule, names, s->y->nargs > 3 ? 3 : s->y->nargs, math);
    Expr *x = parse_expr(l->ngc, rule);
    Writer w = {l, math, names};
    return write_expr(&w, local ? at_one(l->ngc, x) : x);
}

double math_value(const Expr *x, const double *v)
{
    double arg[3] = {0};
    int n = 0;
    switch (x->kind) {
    case X_NUM: return x->num;
    case X_NAME: return strcmp(x->name, "dy") == 0 ? 1 : *x->name == 'y' ? v[3] : v[*x->name - 'a'];
    case X_NEG: return -math_value(x->a, v);
    case X_BINARY:
        arg[0] = math_value(x->a, v);
        arg[1] = math_value(x->b, v);
        switch (*x->name) {
        case '+': return arg[0] + arg[1];
        case '-': return arg[0] - arg[1];
        case '*': return arg[0] * arg[1];
        case '/': return arg[0] / arg[1];
        case '^': return pow(arg[0], arg[1]);
        case '<': return x->name[1] ? arg[0] <= arg[1] : arg[0] < arg[1];
        case '>': return x->name[1] ? arg[0] >= arg[1] : arg[0] > arg[1];
        case '=': return arg[0] == arg[1];
        case '!': return arg[0] != arg[1];
        default: return NAN;
        }
    case X_CALL:
        for (const Arg *a = x->args; a && n < 3; a = a->next)
            arg[n++] = math_value(a->value, v);
        for (int op = 0; op < OP_COUNT; op++)
            if (strcmp(op_info[op]->name, x->a->name) == 0 && op_info[op]->value &&
                op_info[op]->arity == n)
                return op_info[op]->value(arg[0], arg[1], arg[2]);
        return NAN;
    default: return NAN;
    }
}

double math_slope(const Lesson *l, const Step *s, const double *abcy)
{
    const char *rule = op_info[s->y->op]->rule[s->operand];
    return rule ? math_value(parse_expr(l->ngc, rule), abcy) : NAN;
}

/* ---- forward ---- */

/* The node with leaves called a, b, c, ... for operands: its formula is then in terms of these. */
static const char *bare_formula(const Lesson *l, const Node *n, const char *const *operand)
{
    Node *y = arena_copy(l->ngc, n, sizeof *n);
    y->name = NULL;
    y->arg = arena_alloc(l->ngc, (size_t)(n->nargs + 1) * sizeof *y->arg);
    for (int i = 0; i < n->nargs; i++) {
        y->arg[i] = arena_copy(l->ngc, n->arg[i], sizeof *y);
        y->arg[i]->op = OP_random; /* a leaf that is called what its name says */
        y->arg[i]->name = operand[i];
    }
    return node_text(l->g, y, 2);
}

const char *math_formula(const Lesson *l, const Node *n, const char *const *operand, Math math)
{
    static const char *const letters[3] = {"a", "b", "c"};
    const char *text = bare_formula(l, n, math == M_TEXT || n->nargs > 3 ? operand : letters);
    if (math == M_TEXT)
        return text;
    const Expr *x = n->nargs <= 3 && math_rule_parses(text) ? parse_expr(l->ngc, text) : NULL;
    if (!x || !is_writable(x))
        return text_format(l->ngc, math == M_TEX ? "\\text{%s}" : "<mtext>%s</mtext>",
                           escape(l, bare_formula(l, n, operand), math));
    const char *names[5] = {"", "", "", "", ""};
    for (int i = 0; i < n->nargs; i++)
        names[i] = math_name(l, operand[i], math);
    Writer w = {l, math, names};
    return write_expr(&w, x);
}
