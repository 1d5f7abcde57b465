/* options.c - reads the command line by the tables that describe it, and tells what there is. */
#include "options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the tables ---- */

const char *const option_group_title[OF_COUNT] = {
    [OF_MODEL] = "The model",
    [OF_C] = "The C",
    [OF_BUILD] = "For build tools",
    [OF_MESSAGES] = "Messages",
    [OF_RUN] = "run, check and explain",
    [OF_TRAIN] = "train, eval and predict",
    [OF_OTHER] = "Others",
};

const Option option_table[] = {
    {"-D", O_DEFINE, OF_MODEL, 1, "NAME=INT", NULL, "give a dim another value, or another bound"},
    {"-I", O_INCLUDE, OF_MODEL, 1, "DIR", NULL, "look for imported files here too"},
    {"-e", O_EXPRESSION, OF_MODEL, 1, "TEXT", NULL,
     "the model is TEXT, an expression or statements"},
    {"--stdin-name", O_STDIN_NAME, OF_MODEL, 1, "NAME", NULL,
     "what messages and the prefix call the model that '-' reads"},

    {"-o", O_OUTPUT, OF_C, 1, "FILE", NULL,
     "write the C to FILE and, where it ends in .c, the header beside it; '-' is standard output"},
    {"--header", O_HEADER, OF_C, 2, "FILE", NULL,
     "write the declarations to a header of their own"},
    {"--prefix", O_PREFIX, OF_C, 1, "NAME", NULL,
     "start all names in the C with NAME_ (default: the stem of the input file)"},
    {"--standalone", O_STANDALONE, OF_C, 0, NULL, NULL,
     "C that needs nothing but libm: what it uses of the runtime is in the file"},
    {"--real", O_REAL, OF_C, 1, "TYPE", "float double", "float (the default) or double"},
    {"-O", O_OPTIMIZE, OF_C, 1, "LEVEL", "0 2",
     "0: C to read, a statement for each step; 2: C to run (the default)"},
    {"--comments", O_COMMENTS, OF_C, 1, "WHAT", "none source derivation",
     "none, source, or derivation: the rule of calculus above each backward statement"},
    {"--keep", O_KEEP, OF_C, 1, "NAME", NULL, "keep a named value in work also at -O2"},
    {"--without", O_WITHOUT, OF_C, 1, "PASS", pass_words,
     "leave out a pass, to measure it or to find its fault; may be repeated"},
    {"--no-share", O_NO_SHARE, OF_C, 0, NULL, NULL, "give every value memory of its own"},
    {"--pool-from", O_POOL_FROM, OF_C, 1, "NS", NULL,
     "share the work of functions and loops of so many estimated nanoseconds among the threads of work.pool (100000, 2000)"},
    {"--weights", O_WEIGHTS, OF_C, 1, "FILE", NULL,
     "predict alone, with the weights of FILE as constants: safetensors, .npz, .npy, or the memory of the params struct"},
    {"--map", O_MAP, OF_C, 1, "PAIRS", NULL,
     "theirs=ours,...: what weights are called in their file and here; or a file of such pairs"},
    {"--report", O_REPORT, OF_C, 0, NULL, NULL,
     "tell flops, parameters and memory; without -o, that alone"},

    {"-M", O_DEPS, OF_BUILD, 0, NULL, NULL,
     "print a make rule with all files that the model is read from, and write no C"},
    {"-MD", O_DEPS_TOO, OF_BUILD, 0, NULL, NULL,
     "write that rule beside the C, in a file that ends in .d"},
    {"-MF", O_DEPS_FILE, OF_BUILD, 1, "FILE", NULL, "write the rule to FILE"},
    {"-MT", O_DEPS_TARGET, OF_BUILD, 1, "TARGET", NULL,
     "the rule's target (default: the files that are written)"},
    {"--manifest", O_MANIFEST, OF_BUILD, 2, "FILE", NULL,
     "describe the C in JSON: functions, tensors, shapes, offsets; beside the C, in a file that ends in .json"},

    {"-W", O_WARNING, OF_MESSAGES, 1, "NAME", NULL,
     "switch a warning on, no-NAME off, all of them on; error: warnings are errors"},
    {"--diagnostics", O_DIAGNOSTICS, OF_MESSAGES, 1, "FORM", "text json",
     "text (the default), or json: an object on a line for each message"},
    {"--color", O_COLOR, OF_MESSAGES, 1, "WHEN", "auto always never", "auto, always or never"},

    {"--fill", O_FILL, OF_RUN, 0, NULL, NULL,
     "run: give inputs that have no value seeded normal numbers, and labels in range; print the inputs too"},
    {"--digits", O_DIGITS, OF_RUN, 1, "N", NULL,
     "run: print numbers with N significant digits (default: 9; 17 tell a double exactly)"},

    {"--html", O_FORM, OF_RUN, 0, NULL, NULL,
     "explain: a page to look at and step through (the default)"},
    {"--text", O_FORM, OF_RUN, 0, NULL, NULL, "explain: the lesson as text"},
    {"--tex", O_FORM, OF_RUN, 0, NULL, NULL, "explain: the lesson for LaTeX"},
    {"--dot", O_FORM, OF_RUN, 0, NULL, NULL, "explain: the graph for Graphviz"},
    {"--json", O_FORM, OF_RUN, 0, NULL, NULL, "explain: all of it, for other programs"},
    {"--jacobians", O_JACOBIANS, OF_RUN, 0, NULL, NULL,
     "explain: the full Jacobians, and what they would cost; in --html, --text, --tex and --json, or alone"},
    {"--layout", O_LAYOUT, OF_RUN, 1, "LAYOUT", "rows columns numerator denominator",
     "explain: of dy/dx a row (the default) or a column for each element of y; numerator and denominator layout are the same two"},

    {"--data", O_TRAINER, OF_TRAIN, 1, "FILE", NULL,
     "CSV, IDX, .npy or .npz, also by gzip: columns for the inputs in their order; or NAME=FILE,... for each"},
    {"--val", O_TRAINER, OF_TRAIN, 1, "FILE", NULL, "train: validation data in the same forms"},
    {"--epochs", O_TRAINER, OF_TRAIN, 1, "N", NULL, "train: passes over the data (10)"},
    {"--batch", O_TRAINER, OF_TRAIN, 1, "N", NULL, "rows at a time (the model's bound)"},
    {"--seed", O_TRAINER, OF_TRAIN, 1, "N", NULL,
     "of the initial weights and of the order of rows (1)"},
    {"--no-shuffle", O_TRAINER, OF_TRAIN, 0, NULL, NULL, "train: rows in the order of the file"},
    {"--load", O_TRAINER, OF_TRAIN, 1, "FILE", NULL,
     "start from these weights; --map says how they are called there"},
    {"--save", O_TRAINER, OF_TRAIN, 1, "FILE", NULL,
     "train: write the weights: .npz, .npy, else safetensors"},
    {"--log", O_TRAINER, OF_TRAIN, 1, "FILE", NULL, "train: the values of each epoch, as CSV"},
    {"--curve", O_TRAINER, OF_TRAIN, 2, "FILE", NULL,
     "train: at the end, the loss of each epoch as a curve in characters, or in FILE all values as SVG"},
    {"--threads", O_TRAINER, OF_TRAIN, 1, "N", NULL,
     "threads that share the work of a large model (1)"},
    {"--quiet", O_TRAINER, OF_TRAIN, 0, NULL, NULL, "results and errors alone"},

    {"--check", O_CHECK, OF_OTHER, 0, NULL, NULL,
     "fmt: change nothing, list the files that would change, and exit with 1 if there are any"},
    {"-d", O_DUMP, OF_OTHER, 1, "LETTERS", NULL,
     "print after passes: l lowering, s simplification (the graph), f fusion, p planning (the programs), and others"},
    {"--verify", O_VERIFY, OF_OTHER, 0, NULL, NULL,
     "check after each pass that its result is sound"},
    {"--completion", O_COMPLETION, OF_OTHER, 1, "SHELL", "bash zsh fish",
     "print the completions for bash, zsh or fish"},
    {"--man", O_MAN, OF_OTHER, 0, NULL, NULL, "print the manual page, for man"},
    {"--help", O_HELP, OF_OTHER, 0, NULL, NULL, "print this"},
    {"--version", O_VERSION, OF_OTHER, 0, NULL, NULL, "print the version"},
};
const int option_count = (int)(sizeof option_table / sizeof *option_table);

