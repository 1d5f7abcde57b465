/* fmt.c - `ngc fmt`: lays a model out. Lines and comments stay where they are; what changes is the
 * blanks: indentation, those around operators and behind commas, empty lines beyond one. Two or
 * more blanks that put things into columns stay: behind a statement's keyword, before = ~ : <=
 * outside brackets, and before a comment.
 *
 * The tokens are the same before and after, in the same lines, so what the text means is the same
 * too; that is checked. */
#include "ngc.h"
#include "options.h"

#include <string.h>

typedef enum { K_NONE, K_WORD, K_NUMBER, K_STRING, K_SIGN, K_COMMENT, K_END } Kind;

typedef struct Lexeme {
    Kind kind;
    const char *at;
    int size, gap; /* gap: blanks before it, on its line */
} Lexeme;

typedef struct Layout {
    Ngc *ngc;
    Text out;
    const char *at;    /* where reading has come to */
    int braces, depth; /* { that are open; ( and [ since the last of them */
    int saved[64];     /* depth outside each brace */
    Lexeme last;       /* on this line or one above, no comment */
    bool prefix;       /* the last was a sign before its operand, as in -x */
    bool start;        /* nothing is on this line of the output */
    bool keyword;      /* the last began a declaration */
} Layout;

static bool is_sign(const Lexeme *x, const char *text)
{
    return x->kind == K_SIGN && (int)strlen(text) == x->size &&
           memcmp(x->at, text, (size_t)x->size) == 0;
}

static bool is_any(const Lexeme *x, const char *const *texts)
{
    for (; *texts; texts++)
        if ((int)strlen(*texts) == x->size && memcmp(x->at, *texts, (size_t)x->size) == 0)
            return true;
    return false;
}

static bool is_keyword(const Lexeme *x)
{
    static const char *const all[] = {"import",   "dim",    "input",  "param",    "state",
                                      "update",   "output", "metric", "gradient", "minimize",
                                      "maximize", "def",    "for",    "if",       "return",
                                      "over",     "with",   "in",     "else",     NULL};
    return x->kind == K_WORD && is_any(x, all);
}

