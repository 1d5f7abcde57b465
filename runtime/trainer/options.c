/* options.c - the command line of train, eval and predict. */
#include "trainer_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trainer.h"

/* ---- the table and the help ---- */

typedef enum {
    DATA,
    VAL,
    SKIP_ROWS,
    DELIMITER,
    NO_HEADER,
    MISSING,
    SCALE,
    STANDARDIZE,
    DATA_MEMORY,
    SPLIT,
    VAL_SPLIT,
    FOLDS,
    EPOCHS,
    BATCH,
    FIND_RATE,
    ACCUMULATE,
    SET,
    GRID,
    SEED,
    NO_SHUFFLE,
    LOAD,
    SAVE,
    RESUME,
    CHECKPOINT,
    KEEP_BEST,
    PATIENCE,
    TOLERANCE,
    MAX_STEPS,
    MAX_TIME,
    LOG,
    CURVE,
    ASSESS,
    BOUNDARY,
    THREADS,
    QUIET,
    WEIGHTS,
    MAP,
    OUT,
    DIAGNOSTICS,
} Kind;

enum { MEASURES = TRAIN | EVAL, ALL = TRAIN | EVAL | PREDICT };

typedef struct Option {
    const char *name; /* as it is written: "--data" */
    Kind kind;
    int commands;        /* that take it */
    int value;           /* NO_VALUE, VALUE or MAY_FOLLOW */
    const char *metavar; /* what the value is: "FILE"; NULL: it takes none */
    const char *help;
} Option;

#define ROW(name, kind, commands, value, metavar, help) \
    {name, kind, commands, value, metavar, help},
static const Option options[] = {TRAINER_OPTIONS(ROW) TRAINER_OPTIONS_OF_NGC(ROW)};
enum { OPTIONS = sizeof options / sizeof *options };

/* Columns of the help: where its texts begin, and where they end. */
enum { HELP_AT = 22, HELP_END = 100 };

/* A line of the help: the form of an option, and its text, broken between words. */
static void print_help(const char *form, const char *text)
{
    int room = HELP_END - HELP_AT;

    printf("  %-*s", HELP_AT - 2, form);
    while (*text) {
        int size = (int)strlen(text);

        if (size > room) {
            size = room;
            while (size > 0 && text[size] != ' ')
                size--;
            printf("%.*s\n%*s", size, text, HELP_AT, "");
            text += size + 1;
        } else {
            puts(text);
            text += size;
        }
    }
}

/* An option as it is written: "--quiet", "--data FILE", "--curve[=FILE]". */
static void write_form(const Option *o, char *form, size_t room)
{
    if (o->value == NO_VALUE)
        snprintf(form, room, "%s", o->name);
    else if (o->value == VALUE)
        snprintf(form, room, "%s %s", o->name, o->metavar);
    else
        snprintf(form, room, "%s[=%s]", o->name, o->metavar);
}

void ngrt_trainer_help(const char *program, int command)
{
    static const char *const purpose[] = {
        [TRAIN] =
            "Trains the model on data. A model that makes its data itself needs none: an epoch "
            "is then one step.",
        [EVAL] = "Prints losses and metrics of the model on data.",
        [PREDICT] = "Prints the model's outputs for each row of data; inputs that only losses and "
                    "metrics need may be left out.",
    };
    int i;

    printf("usage: %s [--data FILE] [options] [NAME=value ...]\n%s\n", program, purpose[command]);
    for (i = 0; i < OPTIONS; i++) {
        const Option *o = &options[i];
        char form[40];

        if (!(o->commands & command))
            continue;
        write_form(o, form, sizeof form);
        print_help(form, o->help);
    }
    print_help("NAME=value", "a scalar input, or a run-time size other than the batch");
}

/* ---- values ---- */

/* Does text begin with NAME=, of letters, digits and underscores? */
static int has_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return length > 0 && text[length] == '=';
}

/* The comma that ends the first file of a list, or NULL. A comma separates only before a NAME=, as
 * names of files may have commas. */
