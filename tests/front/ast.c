/* ast.c - parses a file and prints its syntax tree as S-expressions, or what is wrong with it. */
#include "syntax/ast.h"

#include <string.h>

static void print_args(const Arg *arg);

/* Numbers as short as they read back; a list for everything that has parts. */
static void print_expr(const Expr *e)
{
    static const char *const word[] = {
        [X_FIELD] = ".",   [X_CALL] = "call", [X_INDEX] = "index", [X_RANGE] = "range",
        [X_LIST] = "list", [X_NEG] = "neg",   [X_TRANSPOSE] = "'",
    };
    if (e == NULL) {
        printf("()");
        return;
    }
    switch (e->kind) {
    case X_NUM: printf("%.17g", e->num); return;
    case X_STR: printf("\"%s\"", e->name); return;
    case X_NAME: printf("%s", e->name); return;
    case X_NEW: printf("<new>"); return;
    case X_ELLIPSIS: printf("<...>"); return;
    case X_HOLE: printf("<_>"); return;
    default: break;
    }
    printf("(%s", e->kind == X_BINARY ? e->name : word[e->kind]);
    if (e->a != NULL || e->kind == X_RANGE)
        printf(" "), print_expr(e->a);
    if (e->b != NULL || e->kind == X_RANGE)
        printf(" "), print_expr(e->b);
    if (e->kind == X_RANGE && e->c != NULL)
        printf(" "), print_expr(e->c);
    if (e->kind == X_FIELD)
        printf(" %s", e->name);
    print_args(e->args);
    printf(")");
}

static void print_args(const Arg *arg)
{
    for (; arg != NULL; arg = arg->next) {
        if (arg->name != NULL)
            printf(arg->value == NULL ? " %s" : " %s=", arg->name);
        else
            printf(" ");
        if (arg->value != NULL)
            print_expr(arg->value);
    }
}

static void print_part(const char *word, const Expr *e)
{
    if (e != NULL) {
        printf(" %s ", word);
        print_expr(e);
    }
}

static void print_body(const char *word, const Stmt *s, int depth);

static void print_backward(const Stmt *s, int depth)
{
    if (s == NULL)
        return;
    printf("\n%*sbackward", 2 * depth + 2, "");
    for (const Names *n = s->names; n != NULL; n = n->next)
        printf(" %s", n->name);
    print_body("body", s->body, depth + 1);
}

static void print_stmt(const Stmt *s, int depth)
{
    static const char *const word[] = {
        [S_IMPORT] = "import",     [S_DIM] = "dim",           [S_INPUT] = "input",
        [S_PARAM] = "param",       [S_STATE] = "state",       [S_UPDATE] = "update",
        [S_OUTPUT] = "output",     [S_METRIC] = "metric",     [S_ASSIGN] = "assign",
        [S_GRADIENT] = "gradient", [S_MINIMIZE] = "minimize", [S_MAXIMIZE] = "maximize",
        [S_DEF] = "def",           [S_FOR] = "for",           [S_IF] = "if",
        [S_RETURN] = "return",
    };
    printf("%*s(%s", 2 * depth, "", word[s->kind]);
    if (s->name != NULL && s->kind != S_ASSIGN)
        printf(" %s", s->name);
    if (s->has_sizes)
        printf(" [");
    print_args(s->sizes);
    if (s->has_sizes)
        printf(" ]");
    if (s->type != NULL)
        printf(" :%s", s->type);
    for (const Names *n = s->names; n != NULL; n = n->next)
        printf("%s%s", s->kind != S_ASSIGN && n == s->names ? " over " : " ", n->name);
    if (s->value != NULL || s->kind == S_ASSIGN)
        printf(s->bound ? " <=" : " =");
    if (s->value != NULL)
        printf(" "), print_expr(s->value);
    print_args(s->values);
    print_part("..", s->to);
    print_part("while", s->test);
    print_part("~", s->init);
    print_part("with", s->with);
    print_body("body", s->body, depth);
    print_body("else", s->orelse, depth);
    print_backward(s->backward, depth);
    printf(")");
}

static void print_body(const char *word, const Stmt *s, int depth)
{
    if (s == NULL)
        return;
    printf("\n%*s%s", 2 * depth + 2, "", word);
    for (; s != NULL; s = s->next) {
        printf("\n");
        print_stmt(s, depth + 2);
    }
}

int main(int argc, char **argv)
{
    Ngc ngc = {0};
    const char *path = argc > 1 ? argv[argc - 1] : "-";
    bool quiet = argc > 2 && strcmp(argv[1], "-q") == 0;
    int file = source_read(&ngc, path, (Loc){-1, 0, 0});
    const Stmt *s = file < 0 ? NULL : parse(&ngc, file);
    diag_flush(&ngc, stdout);
    for (; s != NULL && ngc.errors == 0 && !quiet; s = s->next) {
        print_stmt(s, 0);
        printf("\n");
    }
    int status = ngc.errors > 0;
    arena_free(&ngc);
    return status;
}