const CommandInfo command_table[] = {
    {"compile", C_COMPILE, "[options] FILE|-",
     "write C and a header: ngc model.ng -o model.c (the default command)"},
    {"run", C_RUN, "[options] FILE|-e TEXT [name=value ...]",
     "print every named value and every derivative"},
    {"check", C_CHECK, "[options] FILE [name=value ...]",
     "compare each derivative with central differences"},
    {"explain", C_EXPLAIN,
     "[--html|--text|--tex|--dot|--json] [--jacobians] [--data F] [-o OUT] FILE [name=value ...]",
     "tell how the values and the derivatives come about, step by step"},
    {"train", C_TRAIN, "[options] FILE --data ... [--save F]",
     "train on real data through the emitted C (ngc train FILE --help tells the rest)"},
    {"eval", C_EVAL, "[options] FILE --data ... --load F",
     "print losses and metrics of a trained model, one 'name: value' a line"},
    {"predict", C_PREDICT, "[options] FILE --data ... --load F [-o OUT]",
     "print the outputs of a trained model, a line for each row of the data"},
    {"fmt", C_FMT, "[--check] FILE|- ...",
     "lay models out: indentation and blanks; comments and lines stay"},
    {"explain-error", C_EXPLAIN_ERROR, "CODE ...",
     "tell more about an error: ngc explain-error NG0301"},
};
const int command_count = (int)(sizeof command_table / sizeof *command_table);

