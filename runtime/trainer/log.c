/* log.c - what is reported of each epoch: a line on stderr, and a row of the file of --log. */
#include <errno.h>
#include <math.h>
#include <string.h>

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

int ngrt_log_open(Trainer *t)
{
    /* a training that continues also continues its log */
    const char *mode = t->about.step ? "a" : "w";
    int i;

    if (!t->log_path)
        return DONE;
    t->log = fopen(t->log_path, mode);
    if (!t->log || fseek(t->log, 0, SEEK_END) != 0)
        return ngrt_trainer_fail(t, FILES, "%s: %s", t->log_path, strerror(errno));
    if (ftell(t->log) > 0)
        return DONE; /* its first line is there */

    fprintf(t->log, "epoch,seconds");
    for (i = 0; i < t->values; i++)
        log_name(t, "", &t->value[i]);
    for (i = 0; i < t->values && ngrt_has_part(t, VALIDATION); i++)
        log_name(t, "val_", &t->value[i]);
    fputc('\n', t->log);
    return DONE;
}

static int log_epoch(Trainer *t, long epoch, double time)
{
    int i;

    fprintf(t->log, "%ld,%.3f", epoch, time);
    for (i = 0; i < t->values; i++)
        log_value(t, t->value[i].of[TRAINING], t->value[i].known[TRAINING]);
    for (i = 0; i < t->values && ngrt_has_part(t, VALIDATION); i++)
        log_value(t, t->value[i].of[VALIDATION], t->value[i].known[VALIDATION]);

    /* the row is in the file before the next epoch begins */
    if (fputc('\n', t->log) == EOF || fflush(t->log) != 0)
        return ngrt_trainer_fail(t, FILES, "%s: %s", t->log_path, strerror(errno));
    return DONE;
}

int ngrt_log_epoch(Trainer *t, long epoch, double time)
{
    if (!t->quiet && !t->json && has_line(t, epoch))
        print_line(t, epoch, time);
    return t->log ? log_epoch(t, epoch, time) : DONE;
}
