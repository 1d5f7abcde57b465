/* options.c - reads the command line by the tables that describe it, and prints the help. */
#include "tool/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- help ---- */

static int usage_error(Ngc *ngc, const char *format, const char *what, const char *guess)
{
    const char *text = text_format(ngc, format, what);
    if (guess)
        text = text_format(ngc, "%s; did you mean '%s'?", text, guess);
    Diag *d = complain(ngc, "%s", text);
    diag_note(ngc, d, (Loc){.file = -1}, "see 'ngc --help'");
    return 2;
}

/* Prints words within 100 columns. The lines after the first are indented. */
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
        const CommandInfo *c = &command_table[i];
        if (i == 0)
            printf("usage: ngc [compile] %s\n        ", c->usage);
        else
            printf("       ngc %s %s\n        ", c->name, c->usage);
        print_wrapped(c->help, 8);
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
        "\n"
        "Exit status: 0 success, 1 an error in the model or a failed check, 2 usage, 3 cannot read or write,\n"
        "4 a fault of ngc. Nothing is written on an error.\n\n"
        "For example:\n"
        "  ngc run -e '2*(a*b + c)' a=3 b=2 c=5      values and derivatives at once\n"
        "  ngc model.ng -o model.c                   model.c and model.h for your program\n"
        "  ngc -O0 model.ng -o -                     C to read, with the rule of calculus above each line\n"
        "  ngc -MD -MF model.d model.ng -o model.c   and a rule for make\n");
}

#ifndef NGC_LIBS
#define NGC_LIBS ""
#endif
#ifdef NGC_ONNX
#define HAS_ONNX true
#else
#define HAS_ONNX false
#endif
#ifdef NGC_MPI_LIBS
#define HAS_MPI true
#else
#define HAS_MPI false
#endif

/* The compiler that built ngc. */
#if defined __clang__
#define BUILT_BY __VERSION__
#elif defined __GNUC__ && defined __VERSION__
#define BUILT_BY "gcc " __VERSION__
#else
#define BUILT_BY "another C compiler"
#endif
#ifdef __OPTIMIZE__
#define OPTIMIZED ""
#else
#define OPTIMIZED ", without optimization"
#endif

/* The version; then the libraries that the build chose, each a word with + or -; then what compiled
 * it, for how many bits. */
static void print_version(void)
{
    const struct {
        const char *name;
        bool there;
    } library[] = {{"openblas", strstr(NGC_LIBS, "-lopenblas") != NULL},
                   {"zlib", strstr(NGC_LIBS, "-lz") != NULL},
                   {"onnx", HAS_ONNX},
                   {"mpi", HAS_MPI}};

    printf("ngc %s\n", NGC_VERSION);
    for (size_t i = 0; i < sizeof library / sizeof *library; i++)
        printf("%s%c%s", text_if(i > 0, " "), library[i].there ? '+' : '-', library[i].name);
    printf("\nbuilt by %s, for %d bits%s\n", BUILT_BY, (int)(8 * sizeof(void *)), OPTIMIZED);
}

/* ---- reading ---- */

/* The option that an argument is, and its value if the same argument has one, as in --real=double
 * and -O0; otherwise NULL. */
static const Option *find_option(const char *arg, const char **value)
{
    *value = NULL;
    for (int i = 0; i < option_count; i++)
        if (same_text(arg, option_table[i].name))
            return &option_table[i];
    for (int i = 0; i < option_count; i++) {
        const Option *o = &option_table[i];
        size_t n = strlen(o->name);
        bool word = o->name[1] == '-';
        if (!begins(arg, o->name) || !o->value)
            continue;
        if (word && arg[n] != '=')
            continue;
        if (word)
            *value = arg + n + 1;
        else
            *value = arg + n;
        return o;
    }
    return NULL;
}

/* -D NAME=INT */
static int add_define(Ngc *ngc, const char *text)
{
    Options *o = &ngc->opt;
    char *end;
    const char *eq = strchr(text, '=');
    double v = 0;
    if (eq)
        v = strtod(eq + 1, &end);
    if (!eq || end == eq + 1 || *end || v != floor(v))
        return usage_error(ngc, "-D wants NAME=INT, not '%s'", text, NULL);

    Define *d = arena_array(ngc, o->defines + 1, sizeof *d);
    if (o->defines)
        memcpy(d, o->define, (size_t)o->defines * sizeof *d);
    d[o->defines++] = (Define){intern(ngc, text, (size_t)(eq - text)), v};
    o->define = d;
    return -1;
}