static char *find_comma(char *text)
{
    char *comma = strchr(text, ',');

    while (comma && !has_name(comma + 1))
        comma = strchr(comma + 1, ',');
    return comma;
}

/* Adds one file: FILE, or NAME=FILE. */
static int add_source(Trainer *t, Set *set, const char *text)
{
    Source *grown = realloc(set->source, (size_t)(set->sources + 1) * sizeof *grown);
    Source source = {.file = {.fd = -1}};

    if (!grown)
        return ngrt_trainer_no_memory(t);
    set->source = grown;

    source.input = ngrt_find_input(t->model, text);
    if (source.input)
        source.path = strchr(text, '=') + 1;
    else
        source.path = text;
    if (!source.input && has_name(text) && access(text, F_OK) != 0 && !strchr(text, ':'))
        return ngrt_trainer_fail(t, USAGE, "%s %s: the model %s has no input of that name",
                                 set->option, text, t->model->name);
    set->source[set->sources++] = source;
    return DONE;
}

/* Adds the files of one --data or --val: FILE, or NAME=FILE,NAME=FILE. */
static int add_sources(Trainer *t, Set *set, char *text)
{
    int status = DONE;

    while (text && !status) {
        char *comma = find_comma(text);

        if (comma)
            *comma = 0;
        status = add_source(t, set, text);
        if (comma)
            text = comma + 1;
        else
            text = NULL;
    }
    return status;
}

/* The value of an option that takes a number. */
static int set_number(Trainer *t, const Option *o, const char *text, long least, long *number)
{
    if (!ngrt_read_count(text, number) || *number < least)
        return ngrt_trainer_fail(t, USAGE, "%s takes a whole number from %ld on", o->name, least);
    return DONE;
}

static int set_seed(Trainer *t, const Option *o, const char *text)
{
    long number = 0;
    int status = set_number(t, o, text, 0, &number);

    t->seed = (uint64_t)number;
    t->seeded = 1;
    return status;
}

static int set_folds(Trainer *t, const Option *o, const char *text)
{
    int status = set_number(t, o, text, 2, &t->folds);

    if (!status && t->folds > MAX_FOLDS)
        status = ngrt_trainer_fail(t, USAGE, "--folds takes at most %d", MAX_FOLDS);
    return status;
}

static int set_threads(Trainer *t, const Option *o, const char *text)
{
    int status = set_number(t, o, text, 1, &t->threads);

    if (!status && t->threads > NGRT_POOL_MAX)
        status = ngrt_trainer_fail(t, USAGE, "--threads takes at most %d", NGRT_POOL_MAX);
    return status;
}

/* Reads a time with its unit: 30s, 5m, 1h; without one it is in seconds. */
static int read_time(const char *text, double *seconds)
{
    char *end;

    *seconds = strtod(text, &end);
    if (end == text || !(*seconds > 0 && *seconds < 1e9))
        return 0;
    if (*end == 'm')
        *seconds *= 60;
    else if (*end == 'h')
        *seconds *= 3600;
    return *end == 0 || (strchr("smh", *end) && end[1] == 0);
}

static int set_time(Trainer *t, const Option *o, const char *text, double *seconds)
{
    if (!read_time(text, seconds))
        return ngrt_trainer_fail(t, USAGE, "%s takes a time, as 30s, 5m or 1h", o->name);
    return DONE;
}

/* Every N steps, or at intervals of time. */
static int set_checkpoint(Trainer *t, const Option *o, const char *text)
{
    if (text[strspn(text, "0123456789")] == 0)
        return set_number(t, o, text, 1, &t->save_steps);
    return set_time(t, o, text, &t->save_time);
}

static int set_tolerance(Trainer *t, const Option *o, const char *text)
{
    char *end;

    t->tolerance = strtod(text, &end);
    if (end == text || *end || !(t->tolerance >= 0 && t->tolerance < 1e30))
        return ngrt_trainer_fail(t, USAGE, "%s takes a number from 0 on", o->name);
    return DONE;
}

