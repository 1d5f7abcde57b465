/* ng.y - the grammar of .ng files: tokens -> Stmt and Expr, one constructor call per rule.
 *
 * Functions are not part of the grammar: lowering looks up their names. The token filter in ng.l
 * knows which newlines end a statement and which brackets are open. The messages of syntax errors
 * are at the end of this file.
 */
%require "3.8"
%define api.pure full
%define parse.error custom
%define parse.lac full
%locations
%define api.location.type {Loc}
%expect 0
%param {Parser *p}

%code requires {
#include "syntax/ast.h"

typedef struct Parser Parser;
typedef struct Args { Arg *first, *last; } Args;
typedef struct Paths { Names *first, *last; } Paths;
typedef struct Stmts { Stmt *first, *last; } Stmts;
}

%code provides {
typedef struct Token {
    int kind;           /* as yylex returns it */
    YYSTYPE value;
    Loc loc;
    bool first;         /* it starts its line */
} Token;

/* What the scanner, the filter and the grammar share while one file is parsed. */
struct Parser {
    Ngc *ngc;
    int file;           /* -1: a text of our own; its mistakes are ours */
    void *scanner;
    int at;             /* bytes scanned */
    bool line_start;    /* no token of this line was scanned */
    Token back[4];      /* tokens to be read again, last first */
    int backs;
    Token last, prev;   /* the token that the grammar got last, and the one before */
    int before;         /* the kind of the one before these */
    Token *open;        /* the brackets that are open */
    int depth, room;
    int joined;         /* the token at the end of the line above that continues it here, or 0 */
    bool failed;        /* in this statement; what follows from it is not reported */
    bool stopped;       /* nothing more is read */
    Stmt *body;         /* what the file says */
    Expr *expr;         /* what a single expression says */
};

int yylex(YYSTYPE *value, YYLTYPE *loc, Parser *p);
void scanner_open(Parser *p, const char *text, int size);
void scanner_close(Parser *p);
void scanner_resume(Parser *p);
bool scanner_at_statement(Parser *p);
int scanner_bracket(const Parser *p);
int scanner_next(Parser *p);
}

%code {
#define YYMAXDEPTH 20000
#define YYLLOC_DEFAULT(result, rhs, n) ((result) = join_locs((rhs), (n)))

static Loc join_locs(const Loc *rhs, int n);
static void yyerror(const Loc *loc, Parser *p, const char *message);
static double number_value(Parser *p, Loc loc, const char *digits);
static const char *path_text(Parser *p, Loc loc);
static Args add_arg(Args args, Arg *arg);
static Paths add_name(Paths paths, Names *name);
static Stmts one_stmt(Stmt *s);
static Stmts add_stmts(Stmts a, Stmts b);
static Stmts set_kind(Stmts list, StmtKind kind);
static Stmt *set_values(Stmt *s, Args values);
static Stmt *set_type(Parser *p, Stmt *s, Loc loc, const char *type);
static Stmt *new_backward(Parser *p, Loc loc, Loc at, Names *names, Stmt *body);
static Expr *need_call(Parser *p, Expr *e, const char *after, const char *example);
static Expr *name_or_hole(Parser *p, Loc loc, const char *name);
static Expr *index_item(Parser *p, Expr *e);
}

%initial-action { @$ = (Loc){p->file, 0, 0}; }

%union {
    double num;
    const char *name;
    Expr *expr;
    Arg *arg;
    Args args;
    Names *path;
    Paths paths;
    Stmt *stmt;
    Stmts stmts;
}

%token FILE_START EXPR_START
%token NEWLINE "the end of the line"
%token IMPORT "'import'" DIM "'dim'" INPUT "'input'" PARAM "'param'" STATE "'state'"
%token UPDATE "'update'" OUTPUT "'output'" METRIC "'metric'" GRADIENT "'gradient'"
%token MINIMIZE "'minimize'" MAXIMIZE "'maximize'" DEF "'def'" FOR "'for'" IF "'if'"
%token RETURN "'return'" OVER "'over'" WITH "'with'" IN "'in'"
%token WHILE "'while'" ELSE "'else'"
%token BACKWARD "'backward'"
%token LE "'<='" GE "'>='" EQ "'=='" NE "'!='"
%token PIPE "'|>'" DOTS "'..'" ELLIPSIS "'...'" QUOTE "\"'\"" ANY "'*' in a path"
%token <name> NAME "a name" STRING "a string" INT "a whole number"
%token <num> NUM "a number"

%type <stmts> items item statement block dims decls outputs
%type <stmt> dim decl decl_head output objective if def backward
%type <args> sizes values params args arg_list list index
%type <arg> arg param index_arg
%type <paths> names over patterns
%type <path> path
%type <expr> with while expr comparison sum term unary power postfix primary slot part

%start start
%%

start
    : FILE_START items                      { p->body = $2.first; }
    | EXPR_START expr                       { p->expr = $2; }
    ;

items
    : item
    | items separator item                  { $$ = add_stmts($1, $3); }
    ;

separator
    : NEWLINE                               { yyerrok; }
    | ';'                                   { yyerrok; }
    ;

item
    : %empty                                { $$ = (Stmts){0}; }
    | statement
    | error                                 { $$ = (Stmts){0}; }
    | error block                           { $$ = (Stmts){0}; }
    ;

block
    : '{' items '}'                         { $$ = $2; }
    ;

