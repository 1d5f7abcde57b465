/* commands.c - train, eval and predict as programs: the command line, the data, the memory, the
 * work, and the end of it all. */
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trainer.h"

/* ---- checks before the work ---- */

/* Does the model have what the command needs? */
static int check_model(const Trainer *t)
{
    const ngrt_model *m = t->model;

    if (m->version != NGRT_MODEL_VERSION)
        return ngrt_trainer_fail(t, USAGE, "the model has descriptor version %d, not %d",
                                 m->version, NGRT_MODEL_VERSION);
    if (t->command == TRAIN && (!m->step || !m->eval))
        return ngrt_trainer_fail(t, USAGE,
                                 "the model %s has nothing to train: no minimize or update",
                                 m->name);
    if (t->command == EVAL && !m->eval)
        return ngrt_trainer_fail(t, USAGE,
                                 "the model %s has nothing to evaluate: no loss or metric",
                                 m->name);
    if (t->command == PREDICT && !m->predict)
        return ngrt_trainer_fail(t, USAGE, "the model %s has nothing to predict: no output",
                                 m->name);
    if (m->dims > MAX_DIMS)
        return ngrt_trainer_fail(t, USAGE, "the model %s has over %d run-time sizes", m->name,
                                 MAX_DIMS);
    return DONE;
}

/* Does the batch that is asked for fit the model? */
static int check_batch(const Trainer *t)
{
    const ngrt_model *m = t->model;

    if (t->batch <= 0)
        return DONE;
    if (m->dims == 0)
        return ngrt_trainer_fail(
            t, USAGE, "--batch: the model %s has no run-time size; each step takes all rows",
            m->name);
    if (t->batch > m->dim[0].max)
        return ngrt_trainer_fail(t, USAGE, "--batch %ld is over the model's bound: %s <= %d",
                                 t->batch, m->dim[0].name, m->dim[0].max);
    return DONE;
}

/* Would a result be written over the weights that are read, or over another result? Only a training
 * may save what it has loaded. */
static int check_paths(const Trainer *t, const char *const *path, size_t count)
{
    const char *const read[] = {t->load_path, t->resume_path, t->weights_path};
    struct stat st;
    size_t i, k;

    for (i = 0; i < count; i++) {
        if (path[i] && t->map && ngrt_file_is_same(path[i], t->map))
            return ngrt_trainer_fail(t, USAGE, "%s is the file of --map; it is not overwritten",
                                     path[i]);
        for (k = 0; path[i] && path[i] != t->save_path && k < sizeof read / sizeof *read; k++)
            if (read[k] && ngrt_file_is_same(path[i], read[k]))
                return ngrt_trainer_fail(t, USAGE,
                                         "%s has the weights that are read; it is not overwritten",
                                         path[i]);
        for (k = 0; path[i] && k < i; k++)
            if (path[k] && (ngrt_file_is_same(path[i], path[k]) ||
                            (strcmp(path[i], path[k]) == 0 && stat(path[i], &st) != 0)))
                return ngrt_trainer_fail(t, USAGE, "two results would be written to %s", path[i]);
    }
    return DONE;
}

/* Can the files be written that the command will write? Better known before hours of training. */
static int check_files(const Trainer *t)
{
    const char *const path[] = {t->save_path,   t->curve_path, t->boundary_path,
                                t->assess_path, t->out_path,   t->log_path};
    ngrt_message message;
    size_t i;

    if (ngrt_ranks_number(t) > 0)
        return DONE;
    for (i = 0; i < sizeof path / sizeof *path; i++)
        if (path[i] && path[i] != t->log_path && strcmp(path[i], "-") != 0 &&
            ngrt_file_probe(path[i], &message))
            return ngrt_trainer_fail(t, FILES, "%s", message.text);
    return check_paths(t, path, sizeof path / sizeof *path);
}

/* ---- what the work needs ---- */

#if defined __GNUC__ && !defined __APPLE__
#define OPENBLAS_MAY_BE_LINKED
void openblas_set_num_threads(int) __attribute__((weak));
#endif

/* Starts the threads of --threads; the work block begins with a pointer to their pool. OpenBLAS's
 * own threads would compete with them. */
