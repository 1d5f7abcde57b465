/* optimizers.c - ten steps of each optimizer and schedule of optimizers.ng against the definitions
 * in PyTorch's manual, written out here element by element (lion: Chen et al., 2023), to 1e-12. */
#include "optimizers.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { N = 3, STEPS = 10, SLOTS = 3 };

typedef struct Options {
    double momentum, dampening, decay, alpha, eps, beta1, beta2, lr_decay, initial;
    bool nesterov, centered, coupled; /* coupled: the decay is part of the gradient */
    double clip_value, clip_norm;
} Options;

/* What p becomes in step t, counted from 1; s: what is kept for this element, 0 at first. */
typedef double Update(double p, double g, double lr, int t, const Options *o, double *s);
typedef double Schedule(int t);

typedef struct Case {
    const char *param, *other; /* other: optimized together with it, as f(2 w) */
    Update *update;
    double lr;
    Schedule *schedule; /* NULL: the constant rate */
    Options o;
} Case;

/* ---- optimizers ---- */

static double sgd(double p, double g, double lr, int t, const Options *o, double *s)
{
    if (o->momentum == 0)
        return p - lr * g;
    s[0] = t == 1 ? g : o->momentum * s[0] + (1 - o->dampening) * g;
    return p - lr * (o->nesterov ? g + o->momentum * s[0] : s[0]);
}

static double adagrad(double p, double g, double lr, int t, const Options *o, double *s)
{
    if (t == 1)
        s[0] = o->initial;
    s[0] += g * g;
    return p - lr / (1 + (t - 1) * o->lr_decay) * g / (sqrt(s[0]) + o->eps);
}

static double rmsprop(double p, double g, double lr, int t, const Options *o, double *s)
{
    (void)t;
    s[0] = o->alpha * s[0] + (1 - o->alpha) * g * g;
    s[1] = o->alpha * s[1] + (1 - o->alpha) * g;
    g /= sqrt(o->centered ? s[0] - s[1] * s[1] : s[0]) + o->eps;
    s[2] = o->momentum * s[2] + g;
    return p - lr * s[2];
}

static double adadelta(double p, double g, double lr, int t, const Options *o, double *s)
{
    (void)t;
    s[0] = o->alpha * s[0] + (1 - o->alpha) * g * g;
    double delta = sqrt(s[1] + o->eps) / sqrt(s[0] + o->eps) * g;
    s[1] = o->alpha * s[1] + (1 - o->alpha) * delta * delta;
    return p - lr * delta;
}

static double adam(double p, double g, double lr, int t, const Options *o, double *s)
{
    if (!o->coupled)
        p -= lr * o->decay * p;
    s[0] = o->beta1 * s[0] + (1 - o->beta1) * g;
    s[1] = o->beta2 * s[1] + (1 - o->beta2) * g * g;
    double m = s[0] / (1 - pow(o->beta1, t)), v = s[1] / (1 - pow(o->beta2, t));
    return p - lr * m / (sqrt(v) + o->eps);
}

static double amsgrad(double p, double g, double lr, int t, const Options *o, double *s)
{
    s[0] = o->beta1 * s[0] + (1 - o->beta1) * g;
    s[1] = o->beta2 * s[1] + (1 - o->beta2) * g * g;
    s[2] = fmax(s[2], s[1]);
    double m = s[0] / (1 - pow(o->beta1, t)), v = s[2] / (1 - pow(o->beta2, t));
    return p - lr * m / (sqrt(v) + o->eps);
}

static double lion(double p, double g, double lr, int t, const Options *o, double *s)
{
    (void)t;
    double c = o->beta1 * s[0] + (1 - o->beta1) * g;
    s[0] = o->beta2 * s[0] + (1 - o->beta2) * g;
    return p - lr * ((c > 0) - (c < 0) + o->decay * p);
}

/* ---- schedules: the rate of step t, counted from 0 ---- */

static const double pi = 3.14159265358979323846;