/* The file of a picture. */
static int set_picture(Trainer *t, const char *option, const char *path, const char **to)
{
    if (!ngrt_path_ends(path, ".svg") && !ngrt_path_ends(path, ".png"))
        return ngrt_trainer_fail(t, USAGE, "%s draws .svg or .png, not %s", option, path);
    *to = path;
    return DONE;
}

/* --curve in characters, or a picture in a file; "-" is the first, too. */
static int set_curve(Trainer *t, const char *path)
{
    t->curve = 1;
    if (!path || strcmp(path, "-") == 0)
        return DONE;
    return set_picture(t, "--curve", path, &t->curve_path);
}

/* --assess in characters, and in a picture. */
static int set_assess(Trainer *t, const char *path)
{
    t->assess = 1;
    if (!path || strcmp(path, "-") == 0)
        return DONE;
    return set_picture(t, "--assess", path, &t->assess_path);
}

/* ---- how tables are read, and what becomes of them ---- */

static int set_skip(Trainer *t, const Option *o, const char *text)
{
    long number = 0;
    int status = set_number(t, o, text, 0, &number);

    t->form.skip = (size_t)number;
    return status;
}

static int set_delimiter(Trainer *t, const char *text)
{
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        t->form.separator = '\t';
    else if (strcmp(text, "space") == 0)
        t->form.separator = ' ';
    else
        t->form.separator = *text;
    if (strchr("\t ", t->form.separator) && t->form.separator)
        return DONE;
    if (strlen(text) != 1 || strchr("\"\n\r.+-0123456789", *text))
        return ngrt_trainer_fail(t, USAGE,
                                 "--delimiter cannot be '%s'; it is a character, tab or space",
                                 text);
    return DONE;
}

static int set_missing(Trainer *t, const char *text)
{
    static const char *const name[] = {
        [MISSING_ERROR] = "error", [MISSING_DROP] = "drop", [MISSING_MEAN] = "mean"};
    int i;

    for (i = MISSING_ERROR; i <= MISSING_MEAN; i++)
        if (strcmp(text, name[i]) == 0) {
            t->form.missing = i;
            t->missing_set = 1;
            return DONE;
        }
    return ngrt_trainer_fail(t, USAGE, "--missing cannot be '%s'; it is error, drop or mean", text);
}

/* Reads a number, or a quotient as 1/255, that is neither 0 nor infinite. */
static int read_scale(const char *text, double *value)
{
    char *end;

    *value = strtod(text, &end);
    if (end == text)
        return 0;
    if (*end == '/') {
        const char *below = end + 1;

        *value /= strtod(below, &end);
        if (end == below)
            return 0;
    }
    return *end == 0 && *value - *value == 0 && *value != 0; /* it is finite */
}

/* Adds what is done to an input, once. */
static int add_change(Trainer *t, const Option *o, const char *name, double scale)
{
    const ngrt_tensor *x = ngrt_find_input(t->model, name);
    Change *grown;
    int i;

    if (!x || x->rank == 0)
        return ngrt_trainer_fail(t, USAGE, "%s %.*s: the model %s has no such input of rows",
                                 o->name, (int)strcspn(name, "="), name, t->model->name);
    for (i = 0; i < t->changes; i++)
        if (t->change[i].input == x)
            return ngrt_trainer_fail(t, USAGE, "%s: the input %s is scaled twice", o->name,
                                     x->name);
    grown = realloc(t->change, (size_t)(t->changes + 1) * sizeof *grown);
    if (!grown)
        return ngrt_trainer_no_memory(t);
    t->change = grown;
    grown[t->changes++] = (Change){x, scale};
    return DONE;
}

