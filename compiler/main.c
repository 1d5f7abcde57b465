/* main.c - the command line: options, the pass table, and which phase runs when. */
#include "ngc.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const char prelude_text[];
extern const size_t prelude_size;

/* ---- options ------------------------------------------------------------------------------------------- */

typedef enum {
    O_OUTPUT, O_HEADER, O_PREFIX, O_STANDALONE, O_REAL, O_OPTIMIZE, O_DEFINE, O_INCLUDE, O_COMMENTS, O_REPORT, O_KEEP, O_DUMP,
    O_EXPRESSION, O_WARNING, O_COLOR, O_NO_SHARE, O_FILL, O_DIGITS, O_HELP, O_VERSION,
} OptionKind;

typedef struct Option {
    const char *name;      /* as it is written; a value follows after '=' for a long one, behind it or next for a short one */
    OptionKind kind;
    int value;             /* 0 none, 1 wanted, 2 may follow after '=' */
    const char *metavar, *help;
} Option;

static const Option options[] = {
    {"-o", O_OUTPUT, 1, "FILE", "write the C to FILE and, where it ends in .c, the header beside it; '-' is standard output"},
    {"--header", O_HEADER, 2, "FILE", "write the declarations to a header of their own"},
    {"--prefix", O_PREFIX, 1, "NAME", "start all names in the C with NAME_ (default: the stem of the input file)"},
    {"--standalone", O_STANDALONE, 0, NULL, "C that needs nothing but libm: what it uses of the runtime is in the file"},
    {"--real", O_REAL, 1, "TYPE", "float (the default) or double"},
    {"-O", O_OPTIMIZE, 1, "LEVEL", "0: C to read, a statement for each step; 2: C to run (the default)"},
    {"-D", O_DEFINE, 1, "NAME=INT", "give a dim another value, or another bound"},
    {"-I", O_INCLUDE, 1, "DIR", "look for imported files here too"},
    {"--comments", O_COMMENTS, 1, "WHAT", "none, source, or derivation: the rule of calculus above each backward statement"},
    {"--report", O_REPORT, 0, NULL, "tell flops, parameters and memory"},
    {"--keep", O_KEEP, 1, "NAME", "keep a named value in work also at -O2"},
    {"-d", O_DUMP, 1, "LETTERS", "print after passes: l lowering, s simplification (the graph), f fusion, p planning (the programs)"},
    {"-e", O_EXPRESSION, 1, "TEXT", "the model is TEXT, an expression or statements"},
    {"-W", O_WARNING, 1, "NAME", "error: warnings are errors; all: every warning (the default)"},
    {"--color", O_COLOR, 1, "WHEN", "auto, always or never"},
    {"--no-share", O_NO_SHARE, 0, NULL, "give every value memory of its own"},
    {"--fill", O_FILL, 0, NULL, "run: give inputs that have no value seeded normal numbers, and labels in range; print the inputs too"},
    {"--digits", O_DIGITS, 1, "N", "run: print numbers with N significant digits (default: 9; 17 tell a double exactly)"},
    {"--help", O_HELP, 0, NULL, "print this"},
    {"--version", O_VERSION, 0, NULL, "print the version"},
};

typedef enum { C_COMPILE, C_RUN, C_CHECK, C_TRAIN } Command;

static const struct {
    const char *name;
    Command command;
    const char *help;
} commands[] = {
    {"compile", C_COMPILE, "write C and a header (the default command)"},
    {"run", C_RUN, "print every named value and every derivative, for name=value ..."},
    {"check", C_CHECK, "compare each derivative with central differences"},
    {"train", C_TRAIN, "train on real data through the emitted C (--data and the rest: ngc train FILE --help)"},
};

typedef struct Args { /* what the command line says */
    Command command;
    const char *file;      /* the model, "-" for standard input */
    const char *expression;
    const char *output, *header;
    bool want_header, report, fill;
    const char *color;
    char **rest;           /* name=value, or a trainer's arguments */
    int rests;
} Args;

static const char usage_text[] =
    "usage: ngc [compile] [options] FILE|-      C and header from a model: ngc model.ng -o model.c\n"
    "       ngc run   [options] FILE|-e TEXT [name=value ...]\n"
    "       ngc check [options] FILE [name=value ...]\n"
    "       ngc train [options] FILE --data ...\n";