static int start_threads(Trainer *t)
{
    if (t->threads > 1 && t->group)
        return ngrt_trainer_fail(t, USAGE,
                                 "--threads: ranks have no threads of their own; start "
                                 "more of them");
    if (t->threads <= 1 && !t->group)
        return DONE;
#ifdef OPENBLAS_MAY_BE_LINKED
    if (openblas_set_num_threads && !(t->group && getenv("OPENBLAS_NUM_THREADS")))
        openblas_set_num_threads(1);
#endif
    if (t->group)
        return DONE;
    t->pool = ngrt_pool_create((int)t->threads);
    if (!t->pool)
        return ngrt_trainer_fail(t, FAILED, "cannot start %ld threads", t->threads);
    memcpy(t->work, &t->pool, sizeof t->pool);
    return DONE;
}

/* A file of one array cannot say how the data was prepared. */
static int check_notes(const Trainer *t)
{
    Bytes data = {0};
    int good = ngrt_prep_write(&t->prep, &data);
    int status = DONE;

    if (!good)
        status = ngrt_trainer_no_memory(t);
    else if (data.size > 0 && ngrt_path_ends(t->save_path, ".npy"))
        status = ngrt_trainer_fail(t, USAGE,
                                   "%s: a .npy file cannot hold how the data was prepared; save "
                                   "to .safetensors or .npz",
                                   t->save_path);
    ngrt_bytes_free(&data);
    return status;
}

/* Allocates what the model needs, and sets its weights. */
static int prepare(Trainer *t)
{
    const ngrt_model *m = t->model;
    int status;

    t->params = ngrt_trainer_allocate(1, m->sizeof_params);
    t->state = ngrt_trainer_allocate(1, m->sizeof_state);
    t->work = ngrt_trainer_allocate(1, m->sizeof_work);
    if (!t->params || !t->state || !t->work)
        return ngrt_trainer_no_memory(t);

    status = ngrt_metrics_list(t);
    if (!status)
        status = start_threads(t);
    if (!status)
        status = ngrt_checkpoint_start(t);
    return status;
}

/* Reads the data, and prepares it. */
static int read_data(Trainer *t)
{
    int i, status;

    /* of numbers near 1e9, floats would leave hardly any difference */
    t->form.wide |= ngrt_scale_subtracts(t);
    status = ngrt_set_bind(t, &t->part[TRAINING], t->batch);
    if (!status && ngrt_has_part(t, VALIDATION))
        status = ngrt_set_bind(t, &t->part[VALIDATION], 0);
    if (!status)
        status = ngrt_split(t, 0);
    if (!status)
        status = ngrt_scale_start(t, &t->part[TRAINING]);
    for (i = VALIDATION; i < PARTS && !status; i++)
        if (ngrt_has_part(t, i))
            status = ngrt_scale_apply(t, &t->part[i]);
    return status;
}

/* What training needs in addition. */
static int prepare_training(Trainer *t)
{
    int status = check_notes(t);

    if (!status)
        status = ngrt_checkpoint_begin(t);
    if (!status)
        status = ngrt_accumulate_start(t);
    if (!status)
        status = ngrt_log_open(t);
    return status;
}

/* Frees all that a command has allocated, also after an error in the middle. */
static void release(Trainer *t)
{
    int i;

    for (i = 0; i < PARTS; i++)
        ngrt_set_free(&t->part[i]);
    ngrt_set_free(&t->whole);
    ngrt_metrics_free(t);
    ngrt_pool_destroy(t->pool);
    free(t->assign);
    free(t->params);
    free(t->state);
    free(t->work);
    free(t->kept);
    free(t->kept_sums);
    free(t->grads);
    free(t->sum);
    for (i = 0; i < t->grids; i++)
        free(t->grid[i].value);
    free(t->grid);
    free(t->best);
    free(t->command_line);
    free(t->course);
    free(t->course_loaded);
    ngrt_prep_free(&t->prep);
    free(t->change);
    free(t->history);
}

/* ---- the work ---- */

/* Trains, or trains several times. Folds have printed their results then. */
static int train(Trainer *t)
{
    int status;

    if (t->find_rate)
        return ngrt_find_rate(t);
    if (t->folds)
        return ngrt_runs_folds(t);
    if (t->grids > 0)
        status = ngrt_runs_grid(t);
    else
        status = ngrt_trainer_train(t);
    if (!status)
        status = ngrt_results_measure(t);
    if (!status)
        status = ngrt_checkpoint_write(t);
    if (status)
        return status;
    return ngrt_results_print(t);
}

