/* fmt.c - `ngc fmt`: lays a model out. Lines and comments stay where they are. What changes is
 * blanks: indentation, blanks around operators and after commas, and empty lines after the first.
 * Two or more blanks that put things into columns stay: after a statement's keyword, before = ~ :
 * <= outside brackets, and before a comment.
 *
 * The tokens are the same before and after, on the same lines, so the model is the same. That is
 * checked. */
#include "tool/tool.h"
#include "tool/options.h"

#include <string.h>

typedef enum { K_NONE, K_WORD, K_NUMBER, K_STRING, K_SIGN, K_COMMENT, K_END } Kind;

typedef struct Lexeme {
    Kind kind;
    const char *at;
    int size;
    int gap; /* blanks before it, on its line */
} Lexeme;

enum { DEEPEST = 64 }; /* braces whose depth is remembered */

typedef struct Layout {
    Ngc *ngc;
    Text out;
    const char *at;     /* what is read next */
    int braces;         /* that are open */
    int depth;          /* ( and [ that are open since the last of them */
    int saved[DEEPEST]; /* depth outside each brace */
    Lexeme last;        /* on this line or one above; never a comment */
    bool prefix;        /* the last was a sign before its operand, as in -x */
    bool start;         /* nothing is on this line of the output */
    bool keyword;       /* the last began a declaration */
    bool opened;        /* the line before ended with { */
} Layout;

static bool has_text(const Lexeme *x, const char *text)
{
    return (int)strlen(text) == x->size && memcmp(x->at, text, (size_t)x->size) == 0;
}

static bool is_sign(const Lexeme *x, const char *text)
{
    return x->kind == K_SIGN && has_text(x, text);
}

/* Is it one of the texts? NULL ends the list. */
static bool is_any(const Lexeme *x, const char *const *texts)
{
    for (; *texts; texts++)
        if (has_text(x, *texts))
            return true;
    return false;
}

static bool is_any_sign(const Lexeme *x, const char *const *texts)
{
    return x->kind == K_SIGN && is_any(x, texts);
}

static bool is_keyword(const Lexeme *x)
{
    static const char *const all[] = {"import",   "dim",    "input",  "param",    "state",
                                      "update",   "output", "metric", "gradient", "minimize",
                                      "maximize", "def",    "for",    "if",       "return",
                                      "over",     "with",   "in",     "while",    "else",
                                      NULL};
    return x->kind == K_WORD && is_any(x, all);
}

static const char *skip_digits(const char *c)
{
    while (is_digit(*c))
        c++;
    return c;
}

/* The end of a number: 1..n is 1 and a range, 1.5e-3 is one number. */
static const char *number_end(const char *c)
{
    c = skip_digits(c);
    if (*c == '.' && is_digit(c[1]))
        c = skip_digits(c + 1);
    if (*c == 'e' || *c == 'E') {
        const char *exponent = c + 1;
        if (*exponent == '-' || *exponent == '+')
            exponent++;
        if (is_digit(*exponent))
            c = skip_digits(exponent);
    }
    return c;
}

/* The end of a comment, without the blanks at the end of its line. */
static const char *comment_end(const char *c)
{
    c += strcspn(c, "\n");
    while (strchr(" \t\r", c[-1]))
        c--;
    return c;
}

static const char *sign_end(const char *c)
{
    static const char *const longer[] = {"...", "..", "<=", ">=", "==", "!=", "|>"};
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
        if (begins(c, longer[i]))
            return c + strlen(longer[i]);
    return c + 1;
}

/* The next token or comment on this line; K_END at the end of the line or of the text. field: a "."
 * is before it, so that a number is an index: x.0.1. */
static Lexeme next_lexeme(const char **at, bool field)
{
    const char *c = *at + strspn(*at, " \t\r\f\v");
    Lexeme x = {.at = c, .gap = (int)(c - *at)};

    if (*c == '\n' || *c == '\0') {
        x.kind = K_END;
    } else if (*c == '#') {
        x.kind = K_COMMENT;
        c = comment_end(c);
    } else if (*c == '"') {
        x.kind = K_STRING;
        c += 2 + strcspn(c + 1, "\"\n");
    } else if (is_digit(*c)) {
        x.kind = K_NUMBER;
        if (field)
            c = skip_digits(c);
        else
            c = number_end(c);
    } else if (is_word_char(*c)) {
        x.kind = K_WORD;
        while (is_word_char(*c))
            c++;
    } else {
        x.kind = K_SIGN;
        c = sign_end(c);
    }

    x.size = (int)(c - x.at);
    if (x.kind == K_COMMENT)
        c += strspn(c, " \t\r");
    *at = c;
    return x;
}