static int usage_error(const char *format, const char *what, const char *guess)
{
    fprintf(stderr, "ngc: error: ");
    fprintf(stderr, format, what);
    if (guess)
        fprintf(stderr, "; did you mean '%s'?", guess);
    fprintf(stderr, "\n'ngc --help' tells what there is\n");
    return 2;
}

static void help(void)
{
    printf("%s\ncommands:\n", usage_text);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        printf("  %-22s %s\n", commands[i].name, commands[i].help);
    printf("\noptions:\n");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const Option *o = &options[i];
        char form[64];
        bool word = o->name[1] == '-';
        snprintf(form, sizeof form, "%s%s%s%s", o->name, o->value == 2 ? "[=" : o->value && word ? "=" : o->value && o->kind != O_OPTIMIZE && o->kind != O_WARNING ? " " : "",
                 o->metavar ? o->metavar : "", o->value == 2 ? "]" : "");
        printf("  %-22s %s\n", form, o->help);
    }
    printf("\nexit status: 0 success, 1 an error in the model or a failed check, 2 usage, 3 cannot read or write, 4 a fault of ngc\n");
}

/* Finds the option that an argument is, and where its value starts (NULL: none with it). */
static const Option *find_option(const char *arg, const char **value)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const Option *o = &options[i];
        size_t n = strlen(o->name);
        *value = NULL;
        if (strcmp(arg, o->name) == 0)
            return o;
        if (strncmp(arg, o->name, n) != 0 || !o->value)
            continue;
        if (o->name[1] == '-' && arg[n] != '=')
            continue;
        *value = arg + n + (o->name[1] == '-');
        return o;
    }
    return NULL;
}

static int add_define(Ngc *ngc, const char *text)
{
    Options *o = &ngc->opt;
    char *end;
    const char *eq = strchr(text, '=');
    double v = eq ? strtod(eq + 1, &end) : 0;
    if (!eq || end == eq + 1 || *end || v != floor(v))
        return usage_error("-D wants NAME=INT, not '%s'", text, NULL);
    Define *d = arena_alloc(ngc, (size_t)(o->defines + 1) * sizeof *d);
    if (o->defines)
        memcpy(d, o->define, (size_t)o->defines * sizeof *d);
    d[o->defines++] = (Define){intern(ngc, text, (size_t)(eq - text)), v};
    o->define = d;
    return 0;
}

static const char **add_text(Ngc *ngc, const char **list, int *count, const char *text)
{
    const char **out = arena_alloc(ngc, (size_t)(*count + 1) * sizeof *out);
    if (*count)
        memcpy(out, list, (size_t)*count * sizeof *out);
    out[(*count)++] = text;
    return out;
}

/* One of a few words, by number; -1 with a message. */
static int choice(const char *option, const char *value, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    fprintf(stderr, "ngc: error: %s cannot be '%s'; it is one of", option, value);
    for (int i = 0; i < count; i++)
        fprintf(stderr, " %s", words[i]);
    fprintf(stderr, "\n");
    return -1;
}