statement
    : IMPORT STRING
        {
            $$ = one_stmt(stmt_new(p->ngc, S_IMPORT, @$, @2, $2));
        }
    | DIM dims                              { $$ = $2; }
    | INPUT decls                           { $$ = set_kind($2, S_INPUT); }
    | PARAM decls                           { $$ = set_kind($2, S_PARAM); }
    | STATE decls                           { $$ = set_kind($2, S_STATE); }
    | OUTPUT outputs                        { $$ = set_kind($2, S_OUTPUT); }
    | METRIC outputs                        { $$ = set_kind($2, S_METRIC); }
    | names '=' values
        {
            Stmt *s = stmt_new(p->ngc, S_ASSIGN, @$, $1.first->loc, $1.first->name);
            s->names = $1.first;
            $$ = one_stmt(set_values(s, $3));
        }
    | UPDATE path '=' expr
        {
            Stmt *s = stmt_new(p->ngc, S_UPDATE, @$, $2->loc, $2->name);
            s->value = $4;
            $$ = one_stmt(s);
        }
    | GRADIENT objective over
        {
            $2->kind = S_GRADIENT;
            $2->loc = @$;
            $2->names = $3.first;
            $$ = one_stmt($2);
        }
    | MINIMIZE objective over with
        {
            $2->kind = S_MINIMIZE;
            $2->loc = @$;
            $2->names = $3.first;
            $2->with = $4;
            $$ = one_stmt($2);
        }
    | MAXIMIZE objective over with
        {
            $2->kind = S_MAXIMIZE;
            $2->loc = @$;
            $2->names = $3.first;
            $2->with = $4;
            $$ = one_stmt($2);
        }
    | def                                   { $$ = one_stmt($1); }
    | def backward
        {
            $1->loc = @$;
            $1->backward = $2;
            $$ = one_stmt($1);
        }
    | FOR NAME IN expr block
        {
            Stmt *s = stmt_new(p->ngc, S_FOR, @$, @2, $2);
            s->value = $4;
            s->body = $5.first;
            $$ = one_stmt(s);
        }
    | FOR NAME IN expr DOTS expr while block
        {
            Stmt *s = stmt_new(p->ngc, S_FOR, @$, @2, $2);
            s->value = $4;
            s->to = $6;
            s->test = $7;
            s->body = $8.first;
            $$ = one_stmt(s);
        }
    | if                                    { $$ = one_stmt($1); }
    | RETURN values
        {
            Stmt *s = stmt_new(p->ngc, S_RETURN, @$, @1, NULL);
            $$ = one_stmt(set_values(s, $2));
        }
    ;

while
    : %empty                                { $$ = NULL; }
    | WHILE expr                            { $$ = $2; }
    ;

def
    : DEF NAME '(' params ')' '=' expr
        {
            $$ = stmt_new(p->ngc, S_DEF, @$, @2, $2);
            $$->values = $4.first;
            $$->value = $7;
        }
    | DEF NAME '(' params ')' block
        {
            $$ = stmt_new(p->ngc, S_DEF, @$, @2, $2);
            $$->values = $4.first;
            $$->body = $6.first;
        }
    ;

backward
    : BACKWARD '(' names ')' '=' values
        {
            Stmt *s = stmt_new(p->ngc, S_RETURN, @6, @6, NULL);
            $$ = new_backward(p, @$, @1, $3.first, set_values(s, $6));
        }
    | BACKWARD '(' names ')' block          { $$ = new_backward(p, @$, @1, $3.first, $5.first); }
    ;

if
    : IF expr block
        {
            $$ = stmt_new(p->ngc, S_IF, @$, @1, NULL);
            $$->value = $2;
            $$->body = $3.first;
        }
    | IF expr block ELSE block
        {
            $$ = stmt_new(p->ngc, S_IF, @$, @1, NULL);
            $$->value = $2;
            $$->body = $3.first;
            $$->orelse = $5.first;
        }
    | IF expr block ELSE if
        {
            $$ = stmt_new(p->ngc, S_IF, @$, @1, NULL);
            $$->value = $2;
            $$->body = $3.first;
            $$->orelse = $5;
        }
    ;

dims
    : dim                                   { $$ = one_stmt($1); }
    | dims ',' dim                          { $$ = add_stmts($1, one_stmt($3)); }
    ;

dim
    : NAME LE expr
        {
            $$ = stmt_new(p->ngc, S_DIM, @$, @1, $1);
            $$->bound = true;
            $$->value = $3;
        }
    | NAME '=' expr
        {
            $$ = stmt_new(p->ngc, S_DIM, @$, @1, $1);
            $$->value = $3;
        }
    ;

decls
    : decl                                  { $$ = one_stmt($1); }
    | decls ',' decl                        { $$ = add_stmts($1, one_stmt($3)); }
    ;

decl
    : decl_head
    | decl_head '=' expr                    { $$ = $1; $$->loc = @$; $$->value = $3; }
    | decl_head '~' expr
        {
            $$ = $1;
            $$->loc = @$;
            $$->init = need_call(p, $3, "'~'", "normal(0, 0.01)");
        }
    ;

decl_head
    : path sizes
        {
            $$ = stmt_new(p->ngc, S_INPUT, @$, @1, $1->name);
            $$->sizes = $2.first;
            $$->has_sizes = @2.end > @2.at;
        }
    | path sizes ':' NAME
        {
            $$ = stmt_new(p->ngc, S_INPUT, @$, @1, $1->name);
            $$->sizes = $2.first;
            $$->has_sizes = @2.end > @2.at;
            set_type(p, $$, @4, $4);
        }
    ;

