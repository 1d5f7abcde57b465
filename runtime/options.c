/* options.c - the command line of train, eval and predict. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trainer.h"

typedef enum {
    DATA,
    VAL,
    EPOCHS,
    BATCH,
    SEED,
    NO_SHUFFLE,
    LOAD,
    SAVE,
    MAP,
    LOG,
    CURVE,
    CURVE_FILE,
    OUT,
    THREADS,
    QUIET,
    JSON
} Kind;

typedef struct Option {
    const char *name;
    Kind kind;
    int commands;      /* that take it */
    const char *value; /* what it takes; NULL: nothing */
    const char *form;  /* as the help shows it; NULL: as its name */
    const char *help;
} Option;

enum { ALL = TRAIN | EVAL | PREDICT };

static const Option options[] = {
    {"--data", DATA, ALL, "file", "--data FILE",
     "the columns fill the model's inputs in the order of their declaration"},
    {"--data", DATA, ALL, "file", "--data NAME=FILE,...",
     "a file for each input; CSV, IDX, .npy or .npz, also compressed by gzip"},
    {"--val", VAL, TRAIN, "file", "--val ...",
     "validation data in the same forms, evaluated after each epoch"},
    {"--epochs", EPOCHS, TRAIN, "number", "--epochs N",
     "passes over the data in all, those before --load too (10)"},
    {"--batch", BATCH, ALL, "number", "--batch N",
     "rows at a time (the model's bound, or all rows if there are fewer)"},
    {"--seed", SEED, ALL, "number", "--seed N",
     "of the initial parameters and of the order of rows (1)"},
    {"--no-shuffle", NO_SHUFFLE, TRAIN, NULL, NULL, "rows in the order of the file"},
    {"--load", LOAD, ALL, "file", "--load FILE",
     "start from these weights: safetensors, .npz or .npy; training goes on where it was"},
    {"--save", SAVE, TRAIN, "file", "--save FILE",
     "write the weights: .npz, .npy, else safetensors; at the end, and on the way"},
    {"--map", MAP, ALL, "file or pairs", "--map theirs=ours,...",
     "other names in the files of weights; or a FILE of such pairs"},
    {"--log", LOG, TRAIN, "file", "--log=FILE.csv", "the values of each epoch"},
    {"--curve", CURVE, TRAIN, NULL, "--curve[=FILE.svg]",
     "at the end, the loss of each epoch as a curve; or a picture of all values"},
    {"--curve", CURVE_FILE, TRAIN, "file", NULL, NULL}, /* the same with its file */
    {"-o", OUT, PREDICT, "file", "-o FILE",
     "write the outputs to .npy, .npz, or as CSV (standard output)"},
    {"--threads", THREADS, ALL, "number", "--threads N",
     "threads that share the work of a large model (1)"},
    {"--quiet", QUIET, ALL, NULL, NULL, "nothing but results and errors"},
    {"--diagnostics=json", JSON, ALL, NULL, NULL,
     "messages as JSON, an object on a line for each, and no lines of epochs"},
    {NULL, DATA, 0, NULL, NULL, NULL},
};

int ngrt_trainer_help(const char *program, int command)
{
    static const char *const purpose[] = {
        [TRAIN] =
            "Trains the model on data. A model that makes its data itself needs none: an epoch is then one step.\n",
        [EVAL] = "Prints losses and metrics of the model on data.\n",
        [PREDICT] =
            "Prints the model's outputs for each row of data; inputs that only losses and metrics need may be left out.\n",
    };
    const Option *o;
    printf("usage: %s [--data FILE] [options] [NAME=value ...]\n%s", program, purpose[command]);
    for (o = options; o->name; o++)
        if (o->commands & command && o->help)
            printf("  %-23s %s\n", o->form ? o->form : o->name, o->help);
    printf("  %-23s %s\n", "NAME=value", "a scalar input, or a run-time size other than the batch");
    return fflush(stdout) == 0 && !ferror(stdout) ? DONE : FILES;
}

/* Whether text begins NAME=, of letters, digits and underscores. */
static int has_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return length > 0 && text[length] == '=';
}

/* Adds the files of one --data or --val: FILE, or NAME=FILE,NAME=FILE. A comma separates only
 * before a NAME=. */
static int add_sources(Trainer *t, Set *set, char *text)
{
    while (text) {
        char *next = text;
        Source *grown = realloc(set->source, (size_t)(set->sources + 1) * sizeof *grown),
               source = {0};
        if (!grown)
            return ngrt_trainer_no_memory(t);
        set->source = grown;
        do
            next = strchr(next, ',');
        while (next && !has_name(++next));
        if (next)
            next[-1] = 0;
        source.input = ngrt_find_input(t->model, text);
        if (!source.input && has_name(text) && access(text, F_OK) != 0)
            return ngrt_trainer_fail(t, USAGE, "%s %s: the model %s has no input of that name",
                                     set->option, text, t->model->name);
        source.path = source.input ? strchr(text, '=') + 1 : text;
        set->source[set->sources++] = source;
        text = next;
    }
    return DONE;
}

/* A whole number from 0 on; false otherwise. */
static int read_count(const char *text, long *value)
{
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0 && !errno;
}

/* If arg is the option name, sets *value to what follows it, as --name=value or as the next
 * argument. */
static int take_option(const char *name, int argc, char **argv, int *i, char **value)
{
    size_t length = strlen(name);
    if (strncmp(argv[*i], name, length) != 0)
        return 0;
    if (argv[*i][length] == '=') {
        *value = argv[*i] + length + 1;
        return 1;
    }
    if (argv[*i][length] != 0)
        return 0;
    *value = *i + 1 < argc ? argv[++*i] : NULL;
    return 1;
}