/* From a at 0 to b at 1 along half a cosine. */
static double anneal(double a, double b, double x)
{
    return b + (a - b) / 2 * (cos(pi * x) + 1);
}

static double halved(int t)
{
    return t < 3 ? 0.04 : t < 6 ? 0.02 : t < 9 ? 0.01 : 0.005;
}
static double shrinking(int t)
{
    return 0.04 * pow(0.9, t);
}
static double cosine(int t)
{
    return t >= 8 ? 0.01 : anneal(0.1, 0.01, t / 8.0);
}
static double warm(int t)
{
    return t >= 4 ? 0.04 : 0.01 * (t + 1);
}

static double cycle(int t, double lr, double total, double rise, double div, double final_div)
{
    double low = lr / div, top = rise * total - 1;
    return t <= top ? anneal(low, lr, t / top)
                    : anneal(lr, low / final_div, (t - top) / (total - 1 - top));
}

static double cycle_10(int t)
{
    return cycle(t, 0.2, 10, 0.3, 25, 1e4);
}
static double cycle_13(int t)
{
    return cycle(t, 0.2, 13, 0.4, 10, 100);
}

/* ---- the cases ---- */

#define ADAM  .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8
#define ADAM2 .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6

static const Case cases[] = {
    {"w0", 0, sgd, 0.02, 0, {.momentum = 0}},
    {"w1", 0, sgd, 0.02, 0, {.momentum = 0.9}},
    {"w2", 0, sgd, 0.02, 0, {.momentum = 0.8, .nesterov = true}},
    {"w3", 0, sgd, 0.02, 0, {.decay = 0.1, .coupled = true}},
    {"w4", 0, sgd, 0.02, 0, {.momentum = 0.9, .dampening = 0.3}},
    {"w5", 0, sgd, 0.02, 0, {.momentum = 0.7, .nesterov = true, .decay = 0.05, .coupled = true}},
    {"w6", 0, adagrad, 0.1, 0, {.eps = 1e-10}},
    {"w7",
     0,
     adagrad,
     0.1,
     0,
     {.lr_decay = 0.2, .decay = 0.1, .coupled = true, .initial = 0.5, .eps = 1e-6}},
    {"w8", 0, rmsprop, 0.01, 0, {.alpha = 0.99, .eps = 1e-8}},
    {"w9",
     0,
     rmsprop,
     0.02,
     0,
     {.alpha = 0.9, .eps = 1e-6, .decay = 0.1, .coupled = true, .momentum = 0.5}},
    {"w10", 0, rmsprop, 0.02, 0, {.alpha = 0.99, .eps = 1e-8, .centered = true, .momentum = 0.9}},
    {"w11", 0, adadelta, 1, 0, {.alpha = 0.9, .eps = 1e-6}},
    {"w12", 0, adadelta, 0.5, 0, {.alpha = 0.8, .eps = 1e-4, .decay = 0.1, .coupled = true}},
    {"w13", 0, adam, 0.001, 0, {ADAM}},
    {"w14", 0, adam, 0.05, 0, {ADAM2, .decay = 0.1, .coupled = true}},
    {"w15", 0, adam, 0.001, 0, {ADAM, .decay = 0.01}},
    {"w16", 0, adam, 0.05, 0, {ADAM2, .decay = 0.2}},
    {"w17", 0, amsgrad, 0.3, 0, {ADAM}},
    {"w18",
     0,
     amsgrad,
     0.05,
     0,
     {.beta1 = 0.8, .beta2 = 0.5, .eps = 1e-6, .decay = 0.1, .coupled = true}},
    {"w19", 0, lion, 0.0001, 0, {.beta1 = 0.9, .beta2 = 0.99}},
    {"w20", 0, lion, 0.3, 0, {.beta1 = 0.7, .beta2 = 0.6, .decay = 0.1}},
    {"w21", 0, sgd, 0, halved, {.momentum = 0}},
    {"w22", 0, sgd, 0, shrinking, {.momentum = 0}},
    {"w23", 0, adam, 0, cosine, {ADAM}},
    {"w24", 0, sgd, 0, warm, {.momentum = 0.9}},
    {"w25", 0, adam, 0, cycle_10, {ADAM}},
    {"w26", 0, adam, 0, cycle_13, {ADAM, .decay = 0.01}},
    {"w27", 0, sgd, 0.05, 0, {.clip_value = 1.5}},
    {"w28", 0, adam, 0.05, 0, {ADAM, .clip_norm = 2}},
    {"w29", "w30", sgd, 0.05, 0, {.momentum = 0.9, .clip_norm = 3}},
    {"w31", 0, adam, 0.05, 0, {ADAM, .decay = 0.1}},
};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct Track { /* one case on its way: up to two params */
    double p[2 * N], slot[2 * N][SLOTS];
} Track;