const WarningInfo warning_table[] = {
    {"batch-value", "a loss of one batch, not of all the data"},
    {"broadcast", "a column [n, 1] compared with [n], which gives [n, n]"},
    {"large-output", "C of more than 4 MB"},
    {"log-softmax", "the log of a softmax"},
    {"not-logits", "a softmax or sigmoid given to a loss that takes logits"},
    {"renamed-identifier", "a name that is another in the C"},
    {"underflow", "a number so small that it becomes 0"},
    {"unused-name", "a name that nothing uses"},
    {"zero-gradient", "a gradient that is 0 wherever it exists"},
};
const int warning_count = (int)(sizeof warning_table / sizeof *warning_table);

/* ---- what there is ---- */

static int usage_error(Ngc *ngc, const char *format, const char *what, const char *guess)
{
    const char *text = text_format(ngc, format, what);
    Diag *d = complain(ngc, "%s%s%s%s", text, guess ? "; did you mean '" : "", guess ? guess : "",
                       guess ? "'?" : "");
    diag_note(ngc, d, (Loc){.file = -1}, "'ngc --help' tells what there is");
    return 2;
}

const char *option_form(Ngc *ngc, const Option *o)
{
    bool word = o->name[1] == '-', joined = o->kind == O_OPTIMIZE || o->kind == O_WARNING;
    const char *between = o->value == 2         ? "[="
                          : o->value && word    ? "="
                          : o->value && !joined ? " "
                                                : "";
    return text_format(ngc, "%s%s%s%s", o->name, between, o->metavar ? o->metavar : "",
                       o->value == 2 ? "]" : "");
}

/* Prints words within 100 columns, each line after the first behind the indentation. */
static void print_wrapped(const char *text, int indent)
{
    int column = indent;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (column > indent && column + 1 + n > 100) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            printf(" ");
            column++;
        }
        printf("%.*s", n, text);
        column += n;
        text += n + (text[n] == ' ');
    }
    printf("\n");
}

static void help(Ngc *ngc)
{
    printf("ngc turns a model into C that evaluates it, differentiates it and trains it.\n\n");
    for (int i = 0; i < command_count; i++) {
        printf("%s ngc %s %s\n        ",
               i ? "      " : "usage:", i ? command_table[i].name : "[compile]",
               command_table[i].usage);
        print_wrapped(command_table[i].help, 8);
    }
    for (int g = 0; g < OF_COUNT; g++) {
        printf("\n%s:\n", option_group_title[g]);
        for (int i = 0; i < option_count; i++) {
            if ((int)option_table[i].group != g)
                continue;
            printf("  %-19s ", option_form(ngc, &option_table[i]));
            print_wrapped(option_table[i].help, 22);
        }
    }
    printf("\nWarnings, all of them on unless -Wno-NAME:\n");
    for (int i = 0; i < warning_count; i++)
        printf("  %-19s %s\n", warning_table[i].name, warning_table[i].help);
    printf(
        "\nExit status: 0 success, 1 an error in the model or a failed check, 2 usage, 3 cannot read or write,\n"
        "4 a fault of ngc. Nothing is written on an error.\n\n"
        "For example:\n"
        "  ngc run -e '2*(a*b + c)' a=3 b=2 c=5      values and derivatives at once\n"
        "  ngc model.ng -o model.c                   model.c and model.h for your program\n"
        "  ngc -O0 model.ng -o -                     C to read, with the rule of calculus above each line\n"
        "  ngc -MD -MF model.d model.ng -o model.c   and a rule for make\n");
}