static const char **add_text(Ngc *ngc, const char **list, int *count, const char *text)
{
    const char **out = arena_array(ngc, *count + 1, sizeof *out);
    if (*count)
        memcpy(out, list, (size_t)*count * sizeof *out);
    out[(*count)++] = text;
    return out;
}

/* Sets *n to the number of the value among the option's words. */
static int choose(Ngc *ngc, const Option *o, const char *value, int *n)
{
    *n = 0;
    for (const char *w = o->words; *w; w += strspn(w, " "), ++*n) {
        size_t size = strcspn(w, " ");
        if (is_word(w, size, value))
            return -1;
        w += size;
    }
    complain(ngc, "%s cannot be '%s'; it is one of %s", o->name, value, o->words);
    return 2;
}

static bool is_identifier(const char *s)
{
    if (!*s || is_digit(*s))
        return false;
    for (; *s; s++)
        if (!is_word_char(*s))
            return false;
    return true;
}

/* Switches a warning on, or off: only the names of those that are off are kept. */
static void switch_warning(Ngc *ngc, const char *name, bool off)
{
    Options *opt = &ngc->opt;
    for (int i = opt->silents; i-- > 0;)
        if (same_text(opt->silent[i], name))
            opt->silent[i] = opt->silent[--opt->silents];
    if (off)
        opt->silent = add_text(ngc, opt->silent, &opt->silents, name);
}

/* -Wall, -Werror, -WNAME, -Wno-NAME. If several are about the same warning, the last counts. */
static int set_warning(Ngc *ngc, const char *value)
{
    const char *names[16] = {"all", "error"};
    bool off = begins(value, "no-");
    const char *name = value;
    if (off)
        name = value + 3;
    if (same_text(name, "error")) {
        ngc->opt.werror = !off;
        return -1;
    }

    bool all = same_text(name, "all");
    bool known = all;
    for (int i = 0; i < warning_count; i++) {
        bool it = all || same_text(name, warning_table[i].name);
        known |= it;
        if (it)
            switch_warning(ngc, warning_table[i].name, off);
        names[i + 2] = warning_table[i].name;
    }
    if (known)
        return -1;

    const char *guess = suggest(ngc, name, names, warning_count + 2);
    if (guess)
        guess = text_format(ngc, "-W%s%s", text_if(off, "no-"), guess);
    return usage_error(ngc, "there is no -W%s", value, guess);
}

/* Reads a whole number from 1 to `most`. */
static bool read_number(const char *value, long most, int *out)
{
    char *end;
    long n = strtol(value, &end, 10);
    *out = (int)n;
    return *value && !*end && n >= 1 && n <= most;
}

static int set_digits(Ngc *ngc, const char *value)
{
    if (read_number(value, 17, &ngc->opt.digits))
        return -1;
    return usage_error(ngc, "--digits wants a number from 1 to 17, not '%s'", value, NULL);
}

static int set_segment(Ngc *ngc, const char *value)
{
    const char *part = strchr(value, ',');
    const char *segment = value;
    if (part)
        segment = text_format(ngc, "%.*s", (int)(part - value), value);
    int *opt = &ngc->opt.segment;

    if (read_number(segment, 1000000000, opt) &&
        (!part || (read_number(part + 1, 1000000000, &ngc->opt.part) && ngc->opt.part < *opt)))
        return -1;
    return usage_error(ngc,
                       "--segment wants a number of passes, 1 to 1000000000, and perhaps a comma "
                       "and a smaller one, not '%s'",
                       value, NULL);
}

static int set_unroll(Ngc *ngc, const char *value)
{
    bool none = same_text(value, "0");

    if (none || read_number(value, 1000000000, &ngc->opt.unroll)) {
        if (none)
            ngc->opt.unroll = 1;
        else
            ngc->opt.unroll++;
        return -1;
    }
    return usage_error(ngc, "--unroll wants a number of passes, 0 to 1000000000, not '%s'", value,
                       NULL);
}

static int set_operations(Ngc *ngc, const char *value)
{
    if (read_number(value, 1000000000, &ngc->opt.operations))
        return -1;
    return usage_error(ngc, "--max-operations wants a number, 1 to 1000000000, not '%s'", value,
                       NULL);
}

static int set_pool_from(Ngc *ngc, const char *value)
{
    if (read_number(value, 1000000000, &ngc->opt.pool_from))
        return -1;
    return usage_error(ngc, "--pool-from wants nanoseconds, 1 to 1000000000, not '%s'", value,
                       NULL);
}