/* NAME=X,... of --scale (`scales`), or NAME,... of --standardize. */
static int add_changes(Trainer *t, const Option *o, char *text, int scales)
{
    int status = DONE;

    while (text && !status) {
        char *comma = strchr(text, ',');
        char name[100];
        double scale = 0;

        if (comma)
            *comma = 0;
        snprintf(name, sizeof name, "%.90s=", text);
        if (scales && (!strchr(text, '=') || !read_scale(strchr(text, '=') + 1, &scale)))
            return ngrt_trainer_fail(t, USAGE, "%s takes NAME=X, where X is a number or as 1/255",
                                     o->name);
        status = add_change(t, o, scales ? text : name, scale);
        if (comma)
            text = comma + 1;
        else
            text = NULL;
    }
    return status;
}

/* --split 0.7,0.15,0.15, or (`rest`) --val-split 0.2, of which the rest is for training. */
static int set_split(Trainer *t, const Option *o, const char *text, int rest)
{
    double sum = 0;
    int i;
    int first = rest ? VALIDATION : TRAINING;
    int count = 0;

    if (t->split[TRAINING] > 0)
        return ngrt_trainer_fail(t, USAGE, "%s: the data is split already", o->name);
    for (i = first; i < (rest ? TESTING : PARTS); i++) {
        char *end;

        t->split[i] = strtod(text, &end);
        if (end == text || !(t->split[i] > 0 && t->split[i] < 1))
            break;
        sum += t->split[i];
        count++;
        text = end + (*end == ',');
        if (*end != ',')
            break;
    }
    if (rest)
        t->split[TRAINING] = 1 - sum;
    if (*text || sum > 1 + 1e-9 || count < (rest ? 1 : 2))
        return ngrt_trainer_fail(
            t, USAGE, "%s takes %s", o->name,
            rest ? "a share between 0 and 1"
                 : "two or three shares, such as 0.7,0.15,0.15, of at most 1 in all");
    return DONE;
}

/* NAME=X of --set. */
static int add_assign(Trainer *t, const Option *o, char *text)
{
    if (!has_name(text))
        return ngrt_trainer_fail(t, USAGE, "%s takes NAME=X", o->name);
    t->assign[t->assigns++] = text;
    return DONE;
}

static int set_find_rate(Trainer *t, const Option *o, const char *name)
{
    const ngrt_tensor *x = ngrt_find_input_name(t->model, name);

    if (!x || x->rank > 0 || x->type == NGRT_I32 || strlen(name) > 100)
        return ngrt_trainer_fail(t, USAGE, "%s %s: the model %s has no scalar input of that name",
                                 o->name, name, t->model->name);
    t->find_rate = name;
    snprintf(t->rate_text, sizeof t->rate_text, "%s=1", name);
    t->assign[t->assigns++] = t->rate_text;
    return DONE;
}

/* NAME=X,... of --grid. */
static int add_grid(Trainer *t, const Option *o, char *text)
{
    const ngrt_tensor *x = ngrt_find_input(t->model, text);
    Grid *grown = realloc(t->grid, (size_t)(t->grids + 1) * sizeof *grown), *g;
    size_t room = strlen(text);

    if (!grown)
        return ngrt_trainer_no_memory(t);
    t->grid = grown;
    if (!x || x->rank > 0)
        return ngrt_trainer_fail(t, USAGE, "%s %s: the model %s has no scalar input of that name",
                                 o->name, text, t->model->name);
    g = &t->grid[t->grids++];
    memset(g, 0, sizeof *g);
    g->name = text;
    g->value = ngrt_trainer_allocate(room, sizeof *g->value);
    if (!g->value)
        return ngrt_trainer_no_memory(t);
    text = strchr(text, '=');
    while (text) {
        *text++ = 0;
        g->value[g->values++] = text;
        text = strchr(text, ',');
    }
    return DONE;
}

/* A number of bytes, as 64M. */
static int set_bytes(Trainer *t, const Option *o, const char *text, uint64_t *bytes)
{
    static const char unit[] = "KMG";
    char *end;
    double value = strtod(text, &end);
    const char *u = NULL;
    if (*end)
        u = strchr(unit, *end);

    if (u && end[1] == 0) {
        value *= (double)(UINT64_C(1) << 10 * (u - unit + 1));
        end++;
    }
    if (end == text || *end || !(value >= 0 && value < 1e18))
        return ngrt_trainer_fail(t, USAGE, "%s takes a number of bytes, as 64M", o->name);
    *bytes = (uint64_t)value;
    return DONE;
}