static bool is_identifier(const char *s)
{
    if (!(*s == '_' || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')))
        return false;
    for (; *s; s++)
        if (!(*s == '_' || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9')))
            return false;
    return true;
}

static int apply_option(Ngc *ngc, Args *a, const Option *o, const char *value)
{
    static const char *const reals[] = {"float", "double"}, *const levels[] = {"0", "2"};
    static const char *const comments[] = {"none", "source", "derivation"}, *const whens[] = {"never", "always", "auto"};
    Options *opt = &ngc->opt;
    int n;
    switch (o->kind) {
    case O_OUTPUT: a->output = value; return 0;
    case O_HEADER: a->want_header = true; a->header = value; return 0;
    case O_PREFIX:
        opt->prefix = value;
        return is_identifier(value) ? 0 : usage_error("--prefix wants a C identifier, not '%s'", value, NULL);
    case O_STANDALONE: opt->standalone = true; return 0;
    case O_REAL: n = choice("--real", value, reals, 2); opt->real_double = n == 1; return n < 0 ? 2 : 0;
    case O_OPTIMIZE: n = choice("-O", value, levels, 2); opt->optimize = n == 1 ? 2 : 0; return n < 0 ? 2 : 0;
    case O_DEFINE: return add_define(ngc, value);
    case O_INCLUDE: opt->include = add_text(ngc, opt->include, &opt->includes, value); return 0;
    case O_COMMENTS: opt->comments = choice("--comments", value, comments, 3); return opt->comments < 0 ? 2 : 0;
    case O_REPORT: a->report = true; return 0;
    case O_KEEP: opt->keep = add_text(ngc, opt->keep, &opt->keeps, value); return 0;
    case O_DUMP: opt->dump = value; return 0;
    case O_EXPRESSION: a->expression = value; return 0;
    case O_WARNING:
        opt->werror |= strcmp(value, "error") == 0;
        return opt->werror || strcmp(value, "all") == 0 ? 0 : usage_error("there is no -W%s", value, NULL);
    case O_COLOR: n = choice("--color", value, whens, 3); opt->color = n; return n < 0 ? 2 : 0;
    case O_NO_SHARE: opt->no_share = true; return 0;
    case O_FILL: a->fill = true; return 0;
    case O_DIGITS:
        opt->digits = atoi(value);
        return opt->digits >= 1 && opt->digits <= 17 ? 0 : usage_error("--digits wants a number from 1 to 17, not '%s'", value, NULL);
    case O_HELP: help(); exit(0);
    case O_VERSION: printf("ngc %s\n", NGC_VERSION); exit(0);
    }
    return 0;
}

static int unknown_option(Ngc *ngc, const char *arg)
{
    const char *names[sizeof options / sizeof *options];
    int n = (int)(sizeof options / sizeof *options);
    for (int i = 0; i < n; i++)
        names[i] = options[i].name;
    return usage_error("unknown option '%s'", arg, suggest(ngc, text_format(ngc, "%.*s", (int)strcspn(arg, "="), arg), names, n));
}

static int read_args(Ngc *ngc, Args *a, int argc, char **argv)
{
    int i = 1;
    for (size_t k = 0; argc > 1 && k < sizeof commands / sizeof *commands; k++)
        if (strcmp(argv[1], commands[k].name) == 0) {
            a->command = commands[k].command;
            i = 2;
        }
    for (; i < argc; i++) {
        const char *arg = argv[i], *value;
        bool operand = arg[0] != '-' || arg[1] == '\0';
        if (a->command == C_TRAIN && a->file) {
            a->rest[a->rests++] = argv[i];
            continue;
        }
        if (operand) {
            if (!a->file && !a->expression)
                a->file = arg;
            else if (a->command == C_COMPILE)
                return usage_error("one model at a time; '%s' is another", arg, NULL);
            else
                a->rest[a->rests++] = argv[i];
            continue;
        }
        const Option *o = find_option(arg, &value);
        if (!o || (!o->value && value))
            return unknown_option(ngc, arg);
        if (o->value == 1 && !value && (value = i + 1 < argc ? argv[++i] : NULL) == NULL)
            return usage_error("%s wants a value", arg, NULL);
        int status = apply_option(ngc, a, o, value);
        if (status)
            return status;
    }
    if (!a->file && !a->expression)
        return usage_error("%s", "no model is named", NULL);
    return 0;
}

/* ---- phases --------------------------------------------------------------------------------------------------- */

/* The prefix of all emitted names: the stem of the file, made an identifier. */
static const char *model_name(Ngc *ngc, const Args *a)
{
    if (ngc->opt.prefix)
        return ngc->opt.prefix;
    if (!a->file || strcmp(a->file, "-") == 0)
        return "model";
    const char *slash = strrchr(a->file, '/'), *base = slash ? slash + 1 : a->file;
    size_t n = strlen(base);
    if (n > 3 && strcmp(base + n - 3, ".ng") == 0)
        n -= 3;
    char *name = (char *)text_format(ngc, "%s%.*s", *base >= '0' && *base <= '9' ? "m" : "", (int)n, base);
    for (char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
            *c = '_';
    return name;
}

/* -e TEXT: statements, or an expression that is then J. */
static int expression_file(Ngc *ngc, const char *text)
{
    int depth = 0;
    bool statement = strpbrk(text, ";\n") || strncmp(text, "output ", 7) == 0 || strncmp(text, "gradient ", 9) == 0;
    for (const char *c = text; *c && !statement; c++) {
        depth += *c == '(' || *c == '[';
        depth -= *c == ')' || *c == ']';
        bool compares = c[1] == '=' || (c > text && strchr("<>=!", c[-1]));
        statement = *c == '=' && depth == 0 && !compares;
    }
    const char *all = statement ? text : text_format(ngc, "J = %s", text);
    return source_add(ngc, "-e", all, strlen(all), false);
}

/* What is done to a model, in order; verified, and printed for -d LETTER, after each. The programs of the emitted functions are
 * made from it one by one (emit_c.c), and printed for -d f and -d p. */
static const struct {
    char letter;
    void (*run)(Model *);
} passes[] = {
    {'l', NULL}, /* as lowered */
    {'s', model_simplify},
};

/* Reads and lowers; NULL with status where that failed. */
static Model *front(Ngc *ngc, const Args *a, int *status)
{
    int library = source_add(ngc, "prelude.ng", prelude_text, prelude_size, true);
    int file = a->expression ? expression_file(ngc, a->expression) : source_read(ngc, a->file, (Loc){.file = -1});
    *status = 1;
    if (library < 0 || file < 0) {
        *status = ngc->diags && ngc->diags->code == 1 ? 3 : 1;
        return NULL;
    }
    parse(ngc, library);
    parse(ngc, file);
    if (ngc->errors)
        return NULL;
    Model *m = lower(ngc, file);
    if (!m || ngc->errors)
        return NULL;
    m->name = model_name(ngc, a);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        if (passes[i].run)
            passes[i].run(m);
        graph_verify(m->graph);
        if (ngc->opt.dump && strchr(ngc->opt.dump, passes[i].letter))
            model_dump(m, stderr);
    }
    *status = 0;
    return m;
}

static int compile(Ngc *ngc, const Args *a, Model *m)
{
    OutFile file[2];
    int files = 0;
    Output out = {.c = {.ngc = ngc}, .h = {.ngc = ngc}};
    const char *path = a->output, *header = a->header;
    if (!path && a->report) {
        report(ngc, m, stdout);
        return 0;
    }
    if (!path)
        path = text_format(ngc, "%s.c", m->name);
    size_t n = strlen(path);
    bool c = n > 2 && strcmp(path + n - 2, ".c") == 0;
    if (!header && (c || a->want_header))
        header = c ? text_format(ngc, "%.*sh", (int)n - 1, path) : text_format(ngc, "%s.h", path);
    const char *slash = header ? strrchr(header, '/') : NULL;
    emit_c(ngc, m, slash ? slash + 1 : header, &out);
    if (ngc->errors)
        return 1;
    file[files++] = (OutFile){.path = path, .text = out.c.at, .size = out.c.size};
    if (header)
        file[files++] = (OutFile){.path = header, .text = out.h.at, .size = out.h.size};
    if (output_clash(ngc, file, files))
        return 2;
    if (!output_write(ngc, file, files))
        return 3;
    if (a->report)
        report(ngc, m, strcmp(path, "-") == 0 ? stderr : stdout);
    return 0;
}

static int command(Ngc *ngc, const Args *a)
{
    int status;
    Model *m = front(ngc, a, &status);
    diag_flush(ngc, stderr);
    if (!m)
        return status;
    switch (a->command) {
    case C_COMPILE: status = compile(ngc, a, m); break;
    case C_RUN: status = run_main(ngc, m, a->rest, a->rests, a->fill); break;
    case C_CHECK: status = check_main(ngc, m, a->rest, a->rests); break;
    case C_TRAIN: status = train_main(ngc, m, a->rest, a->rests); break;
    }
    diag_flush(ngc, stderr);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "ngc: error: cannot write standard output: %s\n", strerror(errno));
        return 3;
    }
    return status;
}

int main(int argc, char **argv)
{
    Ngc ngc = {.opt = {.optimize = 2, .comments = -1, .color = 2, .digits = 9}};
    Args a = {0};
    a.rest = arena_alloc(&ngc, (size_t)(argc + 1) * sizeof *a.rest);
    int status = read_args(&ngc, &a, argc, argv);
    if (ngc.opt.color == 2)
        ngc.opt.color = isatty(2) && !getenv("NO_COLOR");
    if (ngc.opt.comments < 0)
        ngc.opt.comments = ngc.opt.optimize ? 1 : 2;
    if (status == 0)
        status = command(&ngc, &a);
    arena_free(&ngc);
    return status;
}