/* ---- reading ---- */

/* Finds the option that an argument is, and where its value starts (NULL: none with it). */
static const Option *find_option(const char *arg, const char **value)
{
    *value = NULL;
    for (int i = 0; i < option_count; i++)
        if (strcmp(arg, option_table[i].name) == 0)
            return &option_table[i];
    for (int i = 0; i < option_count; i++) {
        const Option *o = &option_table[i];
        size_t n = strlen(o->name);
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
        return usage_error(ngc, "-D wants NAME=INT, not '%s'", text, NULL);
    Define *d = arena_alloc(ngc, (size_t)(o->defines + 1) * sizeof *d);
    if (o->defines)
        memcpy(d, o->define, (size_t)o->defines * sizeof *d);
    d[o->defines++] = (Define){intern(ngc, text, (size_t)(eq - text)), v};
    o->define = d;
    return -1;
}

static const char **add_text(Ngc *ngc, const char **list, int *count, const char *text)
{
    const char **out = arena_alloc(ngc, (size_t)(*count + 1) * sizeof *out);
    if (*count)
        memcpy(out, list, (size_t)*count * sizeof *out);
    out[(*count)++] = text;
    return out;
}

/* Which of the option's words the value is, into *n. */
static int choose(Ngc *ngc, const Option *o, const char *value, int *n)
{
    *n = 0;
    for (const char *w = o->words; *w; w += strspn(w, " "), ++*n) {
        size_t size = strcspn(w, " ");
        if (strlen(value) == size && strncmp(value, w, size) == 0)
            return -1;
        w += size;
    }
    complain(ngc, "%s cannot be '%s'; it is one of %s", o->name, value, o->words);
    return 2;
}

static bool is_identifier(const char *s)
{
    if (!(*s == '_' || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')))
        return false;
    for (; *s; s++)
        if (!(*s == '_' || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
              (*s >= '0' && *s <= '9')))
            return false;
    return true;
}

static void switch_warning(Ngc *ngc, const char *name, bool off)
{
    Options *opt = &ngc->opt;
    for (int i = opt->silents; i-- > 0;)
        if (strcmp(opt->silent[i], name) == 0)
            opt->silent[i] = opt->silent[--opt->silents];
    if (off)
        opt->silent = add_text(ngc, opt->silent, &opt->silents, name);
}

/* -Wall, -Werror, -WNAME, -Wno-NAME. Of several about one warning the last counts. */
static int set_warning(Ngc *ngc, const char *value)
{
    const char *names[16] = {"all", "error"};
    bool off = strncmp(value, "no-", 3) == 0;
    const char *name = off ? value + 3 : value;
    if (strcmp(name, "error") == 0) {
        ngc->opt.werror = !off;
        return -1;
    }
    bool all = strcmp(name, "all") == 0, known = all;
    for (int i = 0; i < warning_count; i++) {
        bool it = all || strcmp(name, warning_table[i].name) == 0;
        known |= it;
        if (it)
            switch_warning(ngc, warning_table[i].name, off);
        names[i + 2] = warning_table[i].name;
    }
    if (known)
        return -1;
    const char *guess = suggest(ngc, name, names, warning_count + 2);
    return usage_error(ngc, "there is no -W%s", value,
                       guess ? text_format(ngc, "-W%s%s", off ? "no-" : "", guess) : NULL);
}

static int set_digits(Ngc *ngc, const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);
    ngc->opt.digits = (int)n;
    return *value && !*end && n >= 1 && n <= 17
               ? -1
               : usage_error(ngc, "--digits wants a number from 1 to 17, not '%s'", value, NULL);
}

static int set_pool_from(Ngc *ngc, const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);
    ngc->opt.pool_from = (int)n;
    return *value && !*end && n >= 1 && n <= 1000000000
               ? -1
               : usage_error(ngc, "--pool-from wants nanoseconds, 1 to 1000000000, not '%s'", value,
                             NULL);
}

/* Letters of passes. */
static int set_dump(Ngc *ngc, const char *value)
{
    const char *known = pass_letters(ngc);
    const char *wrong = value + strspn(value, known);

    ngc->opt.dump = value;
    if (!*wrong)
        return -1;
    complain(ngc, "-d: no pass has the letter '%.1s'; there are %s", wrong, known);
    return 2;
}

static int apply_option(Ngc *ngc, Args *a, const Option *o, const char *value)
{
    Options *opt = &ngc->opt;
    int n = 0;
    int status = o->words ? choose(ngc, o, value, &n) : -1;
    if (status >= 0)
        return status;
    switch (o->kind) {
    case O_OUTPUT: a->output = value; break;
    case O_HEADER:
        a->want_header = true;
        a->header = value;
        break;
    case O_PREFIX:
        opt->prefix = value;
        return is_identifier(value)
                   ? -1
                   : usage_error(ngc, "--prefix wants a C identifier, not '%s'", value, NULL);
    case O_STANDALONE: opt->standalone = true; break;
    case O_REAL: opt->real_double = n == 1; break;
    case O_OPTIMIZE: opt->optimize = n == 1 ? 2 : 0; break;
    case O_DEFINE: return add_define(ngc, value);
    case O_INCLUDE: opt->include = add_text(ngc, opt->include, &opt->includes, value); break;
    case O_COMMENTS: opt->comments = n; break;
    case O_REPORT: a->report = true; break;
    case O_KEEP: opt->keep = add_text(ngc, opt->keep, &opt->keeps, value); break;
    case O_DUMP: return set_dump(ngc, value);
    case O_VERIFY: opt->verify = true; break;
    case O_EXPRESSION: a->expression = value; break;
    case O_WARNING: return set_warning(ngc, value);
    case O_COLOR: opt->color = n == 0 ? 2 : n == 1; break;
    case O_NO_SHARE: opt->no_share = true; break;
    case O_POOL_FROM: return set_pool_from(ngc, value);
    case O_WITHOUT: opt->without |= 1u << pass_find(value); break;
    case O_FILL: a->fill = true; break;
    case O_DIGITS: return set_digits(ngc, value);
    case O_DEPS: a->deps_only = true; break;
    case O_DEPS_TOO: a->deps = true; break;
    case O_DEPS_FILE: a->deps_file = value; break;
    case O_DEPS_TARGET: a->deps_target = value; break;
    case O_MANIFEST:
        a->want_manifest = true;
        a->manifest = value;
        break;
    case O_WEIGHTS: opt->weights = value; break;
    case O_STDIN_NAME: opt->stdin_name = value; break;
    case O_DIAGNOSTICS: opt->json = n == 1; break;
    case O_CHECK: a->check = true; break;
    case O_MAP: opt->map = value; break;
    case O_TRAINER:
        if (a->command == C_EXPLAIN && strcmp(o->name, "--data") == 0) {
            a->data = value;
            break;
        }
        return usage_error(ngc, "%s is an option of train, eval and predict", o->name, NULL);
    case O_FORM: a->form = o->name + 2; break;
    case O_JACOBIANS: opt->jacobians = true; break;
    case O_LAYOUT: opt->columns = n % 2 == 1; break;
    case O_COMPLETION: completion_print(value, stdout); return 0;
    case O_MAN: manual_print(ngc, stdout); return 0;
    case O_HELP: help(ngc); return 0;
    case O_VERSION: printf("ngc %s\n", NGC_VERSION); return 0;
    }
    return -1;
}

static int unknown_option(Ngc *ngc, const char *arg)
{
    const char **names = arena_alloc(ngc, (size_t)option_count * sizeof *names);
    for (int i = 0; i < option_count; i++)
        names[i] = option_table[i].name;
    const char *word = text_format(ngc, "%.*s", (int)strcspn(arg, "="), arg);
    return usage_error(ngc, "unknown option '%s'", arg, suggest(ngc, word, names, option_count));
}

/* A first word that is neither a command nor looks like a file, but resembles a command. */
static int misspelt_command(Ngc *ngc, const char *word)
{
    const char **names = arena_alloc(ngc, (size_t)command_count * sizeof *names);
    for (int i = 0; i < command_count; i++)
        names[i] = command_table[i].name;
    const char *guess =
        strpbrk(word, "./") || strlen(word) < 3 ? NULL : suggest(ngc, word, names, command_count);
    FILE *f = guess ? fopen(word, "rb") : NULL;
    if (f)
        fclose(f);
    return guess && !f ? usage_error(ngc, "unknown command '%s'", word, guess) : -1;
}

/* Is the operand something else than the model? */
static int take_operand(Ngc *ngc, Args *a, char *arg)
{
    bool list = a->command == C_FMT || a->command == C_EXPLAIN_ERROR;
    if (!list && !a->file && !a->expression)
        a->file = arg;
    else if (a->command == C_COMPILE)
        return usage_error(ngc, "one model at a time; '%s' is another", arg, NULL);
    else
        a->rest[a->rests++] = arg;
    return -1;
}

static int check_args(Ngc *ngc, const Args *a)
{
    static const char *const wanted[] = {
        [C_FMT] = "no file is named", [C_EXPLAIN_ERROR] = "no error is named, as NG0301"};
    if (a->command == C_FMT || a->command == C_EXPLAIN_ERROR)
        return a->rests ? -1 : usage_error(ngc, "%s", wanted[a->command], NULL);
    if (!a->file && !a->expression)
        return usage_error(ngc, "%s", "no model is named", NULL);
    if ((a->deps_file || a->deps_target) && !a->deps && !a->deps_only)
        return usage_error(ngc, "%s wants -M or -MD", a->deps_file ? "-MF" : "-MT", NULL);
    if (ngc->opt.jacobians && a->form && strcmp(a->form, "dot") == 0)
        return usage_error(ngc, "%s",
                           "--dot draws no Jacobians; --html, --text, --tex and --json have them",
                           NULL);
    return -1;
}

/* Is the option one for the program that trains, not for the compiler? */
static bool passed_on(const Args *a, const Option *o)
{
    bool trains = a->command == C_TRAIN || a->command == C_EVAL || a->command == C_PREDICT;
    return trains && (o->kind == O_TRAINER || o->kind == O_OUTPUT || o->kind == O_MAP ||
                      (o->kind == O_HELP && a->file));
}

/* Is JSON asked for anywhere? Then a message about what comes before it has that form too. */
static bool wants_json(int argc, char **argv)
{
    bool json = false;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        json |= strcmp(argv[i], "--diagnostics=json") == 0;
        json |= strcmp(argv[i], "--diagnostics") == 0 && i + 1 < argc &&
                strcmp(argv[i + 1], "json") == 0;
    }
    return json;
}