sizes
    : %empty                                { $$ = (Args){0}; }
    | '[' ']'                               { $$ = (Args){0}; }
    | '[' values ']'                        { $$ = $2; }
    ;

outputs
    : output                                { $$ = one_stmt($1); }
    | outputs ',' output                    { $$ = add_stmts($1, one_stmt($3)); }
    ;

output
    : path                                  { $$ = stmt_new(p->ngc, S_OUTPUT, @$, @1, $1->name); }
    | NAME '=' expr
        {
            $$ = stmt_new(p->ngc, S_OUTPUT, @$, @1, $1);
            $$->value = $3;
        }
    ;

objective
    : expr
        {
            $$ = stmt_new(p->ngc, S_GRADIENT, @$, @1, NULL);
            $$->value = $1;
        }
    | NAME '=' expr
        {
            $$ = stmt_new(p->ngc, S_GRADIENT, @$, @1, $1);
            $$->value = $3;
        }
    ;

over
    : %empty                                { $$ = (Paths){0}; }
    | OVER patterns                         { $$ = $2; }
    ;

with
    : %empty                                { $$ = NULL; }
    | WITH expr                             { $$ = need_call(p, $2, "'with'", "sgd(lr = 0.1)"); }
    ;

names
    : NAME
        {
            $$ = add_name((Paths){0}, names_new(p->ngc, @1, $1));
        }
    | names ',' NAME                        { $$ = add_name($1, names_new(p->ngc, @3, $3)); }
    ;

patterns
    : pattern
        {
            $$ = add_name((Paths){0}, names_new(p->ngc, @1, path_text(p, @1)));
        }
    | patterns ',' pattern
        {
            $$ = add_name($1, names_new(p->ngc, @3, path_text(p, @3)));
        }
    ;

path
    : dotted                                { $$ = names_new(p->ngc, @1, path_text(p, @1)); }
    ;

dotted
    : NAME
    | dotted '.' NAME
    | dotted '.' INT
    ;

pattern
    : NAME
    | '*' '.' NAME
    | pattern '.' NAME
    | pattern '.' INT
    | pattern '.' ANY
    ;

params
    : %empty                                { $$ = (Args){0}; }
    | param                                 { $$ = add_arg((Args){0}, $1); }
    | params ',' param                      { $$ = add_arg($1, $3); }
    ;

param
    : NAME                                  { $$ = arg_new(p->ngc, @1, $1, NULL); }
    | NAME '=' expr                         { $$ = arg_new(p->ngc, @1, $1, $3); }
    ;

values
    : expr
        {
            $$ = add_arg((Args){0}, arg_new(p->ngc, @1, NULL, $1));
        }
    | values ',' expr                       { $$ = add_arg($1, arg_new(p->ngc, @3, NULL, $3)); }
    ;

expr
    : comparison
    | expr PIPE comparison                  { $$ = expr_pipe(p->ngc, @$, $1, $3); }
    ;

comparison
    : sum
    | sum '<' sum                           { $$ = expr_binary(p->ngc, @$, @2, "<", $1, $3); }
    | sum '>' sum                           { $$ = expr_binary(p->ngc, @$, @2, ">", $1, $3); }
    | sum LE sum                            { $$ = expr_binary(p->ngc, @$, @2, "<=", $1, $3); }
    | sum GE sum                            { $$ = expr_binary(p->ngc, @$, @2, ">=", $1, $3); }
    | sum EQ sum                            { $$ = expr_binary(p->ngc, @$, @2, "==", $1, $3); }
    | sum NE sum                            { $$ = expr_binary(p->ngc, @$, @2, "!=", $1, $3); }
    ;

sum
    : term
    | sum '+' term                          { $$ = expr_binary(p->ngc, @$, @2, "+", $1, $3); }
    | sum '-' term                          { $$ = expr_binary(p->ngc, @$, @2, "-", $1, $3); }
    ;

term
    : unary
    | term '*' unary                        { $$ = expr_binary(p->ngc, @$, @2, "*", $1, $3); }
    | term '/' unary                        { $$ = expr_binary(p->ngc, @$, @2, "/", $1, $3); }
    | term '@' unary                        { $$ = expr_binary(p->ngc, @$, @2, "@", $1, $3); }
    ;

unary
    : power
    | '-' unary                             { $$ = expr_unary(p->ngc, @$, @1, X_NEG, $2); }
    ;

power
    : postfix
    | postfix '^' unary                     { $$ = expr_binary(p->ngc, @$, @2, "^", $1, $3); }
    ;

postfix
    : primary
    | postfix QUOTE                         { $$ = expr_unary(p->ngc, @$, @2, X_TRANSPOSE, $1); }
    | postfix '.' NAME                      { $$ = expr_field(p->ngc, @$, @3, $1, $3); }
    | postfix '.' INT                       { $$ = expr_field(p->ngc, @$, @3, $1, $3); }
    | postfix '(' args ')'                  { $$ = expr_call(p->ngc, @$, $1, $3.first); }
    | postfix '[' index ']'                 { $$ = expr_index(p->ngc, @$, $1, $3.first); }
    ;

primary
    : NUM                                   { $$ = expr_num(p->ngc, @1, $1); }
    | INT                                   { $$ = expr_num(p->ngc, @1, number_value(p, @1, $1)); }
    | STRING                                { $$ = expr_str(p->ngc, @1, $1); }
    | NAME                                  { $$ = name_or_hole(p, @1, $1); }
    | '(' expr ')'                          { $$ = $2; $$->loc = @$; }
    | '[' list ']'                          { $$ = expr_list(p->ngc, @$, $2.first); }
    ;

