/* segments.c - --memory for models with loops: how many passes a segment of a loop has (--segment),
 * so that work fits. Backward computes each pass once more, however long segments are. The
 * length is halved until work fits; if none fits, the one with the least work is taken. */
#include "program/module.h"
#include "tool/tool.h"

/* The bytes of work with segments of this length; 0: all is kept. The model is compiled again.
 */
static int64_t work_bytes(const Ngc *ngc, const Source *text, int passes)
{
    Ngc own = {.opt = ngc->opt};
    int64_t bytes = INT64_MAX;

    own.opt.memory = 0;
    own.opt.segment = passes;
    int library = source_library(&own);
    int file = source_add(&own, text->name, text->text, (size_t)text->size, false);
    Model *m = library >= 0 && file >= 0 ? model_compile(&own, file) : NULL;
    if (m) {
        m->name = "model";
        bytes = module_work_bytes(module_build(m));
    }
    arena_free(&own);
    return bytes;
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

int segment_to_fit(const Ngc *ngc, const Model *m, int file)
{
    const Source *text = ngc->file[file];
    int64_t passes = longest_loop(m), least;
    int best = 0;

    if (passes < 2)
        return 0;
    least = work_bytes(ngc, text, 0);
    for (int64_t k = (passes + 1) / 2; k >= 2 && least > ngc->opt.memory; k /= 2) {
        int64_t bytes = work_bytes(ngc, text, (int)k);
        if (bytes >= least)
            continue;
        least = bytes;
        best = (int)k;
    }
    return best;
}