/* --memory: "64M". */
static int set_memory(Ngc *ngc, const char *value)
{
    static const char suffix[] = "KMG";
    const char *unit = NULL;
    char *end;
    long long most = INT64_MAX >> 31;
    long long n = strtoll(value, &end, 10);

    ngc->opt.memory = n;
    if (end != value && *end)
        unit = strchr(suffix, *end);
    if (unit) {
        ngc->opt.memory = n << 10 * (unit - suffix + 1);
        end++;
    }
    if (end != value && !*end && n >= 1 && n <= most)
        return -1;
    return usage_error(ngc, "--memory wants a number of bytes, as 64M, not '%s'", value, NULL);
}

/* --ranks: rows that other ranks read are updated too, and ranks are in place of threads. */
void options_ranks(Options *opt)
{
    opt->ranks = true;
    opt->without |= 1u << PASS_SPARSE | 1u << PASS_SHARE;
}

static int set_prefix(Ngc *ngc, const char *value)
{
    ngc->opt.prefix = value;
    if (is_identifier(value))
        return -1;
    return usage_error(ngc, "--prefix wants a C identifier, not '%s'", value, NULL);
}

/* -d: the letters of passes. */
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

/* --train, --fresh, --constant: names and patterns, separated by commas. */
static const char **add_patterns(Ngc *ngc, const char **list, int *count, const char *value)
{
    for (const char *at = value; *at; at += strspn(at, ", ")) {
        size_t size = strcspn(at, ", ");
        if (size > 0)
            list = add_text(ngc, list, count, intern(ngc, at, size));
        at += size;
    }
    return list;
}

/* Options of a command: what it reads and writes. false: it is not one. */
static bool set_argument(Args *a, const Option *o, const char *value)
{
    switch (o->kind) {
    case O_OUTPUT: a->output = value; break;
    case O_HEADER:
        a->want_header = true;
        a->header = value;
        break;
    case O_MANIFEST:
        a->want_manifest = true;
        a->manifest = value;
        break;
    case O_REPORT: a->report = true; break;
    case O_EXPRESSION: a->expression = value; break;
    case O_FILL: a->fill = true; break;
    case O_DEPS: a->deps_only = true; break;
    case O_DEPS_TOO: a->deps = true; break;
    case O_DEPS_FILE: a->deps_file = value; break;
    case O_DEPS_TARGET: a->deps_target = value; break;
    case O_CHECK: a->check = true; break;
    case O_LOSS: a->loss = value; break;
    case O_OPTIMIZER: a->optimizer = value; break;
    case O_FLAT: a->flat = true; break;
    case O_FORCE: a->force = true; break;
    case O_TRAINING: a->training = true; break;
    case O_FORM: a->form = o->name + 2; break;
    default: return false;
    }
    return true;
}

/* Options without a value of their own, or whose value is one of a few words: the word of number n.
 * false: it is not one. */
static bool set_word(Options *opt, const Option *o, int n)
{
    static const int color_of_word[] = {2, 1, 0}; /* auto always never */

    switch (o->kind) {
    case O_STANDALONE: opt->standalone = true; break;
    case O_REAL: opt->real_double = n == 1; break;
    case O_OPTIMIZE: opt->optimize = n == 1 ? 2 : 0; break;
    case O_COMMENTS: opt->comments = n; break;
    case O_VERIFY: opt->verify = true; break;
    case O_COLOR: opt->color = color_of_word[n]; break;
    case O_NO_SHARE: opt->no_share = true; break;
    case O_RANKS: options_ranks(opt); break;
    case O_DIAGNOSTICS: opt->json = n == 1; break;
    case O_JACOBIANS: opt->jacobians = true; break;
    case O_LAYOUT: opt->columns = n % 2 == 1; break;
    default: return false;
    }
    return true;
}