list
    : %empty                                { $$ = (Args){0}; }
    | values
    | values ','
    ;

args
    : %empty                                { $$ = (Args){0}; }
    | arg_list
    | arg_list ','
    ;

arg_list
    : arg                                   { $$ = add_arg((Args){0}, $1); }
    | arg_list ',' arg                      { $$ = add_arg($1, $3); }
    ;

arg
    : expr                                  { $$ = arg_new(p->ngc, @1, NULL, $1); }
    | NAME '=' expr                         { $$ = arg_new(p->ngc, @1, $1, $3); }
    ;

index
    : index_arg                             { $$ = add_arg((Args){0}, $1); }
    | index ',' index_arg                   { $$ = add_arg($1, $3); }
    ;

index_arg
    : slot                                  { $$ = arg_new(p->ngc, @1, NULL, $1); }
    ;

slot
    : expr                                  { $$ = index_item(p, $1); }
    | ELLIPSIS                              { $$ = expr_leaf(p->ngc, @1, X_ELLIPSIS); }
    | part ':' part                         { $$ = expr_range(p->ngc, @$, $1, $3, NULL); }
    | part ':' part ':' part                { $$ = expr_range(p->ngc, @$, $1, $3, $5); }
    ;

part
    : %empty                                { $$ = NULL; }
    | expr
    ;

%%

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- pieces of the tree ---- */

/* From the first to the last part that is not empty. An empty rule is at the end of the part before
 * it. */
static Loc join_locs(const Loc *rhs, int n)
{
    if (n == 0)
        return (Loc){rhs[0].file, rhs[0].end, rhs[0].end};
    int first = 1;
    while (first < n && rhs[first].at == rhs[first].end)
        first++;
    int last = n;
    while (last > first && rhs[last].at == rhs[last].end)
        last--;
    return (Loc){rhs[first].file, rhs[first].at, rhs[last].end};
}

static double number_value(Parser *p, Loc loc, const char *digits)
{
    double value = strtod(digits, NULL);
    if (isinf(value))
        diag(p->ngc, SEV_ERROR, ERR_NUMBER_TOO_LARGE, loc,
             "the number is too large: the largest is about 1.8e308");
    return value;
}

/* A path as one name: its text without the blanks. */
static const char *path_text(Parser *p, Loc loc)
{
    if (p->file < 0)
        return intern_str(p->ngc, "");
    const char *from = p->ngc->file[loc.file]->text + loc.at;
    char *text = arena_alloc(p->ngc, (size_t)(loc.end - loc.at) + 1);
    size_t size = 0;
    for (int i = 0; i < loc.end - loc.at; i++)
        if (strchr(" \t\r\f\v", from[i]) == NULL)
            text[size++] = from[i];
    return intern(p->ngc, text, size);
}

static Args add_arg(Args args, Arg *arg)
{
    if (args.last == NULL)
        return (Args){arg, arg};
    args.last->next = arg;
    return (Args){args.first, arg};
}

static Paths add_name(Paths paths, Names *name)
{
    if (paths.last == NULL)
        return (Paths){name, name};
    paths.last->next = name;
    return (Paths){paths.first, name};
}

static Stmts one_stmt(Stmt *s)
{
    return (Stmts){s, s};
}

static Stmts add_stmts(Stmts a, Stmts b)
{
    if (a.last == NULL)
        return b;
    if (b.first == NULL)
        return a;
    a.last->next = b.first;
    return (Stmts){a.first, b.last};
}

static Stmts set_kind(Stmts list, StmtKind kind)
{
    for (Stmt *s = list.first; s != NULL; s = s->next)
        s->kind = kind;
    return list;
}

static Stmt *set_values(Stmt *s, Args values)
{
    if (values.first->next == NULL)
        s->value = values.first->value;
    else
        s->values = values.first;
    return s;
}

/* float is what a declaration without a type means. */
static Stmt *set_type(Parser *p, Stmt *s, Loc loc, const char *type)
{
    if (strcmp(type, "int") != 0 && strcmp(type, "float") != 0)
        diag(p->ngc, SEV_ERROR, ERR_UNKNOWN_TYPE, loc,
             "there is no type '%s': there are float and int", source_text(p->ngc, loc));
    s->type = strcmp(type, "int") == 0 ? type : NULL;
    s->type_loc = loc;
    return s;
}

static Stmt *new_backward(Parser *p, Loc loc, Loc at, Names *names, Stmt *body)
{
    Stmt *s = stmt_new(p->ngc, S_DEF, loc, at, NULL);
    s->names = names;
    s->body = body;
    return s;
}

static Expr *need_call(Parser *p, Expr *e, const char *after, const char *example)
{
    if (e->kind != X_CALL)
        diag(p->ngc, SEV_ERROR, ERR_CALL_NEEDED, e->loc, "expected a call after %s, such as %s",
             after, example);
    return e;
}

/* The name _ is an argument left open. */
static Expr *name_or_hole(Parser *p, Loc loc, const char *name)
{
    if (strcmp(name, "_") == 0)
        return expr_leaf(p->ngc, loc, X_HOLE);
    return expr_name(p->ngc, loc, name);
}

/* The name new is an axis of size 1, only in an index. */
static Expr *index_item(Parser *p, Expr *e)
{
    if (e->kind == X_NAME && strcmp(e->name, "new") == 0)
        return expr_leaf(p->ngc, e->loc, X_NEW);
    return e;
}

/* ---- what a syntax error says ---- */

