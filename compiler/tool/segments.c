/* segments.c - --memory for models with loops: how many passes a segment of a loop has (--segment).
 *
 * In segments, backward computes each pass of the loops once more, however long these are. What is
 * outside of loops may be computed again too (recompute.c), in each program for itself. So the
 * model is compiled with its loops whole, then with shorter and shorter segments, each time within
 * the limit. Of those that fit, the one that takes the least time is taken; if none does, the one
 * with the least work. */
#include "program/module.h"
#include "tool/tool.h"

typedef struct Fit { /* one length of segments */
    int passes;      /* 0: loops are whole */
    int64_t bytes;   /* of work; more than the limit: the least that was found */
    double time;     /* estimated, of all functions */
} Fit;

/* The model within `memory` bytes, with segments of this length. It is compiled again. */
static Fit fit_with(const Ngc *ngc, const Source *text, int passes, int64_t memory)
{
    Ngc own = {.opt = ngc->opt};
    Fit fit = {.passes = passes, .bytes = INT64_MAX};

    own.opt.memory = memory;
    own.opt.segment = passes;
    int library = source_library(&own);
    int file = source_add(&own, text->name, text->text, (size_t)text->size, false);
    Model *m = library >= 0 && file >= 0 ? model_compile(&own, file) : NULL;
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

int segment_to_fit(const Ngc *ngc, const Model *m, int file)
{
    const Source *text = ngc->file[file];
    int64_t passes = longest_loop(m), memory = ngc->opt.memory;

    if (passes < 2 || fit_with(ngc, text, 0, 0).bytes <= memory)
        return 0;

    Fit best = fit_with(ngc, text, 0, memory);
    for (int64_t k = (passes + 1) / 2; k >= 1; k /= 2) {
        /* where segments alone are enough, shorter ones only take more time */
        bool enough = fit_with(ngc, text, (int)k, 0).bytes <= memory;
        Fit fit = fit_with(ngc, text, (int)k, memory);
        if (is_better(&fit, &best, memory))
            best = fit;
        if (enough)
            break;
    }
    return best.passes;
}
