/* train.c - mini-batch training of any model by its descriptor: data files -> epochs -> results and
 * weights. And `eval`, which is its end alone. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trainer.h"

enum {
    SHUFFLE_STREAM = 0x40000000
}; /* plus the epoch: the stream of its order, above those of initializers */

static volatile sig_atomic_t stopped; /* by this signal */

/* A string of JSON. Bytes that a file's name may have and UTF-8 may not become '?'. */
static void put_json(const char *text, size_t size)
{
    size_t i;
    fputc('"', stderr);
    for (i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0, n = 0;
        while (n < more && i + (size_t)n + 1 < size &&
               ((unsigned char)text[i + (size_t)n + 1] & 0xc0) == 0x80)
            n++;
        if (c == '"' || c == '\\')
            fprintf(stderr, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(stderr, "\\u%04x", c);
        else if (c >= 0x80 && (more == 0 || n < more || c > 0xf4))
            fputc('?', stderr);
        else {
            fwrite(text + i, 1, (size_t)n + 1, stderr);
            i += (size_t)n;
        }
    }
    fputc('"', stderr);
}

/* The numbers after a file's name, as in "iris.csv:12:7: ...": how many, and where the name ends.
 */
static int find_place(const char *text, long place[2], size_t *name)
{
    const char *end = strstr(text, ": "), *at = end;
    int count = 0;
    while (at && count < 2 && at > text) {
        const char *digits = at;
        while (digits > text && digits[-1] >= '0' && digits[-1] <= '9')
            digits--;
        if (digits == at || digits == text || digits[-1] != ':')
            break;
        at = digits - 1;
        count++;
    }
    if (count > 0)
        *name = (size_t)(at - text);
    if (count > 0)
        place[0] = strtol(at + 1, NULL, 10);
    if (count > 1)
        place[1] = strtol(strchr(at + 1, ':') + 1, NULL, 10);
    return count;
}

/* A message as ngc's own are with --diagnostics=json: an object on a line. */
static void print_json(const char *kind, const char *text, const char *note)
{
    static const char *const key[] = {"line", "column"};
    long place[2] = {0, 0};
    size_t name = 0;
    int i, count = find_place(text, place, &name);
    const char *what = count ? strstr(text, ": ") + 2 : text;
    fprintf(stderr, "{\"severity\": \"%s\", \"message\": ", kind);
    put_json(what, strlen(what));
    if (count) {
        fprintf(stderr, ", \"file\": ");
        put_json(text, name);
    }
    for (i = 0; i < count; i++)
        fprintf(stderr, ", \"%s\": %ld", key[i], place[i]);
    if (note)
        fprintf(stderr, ", \"notes\": [{\"severity\": \"note\", \"message\": \"%s\"}]", note);
    fprintf(stderr, "}\n");
}

static void print_message(const Trainer *t, const char *kind, const char *note, const char *format,
                          va_list arguments)
{
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    if (t->json) {
        print_json(kind, text, note);
        return;
    }
    fprintf(stderr, "%s: %s: %s\n", t->program, kind, text);
    if (note)
        fprintf(stderr, "%s: %s\n", t->program, note);
}

int ngrt_trainer_fail(const Trainer *t, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_message(t, "error", status == USAGE ? "--help shows the options" : NULL, format,
                  arguments);
    va_end(arguments);
    return status;
}

/* What is good to know and no error; --quiet does without. */
void ngrt_trainer_note(const Trainer *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!t->quiet)
        print_message(t, "note", NULL, format, arguments);
    va_end(arguments);
}

int ngrt_trainer_no_memory(const Trainer *t)
{
    return ngrt_trainer_fail(t, FAILED, "out of memory");
}