/* Options with any text, which are added to lists or kept as they are. false: it is not one. */
static bool set_text(Ngc *ngc, const Option *o, const char *value)
{
    Options *opt = &ngc->opt;

    switch (o->kind) {
    case O_INCLUDE: opt->include = add_text(ngc, opt->include, &opt->includes, value); break;
    case O_KEEP: opt->keep = add_text(ngc, opt->keep, &opt->keeps, value); break;
    case O_WITHOUT: opt->without |= 1u << pass_find(value); break;
    case O_WEIGHTS:
        if (opt->weights)
            opt->overlay = add_text(ngc, opt->overlay, &opt->overlays, value);
        else
            opt->weights = value;
        break;
    case O_TRAIN:
        opt->train_given = true;
        opt->train = add_patterns(ngc, opt->train, &opt->trains, value);
        break;
    case O_CONSTANT:
        opt->constant = add_patterns(ngc, opt->constant, &opt->constants, value);
        break;
    case O_FRESH: opt->fresh = add_patterns(ngc, opt->fresh, &opt->freshes, value); break;
    case O_STDIN_NAME: opt->stdin_name = value; break;
    case O_MAP: opt->map = value; break;
    default: return false;
    }
    return true;
}

/* Options of the trainer, some of which other commands have too. */
static int set_trainer_option(Ngc *ngc, Args *a, const Option *o, const char *value)
{
    if (a->command == C_EXPLAIN && same_text(o->name, "--data")) {
        a->data = value;
        return -1;
    }
    if (a->command == C_IMPORT && same_text(o->name, "--save")) {
        a->save = value;
        return -1;
    }
    if (a->command == C_EXPORT && same_text(o->name, "--load")) {
        Options *opt = &ngc->opt;
        if (a->load)
            opt->overlay = add_text(ngc, opt->overlay, &opt->overlays, value);
        else
            a->load = value;
        return -1;
    }
    return usage_error(ngc, "%s is an option of train, eval and predict", o->name, NULL);
}

/* Does what an option says; its value may be NULL. The exit status, or -1 to go on. */
static int apply_option(Ngc *ngc, Args *a, const Option *o, const char *value)
{
    int n = 0;
    int status = -1;
    if (o->words)
        status = choose(ngc, o, value, &n);
    if (status >= 0)
        return status;
    if (set_argument(a, o, value) || set_word(&ngc->opt, o, n) || set_text(ngc, o, value))
        return -1;

    switch (o->kind) {
    /* a value that may be wrong */
    case O_PREFIX: return set_prefix(ngc, value);
    case O_DEFINE: return add_define(ngc, value);
    case O_DUMP: return set_dump(ngc, value);
    case O_WARNING: return set_warning(ngc, value);
    case O_POOL_FROM: return set_pool_from(ngc, value);
    case O_OPERATIONS: return set_operations(ngc, value);
    case O_SEGMENT: return set_segment(ngc, value);
    case O_UNROLL: return set_unroll(ngc, value);
    case O_MEMORY: return set_memory(ngc, value);
    case O_DIGITS: return set_digits(ngc, value);
    case O_TRAINER: return set_trainer_option(ngc, a, o, value);

    /* what is printed instead of all else */
    case O_COMPLETION: completion_print(value, stdout); return 0;
    case O_MAN: manual_print(ngc, stdout); return 0;
    case O_HELP: help(ngc); return 0;
    case O_VERSION: print_version(); return 0;

    default: ngc_bug("nothing reads the option %s", o->name);
    }
}

static int unknown_option(Ngc *ngc, const char *arg)
{
    const char **names = arena_array(ngc, option_count, sizeof *names);
    for (int i = 0; i < option_count; i++)
        names[i] = option_table[i].name;
    const char *word = text_format(ngc, "%.*s", (int)strcspn(arg, "="), arg);
    return usage_error(ngc, "unknown option '%s'", arg, suggest(ngc, word, names, option_count));
}

/* Reports a first word that is neither a command nor a file, but resembles a command. */
static int misspelt_command(Ngc *ngc, const char *word)
{
    bool like_file = strpbrk(word, "./") != NULL;
    if (like_file || strlen(word) < 3)
        return -1;

    const char **names = arena_array(ngc, command_count, sizeof *names);
    for (int i = 0; i < command_count; i++)
        names[i] = command_table[i].name;
    const char *guess = suggest(ngc, word, names, command_count);
    if (!guess)
        return -1;

    FILE *f = fopen(word, "rb");
    if (!f)
        return usage_error(ngc, "unknown command '%s'", word, guess);
    fclose(f);
    return -1;
}

/* An argument that is not an option: the model, or what the command takes besides. */
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