/* The tokens that would have been correct. */
typedef struct Wanted {
    yysymbol_kind_t kind[YYNTOKENS];
    int count;
} Wanted;

static bool wants(const Wanted *w, yysymbol_kind_t kind)
{
    for (int i = 0; i < w->count; i++)
        if (w->kind[i] == kind)
            return true;
    return false;
}

/* The bracket that closes this one. */
static char closing(int open)
{
    switch (open) {
    case '(': return ')';
    case '[': return ']';
    default: return '}';
    }
}

static bool is_keyword(yysymbol_kind_t kind)
{
    return kind >= YYSYMBOL_IMPORT && kind <= YYSYMBOL_ELSE;
}

/* The grammar's number of a token that is one character. */
static yysymbol_kind_t symbol_of(int c)
{
    return YYTRANSLATE(c);
}

static bool is_comparison(yysymbol_kind_t kind)
{
    return kind == YYSYMBOL_LE || kind == YYSYMBOL_GE || kind == YYSYMBOL_EQ ||
           kind == YYSYMBOL_NE || kind == symbol_of('<') || kind == symbol_of('>');
}

/* The token as the reader sees it. */
static const char *describe(Parser *p, yysymbol_kind_t kind, Loc loc)
{
    switch (kind) {
    case YYSYMBOL_YYEOF: return "the end of the file";
    case YYSYMBOL_STRING: return "a string";
    case YYSYMBOL_NAME: return text_format(p->ngc, "the name '%s'", source_text(p->ngc, loc));
    case YYSYMBOL_INT:
    case YYSYMBOL_NUM: return text_format(p->ngc, "the number %s", source_text(p->ngc, loc));
    default: return yysymbol_name(kind);
    }
}

/* The tokens that would have been correct, if they are few: "'=', '<' or '{'". */
static const char *list_wanted(Parser *p, const Wanted *w)
{
    Text text = {.ngc = p->ngc};
    for (int i = 0; i < w->count; i++) {
        const char *separator = i == w->count - 1 ? " or " : ", ";
        text_add(&text, "%s%s", i == 0 ? "" : separator, yysymbol_name(w->kind[i]));
    }
    return text.at;
}

/* Is an argument or an element open: within round or square brackets? */
static bool in_list(const Parser *p)
{
    return scanner_bracket(p) == '(' || scanner_bracket(p) == '[';
}

/* What was expected. An operand, and what may follow an operand, have one word each. */
static const char *describe_wanted(Parser *p, const Wanted *w)
{
    if (wants(w, YYSYMBOL_IMPORT))
        return "a statement";
    if (wants(w, symbol_of('-')) && wants(w, YYSYMBOL_NUM))
        return "an expression";
    if (wants(w, YYSYMBOL_NEWLINE))
        return "the end of the statement";
    if (w->count <= 4)
        return list_wanted(p, w);
    if (in_list(p)) {
        const char *comma = wants(w, symbol_of(',')) ? "',' or " : "";
        return text_format(p->ngc, "%s'%c'", comma, closing(scanner_bracket(p)));
    }
    if (wants(w, symbol_of('{')))
        return wants(w, YYSYMBOL_DOTS) ? "'..' or '{'" : "'{'";
    return "the end of the statement";
}

/* Does the token before the last begin a statement? */
static bool prev_begins(const Parser *p)
{
    return p->before == NEWLINE || p->before == ';' || p->before == '{' || p->before == FILE_START;
}

/* Reports a statement that begins with a word of another language, or with a misspelt keyword. */
static bool report_word(Parser *p, yysymbol_kind_t kind)
{
    static const char *const keyword[] = {"import",   "dim",    "input",  "param",    "state",
                                          "update",   "output", "metric", "gradient", "minimize",
                                          "maximize", "def",    "for",    "if",       "return"};
    if (p->prev.kind != NAME || !prev_begins(p) || kind == symbol_of('=') || kind == symbol_of(','))
        return false;

    bool ends = kind == YYSYMBOL_NEWLINE || kind == YYSYMBOL_YYEOF;
    bool selects = kind == symbol_of('.') || kind == symbol_of('[');
    if (ends || selects)
        return false;

    const char *word = source_text(p->ngc, p->prev.loc), *advice = foreign_statement(word);
    if (advice != NULL) {
        diag(p->ngc, SEV_ERROR, ERR_TOKEN, p->prev.loc, "there is no '%s': %s", word, advice);
        return true;
    }

    const char *guess = suggest(p->ngc, word, keyword, (int)(sizeof keyword / sizeof keyword[0]));
    if (guess != NULL)
        diag(p->ngc, SEV_ERROR, ERR_TOKEN, p->prev.loc,
             "there is no statement '%s'; did you mean '%s'?", word, guess);
    return guess != NULL;
}

/* What is wrong with a word or an 'if' after a whole operand, or NULL. */
static const char *hint_word(Parser *p, const Wanted *w, yysymbol_kind_t kind, const char *word)
{
    const char *prev = p->prev.kind == NAME ? source_text(p->ngc, p->prev.loc) : "";
    bool value = kind == YYSYMBOL_NAME || kind == YYSYMBOL_INT || kind == YYSYMBOL_NUM;

    if (kind == YYSYMBOL_IF)
        return "where(c, a, b) is a where c is not 0, else b";
    if (kind == YYSYMBOL_NAME && (strcmp(word, "and") == 0 || strcmp(word, "or") == 0))
        return text_format(p->ngc, "write %s(a, b)", word);
    if (value && strcmp(prev, "not") == 0)
        return "write not(a)";
    if (value && strcmp(prev, "lambda") == 0)
        return "a function has a name: def f(x) = EXPR";
    if (value && p->prev.kind == NAME && wants(w, symbol_of('(')) && !in_list(p))
        return text_format(p->ngc, "write a call as %s(%s), a product as %s*%s", prev, word, prev,
                           word);
    return NULL;
}