int options_read(Ngc *ngc, Args *a, int argc, char **argv)
{
    ngc->opt.json = wants_json(argc, argv);
    int i = 1, status;
    bool only_operands = false;
    for (int k = 0; argc > 1 && k < command_count; k++)
        if (strcmp(argv[1], command_table[k].name) == 0) {
            a->command = command_table[k].command;
            a->command_name = command_table[k].name;
            i = 2;
        }
    if (argc > 1 && i == 1 && argv[1][0] != '-' && (status = misspelt_command(ngc, argv[1])) >= 0)
        return status;
    for (; i < argc; i++) {
        const char *arg = argv[i], *value;
        if (strcmp(arg, "--") == 0 && !only_operands) {
            only_operands = true;
            continue;
        }
        if (only_operands || arg[0] != '-' || arg[1] == '\0') {
            if ((status = take_operand(ngc, a, argv[i])) >= 0)
                return status;
            continue;
        }
        const Option *o = find_option(arg, &value);
        if (!o || (!o->value && value))
            return unknown_option(ngc, arg);
        if (o->value == 1 && !value && (value = i + 1 < argc ? argv[++i] : NULL) == NULL)
            return usage_error(ngc, "%s wants a value", arg, NULL);
        if (passed_on(a, o)) {
            a->rest[a->rests++] =
                (char *)(o->value == 2 && value ? text_format(ngc, "%s=%s", o->name, value)
                                                : o->name);
            if (o->value == 1)
                a->rest[a->rests++] = (char *)value;
            continue;
        }
        if ((status = apply_option(ngc, a, o, value)) >= 0)
            return status;
    }
    return check_args(ngc, a);
}