static int set_diagnostics(Trainer *t, const char *form)
{
    t->json = strcmp(form, "json") == 0;
    if (!t->json && strcmp(form, "text") != 0)
        return ngrt_trainer_fail(t, USAGE, "--diagnostics cannot be '%s'; it is text or json",
                                 form);
    return DONE;
}

/* ---- arguments ---- */

/* Is the argument at *i this option? Its value, in the same argument or in the next, into *value;
 * NULL if there is none. */
static int is_option(const Option *o, int argc, char **argv, int *i, char **value)
{
    char *arg = argv[*i];
    size_t length = strlen(o->name);

    *value = NULL;
    if (strncmp(arg, o->name, length) != 0)
        return 0;
    if (arg[length] == '=' && o->value != NO_VALUE) {
        *value = arg + length + 1;
        return 1;
    }
    if (arg[length] != 0)
        return 0;

    if (o->value == VALUE && *i + 1 < argc)
        *value = argv[++*i];
    return 1;
}

/* The option that an argument is for this command, or NULL. */
static const Option *find_option(const Trainer *t, int argc, char **argv, int *i, char **value)
{
    int k;

    for (k = 0; k < OPTIONS; k++)
        if (options[k].commands & t->command && is_option(&options[k], argc, argv, i, value))
            return &options[k];
    return NULL;
}

/* What the value of an option is, in words. */
static const char *value_word(const Option *o)
{
    static const struct {
        const char *metavar, *word;
    } words[] = {{"N", "number"},
                 {"BYTES", "number"},
                 {"FILE", "file"},
                 {"PAIRS", "file or pairs"},
                 {"FORM", "form"}};
    size_t i;

    for (i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(o->metavar, words[i].metavar) == 0)
            return words[i].word;
    return "value";
}

static int set_option(Trainer *t, const Option *o, char *value)
{
    if (o->value == VALUE && !value)
        return ngrt_trainer_fail(t, USAGE, "%s takes a %s", o->name, value_word(o));

    switch (o->kind) {
    case DATA: return add_sources(t, &t->part[TRAINING], value);
    case VAL: return add_sources(t, &t->part[VALIDATION], value);
    case SKIP_ROWS: return set_skip(t, o, value);
    case DELIMITER: return set_delimiter(t, value);
    case MISSING: return set_missing(t, value);
    case SCALE: return add_changes(t, o, value, 1);
    case STANDARDIZE: return add_changes(t, o, value, 0);
    case DATA_MEMORY: return set_bytes(t, o, value, &t->form.limit);
    case SPLIT: return set_split(t, o, value, 0);
    case VAL_SPLIT: return set_split(t, o, value, 1);
    case FOLDS: return set_folds(t, o, value);
    case NO_HEADER: t->form.no_header = 1; break;
    case EPOCHS: return set_number(t, o, value, 0, &t->epochs);
    case BATCH: return set_number(t, o, value, 1, &t->batch);
    case ACCUMULATE: return set_number(t, o, value, 1, &t->accumulate);
    case SET: return add_assign(t, o, value);
    case GRID: return add_grid(t, o, value);
    case SEED: return set_seed(t, o, value);
    case THREADS: return set_threads(t, o, value);
    case CURVE: return set_curve(t, value);
    case DIAGNOSTICS: return set_diagnostics(t, value);
    case RESUME: t->resume_path = value; break;
    case CHECKPOINT: return set_checkpoint(t, o, value);
    case KEEP_BEST: t->keep_best = 1; break;
    case PATIENCE: return set_number(t, o, value, 1, &t->patience);
    case TOLERANCE: return set_tolerance(t, o, value);
    case MAX_STEPS: return set_number(t, o, value, 1, &t->max_steps);
    case MAX_TIME: return set_time(t, o, value, &t->max_time);
    case LOG: t->log_path = value; break;
    case LOAD: t->load_path = value; break;
    case SAVE: t->save_path = value; break;
    case MAP: t->map = value; break;
    case WEIGHTS: t->weights_path = t->weights_path ? t->weights_path : value; break;
    case OUT: t->out_path = value; break;
    case NO_SHUFFLE: t->shuffle = 0; break;
    case BOUNDARY: return set_picture(t, "--boundary", value, &t->boundary_path);
    case FIND_RATE: return set_find_rate(t, o, value);
    case ASSESS: return set_assess(t, value);
    case QUIET: t->quiet = 1; break;
    }
    return DONE;
}