/* What to write instead of a colon where Python has one, or NULL. */
static const char *hint_colon(Parser *p, const Wanted *w)
{
    bool block = p->prev.kind == ELSE || wants(w, symbol_of('{'));
    bool range = wants(w, YYSYMBOL_DOTS);

    if (p->prev.kind == '[')
        return "a size that is known only at run time is a dim: dim m <= 64";
    if (block && range && scanner_next(p) != NEWLINE)
        block = false;
    if (block && wants(w, symbol_of('=')))
        return "write a body in braces: def f(x) { ... }, or as an expression: def f(x) = EXPR";
    if (block)
        return "write a block in braces: if COND { ... } else { ... }, for i in a..b { ... }";
    if (range)
        return "a range is written a..b";
    return NULL;
}

/* What is wrong in a declaration, or NULL. */
static const char *hint_declaration(Parser *p, const Wanted *w, yysymbol_kind_t kind,
                                    const char *word)
{
    const char *prev = p->prev.kind == NAME ? source_text(p->ngc, p->prev.loc) : "";
    bool ends = kind == YYSYMBOL_NEWLINE || kind == YYSYMBOL_YYEOF || kind == symbol_of(',');
    bool type = strcmp(prev, "float") == 0 || strcmp(prev, "int") == 0;
    bool declares = p->before == INPUT || p->before == PARAM || p->before == STATE;

    if (p->prev.kind == IMPORT)
        return "write a file's name in double quotes: import \"layers.ng\"; "
               "the library needs no import";
    if (ends && wants(w, YYSYMBOL_LE) && wants(w, symbol_of('=')))
        return text_format(p->ngc,
                           "dim %s <= 64 is a size known at run time, "
                           "dim %s = 64 one known at compile time",
                           prev, prev);
    if (kind == symbol_of('[') && p->before == ':')
        return text_format(p->ngc, "sizes come before the type: x[3]: %s", prev);
    if (kind == YYSYMBOL_NAME && declares && type)
        return text_format(p->ngc, "the type follows the name and its sizes: %s: %s", word, prev);
    if (kind == symbol_of('(') && declares)
        return text_format(p->ngc, "write sizes in square brackets: %s[3, 4]", prev);
    if (kind == symbol_of('(') && p->prev.kind == FOR)
        return "a loop runs over a range or a list: for i in 0..3 { ... }";
    if (kind == YYSYMBOL_NAME && p->prev.kind == ']' && wants(w, symbol_of('~')))
        return text_format(p->ngc, "separate declarations by commas: ..., %s", word);
    if (kind == YYSYMBOL_EQ && wants(w, symbol_of('=')))
        return "'=' names a value, '==' compares";
    return NULL;
}

/* What to do instead of a statement that changes a value or calls its method; or NULL. */
static const char *hint_change(Parser *p, yysymbol_kind_t kind)
{
    if (p->prev.kind != NAME || !prev_begins(p))
        return NULL;
    const char *name = source_text(p->ngc, p->prev.loc);
    if (kind == symbol_of('['))
        return text_format(p->ngc,
                           "a value cannot be changed in place: make a new one, such as "
                           "where(arange(3) == 0, 3, %s) or concat([[3], %s[1:]])",
                           name, name);
    if (kind != symbol_of('.'))
        return NULL;

    const char *after = p->ngc->file[p->file]->text + p->last.loc.end;
    if (strncmp(after, "append", 6) == 0)
        return text_format(p->ngc, "a value has no methods: write %s = append(%s, value)", name,
                           name);
    if (strncmp(after, "backward", 8) == 0 || strncmp(after, "grad", 4) == 0)
        return text_format(p->ngc,
                           "gradient %s delivers derivatives, "
                           "minimize %s with sgd(lr = 0.1) trains",
                           name, name);
    return "a value has no methods and cannot be changed: "
           "make a new one with a function, as in y = exp(x)";
}

/* A colon or an 'if' where an argument or an operand is wanted. */
static const char *hint_inside(Parser *p, const Wanted *w, yysymbol_kind_t kind)
{
    if (kind == YYSYMBOL_IF && wants(w, YYSYMBOL_NUM))
        return "where(c, a, b) is a where c is not 0, else b";
    if (kind == symbol_of(':') && p->prev.kind == NAME && scanner_bracket(p) == '(' &&
        wants(w, symbol_of(')')))
        return text_format(p->ngc, "an argument is named by '=': %s = ...",
                           source_text(p->ngc, p->prev.loc));
    return NULL;
}

/* What is wrong with a keyword, where a name was meant or another one; or NULL. */
static const char *hint_keyword(Parser *p, const Wanted *w, yysymbol_kind_t kind, const char *word)
{
    bool after_keyword = p->prev.kind >= IMPORT && p->prev.kind <= ELSE;

    if (kind == YYSYMBOL_NAME && p->prev.kind == '}' && strncmp(word, "el", 2) == 0)
        return "write else if";
    if (is_keyword(kind) && p->last.first && p->joined == ',')
        return "the line before continues on this one, because it ends with ','";
    if (wants(w, YYSYMBOL_NAME) && (is_keyword(kind) || (kind == symbol_of('=') && after_keyword)))
        return "a keyword cannot be a name";
    if (kind == YYSYMBOL_ELSE)
        return "there is no 'if' for it";
    if (kind == YYSYMBOL_BACKWARD)
        return "a backward part belongs to a def, and a def has only one";
    if (p->prev.kind == '(' && p->before == BACKWARD)
        return "backward(dy) names the adjoint of the result";
    return NULL;
}