/* The slope of f(k w) by element i of w. */
static double slope(double w, int i, double k)
{
    static const double a[N] = {0.5, 1, 0.25}, b[N] = {1, -0.5, 2}, c[N] = {3, 1, -2};
    double u = k * w;
    return k * (4 * a[i] * u * u * u + 2 * b[i] * u - c[i]);
}

static void track_step(Track *x, const Case *c, int t)
{
    const Options *o = &c->o;
    int n = c->other ? 2 * N : N;
    double g[2 * N], norm = 0;
    for (int i = 0; i < n; i++) {
        g[i] = slope(x->p[i], i % N, i < N ? 1 : 2);
        if (o->clip_value > 0)
            g[i] = fmin(fmax(g[i], -o->clip_value), o->clip_value);
        norm += g[i] * g[i];
    }
    norm = sqrt(norm);
    for (int i = 0; i < n; i++) {
        if (o->clip_norm > 0)
            g[i] *= fmin(1, o->clip_norm / (norm + 1e-6));
        if (o->coupled)
            g[i] += o->decay * x->p[i];
        x->p[i] =
            c->update(x->p[i], g[i], c->schedule ? c->schedule(t - 1) : c->lr, t, o, x->slot[i]);
    }
}

static optimizers_params params;
static optimizers_state state;
static optimizers_work work;

/* The largest difference of a param from what it should be, relative where that is large. */
static double difference(const char *name, const double *want)
{
    const ngrt_model *m = &optimizers_model;
    double worst = 0;
    for (int i = 0; i < m->tensors; i++)
        if (m->tensor[i].role == NGRT_PARAM && strcmp(m->tensor[i].name, name) == 0) {
            const double *p = (const double *)((const char *)&params + m->tensor[i].offset);
            for (int k = 0; k < N; k++)
                worst = fmax(worst, fabs(p[k] - want[k]) / fmax(1, fabs(want[k])));
            return isfinite(worst) ? worst : INFINITY;
        }
    return INFINITY;
}

int main(void)
{
    static Track track[CASES];
    int failed = 0;
    double worst[CASES] = {0};
    optimizers_model.init(&params, &state, 1);
    for (int k = 0; k < CASES; k++)
        for (int i = 0; i < 2 * N; i++)
            track[k].p[i] = (const double[]){0.5, -1.2, 2}[i % N];
    for (int t = 1; t <= STEPS; t++) {
        if (optimizers_model.step(&params, &state, NULL, &work) != 0)
            return 1;
        for (int k = 0; k < CASES; k++) {
            track_step(&track[k], &cases[k], t);
            worst[k] = fmax(worst[k], difference(cases[k].param, track[k].p));
            if (cases[k].other)
                worst[k] = fmax(worst[k], difference(cases[k].other, track[k].p + N));
        }
    }
    for (int k = 0; k < CASES; k++)
        if (!(worst[k] <= 1e-12)) {
            printf("FAIL optimizers.ng: %s differs by %.2g within %d steps\n", cases[k].param,
                   worst[k], STEPS);
            failed++;
        }
    printf("%d passed, %d failed\n", CASES - failed, failed);
    return failed > 0;
}