static bool is_word_char(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The end of a number: 1..n is 1 and a range, 1.5e-3 is one. */
static const char *number_end(const char *c)
{
    while (*c >= '0' && *c <= '9')
        c++;
    if (*c == '.' && c[1] >= '0' && c[1] <= '9')
        for (c++; *c >= '0' && *c <= '9'; c++)
            ;
    if (*c == 'e' || *c == 'E') {
        const char *digits = c + 1 + (c[1] == '-' || c[1] == '+');
        if (*digits >= '0' && *digits <= '9')
            for (c = digits; *c >= '0' && *c <= '9'; c++)
                ;
    }
    return c;
}

/* The next token or comment of this line; K_END at the end of the line or of the text. */
static Lexeme next_lexeme(const char **at, bool field)
{
    static const char *const longer[] = {"...", "..", "<=", ">=", "==", "!=", "|>"};
    const char *c = *at + strspn(*at, " \t\r\f\v");
    Lexeme x = {.kind = K_SIGN, .at = c, .gap = (int)(c - *at)};
    if (*c == '\n' || *c == '\0') {
        x.kind = K_END;
    } else if (*c == '#') {
        x.kind = K_COMMENT;
        c += strcspn(c, "\n");
        while (strchr(" \t\r", c[-1]))
            c--;
    } else if (*c == '"') {
        x.kind = K_STRING;
        c += 2 + strcspn(c + 1, "\"\n");
    } else if (*c >= '0' && *c <= '9') {
        x.kind = K_NUMBER;
        c = field ? c + strspn(c, "0123456789") : number_end(c);
    } else if (is_word_char(*c)) {
        x.kind = K_WORD;
        while (is_word_char(*c))
            c++;
    } else {
        size_t n = 1;
        for (size_t i = 0; i < sizeof longer / sizeof *longer && n == 1; i++)
            if (strncmp(c, longer[i], strlen(longer[i])) == 0)
                n = strlen(longer[i]);
        c += n;
    }
    x.size = (int)(c - x.at);
    *at = x.kind == K_COMMENT ? c + strspn(c, " \t\r") : c;
    return x;
}

/* After it an operand has ended. */
static bool ends_operand(const Lexeme *x)
{
    static const char *const ends[] = {")", "]", "'", "...", NULL};
    return x->kind == K_NUMBER || x->kind == K_STRING || (x->kind == K_WORD && !is_keyword(x)) ||
           (x->kind == K_SIGN && is_any(x, ends));
}

/* The line does not end a statement. */
static bool goes_on(const Lexeme *x)
{
    static const char *const open[] = {"+", "-", "*",  "/",  "@",  "^",  "<",  ">", ",",
                                       "=", "~", "<=", ">=", "==", "!=", "|>", NULL};
    return x->kind == K_SIGN && is_any(x, open);
}

/* How many blanks stand between the last lexeme and this one, within a line. */
static int blanks(const Layout *l, const Lexeme *x)
{
    static const char *const tight[] = {"*", "/", "^", "..", ".", NULL}, *const columns[] = {
                                                                             "=", "~", ":",
                                                                             "<=", NULL};
    static const char *const before[] = {",", ";", ")", "]", "'", NULL}, *const behind[] = {"(",
                                                                                            "[",
                                                                                            NULL};
    const Lexeme *a = &l->last;
    if (x->kind == K_COMMENT)
        return x->gap >= 2 ? x->gap : 2;
    if (x->kind == K_SIGN && is_any(x, before))
        return 0;
    if (l->prefix || (a->kind == K_SIGN && is_any(a, behind)))
        return 0;
    if (is_sign(a, ",") || is_sign(a, ";"))
        return l->depth == 0 && x->gap >= 2 ? x->gap : 1;
    if (l->keyword && x->gap >= 2)
        return x->gap;
    if (x->kind == K_SIGN && is_any(x, columns) && l->depth == 0 && l->braces == 0 && x->gap >= 2)
        return x->gap;
    if (is_sign(x, ":") || (is_sign(a, ":") && l->depth > 0))
        return 0;
    if ((x->kind == K_SIGN && is_any(x, tight)) || (a->kind == K_SIGN && is_any(a, tight)))
        return 0;
    if ((is_sign(x, "(") || is_sign(x, "[")) && ends_operand(a))
        return 0;
    return 1;
}

static void count_bracket(Layout *l, const Lexeme *x)
{
    if (is_sign(x, "(") || is_sign(x, "["))
        l->depth++;
    if ((is_sign(x, ")") || is_sign(x, "]")) && l->depth > 0)
        l->depth--;
    if (is_sign(x, "{") && l->braces < 64) {
        l->saved[l->braces++] = l->depth;
        l->depth = 0;
    }
    if (is_sign(x, "}") && l->braces > 0)
        l->depth = l->saved[--l->braces];
}

static void put_lexeme(Layout *l, const Lexeme *x)
{
    bool minus = is_sign(x, "-") && !ends_operand(&l->last);
    if (l->start) {
        bool inside = l->depth > 0 || goes_on(&l->last) || is_sign(x, "|>");
        int indent = 4 * (l->braces - is_sign(x, "}"));
        if (inside)
            indent = x->gap > indent + 4 || (x->kind == K_SIGN && x->gap >= indent) ? x->gap
                                                                                    : indent + 4;
        text_add(&l->out, "%*s", indent < 0 ? 0 : indent, "");
    } else {
        text_add(&l->out, "%*s", blanks(l, x), "");
    }
    text_put(&l->out, x->at, (size_t)x->size);
    bool began = l->start || is_sign(&l->last, "{") || is_sign(&l->last, ";");
    l->start = false;
    if (x->kind == K_COMMENT)
        return;
    count_bracket(l, x);
    l->keyword = began && is_keyword(x);
    l->prefix = minus;
    l->last = *x;
}

/* Lays one line out. */
static void put_line(Layout *l)
{
    Lexeme x;
    l->start = true;
    while ((x = next_lexeme(&l->at, is_sign(&l->last, "."))).kind != K_END)
        put_lexeme(l, &x);
    text_put(&l->out, "\n", 1);
    if (!l->start && l->depth == 0 && !goes_on(&l->last))
        l->last = (Lexeme){0};
    l->prefix = l->prefix && goes_on(&l->last);
    l->keyword = false;
}

static Text lay_out(Ngc *ngc, const char *text)
{
    Layout l = {.ngc = ngc, .out.ngc = ngc, .at = text};
    bool empty = true; /* the line before was, or there was none */
    int pending = 0;
    text_put(&l.out, "", 0);
    while (*l.at) {
        const char *c = l.at + strspn(l.at, " \t\r\f\v");
        if (*c == '\n' || *c == '\0') {
            pending = !empty;
            l.at = *c ? c + 1 : c;
            continue;
        }
        if (pending && *c != '}')
            text_put(&l.out, "\n", 1);
        pending = 0;
        put_line(&l);
        empty = is_sign(&l.last, "{");
        l.at += *l.at == '\n';
    }
    return l.out;
}

/* Have both texts the same tokens and comments in the same lines, empty lines aside? */
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
            if (x.kind != y.kind || x.size != y.size || memcmp(x.at, y.at, (size_t)x.size) != 0)
                return false;
            last = x;
        } while (x.kind != K_END);
    }
}

/* Lays one file out. *changed: it was not laid out so. */
static int format_file(Ngc *ngc, const Args *a, const char *path, bool *changed)
{
    int file = source_read(ngc, path, (Loc){.file = -1});
    if (file < 0)
        return ngc->diags && ngc->diags->code == 1 ? 3 : 1;
    int errors = ngc->errors;
    parse(ngc, file);
    if (ngc->errors > errors)
        return 1;
    const Source *s = ngc->file[file];
    Text out = lay_out(ngc, s->text);
    if (!same_tokens(s->text, out.at))
        ngc_bug("fmt would change what '%s' says", path);
    bool same = out.size == (size_t)s->size && memcmp(out.at, s->text, out.size) == 0,
         standard = strcmp(path, "-") == 0;
    *changed |= !same;
    if (a->check && !same)
        printf("%s\n", s->name);
    if (a->check || (same && !standard))
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
        status = one > status ? one : status;
    }
    return status ? status : a->check && changed;
}