/* What is wrong with an operator, a quote or a bracket, or NULL. */
static const char *hint_sign(Parser *p, const Wanted *w, yysymbol_kind_t kind)
{
    bool begins_operand = wants(w, YYSYMBOL_NUM), after_operand = wants(w, symbol_of('+'));
    bool tuple = kind == symbol_of(',') && wants(w, symbol_of(')')) && after_operand;

    if (is_comparison(kind) && after_operand)
        return "comparisons do not chain; write and(a < b, b < c)";
    if (kind == YYSYMBOL_QUOTE && begins_operand)
        return "write a string in double quotes";
    if (kind == symbol_of('{') && p->prev.kind == '=' && p->before == ')')
        return "a body in braces follows without '=': def f(x) { ... return x }";
    if (kind == symbol_of('{') && (p->prev.kind == WHILE || p->prev.kind == IF))
        return NULL;
    if ((kind == symbol_of('{') && begins_operand) || tuple)
        return "a list is written with [ and ]";
    if (kind == symbol_of('=') && p->joined != 0)
        return text_format(p->ngc, "the line before continues on this one, because it ends with %s",
                           yysymbol_name(symbol_of(p->joined)));
    if (kind == symbol_of('=') && after_operand)
        return "'==' compares";
    if (kind == symbol_of('*') && p->prev.kind == '*')
        return "the power is written '^'";
    return NULL;
}

/* What a statement needs that is only a value, or NULL. */
static const char *hint_value(Parser *p, const Wanted *w, yysymbol_kind_t kind)
{
    bool after_name = wants(w, symbol_of(',')) && !wants(w, symbol_of('+')) && p->prev.kind == NAME;
    bool number = kind == YYSYMBOL_INT || kind == YYSYMBOL_NUM;
    bool begins_value = number || kind == symbol_of('(') || kind == symbol_of('[');

    if (after_name && scanner_bracket(p) == '{' && kind == symbol_of('('))
        return "a value needs a name, y = ..., or 'return' before it";
    if (after_name && scanner_bracket(p) != '(' && (w->count == 2 || kind == symbol_of('(')))
        return "a value needs a name: J = ...";
    if (wants(w, YYSYMBOL_IMPORT) && begins_value)
        return "a value needs a name: J = ...";
    return NULL;
}

/* A hint if the mistake is a common one, or NULL. The first that fits is the best. */
static const char *give_hint(Parser *p, const Wanted *w, yysymbol_kind_t kind)
{
    if (kind == YYSYMBOL_DIM && scanner_bracket(p) == '(')
        return "a keyword cannot be a name; the argument for axes is called axis";

    const char *word = source_text(p->ngc, p->last.loc);
    const char *hint = hint_declaration(p, w, kind, word);
    if (hint == NULL)
        hint = hint_change(p, kind);
    if (hint == NULL)
        hint = hint_inside(p, w, kind);
    if (hint == NULL && wants(w, symbol_of('+')))
        hint = hint_word(p, w, kind, word);
    if (hint == NULL && kind == symbol_of(':'))
        hint = hint_colon(p, w);
    if (hint == NULL)
        hint = hint_keyword(p, w, kind, word);
    if (hint == NULL)
        hint = hint_sign(p, w, kind);
    if (hint == NULL)
        hint = hint_value(p, w, kind);
    return hint;
}

/* The end of the token before the last: where the mistake is, when the last is on a later line. */
static Loc after_prev(const Parser *p)
{
    int at = p->prev.kind == NEWLINE ? p->prev.loc.at : p->prev.loc.end;
    return (Loc){p->file, at, at};
}

/* Says that a bracket was left open, right after the last token where it could be closed. */
static void report_open(Parser *p, Loc at)
{
    Token open = p->open[p->depth - 1];
    int column, line = source_line(p->ngc, open.loc, &column);

    if (p->last.first || p->last.kind == YYEOF)
        at = after_prev(p);
    diag(p->ngc, SEV_ERROR, ERR_OPEN_BRACKET, at, "expected '%c' to close the '%c' at %d:%d",
         closing(open.kind), open.kind, line, column);
}

/* Must the innermost bracket have been closed before this token? */
static bool ends_bracket(Parser *p, const Wanted *w, yysymbol_kind_t kind)
{
    int open = scanner_bracket(p);
    if (open == 0)
        return false;
    if (kind == YYSYMBOL_YYEOF)
        return true;
    if (open == '{')
        return false;

    bool complete = wants(w, symbol_of(closing(open)));
    bool closes = kind == symbol_of(']') || kind == symbol_of(')') || kind == symbol_of('}');
    bool goes_past = kind == symbol_of('{') || kind == symbol_of(';') ||
                     (is_keyword(kind) && !wants(w, YYSYMBOL_NAME));
    return scanner_at_statement(p) || (complete && (closes || goes_past));
}

