/* results.c - what a model reaches in the end: a table of all parts of the data for people, and a
 * line for each value for programs. */
#include <errno.h>
#include <string.h>

#include "trainer.h"

/* The part whose values are printed: the one that knows least of the training. */
static int last_part(const Trainer *t)
{
    int part = TESTING;

    while (!ngrt_has_part(t, part))
        part--;
    return part;
}

/* Prints a row of the table. */
static void print_row(const Trainer *t, const Value *v)
{
    int part;

    fprintf(stderr, "%-20s", v->name);
    for (part = 0; part < PARTS; part++) {
        if (!ngrt_has_part(t, part))
            continue;
        if (v->known[part])
            fprintf(stderr, " %12.6g", v->of[part]);
        else
            fprintf(stderr, " %12s", "-");
    }
    fputc('\n', stderr);
}

/* Prints the values that are scalars, a column for each part. */
static void print_table(const Trainer *t)
{
    static const char *const name[] = {"training", "validation", "test"};
    int part, i;

    fprintf(stderr, "%-20s", "");
    for (part = 0; part < PARTS; part++)
        if (ngrt_has_part(t, part))
            fprintf(stderr, " %12s", name[part]);
    fprintf(stderr, "\n%-20s", "rows");
    for (part = 0; part < PARTS; part++)
        if (ngrt_has_part(t, part))
            fprintf(stderr, " %12zu", t->part[part].rows);
    fputc('\n', stderr);
    for (i = 0; i < t->values; i++)
        if (t->value[i].tensor->rank == 0)
            print_row(t, &t->value[i]);
}

/* Prints the values of a part to stdout. *printed: there was one. */
static void print_values(const Trainer *t, int part, int *printed)
{
    int i;

    *printed = 0;
    for (i = 0; i < t->values; i += ngrt_value_count(t, i)) {
        const Value *v = &t->value[i];

        if (!v->known[part])
            continue;
        printf("%s: ", v->tensor->name);
        ngrt_value_print(stdout, t, i, part, "%.6g");
        putchar('\n');
        *printed = 1;
    }
}

int ngrt_results_check(Trainer *t)
{
    int last = last_part(t);
    int status = DONE;

    if (t->command != PREDICT)
        status = ngrt_assess_check(t, last);
    if (!status && t->command != PREDICT)
        status = ngrt_boundary_check(t, last);
    return status;
}

int ngrt_results_measure(Trainer *t)
{
    int last = last_part(t);
    int all = last > TRAINING && !t->quiet;
    int part, i;
    int status = DONE;

    /* what the steps of the last epoch left is not of the weights as they are now */
    for (i = 0; i < t->values; i++)
        for (part = 0; part < PARTS; part++)
            t->value[i].known[part] = 0;
    for (part = all ? TRAINING : last; part <= last && !status; part++)
        if (ngrt_has_part(t, part))
            status = ngrt_metrics_evaluate(t, part, NGRT_LOSS);
    t->measured = !status;
    return status;
}

int ngrt_results_print(Trainer *t)
{
    int last = last_part(t);
    int printed;
    int status = DONE;

    if (ngrt_ranks_number(t) > 0)
        return DONE;
    if (last > TRAINING && !t->quiet && !t->json)
        print_table(t);
    print_values(t, last, &printed);
    if (t->command != PREDICT)
        status = ngrt_assess(t, last);
    if (!status && t->command != PREDICT)
        status = ngrt_boundary(t, last);
    if (!status && !printed && t->values > 0 && t->command == EVAL)
        status = ngrt_trainer_fail(t, FAILED,
                                   "losses and metrics of %s are values of one batch, and the rows "
                                   "of the data are several",
                                   t->model->name);
    return status;
}