/* One argument, and the one that belongs to it: an option, or NAME=value. */
static int parse_argument(Trainer *t, int argc, char **argv, int *i)
{
    char *value = NULL;
    const Option *o = find_option(t, argc, argv, i, &value);

    if (o)
        return set_option(t, o, value);
    if (argv[*i][0] == '-' || !has_name(argv[*i]))
        return ngrt_trainer_fail(t, USAGE, "unknown argument: %s", argv[*i]);
    t->assign[t->assigns++] = argv[*i];
    return DONE;
}

/* Is there an input that must get its elements from a file? */
static int takes_data(const Trainer *t)
{
    const ngrt_model *m = t->model;
    int optional = NGRT_DEFAULT;
    int i;

    if (t->command == PREDICT)
        optional |= NGRT_TARGET;
    for (i = 0; i < m->tensors; i++) {
        const ngrt_tensor *x = &m->tensor[i];
        if (x->role == NGRT_INPUT && x->rank > 0 && !(x->flags & optional))
            return 1;
    }
    return 0;
}

/* Must numbers of tables be kept as doubles? Floats hold whole numbers up to 2^24. */
static int wants_doubles(const ngrt_model *m)
{
    int i;

    for (i = 0; i < m->tensors; i++) {
        const ngrt_tensor *x = &m->tensor[i];
        if (x->role == NGRT_INPUT && x->rank > 0 && x->type == NGRT_I32 &&
            (x->limit == 0 || x->limit > 1 << 24))
            return 1;
    }
    return m->real == NGRT_F64;
}

/* --resume: the file is the one to load, if it is there, and the one to save. */
static int set_resume(Trainer *t)
{
    if (t->load_path || t->save_path)
        return ngrt_trainer_fail(t, USAGE,
                                 "--resume loads and saves; it does not go with --load or --save");
    t->save_path = t->resume_path;
    if (access(t->resume_path, F_OK) == 0)
        t->load_path = t->resume_path;
    else
        ngrt_trainer_note(t, "%s: there is no such file yet; the training starts anew",
                          t->resume_path);
    return DONE;
}

/* Elsewhere "-" is standard output. Weights do not go there: they are written several times. */
static int check_save(const Trainer *t)
{
    const char *option = t->resume_path ? "--resume" : "--save";

    if (!t->save_path || strcmp(t->save_path, "-") != 0)
        return DONE;
    return ngrt_trainer_fail(t, USAGE,
                             "%s - is not standard output: weights go to a file; ./- is one of "
                             "that name",
                             option);
}

