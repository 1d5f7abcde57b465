/* log.c - what is reported of each epoch: a line on stderr, and a row of the file of --log. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trainer.h"

/* ---- the line ---- */

enum { SHORT = 25 }; /* a tensor of more elements is not in the line */

/* " - name: 0.1234"; small values have an exponent, as in Keras. Of a large tensor the line has the
 * size only: the log has its elements. */
static void print_value(const Trainer *t, int first, int part)
{
    const Value *v = &t->value[first];
    double value = v->of[part];
    int count = ngrt_value_count(t, first);

    fprintf(stderr, " - %s%s: ", part == VALIDATION ? "val_" : "", v->tensor->name);
    if (count > SHORT)
        fprintf(stderr, "%d values", count);
    else if (v->tensor->rank > 0)
        ngrt_value_print(stderr, t, first, part, "%.4g");
    else if (v->tensor->type == NGRT_I32)
        fprintf(stderr, "%.0f", value);
    else if (fabs(value) >= 1e-3 || value == 0.0)
        fprintf(stderr, "%.4f", value);
    else
        fprintf(stderr, "%.4e", value);
}

/* Has this epoch a line? Of over 100 epochs every tenth has one, of over 1000 every hundredth, and
 * so on; the last always. */
static int has_line(const Trainer *t, long epoch)
{
    long every = 1;

    while (t->epochs / every > 100)
        every *= 10;
    return epoch % every == 0 || epoch == t->epochs;
}

static void print_line(const Trainer *t, long epoch, double time)
{
    int i;

    fprintf(stderr, "Epoch %ld/%ld - %.1fs", epoch, t->epochs, time);
    for (i = 0; i < t->values; i += ngrt_value_count(t, i))
        if (t->value[i].known[TRAINING])
            print_value(t, i, TRAINING);
    for (i = 0; i < t->values && ngrt_has_part(t, VALIDATION); i += ngrt_value_count(t, i))
        if (t->value[i].known[VALIDATION])
            print_value(t, i, VALIDATION);
    fputc('\n', stderr);
}

/* ---- the file ---- */

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

/* The bytes of the log up to the rows of epochs that are still to come: an interrupted training may
 * have written more epochs than its weights have. */
static long kept_size(FILE *log, long long epoch)
{
    char line[64];
    long size = 0;
    int c, used = 0;

    while ((c = fgetc(log)) != EOF) {
        if (used < (int)sizeof line - 1)
            line[used++] = (char)c;
        if (c != '\n')
            continue;
        line[used] = 0;
        if (atoll(line) > epoch) /* 0 is the first line, which has names */
            break;
        size = ftell(log);
        used = 0;
    }
    return size;
}

/* Opens the log of a training that continues, or a new one; "-" is standard output. */
static FILE *open_log(const Trainer *t)
{
    if (strcmp(t->log_path, "-") == 0 && ngrt_ranks_number(t) <= 0)
        return stdout;

    const char *path = ngrt_ranks_number(t) > 0 ? "/dev/null" : t->log_path;
    FILE *log;
    if (t->about.step)
        log = fopen(path, "r+");
    else
        log = fopen(path, "w");
    struct stat st;

    if (!log && t->about.step && errno == ENOENT)
        log = fopen(t->log_path, "w");
    if (!log || fstat(fileno(log), &st) != 0 || !S_ISREG(st.st_mode) || !t->about.step)
        return log;
    fflush(log);
    if (ftruncate(fileno(log), kept_size(log, (long long)t->about.epoch)) != 0 ||
        fseek(log, 0, SEEK_END) != 0) {
        fclose(log);
        return NULL;
    }
    return log;
}

int ngrt_log_open(Trainer *t)
{
    struct stat st;
    int i;

    if (!t->log_path)
        return DONE;
    t->log = open_log(t);
    if (!t->log || fstat(fileno(t->log), &st) != 0)
        return ngrt_trainer_fail(t, FILES, "%s: %s", t->log_path, strerror(errno));
    if (t->log != stdout && S_ISREG(st.st_mode) && st.st_size > 0)
        return DONE; /* its first line is there */

    fprintf(t->log, "epoch,seconds");
    for (i = 0; i < t->values; i++)
        log_name(t, "", &t->value[i]);
    for (i = 0; i < t->values && ngrt_has_part(t, VALIDATION); i++)
        log_name(t, "val_", &t->value[i]);
    fputc('\n', t->log);
    return DONE;
}

/* All losses and metrics of a part of the data. */
static void log_part(Trainer *t, int part)
{
    int i;

    for (i = 0; i < t->values; i++)
        log_value(t, t->value[i].of[part], t->value[i].known[part]);
}

static int log_epoch(Trainer *t, long epoch, double time)
{
    fprintf(t->log, "%ld,%.3f", epoch, time);
    log_part(t, TRAINING);
    if (ngrt_has_part(t, VALIDATION))
        log_part(t, VALIDATION);

    /* the row is in the file before the next epoch begins */
    if (fputc('\n', t->log) == EOF || fflush(t->log) != 0)
        return ngrt_trainer_fail(t, FILES, "%s: %s", t->log_path, strerror(errno));
    return DONE;
}

int ngrt_log_epoch(Trainer *t, long epoch, double time)
{
    if (!t->quiet && !t->json && has_line(t, epoch))
        print_line(t, epoch, time);
    if (!t->log)
        return DONE;
    return log_epoch(t, epoch, time);
}
