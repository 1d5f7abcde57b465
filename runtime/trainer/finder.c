/* finder.c - a learning rate for a model whose rate is a scalar input: steps with a rate that grows
 * from small to large, and the loss of each. A good rate is where the loss falls fastest; if it is
 * maximized, where it rises fastest. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

enum { STEPS = 200 };

typedef struct Sweep {
    double rate[STEPS], loss[STEPS]; /* loss: smoothed */
    double sign;                     /* sign*loss shall fall */
    int steps;
} Sweep;

/* The rates from 1e-6 to 10, equally far from each other in logarithms. */
static double rate_of(int step)
{
    return 1e-6 * pow(1e7, (double)step / (STEPS - 1));
}

/* One step with a rate, on the next rows. The loss is that of the step before its update. */
static int take_step(Trainer *t, size_t *first, int step, double *loss)
{
    Set *set = &t->part[TRAINING];
    size_t own, count, owned;
    int error, status;

    /* after the last row another pass begins, in another order */
    if (*first >= set->rows)
        *first = 0;
    if (*first == 0) {
        status = ngrt_rows_begin(t, set, t->shuffle, step + 1);
        if (status)
            return status;
    }
    own = *first;
    count = owned = ngrt_set_batch(set, *first);
    ngrt_ranks_take(t, &own, &owned);
    status = ngrt_set_fill(t, set, own, owned);
    if (status)
        return status;
    *first += count;
    error = t->model->step(t->params, t->state, set->inputs, t->work);
    if (error)
        return ngrt_trainer_fail(t, FAILED, "step %d: %s", step + 1, ngrt_strerror(error));
    *loss = ngrt_value_of_batch(t, &t->value[0]);
    return DONE;
}

/* Steps until the loss is four times its lowest. Losses of batches differ: they are smoothed. */
static int sweep(Trainer *t, Sweep *s)
{
    double mean = 0, weight = 0;
    double lowest = INFINITY;
    size_t first = 0;
    int i;
    int status = DONE;

    for (i = 0; i < STEPS && !status; i++) {
        double loss = 0;

        snprintf(t->rate_text, sizeof t->rate_text, "%s=%.9g", t->find_rate, rate_of(i));
        status = ngrt_set_scalars(t, &t->part[TRAINING]);
        if (!status)
            status = take_step(t, &first, i, &loss);
        if (status || !isfinite(loss))
            break;
        /* an exponential mean; `weight` is what its terms add up to so far */
        mean = 0.95 * mean + 0.05 * loss;
        weight = 0.95 * weight + 0.05;
        s->rate[i] = rate_of(i);
        s->loss[i] = mean / weight;
        s->steps = i + 1;
        lowest = fmin(lowest, s->sign * s->loss[i]);
        if (s->sign * s->loss[i] > lowest + 3 * fabs(lowest))
            break;
    }
    return status;
}

/* The rate at which the loss falls fastest, over a few steps; -1: it does not fall. The losses of
 * batches differ at any rate, so what counts is by how much the lowest loss so far falls. The first
 * steps, whose mean is that of few batches, only begin it. */
static double steepest(const Sweep *s)
{
    enum { FIRST = 30, OVER = 15 };
    double lowest[STEPS], best = 0, rate = -1;
    int i;

    for (i = FIRST; i < s->steps; i++) {
        lowest[i] = s->sign * s->loss[i];
        if (i > FIRST)
            lowest[i] = fmin(lowest[i - 1], lowest[i]);
    }

    for (i = FIRST + OVER; i + OVER < s->steps; i++) {
        double fall = lowest[i - OVER] - lowest[i + OVER];

        if (fall > best) {
            best = fall;
            rate = s->rate[i];
        }
    }
    return rate;
}