/* Has an operand ended after it? */
static bool ends_operand(const Lexeme *x)
{
    static const char *const ends[] = {")", "]", "'", "...", NULL};
    switch (x->kind) {
    case K_NUMBER:
    case K_STRING: return true;
    case K_WORD: return !is_keyword(x);
    case K_SIGN: return is_any(x, ends);
    default: return false;
    }
}

/* Does the statement continue after it on the next line? */
static bool continues(const Lexeme *x)
{
    static const char *const open[] = {"+", "-", "*",  "/",  "@",  "^",  "<",  ">", ",",
                                       "=", "~", "<=", ">=", "==", "!=", "|>", NULL};
    return is_any_sign(x, open);
}

static const char *const binds[] = {"*", "/", "^", "..", ".", NULL};
static const char *const aligns[] = {"=", "~", ":", "<=", NULL};
static const char *const closes[] = {",", ";", ")", "]", "'", NULL};
static const char *const opens[] = {"(", "[", NULL};

/* Do the blanks before x put things into columns? */
static bool makes_column(const Layout *l, const Lexeme *x)
{
    const Lexeme *last = &l->last;
    if (x->gap < 2)
        return false;
    /* rows of numbers and of declarations are aligned by hand; within brackets they are not */
    if (is_sign(last, ",") || is_sign(last, ";"))
        return l->depth == 0;
    return l->keyword || (is_any_sign(x, aligns) && l->depth == 0 && l->braces == 0);
}

/* Is x written next to the last lexeme, without a blank? */
static bool is_tight(const Layout *l, const Lexeme *x)
{
    const Lexeme *last = &l->last;
    bool in_slice = is_sign(last, ":") && l->depth > 0; /* x[1:n] */
    if (is_sign(x, ":") || in_slice)
        return true;
    if (last->kind == K_NUMBER && is_sign(x, ".") && x->gap > 0)
        return false; /* "1 .5" is a field of 1 */
    if (is_any_sign(x, binds) || is_any_sign(last, binds))
        return true;
    return is_any_sign(x, opens) && ends_operand(last); /* a call or an index */
}

/* The number of blanks between the last lexeme and x on one line. */
static int blanks(const Layout *l, const Lexeme *x)
{
    const Lexeme *last = &l->last;
    if (x->kind == K_COMMENT)
        return max_int(x->gap, 2);
    if (is_any_sign(x, closes) || l->prefix || is_any_sign(last, opens))
        return 0;
    if (makes_column(l, x))
        return x->gap;
    if (is_sign(last, ",") || is_sign(last, ";"))
        return 1;
    return is_tight(l, x) ? 0 : 1;
}

static void count_bracket(Layout *l, const Lexeme *x)
{
    if (is_any_sign(x, opens))
        l->depth++;
    if ((is_sign(x, ")") || is_sign(x, "]")) && l->depth > 0)
        l->depth--;
    /* a body within brackets has its own lines: what is open outside does not continue them */
    if (is_sign(x, "{") && l->braces < DEEPEST) {
        l->saved[l->braces++] = l->depth;
        l->depth = 0;
    }
    if (is_sign(x, "}") && l->braces > 0)
        l->depth = l->saved[--l->braces];
}

/* Blanks before the first lexeme of a line: 4 for each brace. A line that continues a statement has
 * at least 4 more, and keeps what it has beyond that. */
static int indent_of(const Layout *l, const Lexeme *x)
{
    int indent = 4 * (l->braces - is_sign(x, "}"));
    bool continued = l->depth > 0 || continues(&l->last) || is_sign(x, "|>");
    if (!continued)
        return max_int(indent, 0);
    if (x->gap > indent + 4 || (x->kind == K_SIGN && x->gap >= indent))
        return x->gap;
    return indent + 4;
}

static void put_lexeme(Layout *l, const Lexeme *x)
{
    bool prefix = is_sign(x, "-") && !ends_operand(&l->last);
    bool begins = l->start || is_sign(&l->last, "{") || is_sign(&l->last, ";");
    int before;
    if (l->start)
        before = indent_of(l, x);
    else
        before = blanks(l, x);
    text_add(&l->out, "%*s", before, "");
    text_put(&l->out, x->at, (size_t)x->size);
    l->start = false;
    /* a comment changes nothing for the lexeme after it */
    if (x->kind == K_COMMENT)
        return;

    count_bracket(l, x);
    l->keyword = begins && is_keyword(x);
    l->prefix = prefix;
    l->last = *x;
}