/* The steps of a program, up to the first that fails. */
static int run(Trainer *t, int argc, char **argv)
{
    int status = check_model(t);

    if (!status)
        status = ngrt_trainer_options(t, argc, argv);
    if (!status)
        status = check_batch(t);
    if (!status)
        status = check_files(t);
    if (!status)
        status = prepare(t);
    if (!status)
        status = read_data(t);
    if (!status)
        status = ngrt_results_check(t);
    if (!status && t->command == TRAIN)
        status = prepare_training(t);
    if (status)
        return status;
    if (t->command == TRAIN)
        return train(t);
    if (t->command == PREDICT)
        return ngrt_trainer_predict(t);
    status = ngrt_results_measure(t);
    if (status)
        return status;
    return ngrt_results_print(t);
}

/* Has standard output taken all that was printed? */
static int check_output(const Trainer *t)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return DONE;
    return ngrt_trainer_fail(t, FILES, "standard output: %s", strerror(errno));
}

static int with_points(const ngrt_model *model, ngrt_group *group, int command, int argc,
                       char **argv)
{
    Trainer t = {
        .model = model,
        .group = group,
        .program = argc > 0 ? argv[0] : model->name,
        .command = command,
        .part = {{.option = "--data"}, {.option = "--val"}, {.option = "--data"}},
        .epochs = 10,
        .form = {.limit = UINT64_C(256) << 20},
        .seed = 1,
        .shuffle = 1,
    };
    int i, status;

    /* these two count wherever they are: messages about what is before them are JSON too */
    for (i = 1; i < argc; i++)
        if (strcmp(argv[i], "--diagnostics=json") == 0)
            t.json = 1;
    for (i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            if (ngrt_ranks_number(&t) > 0)
                return DONE;
            ngrt_trainer_help(t.program, command);
            return check_output(&t);
        }

    t.assign = ngrt_trainer_allocate(2 * (size_t)argc, sizeof *t.assign);
    status = ngrt_ranks_start(&t);
    if (!status)
        status = t.assign ? run(&t, argc, argv) : ngrt_trainer_no_memory(&t);
    if (!status)
        status = check_output(&t);
    if (t.log && fclose(t.log) != 0 && !status)
        status = ngrt_trainer_fail(&t, FILES, "%s: %s", t.log_path, strerror(errno));
    if (t.errors)
        fclose(t.errors);
    release(&t);
    return status;
}

/* Runs a command. Numbers in files, options and what is written have a point, also in a program
 * that has set a locale where they have a comma. */
static int run_command(const ngrt_model *model, ngrt_group *group, int command, int argc,
                       char **argv)
{
    const char *locale = setlocale(LC_NUMERIC, NULL);
    char was[200] = "C";
    int status;

    if (locale)
        snprintf(was, sizeof was, "%s", locale);
    setlocale(LC_NUMERIC, "C");
    ngrt_streams_hold();
    status = with_points(model, group, command, argc, argv);
    setlocale(LC_NUMERIC, was);
    return status;
}

/* ---- the programs ---- */

int ngrt_model_main(const ngrt_model *model, int argc, char **argv)
{
    static const char *const name[] = {[TRAIN] = "train", [EVAL] = "eval", [PREDICT] = "predict"};
    char program[200];
    int command;

    for (command = TRAIN; command <= PREDICT; command *= 2)
        if (argc > 1 && strcmp(argv[1], name[command]) == 0) {
            snprintf(program, sizeof program, "%s %s", argv[0], argv[1]);
            argv[1] = program;
            return run_command(model, NULL, command, argc - 1, argv + 1);
        }

    fprintf(stderr, "usage: %s train|eval|predict [--help] ...\n",
            argc > 0 ? argv[0] : model->name);
    return USAGE;
}

int ngrt_train_main(const ngrt_model *model, int argc, char **argv)
{
    return run_command(model, NULL, TRAIN, argc, argv);
}

int ngrt_train_on_ranks(const ngrt_model *model, ngrt_group *group, int argc, char **argv)
{
    return run_command(model, group, TRAIN, argc, argv);
}

int ngrt_eval_main(const ngrt_model *model, int argc, char **argv)
{
    return run_command(model, NULL, EVAL, argc, argv);
}

int ngrt_predict_main(const ngrt_model *model, int argc, char **argv)
{
    return run_command(model, NULL, PREDICT, argc, argv);
}
