/* segments.c - --memory for models with loops: how many passes a segment of a loop has (--segment).
 *
 * In segments, backward computes each pass of the loops once more, however long these are. What is
 * outside of loops may be computed again too (recompute.c), in each program for itself. So the
 * model is compiled with its loops whole, then with shorter and shorter segments, each time within
 * the limit. Of those that fit, the one that takes the least time is taken. If none does, segments
 * get parts: backward computes each pass twice more, and about the cube root of all passes is kept
 * three times, where one level keeps the square root twice. If nothing fits, the one with the least
 * work is taken. */
#include "program/module.h"
#include "tool/tool.h"

typedef struct Fit {   /* one length of segments */
    Segments segments; /* without passes: loops are whole */
    int64_t bytes;     /* of work; more than the limit: the least that was found */
    double time;       /* estimated, of all functions */
} Fit;

/* The model within `memory` bytes, with these segments. It is compiled again. */
static Fit fit_with(const Ngc *ngc, const Source *text, Segments segments, int64_t memory)
{
    Ngc own = {.opt = ngc->opt};
    Fit fit = {.segments = segments, .bytes = INT64_MAX};

    own.opt.memory = memory;
    own.opt.segment = segments.passes;
    own.opt.part = segments.part;
    int library = source_library(&own);
    int file = source_add(&own, text->name, text->text, (size_t)text->size, false);
    Model *m = NULL;
    if (library >= 0 && file >= 0)
        m = model_compile(&own, file);
    if (m) {
        m->name = "model";
        const Module *built = module_build(m);
        fit.bytes = module_work_bytes(built);
        fit.time = module_time(built);
    }
    arena_free(&own);
    return fit;
}

/* The most passes of a loop that stays a loop; 0: there is none. */
static int64_t longest_loop(const Model *m)
{
    int64_t most = 0;

    for (int i = 0; i < m->loops; i++)
        if (m->loop[i].stays && m->loop[i].passes > most)
            most = m->loop[i].passes;
    return most;
}

static bool is_better(const Fit *a, const Fit *b, int64_t memory)
{
    if (a->bytes <= memory && b->bytes <= memory)
        return a->time < b->time;
    return a->bytes < b->bytes;
}

/* Segments of this length, in parts of the length with which least memory is needed. Longer parts
 * take more for themselves, shorter ones for what is kept between them. */
static Fit fit_parts(const Ngc *ngc, const Source *text, int passes)
{
    Fit best = {.bytes = INT64_MAX};

    for (int part = (passes + 1) / 2; part >= 1; part /= 2) {
        Fit fit = fit_with(ngc, text, (Segments){passes, part}, 0);
        if (fit.bytes >= best.bytes)
            break;
        best = fit;
    }
    return best;
}

Segments segments_to_fit(const Ngc *ngc, const Model *m, int file)
{
    const Source *text = ngc->file[file];
    int64_t passes = longest_loop(m);
    int64_t memory = ngc->opt.memory;
    Segments whole = {0};

    if (passes < 2 || fit_with(ngc, text, whole, 0).bytes <= memory)
        return whole;

    Fit best = fit_with(ngc, text, whole, memory);
    for (int64_t k = (passes + 1) / 2; k >= 1; k /= 2) {
        /* where segments alone are enough, shorter ones only take more time */
        Segments segments = {.passes = (int)k};
        bool enough = fit_with(ngc, text, segments, 0).bytes <= memory;
        Fit fit = fit_with(ngc, text, segments, memory);
        if (is_better(&fit, &best, memory))
            best = fit;
        if (enough)
            break;
    }

    for (int64_t k = (passes + 1) / 2; k >= 4 && best.bytes > memory; k /= 2) {
        Fit fit = fit_parts(ngc, text, (int)k);
        if (fit.bytes > memory)
            fit = fit_with(ngc, text, fit.segments, memory);
        if (is_better(&fit, &best, memory))
            best = fit;
    }
    return best.segments;
}