/* Lays one line out. */
static void put_line(Layout *l)
{
    l->start = true;
    for (;;) {
        Lexeme x = next_lexeme(&l->at, is_sign(&l->last, "."));
        if (x.kind == K_END)
            break;
        if (is_sign(&x, "*") && !ends_operand(&l->last))
            x.kind = K_WORD; /* of a pattern of names: over *.W, head.* */
        put_lexeme(l, &x);
    }
    text_put(&l->out, "\n", 1);

    l->opened = is_sign(&l->last, "{");

    /* what is at the end of a statement does not bind the next line to it */
    bool ended = l->depth == 0 && !continues(&l->last);
    if (!l->start && ended)
        l->last = (Lexeme){0};
    l->prefix = l->prefix && continues(&l->last);
    l->keyword = false;
}

/* Of several empty lines one stays, and none at the beginning, at the end, after { or before }. */
static Text lay_out(Ngc *ngc, const char *text)
{
    Layout l = {.ngc = ngc, .out.ngc = ngc, .at = text};
    bool no_gap = true;   /* no empty line may come next */
    bool pending = false; /* an empty line was read */
    text_put(&l.out, "", 0);

    while (*l.at) {
        const char *c = l.at + strspn(l.at, " \t\r\f\v");
        if (*c == '\n' || *c == '\0') {
            pending = !no_gap;
            if (*c)
                l.at = c + 1;
            else
                l.at = c;
            continue;
        }
        if (pending && *c != '}')
            text_put(&l.out, "\n", 1);
        pending = false;
        put_line(&l);
        no_gap = l.opened;
        l.at += *l.at == '\n';
    }
    return l.out;
}

static bool same_lexeme(const Lexeme *x, const Lexeme *y)
{
    return x->kind == y->kind && x->size == y->size && memcmp(x->at, y->at, (size_t)x->size) == 0;
}

/* Have both texts the same tokens and comments on the same lines, except for empty lines? */
static bool same_tokens(const char *a, const char *b)
{
    for (;;) {
        a += strspn(a, " \t\r\f\v\n");
        b += strspn(b, " \t\r\f\v\n");
        if (*a == '\0' || *b == '\0')
            return *a == *b;

        Lexeme x, y, last = {0};
        do {
            x = next_lexeme(&a, is_sign(&last, "."));
            y = next_lexeme(&b, is_sign(&last, "."));
            if (!same_lexeme(&x, &y))
                return false;
            last = x;
        } while (x.kind != K_END);
    }
}

/* Lays one file out. *changed becomes true if it had another layout. Returns the exit status. */
static int format_file(Ngc *ngc, const Args *a, const char *path, bool *changed)
{
    int file = source_read(ngc, path, (Loc){.file = -1});
    if (file < 0) {
        bool unreadable = ngc->diags && ngc->diags->code == ERR_FILE;
        return unreadable ? 3 : 1;
    }
    int errors = ngc->errors;
    parse(ngc, file);
    if (ngc->errors > errors)
        return 1;

    const Source *s = ngc->file[file];
    /* the layout is checked against the text itself: a wrong blank must not change a model */
    Text out = lay_out(ngc, s->text);
    if (!same_tokens(s->text, out.at))
        ngc_bug("fmt would change what '%s' says", path);

    bool same = out.size == (size_t)s->size && memcmp(out.at, s->text, out.size) == 0;
    if (!same)
        *changed = true;
    if (a->check) {
        if (!same)
            printf("%s\n", s->name);
        return 0;
    }
    if (same && !same_text(path, "-")) /* the file is right as it is */
        return 0;
    OutFile o = {.path = path, .text = out.at, .size = out.size};
    return output_write(ngc, &o, 1) ? 0 : 3;
}

int fmt_main(Ngc *ngc, const Args *a)
{
    int status = 0;
    bool changed = false;
    for (int i = 0; i < a->rests; i++) {
        int one = format_file(ngc, a, a->rest[i], &changed);
        diag_flush(ngc, stderr);
        if (one > status)
            status = one;
    }
    if (status == 0 && a->check && changed)
        return 1;
    return status;
}