/* Are there two options of which one would be ignored? */
static int check_together(const Trainer *t)
{
    int val = t->part[VALIDATION].sources > 0;
    int split = t->split[TRAINING] > 0;
    int shows = t->assess || t->boundary_path;
    int keeps = t->save_path || t->log_path;

    if (split && (t->folds || val))
        return ngrt_trainer_fail(t, USAGE, "data that is split does not go with %s",
                                 t->folds ? "--folds" : "--val");
    if (t->command == PREDICT && t->form.missing == MISSING_DROP)
        return ngrt_trainer_fail(t, USAGE,
                                 "predict has a line for each row: --missing=drop would leave out "
                                 "some");
    if (t->folds && t->grids > 0)
        return ngrt_trainer_fail(t, USAGE, "--folds and --grid do not go together");
    if (t->folds && (val || keeps || t->curve || shows))
        return ngrt_trainer_fail(t, USAGE,
                                 "--folds measures and keeps nothing: it does not go with --val, "
                                 "--save, --resume, --log, --curve, --assess and --boundary");
    if (t->grids > 0 && (t->log_path || t->curve || t->resume_path))
        return ngrt_trainer_fail(
            t, USAGE,
            "--grid is several trainings: it does not go with --log, --curve and --resume");
    if (t->find_rate && (t->folds || t->grids > 0 || keeps || shows))
        return ngrt_trainer_fail(t, USAGE,
                                 "--find-rate does not train: it does not go with --folds, --grid, "
                                 "--save, --log, --assess and --boundary");
    if ((t->folds || split) && !t->part[TRAINING].sources)
        return ngrt_trainer_fail(t, USAGE, "there is no --data to be split");
    return DONE;
}

static int parse_arguments(Trainer *t, int argc, char **argv)
{
    int i;
    int status = DONE;

    for (i = 1; i < argc && !status; i++)
        status = parse_argument(t, argc, argv, &i);
    for (i = 0; i < t->grids && !status; i++) {
        Grid *g = &t->grid[i];

        snprintf(g->assign, sizeof g->assign, "%s=%s", g->name, g->value[0]);
        t->assign[t->assigns++] = g->assign;
    }
    if (!status && t->resume_path)
        status = set_resume(t);
    if (!status)
        status = check_save(t);
    if (!status)
        status = check_together(t);
    if (status)
        return status;

    t->form.wide = wants_doubles(t->model);
    if (t->command == TRAIN)
        t->form.gap = "; --missing=drop leaves out its row, --missing=mean takes its column's mean";
    if ((t->save_steps > 0 || t->save_time > 0) && !t->save_path)
        return ngrt_trainer_fail(t, USAGE, "--checkpoint wants --save or --resume");
    if (t->tolerance > 0 && t->patience == 0 && !t->keep_best)
        t->patience = 10;
    if (t->weights_path) /* what the map is for */
        t->map = NULL;
    if (t->map && !t->load_path && !t->save_path)
        return ngrt_trainer_fail(t, USAGE, "--map wants --load or --save");
    if (!t->part[TRAINING].sources && takes_data(t))
        return ngrt_trainer_fail(t, USAGE, "no data: give --data FILE");
    return DONE;
}

/* ---- what is saved of them ---- */

/* Does an option say where results go, and not what they are, or has the file a place of its own
 * for it? It is not saved with them. */
static int is_outward(const Option *o)
{
    switch (o->kind) {
    case LOAD:
    case SAVE:
    case RESUME:
    case SEED:
    case LOG:
    case CURVE:
    case BOUNDARY:
    case ASSESS:
    case QUIET:
    case OUT:
    case DIAGNOSTICS: return 1;
    default: return 0;
    }
}

/* Keeps the arguments that say how the model was trained, to be saved with the weights. */
static int keep_command_line(Trainer *t, int argc, char **argv)
{
    Bytes b = {0};
    int i, good = 1;

    for (i = 1; i < argc && good; i++) {
        int first = i;
        int k;
        char *value;
        const Option *o = find_option(t, argc, argv, &i, &value);

        for (k = first; k <= i && !(o && is_outward(o)) && good; k++)
            good =
                ngrt_bytes_add(&b, " ", b.size > 0) && ngrt_bytes_add(&b, argv[k], strlen(argv[k]));
    }
    t->command_line = b.at;
    if (good)
        return DONE;
    return ngrt_trainer_no_memory(t);
}

int ngrt_trainer_options(Trainer *t, int argc, char **argv)
{
    int status = keep_command_line(t, argc, argv);

    if (!status)
        status = parse_arguments(t, argc, argv);
    if (status)
        return status;
    return ngrt_trainer_sizes(t);
}