/* Prints the losses by the logarithm of the rate. */
static void print_sweep(const Trainer *t, const Sweep *s)
{
    enum { LINES = 12, COLUMNS = 70 };
    double low = INFINITY;
    double high = -INFINITY;
    int i, line, column;

    for (i = 0; i < s->steps; i++) {
        low = fmin(low, s->loss[i]);
        high = fmax(high, s->loss[i]);
    }
    fprintf(stderr, "\n%s by the rate %s\n", t->value[0].name, t->find_rate);
    for (line = 0; line < LINES; line++) {
        char row[COLUMNS + 1];

        memset(row, ' ', COLUMNS);
        row[COLUMNS] = 0;
        for (i = 0; i < s->steps; i++) {
            double up = 0.5;
            if (high > low)
                up = (s->loss[i] - low) / (high - low);

            column = i * (COLUMNS - 1) / (STEPS - 1);
            if ((int)(up * (LINES - 1) + 0.5) == LINES - 1 - line)
                row[column] = '*';
        }
        if (line == 0)
            fprintf(stderr, "%10.4g |%s\n", high, row);
        else if (line == LINES - 1)
            fprintf(stderr, "%10.4g |%s\n", low, row);
        else
            fprintf(stderr, "%10s |%s\n", "", row);
    }
    fprintf(stderr, "%10s  %-35g%35g\n", "", rate_of(0), rate_of(STEPS - 1));
}

/* A number that begins here; end: that ends here. */
static void draw_number(Picture *p, double x, double y, int end, int digits, double v)
{
    char text[40];

    snprintf(text, sizeof text, "%.*g", digits, v);
    ngrt_picture_text(p, x, y, end, 0, text);
}

/* Draws the same. */
static int draw_sweep(const Trainer *t, const Sweep *s)
{
    enum { LEFT = 70, TOP = 40, WIDTH = 540, HEIGHT = 220 };
    double point[2 * STEPS];
    double axes[] = {LEFT, TOP, LEFT, TOP + HEIGHT, LEFT + WIDTH, TOP + HEIGHT};
    double low = INFINITY;
    double high = -INFINITY;
    char text[100];
    Picture p;
    int i;

    for (i = 0; i < s->steps; i++) {
        low = fmin(low, s->loss[i]);
        high = fmax(high, s->loss[i]);
    }

    /* the curve: rates are steps of one factor, so each has the same width */
    for (i = 0; i < s->steps; i++) {
        double down = 0.5; /* of the height */
        if (high > low)
            down = (high - s->loss[i]) / (high - low);
        point[2 * i] = LEFT + (double)WIDTH * i / (STEPS - 1);
        point[2 * i + 1] = TOP + HEIGHT * down;
    }

    ngrt_picture_start(&p, LEFT + WIDTH + 30, TOP + HEIGHT + 40, t->curve_path);
    ngrt_picture_line(&p, axes, 3, 0x888888, 1);
    ngrt_picture_line(&p, point, (size_t)s->steps, 0x1f5fbf, 2);

    /* what it is, and the ends of both axes */
    snprintf(text, sizeof text, "%.40s by %.40s, logarithmic", t->value[0].name, t->find_rate);
    ngrt_picture_text(&p, LEFT, TOP - 12, 0, 0, text);
    draw_number(&p, LEFT - 6, TOP + 5, 1, 4, high);
    draw_number(&p, LEFT - 6, TOP + HEIGHT, 1, 4, low);
    draw_number(&p, LEFT, TOP + HEIGHT + 20, 0, 6, rate_of(0));
    draw_number(&p, LEFT + WIDTH, TOP + HEIGHT + 20, 1, 6, rate_of(STEPS - 1));
    return ngrt_picture_write(t, &p, t->curve_path);
}

int ngrt_find_rate(Trainer *t)
{
    Sweep s = {.steps = 0};
    double rate;
    int status;

    if (t->values == 0 || t->value[0].tensor->role != NGRT_LOSS || t->value[0].tensor->rank > 0)
        return ngrt_trainer_fail(t, USAGE, "--find-rate wants a model with a loss");
    s.sign = t->value[0].tensor->flags & NGRT_RISES ? -1 : 1;
    status = sweep(t, &s);
    if (status)
        return status;
    if (t->curve_path && ngrt_ranks_number(t) == 0)
        status = draw_sweep(t, &s);
    else if (!t->quiet && !t->json)
        print_sweep(t, &s);
    rate = steepest(&s);
    if (!status && rate < 0)
        status = ngrt_trainer_fail(t, FAILED, "the loss %s with no %s from %g to %g",
                                   s.sign < 0 ? "rises" : "falls", t->find_rate, rate_of(0),
                                   rate_of(STEPS - 1));
    if (!status)
        printf("%s: %.2g\n", t->find_rate, rate);
    return status;
}