/* One option that takes a number. */
static int set_number(Trainer *t, const char *name, const char *text, long least, long *number)
{
    if (!text || !read_count(text, number) || *number < least)
        return ngrt_trainer_fail(t, USAGE, "%s takes a whole number from %ld on", name, least);
    return DONE;
}

/* The option that an argument is for this command, or NULL; what belongs to it into *value. */
static const Option *find_option(const Trainer *t, int argc, char **argv, int *i, char **value)
{
    const Option *o;
    for (o = options; o->name; o++)
        if (o->commands & t->command && !o->value && strcmp(argv[*i], o->name) == 0)
            return o;
        else if (o->commands & t->command && o->value && take_option(o->name, argc, argv, i, value))
            return o;
    return NULL;
}

/* One argument, and the one that belongs to it. */
static int parse_argument(Trainer *t, int argc, char **argv, int *i)
{
    char *value = NULL;
    long number = 0;
    int status = DONE;
    const Option *o = find_option(t, argc, argv, i, &value);
    if (!o && (argv[*i][0] == '-' || !has_name(argv[*i])))
        return ngrt_trainer_fail(t, USAGE, "unknown argument: %s", argv[*i]);
    if (!o)
        return t->assign[t->assigns++] = argv[*i], DONE;
    if (o->value && !value)
        return ngrt_trainer_fail(t, USAGE, "%s takes a %s", o->name, o->value);
    switch (o->kind) {
    case DATA: return add_sources(t, &t->train, value);
    case VAL: return add_sources(t, &t->val, value);
    case EPOCHS: return set_number(t, o->name, value, 0, &t->epochs);
    case BATCH: return set_number(t, o->name, value, 1, &t->batch);
    case SEED:
        status = set_number(t, o->name, value, 0, &number);
        t->seed = (uint64_t)number;
        t->seeded = 1;
        break;
    case LOG: t->log_path = value; break;
    case LOAD: t->load_path = value; break;
    case SAVE: t->save_path = value; break;
    case MAP: t->map = value; break;
    case OUT: t->out_path = value; break;
    case CURVE: t->curve = 1; break;
    case CURVE_FILE:
        if (ngrt_path_ends(value, ".png"))
            return ngrt_trainer_fail(t, USAGE,
                                     "--curve=%s: the picture is an SVG; --curve alone is text",
                                     value);
        t->curve = 1;
        t->curve_path = strcmp(value, "-") == 0 ? NULL : value;
        break;
    case THREADS:
        status = set_number(t, o->name, value, 1, &t->threads);
        if (!status && t->threads > NGRT_POOL_MAX)
            status = ngrt_trainer_fail(t, USAGE, "--threads takes at most %d", NGRT_POOL_MAX);
        break;
    case NO_SHUFFLE: t->shuffle = 0; break;
    case QUIET: t->quiet = 1; break;
    case JSON: t->json = 1; break;
    }
    return status;
}

/* Whether there is an input that must get its elements from a file. */
static int takes_data(const ngrt_model *m, int skip)
{
    int i;
    for (i = 0; i < m->tensors; i++)
        if (m->tensor[i].role == NGRT_INPUT && m->tensor[i].rank > 0 &&
            !(m->tensor[i].flags & skip))
            return 1;
    return 0;
}

static int parse_arguments(Trainer *t, int argc, char **argv)
{
    int i, status = DONE;
    for (i = 1; i < argc && !status; i++)
        status = parse_argument(t, argc, argv, &i);
    if (!status && t->map && !t->load_path && !t->save_path)
        status = ngrt_trainer_fail(t, USAGE, "--map wants --load or --save");
    if (!status && !t->train.sources &&
        takes_data(t->model, NGRT_DEFAULT | (t->command == PREDICT ? NGRT_TARGET : 0)))
        status = ngrt_trainer_fail(t, USAGE, "no data: give --data FILE");
    return status;
}

/* Sets the run-time sizes from NAME=value where given, else to their bounds; checks the names of
 * all assignments. */
static int set_sizes(Trainer *t)
{
    const ngrt_model *m = t->model;
    int i, d;
    for (d = 0; d < m->dims; d++)
        t->size[d] = m->dim[d].max;
    for (i = 0; i < t->assigns; i++) {
        const char *text = t->assign[i], *value = strchr(text, '=') + 1;
        const ngrt_tensor *x = ngrt_find_input(m, text);
        long size;
        for (d = 0; d < m->dims; d++)
            if (strlen(m->dim[d].name) == (size_t)(value - text - 1) &&
                strncmp(m->dim[d].name, text, (size_t)(value - text - 1)) == 0)
                break;
        if (d == 0 && m->dims > 0)
            return ngrt_trainer_fail(t, USAGE, "%s: the batch is set by --batch", text);
        if (d < m->dims && (!read_count(value, &size) || size < 1 || size > m->dim[d].max))
            return ngrt_trainer_fail(t, USAGE, "%s: must be from 1 to %d", text, m->dim[d].max);
        if (d < m->dims)
            t->size[d] = (int)size;
        else if (!x || x->rank > 0)
            return ngrt_trainer_fail(
                t, USAGE, "%s: the model %s has no scalar input or run-time size of that name",
                text, m->name);
    }
    return DONE;
}

int ngrt_trainer_options(Trainer *t, int argc, char **argv)
{
    int status = parse_arguments(t, argc, argv);
    return status ? status : set_sizes(t);
}