/* Expected one thing, found another: and a hint if the mistake is a common one. */
static void report_unexpected(Parser *p, const Wanted *w, yysymbol_kind_t kind, Loc at)
{
    if (kind == YYSYMBOL_YYEOF)
        at = after_prev(p);
    if (p->last.first && p->joined != 0 && p->prev.kind == p->joined && wants(w, YYSYMBOL_NUM)) {
        diag(p->ngc, SEV_ERROR, ERR_TOKEN, after_prev(p), "expected an expression after %s",
             yysymbol_name(symbol_of(p->joined)));
        return;
    }

    const char *wanted = describe_wanted(p, w), *found = describe(p, kind, at);
    const char *hint = give_hint(p, w, kind);
    if (hint == NULL)
        diag(p->ngc, SEV_ERROR, ERR_TOKEN, at, "expected %s, found %s", wanted, found);
    else
        diag(p->ngc, SEV_ERROR, ERR_TOKEN, at, "expected %s, found %s: %s", wanted, found, hint);
}

/* Reports a while that is a statement of its own, as in other languages, or follows a list. */
static bool report_while(Parser *p, const Wanted *w, yysymbol_kind_t kind, Loc at)
{
    const char *form = "for i in 0..100 while COND { ... }, with the most passes there can be";
    if (kind != YYSYMBOL_WHILE)
        return false;

    if (wants(w, YYSYMBOL_IMPORT) && scanner_next(p) != '=')
        diag(p->ngc, SEV_ERROR, ERR_TOKEN, at, "there is no statement 'while': write %s", form);
    else if (wants(w, symbol_of('{')) && wants(w, YYSYMBOL_DOTS))
        diag(p->ngc, SEV_ERROR, ERR_TOKEN, at, "'while' follows a range: write %s", form);
    else
        return false;
    return true;
}

static void report_error(Parser *p, const Wanted *w, yysymbol_kind_t kind, Loc at)
{
    if (report_word(p, kind) || report_while(p, w, kind, at))
        return;

    if (kind == YYSYMBOL_FOR && scanner_bracket(p) == '[')
        diag(p->ngc, SEV_ERROR, ERR_TOKEN, at,
             "a list has no 'for' inside: use list = append(list, value) in a loop");
    else if (ends_bracket(p, w, kind))
        report_open(p, at);
    else
        report_unexpected(p, w, kind, at);
}

/* One message a statement; then reading continues at the next one. */
static int yyreport_syntax_error(const yypcontext_t *context, Parser *p)
{
    yysymbol_kind_t kind = yypcontext_token(context);
    Loc at = *yypcontext_location(context);
    if (p->file < 0)
        ngc_bug("syntax error at %d of our own text", at.at);

    if (!p->failed) {
        Wanted w;
        w.count = yypcontext_expected_tokens(context, w.kind, YYNTOKENS);
        report_error(p, &w, kind, at);
    }
    p->failed = true;
    scanner_resume(p);
    return 0;
}

/* All but syntax errors: the parser's stack is full. */
static void yyerror(const Loc *loc, Parser *p, const char *message)
{
    (void)message;
    diag(p->ngc, SEV_ERROR, ERR_NESTING, *loc, "nested too deeply");
}

/* ---- the phase ---- */

static void run_parser(Parser *p, int start, const char *text, int size)
{
    p->line_start = true;
    p->back[p->backs++] = (Token){.kind = start, .loc = {p->file, 0, 0}};
    scanner_open(p, text, size);
    if (yyparse(p) != 0 && p->ngc->errors == 0)
        ngc_bug("a text is refused without a message");
    scanner_close(p);
}

Expr *parse_expr(Ngc *ngc, const char *text)
{
    Parser p = {.ngc = ngc, .file = -1};
    run_parser(&p, EXPR_START, text, (int)strlen(text));
    return p.expr;
}

/* The statements from a byte of a file to another. */
static Stmt *parse_piece(Ngc *ngc, int file, int from, int to)
{
    Parser p = {.ngc = ngc, .file = file, .at = from};
    run_parser(&p, FILE_START, ngc->file[file]->text + from, to - from);
    return p.body;
}

/* A def of the library whose text begins with `from`: its name, and where it is. */
static Stmt *name_def(Ngc *ngc, int file, int from, int to)
{
    int at = from + (int)strlen("def ");
    const char *name = ngc->file[file]->text + at;
    int size = (int)strcspn(name, "(");
    Stmt *s = stmt_new(ngc, S_DEF, (Loc){file, from, to}, (Loc){file, at, at + size},
                       intern(ngc, name, (size_t)size));
    s->unread = true;
    return s;
}

/* The library is long, and a model uses little of it: its defs are parsed when they are first
 * used. There, a line that begins with a letter begins a statement, and each statement does. */
static Stmt *parse_library(Ngc *ngc, int file)
{
    const Source *s = ngc->file[file];
    Stmts all = {NULL, NULL};

    for (int i = 0, next; i < s->lines; i = next) {
        int from = s->line[i];
        for (next = i + 1; next < s->lines && !isalpha((unsigned char)s->text[s->line[next]]);)
            next++;
        int to = next < s->lines ? s->line[next] : s->size;
        bool is_def = strncmp(s->text + from, "def ", 4) == 0;
        Stmt *one = is_def ? name_def(ngc, file, from, to) : parse_piece(ngc, file, from, to);
        if (one != NULL)
            all = add_stmts(all, one_stmt(one));
    }
    return all.first;
}

const Stmt *parse_def(Ngc *ngc, const Stmt *unread)
{
    return parse_piece(ngc, unread->loc.file, unread->loc.at, unread->loc.end);
}

Stmt *parse(Ngc *ngc, int file)
{
    Source *s = ngc->file[file];
    s->body = s->library ? parse_library(ngc, file) : parse_piece(ngc, file, 0, s->size);
    return s->body;
}