/* Do the arguments fit together? */
static int check_args(Ngc *ngc, const Args *a)
{
    bool dot = a->form && same_text(a->form, "dot");

    if (a->command == C_FMT && !a->rests)
        return usage_error(ngc, "%s", "no file is named", NULL);
    if (a->command == C_EXPLAIN_ERROR && !a->rests)
        return usage_error(ngc, "%s", "no error is named, as NG0301", NULL);
    if (a->command == C_FMT || a->command == C_EXPLAIN_ERROR)
        return -1;

    const Options *opt = &ngc->opt;
    bool has_rule = a->deps || a->deps_only;
    if (!a->file && !a->expression)
        return usage_error(ngc, "%s", "no model is named", NULL);
    if (a->deps_file && !has_rule)
        return usage_error(ngc, "%s wants -M or -MD", "-MF", NULL);
    if (a->deps_target && !has_rule)
        return usage_error(ngc, "%s wants -M or -MD", "-MT", NULL);
    if ((opt->train_given || opt->freshes) && !opt->weights)
        return usage_error(ngc, "%s",
                           "--train and --fresh want --weights, which has the other params", NULL);
    if (opt->weights && a->command == C_EXPORT)
        return usage_error(ngc, "%s", "export reads weights by --load", NULL);
    if (opt->jacobians && dot)
        return usage_error(ngc, "%s",
                           "--dot draws no Jacobians; --html, --text, --tex and --json have them",
                           NULL);
    return -1;
}

/* Is the option for the program that trains, and not for the compiler? */
static bool passed_on(const Args *a, const Option *o)
{
    bool trains = a->command == C_TRAIN || a->command == C_EVAL || a->command == C_PREDICT;
    if (!trains)
        return false;
    if (o->kind == O_HELP)
        return a->file != NULL;
    return o->kind == O_TRAINER || o->kind == O_OUTPUT || o->kind == O_MAP || o->kind == O_WEIGHTS;
}

/* Passes an option on to the program that trains. */
static void pass_on(Ngc *ngc, Args *a, const Option *o, const char *value)
{
    const char *arg = o->name;
    if (o->value == 2 && value)
        arg = text_format(ngc, "%s=%s", o->name, value);
    a->rest[a->rests++] = (char *)arg;
    if (o->value == 1)
        a->rest[a->rests++] = (char *)value;
}

/* Is JSON asked for anywhere? Then messages about arguments before it have that form too. */
static bool wants_json(int argc, char **argv)
{
    bool json = false;
    for (int i = 1; i < argc && !same_text(argv[i], "--"); i++) {
        json |= same_text(argv[i], "--diagnostics=json");
        json |=
            same_text(argv[i], "--diagnostics") && i + 1 < argc && same_text(argv[i + 1], "json");
    }
    return json;
}

/* Reads the option argv[*i], and its value if that is the next argument. */
static int read_option(Ngc *ngc, Args *a, int argc, char **argv, int *i)
{
    const char *arg = argv[*i];
    const char *value;
    const Option *o = find_option(arg, &value);
    if (!o || (!o->value && value))
        return unknown_option(ngc, arg);

    if (o->value == 1 && !value) {
        if (*i + 1 == argc)
            return usage_error(ngc, "%s wants a value", arg, NULL);
        value = argv[++*i];
    }
    bool passed = passed_on(a, o);
    if (passed)
        pass_on(ngc, a, o, value);
    if (passed && o->kind != O_WEIGHTS && o->kind != O_MAP)
        return -1;
    return apply_option(ngc, a, o, value);
}

/* Is the first argument a command? */
static bool read_command(Args *a, const char *word)
{
    for (int k = 0; k < command_count; k++)
        if (same_text(word, command_table[k].name)) {
            a->command = command_table[k].command;
            a->command_name = command_table[k].name;
            return true;
        }
    return false;
}

int options_read(Ngc *ngc, Args *a, int argc, char **argv)
{
    int i = 1, status = -1;
    ngc->opt.json = wants_json(argc, argv);
    last_words_are_json(ngc->opt.json);
    if (argc > 1 && read_command(a, argv[1]))
        i = 2;
    else if (argc > 1 && argv[1][0] != '-')
        status = misspelt_command(ngc, argv[1]);

    bool only_operands = false; /* after "--" */
    for (; i < argc && status < 0; i++) {
        const char *arg = argv[i];
        bool operand = only_operands || arg[0] != '-' || arg[1] == '\0';
        if (operand)
            status = take_operand(ngc, a, argv[i]);
        else if (same_text(arg, "--"))
            only_operands = true;
        else
            status = read_option(ngc, a, argc, argv, &i);
    }
    if (status >= 0)
        return status;
    return check_args(ngc, a);
}