void *ngrt_trainer_allocate(size_t count, size_t size)
{
    return calloc(count ? count : 1, size ? size : 1);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- weights ---- */

static size_t state_at(const Trainer *t)
{ /* of the state in what is kept */
    return (t->model->sizeof_params + 15) / 16 * 16;
}

/* Keeps the weights, and how far the training was with them. */
static void keep(Trainer *t)
{
    memcpy(t->kept, t->params, t->model->sizeof_params);
    memcpy(t->kept + state_at(t), t->state, t->model->sizeof_state);
    t->kept_about = t->about;
}

/* Writes what is kept, unless the file holds it already. */
static int save(Trainer *t)
{
    ngrt_message message;
    const ngrt_about *a = &t->kept_about;
    if (!t->save_path ||
        (t->saved_at > 0 && a->epoch == t->saved_about.epoch && a->row == t->saved_about.row))
        return DONE;
    if (ngrt_weights_save(t->model, t->kept, t->kept + state_at(t), a, t->save_path, t->map,
                          &message))
        return ngrt_trainer_fail(t, FILES, "%s", message.text);
    t->saved_at = seconds();
    t->saved_about = *a;
    return DONE;
}

/* Starts from the seed, or from the weights of a file. */
static int start(Trainer *t)
{
    ngrt_message message;
    int error;
    if (t->model->init)
        t->model->init(t->params, t->state, t->seed);
    if (t->load_path) {
        error = ngrt_weights_load(t->model, t->params, t->state, &t->about, t->load_path, t->map,
                                  &message);
        if (error)
            return ngrt_trainer_fail(t, FILES, "%s", message.text);
        if (message.text[0])
            ngrt_trainer_note(t, "%s", message.text);
        if (t->about.hash && !t->seeded)
            t->seed = t->about.seed;
    } else if (t->command != TRAIN && t->model->sizeof_params > 0) {
        ngrt_trainer_note(t, "no --load: the weights are those that training starts with");
    }
    t->about.seed = t->seed;
    if (t->command == TRAIN &&
        (t->about.epoch < 0 || t->about.row < 0 || (uint64_t)t->about.row >= t->train.rows))
        return ngrt_trainer_fail(t, FILES,
                                 "%s: was saved at row %lld of a pass, but the data has %zu rows",
                                 t->load_path, (long long)t->about.row, t->train.rows);
    if (t->command == TRAIN && t->about.epoch > 0 && t->about.epoch >= t->epochs)
        ngrt_trainer_note(t, "%s is from after epoch %lld: --epochs %ld leaves nothing to do",
                          t->load_path, (long long)t->about.epoch, t->epochs);
    keep(t);
    return DONE;
}

/* ---- running ---- */

/* What a step adds to the loss of an epoch: weighted by its share of the rows, or as it is where
 * batches are summed. */
static double share(const Trainer *t, const Value *v, size_t count, size_t rows)
{
    double value = ngrt_value_of_batch(t, v);
    return v->tensor->flags & NGRT_SUM ? value : value * ((double)count / (double)rows);
}

/* Fisher and Yates's shuffle; its order depends on seed and epoch alone. (The remainder's bias is
 * below rows/2^64.) */
static void shuffle(Trainer *t, long epoch)
{
    size_t i;
    for (i = 0; i < t->train.rows; i++)
        t->order[i] = i;
    for (i = t->train.rows - 1; t->shuffle && t->train.batch < t->train.rows && i > 0; i--) {
        uint64_t bits = ngrt_random_bits(t->seed, SHUFFLE_STREAM + (uint32_t)epoch, i);
        size_t j = (size_t)(bits % (i + 1)), keep = t->order[i];
        t->order[i] = t->order[j];
        t->order[j] = keep;
    }
}

/* One step on the rows from first on, gathering losses as their share of these many rows. */
static int train_step(Trainer *t, long epoch, size_t first, size_t count, size_t rows)
{
    int i, error;
    ngrt_set_fill(t, &t->train, t->order, first, count);
    error = t->model->step(t->params, t->state, t->train.inputs, t->work);
    t->about.step++;
    if (error)
        return ngrt_trainer_fail(t, FAILED, "step %lld: %s", (long long)t->about.step,
                                 ngrt_strerror(error));
    for (i = 0; i < t->values; i++) {
        Value *v = &t->value[i];
        if (v->tensor->role != NGRT_LOSS)
            continue;
        if (!isfinite(ngrt_value_of_batch(t, v)))
            return ngrt_trainer_fail(t, FAILED, "step %lld (epoch %ld): %s is %g; training stopped",
                                     (long long)t->about.step, epoch, v->tensor->name,
                                     ngrt_value_of_batch(t, v));
        v->train += share(t, v, count, rows);
        v->train_known = 1;
    }
    return DONE;
}

/* The bar, ten times a second. An epoch that is shorter has none. */
static void show_bar(Trainer *t, long epoch, size_t done)
{
    double now = t->bar_at < 0 ? 0 : seconds();
    if (t->bar_at < 0 || (now - t->bar_at < 0.1 && done < t->train.rows))
        return;
    if (done < t->train.rows)
        ngrt_bar_show(t, epoch, done, t->train.rows), t->bar_shown = 1;
    else if (t->bar_shown)
        ngrt_bar_show(t, epoch, 0, 0), t->bar_shown = 0;
    t->bar_at = now;
}

/* One pass of steps over the training data, or the rest of one; gathers the losses that the steps
 * return. */
static int train_epoch(Trainer *t, long epoch)
{
    Set *set = &t->train;
    size_t first = (size_t)t->about.row, count, rows = set->rows - first;
    int i, status;
    shuffle(t, epoch);
    for (i = 0; i < t->values; i++)
        t->value[i].train = 0.0;
    for (; first < set->rows; first += count) {
        count = set->rows - first < set->batch ? set->rows - first : set->batch;
        status = train_step(t, epoch, first, count, rows);
        if (status)
            return status;
        t->about.row = (int64_t)(first + count);
        show_bar(t, epoch, first + count);
        if (stopped && first + count < set->rows)
            return STOPPED + stopped;
    }
    t->about.row = 0;
    t->about.epoch = epoch;
    return stopped ? STOPPED + stopped : DONE;
}

enum { SHORT = 25 }; /* elements of a tensor that the line of an epoch has */

/* " - name: 0.1234"; small values with an exponent, as Keras prints them. Of a large tensor its
 * size: the log has its elements. */
static void print_value(const Trainer *t, int first, int val)
{
    const Value *v = &t->value[first];
    double value = val ? v->val : v->train;
    fprintf(stderr, " - %s%s: ", val ? "val_" : "", v->tensor->name);
    if (ngrt_value_count(t, first) > SHORT)
        fprintf(stderr, "%d values", ngrt_value_count(t, first));
    else if (v->tensor->rank > 0)
        ngrt_value_print(stderr, t, first, val, "%.4g");
    else if (v->tensor->type == NGRT_I32)
        fprintf(stderr, "%.0f", value);
    else
        fprintf(stderr, fabs(value) >= 1e-3 || value == 0.0 ? "%.4f" : "%.4e", value);
}

/* A cell of the log; empty where the value is not known. */
static void log_value(const Trainer *t, double value, int known)
{
    fputc(',', t->log);
    if (known)
        ngrt_number_print(t->log, "%.9g", value);
}

static void log_name(const Trainer *t, const char *prefix, const Value *v)
{
    const char *quote = v->tensor->rank > 1 ? "\"" : ""; /* c[0,1] has a comma */
    fprintf(t->log, ",%s%s%s%s", quote, prefix, v->name, quote);
}

/* The line of an epoch, in the log and on stderr; there, of many epochs, of every tenth, hundredth
 * and so on. */
static int report_epoch(Trainer *t, long epoch, double time)
{
    long every = 1;
    int i;
    while (t->epochs / every > 100)
        every *= 10;
    if (!t->quiet && !t->json && (epoch % every == 0 || epoch == t->epochs)) {
        fprintf(stderr, "Epoch %ld/%ld - %.1fs", epoch, t->epochs, time);
        for (i = 0; i < t->values; i += ngrt_value_count(t, i))
            if (t->value[i].train_known)
                print_value(t, i, 0);
        for (i = 0; i < t->values && t->val.sources; i += ngrt_value_count(t, i))
            if (t->value[i].val_known)
                print_value(t, i, 1);
        fputc('\n', stderr);
    }
    if (!t->log)
        return DONE;
    fprintf(t->log, "%ld,%.3f", epoch, time);
    for (i = 0; i < t->values; i++)
        log_value(t, t->value[i].train, t->value[i].train_known);
    for (i = 0; i < t->values && t->val.sources; i++)
        log_value(t, t->value[i].val, t->value[i].val_known);
    if (fputc('\n', t->log) == EOF || fflush(t->log) != 0)
        return ngrt_trainer_fail(t, FILES, "%s: %s", t->log_path, strerror(errno));
    return DONE;
}

static int open_log(Trainer *t)
{
    int i;
    if (!t->log_path)
        return DONE;
    t->log = fopen(t->log_path,
                   t->about.step ? "a" : "w"); /* a training that goes on goes on in its log */
    if (!t->log || fseek(t->log, 0, SEEK_END) != 0)
        return ngrt_trainer_fail(t, FILES, "%s: %s", t->log_path, strerror(errno));
    if (ftell(t->log) > 0)
        return DONE;
    fprintf(t->log, "epoch,seconds");
    for (i = 0; i < t->values; i++)
        log_name(t, "", &t->value[i]);
    for (i = 0; i < t->values && t->val.sources; i++)
        log_name(t, "val_", &t->value[i]);
    fputc('\n', t->log);
    return DONE;
}

/* An epoch and all that is told of it. The training data is evaluated for its metrics, if anyone
 * will read them. */
static int run_epoch(Trainer *t, long epoch)
{
    double start = seconds();
    int seen = !t->quiet || t->log || t->curve, status = train_epoch(t, epoch);
    if (!status || status > STOPPED)
        keep(t);
    if (!status && seen)
        status = ngrt_metrics_evaluate(t, &t->train, 0, NGRT_METRIC);
    if (!status && seen && t->val.sources)
        status = ngrt_metrics_evaluate(t, &t->val, 1, NGRT_LOSS);
    if (!status && t->curve)
        status = ngrt_curve_add(t);
    return status ? status : report_epoch(t, epoch, seconds() - start);
}

static void stop(int signal)
{
    stopped = signal;
}

int ngrt_trainer_stopped(void)
{
    return stopped;
}

/* With weights to save, an interrupt ends the training after its step; a second one ends the
 * program. */
static void watch_signals(const Trainer *t)
{
    struct sigaction action = {0};
    action.sa_handler = stop;
    action.sa_flags = (int)SA_RESETHAND;
    stopped = 0;
    if (t->save_path) {
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
    }
}

/* All epochs. The weights are written once a second at most, and at the end, whatever it is: then
 * those of the last epoch, or of the last step before a signal. */
static int train_epochs(Trainer *t)
{
    long epoch;
    int status = DONE, saved;
    watch_signals(t);
    t->bar_at = t->quiet || t->json || !isatty(2) ? -1 : seconds();
    for (epoch = (long)t->about.epoch + 1; epoch <= t->epochs && !status; epoch++) {
        status = run_epoch(t, epoch);
        if (!status && seconds() - t->saved_at >= 1.0)
            status = save(t);
    }
    if (t->bar_shown)
        ngrt_bar_show(t, 0, 0, 0);
    if (status == FILES)
        return status;
    if (t->curve && (!status || status > STOPPED) && (saved = ngrt_curve_show(t)) != DONE)
        status = saved;
    saved = t->kept_about.step > 0 || !status ? save(t) : DONE;
    if (!saved && status > STOPPED)
        ngrt_trainer_note(t, "stopped in epoch %ld; the weights are in %s", epoch - 1,
                          t->save_path);
    return saved ? saved : status;
}

/* Losses and metrics of the trained model on the validation data, or else on the training data, to
 * stdout. */
static int print_results(Trainer *t)
{
    int val = t->val.sources > 0, i, said = 0,
        status = ngrt_metrics_evaluate(t, val ? &t->val : &t->train, val, NGRT_LOSS);
    for (i = 0; i < t->values && !status; i += ngrt_value_count(t, i)) {
        if (!(val ? t->value[i].val_known : t->value[i].train_known))
            continue;
        printf("%s: ", t->value[i].tensor->name);
        ngrt_value_print(stdout, t, i, val, "%.6g");
        putchar('\n');
        said = 1;
    }
    if (!status && !said && t->values > 0 && t->command == EVAL)
        status = ngrt_trainer_fail(
            t, FAILED,
            "losses and metrics of %s are values of one batch, and the rows of the data are several",
            t->model->name);
    if (!status && (fflush(stdout) != 0 || ferror(stdout)))
        status = ngrt_trainer_fail(t, FILES, "standard output: %s", strerror(errno));
    return status;
}

/* ---- the programs ---- */

#if defined __GNUC__ && !defined __APPLE__
void openblas_set_num_threads(int) __attribute__((weak)); /* where it is linked */
#endif

/* Threads, which work begins with a pointer to. OpenBLAS's own would be in their way. */
static int start_threads(Trainer *t)
{
    if (t->threads <= 1)
        return DONE;
#if defined __GNUC__ && !defined __APPLE__
    if (openblas_set_num_threads)
        openblas_set_num_threads(1);
#endif
    t->pool = ngrt_pool_create((int)t->threads);
    if (!t->pool)
        return ngrt_trainer_fail(t, FAILED, "cannot start %ld threads", t->threads);
    memcpy(t->work, &t->pool, sizeof t->pool);
    return DONE;
}

/* Allocates what the model needs. */
static int prepare(Trainer *t)
{
    const ngrt_model *m = t->model;
    int status;
    t->params = ngrt_trainer_allocate(1, m->sizeof_params);
    t->state = ngrt_trainer_allocate(1, m->sizeof_state);
    t->work = ngrt_trainer_allocate(1, m->sizeof_work);
    t->kept = ngrt_trainer_allocate(1, state_at(t) + m->sizeof_state);
    t->order = ngrt_trainer_allocate(t->train.rows, sizeof *t->order);
    if (!t->params || !t->state || !t->work || !t->kept || !t->order)
        return ngrt_trainer_no_memory(t);
    status = ngrt_metrics_list(t);
    if (!status)
        status = start_threads(t);
    if (!status)
        status = start(t);
    return status ? status : open_log(t);
}

/* What the model does not allow. */
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

/* Whether the batch asked for fits the model. */
static int check_batch(const Trainer *t)
{
    if (t->batch > 0 && t->model->dims == 0)
        return ngrt_trainer_fail(
            t, USAGE, "--batch: the model %s has no run-time size; each step takes all rows",
            t->model->name);
    if (t->batch > 0 && t->batch > t->model->dim[0].max)
        return ngrt_trainer_fail(t, USAGE, "--batch %ld is over the model's bound: %s <= %d",
                                 t->batch, t->model->dim[0].name, t->model->dim[0].max);
    return DONE;
}

/* Can there be a file of that name? Better known before hours of training. */
static int check_save(const Trainer *t)
{
    ngrt_message message;
    if (t->save_path && ngrt_file_probe(t->save_path, &message))
        return ngrt_trainer_fail(t, FILES, "%s", message.text);
    return DONE;
}

/* The steps of the program, up to the first that fails. */
static int run(Trainer *t, int argc, char **argv)
{
    int status = check_model(t);
    if (!status)
        status = ngrt_trainer_options(t, argc, argv);
    if (!status)
        status = check_batch(t);
    if (!status)
        status = check_save(t);
    if (!status)
        status = ngrt_set_bind(t, &t->train, t->batch);
    if (!status && t->val.sources)
        status = ngrt_set_bind(t, &t->val, 0);
    if (!status)
        status = prepare(t);
    if (!status && t->command == TRAIN)
        status = train_epochs(t);
    if (!status)
        status = t->command == PREDICT ? ngrt_trainer_predict(t) : print_results(t);
    return status;
}

static int run_command(const ngrt_model *model, int command, int argc, char **argv)
{
    Trainer t = {.model = model,
                 .program = argc > 0 ? argv[0] : model->name,
                 .command = command,
                 .epochs = 10,
                 .seed = 1,
                 .shuffle = 1};
    int i, status;
    for (i = 1; i < argc; i++)
        t.json |= strcmp(argv[i], "--diagnostics=json") ==
                  0; /* for messages about what is before it, too */
    for (i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return ngrt_trainer_help(t.program, command);
    t.train.option = "--data";
    t.val.option = "--val";
    t.assign = ngrt_trainer_allocate((size_t)argc, sizeof *t.assign);
    status = t.assign ? run(&t, argc, argv) : ngrt_trainer_no_memory(&t);
    if (t.log && fclose(t.log) != 0 && !status)
        status = ngrt_trainer_fail(&t, FILES, "%s: %s", t.log_path, strerror(errno));
    ngrt_set_free(&t.train);
    ngrt_set_free(&t.val);
    free(t.assign);
    free(t.params);
    free(t.state);
    free(t.work);
    ngrt_pool_destroy(t.pool);
    free(t.kept);
    ngrt_metrics_free(&t);
    free(t.order);
    free(t.history);
    return status;
}

int ngrt_model_main(const ngrt_model *model, int argc, char **argv)
{
    static const char *const name[] = {[TRAIN] = "train", [EVAL] = "eval", [PREDICT] = "predict"};
    char program[200];
    int command;
    for (command = TRAIN; command <= PREDICT; command *= 2)
        if (argc > 1 && strcmp(argv[1], name[command]) == 0) {
            snprintf(program, sizeof program, "%s %s", argv[0], argv[1]);
            argv[1] = program;
            return run_command(model, command, argc - 1, argv + 1);
        }
    fprintf(stderr, "usage: %s train|eval|predict [--help] ...\n",
            argc > 0 ? argv[0] : model->name);
    return USAGE;
}

int ngrt_train_main(const ngrt_model *model, int argc, char **argv)
{
    return run_command(model, TRAIN, argc, argv);
}

int ngrt_eval_main(const ngrt_model *model, int argc, char **argv)
{
    return run_command(model, EVAL, argc, argv);
}

int ngrt_predict_main(const ngrt_model *model, int argc, char **argv)
{
    return run_command(model, PREDICT, argc, argv);
}
