/* model.c - a text is parsed, lowered, differentiated and simplified, and becomes C. Each pass is
 * verified. */
#include "emit/emit_c.h"
#include "target.h"
#include "tool/tool.h"

/* Operations that a model may have: all others are refused, so that none takes long. */
enum { MOST = 3000 };

int target(const uint8_t *data, size_t size)
{
    unsigned choice = choose(data, size);
    Ngc ngc = {.opt = {.optimize = choice & 1 ? 2 : 0,
                       .comments = choice & 1 ? 1 : 2,
                       .digits = 9,
                       .verify = true,
                       .unroll = choice & 2 ? 1 : 0, /* all loops stay that can */
                       .standalone = choice & 4,
                       .real_double = choice & 8,
                       .segment = choice & 48 ? 0 : 3,
                       .operations = MOST}};
    Output out = {.c = {.ngc = &ngc}, .h = {.ngc = &ngc}};

    source_library(&ngc);
    int file = source_add(&ngc, "m.ng", (const char *)data, size, false);
    Model *m = file >= 0 ? model_compile(&ngc, file) : NULL;
    if (m) {
        m->name = "m";
        emit_c(module_build(m), "m.h", &out);
    }
    diag_flush(&ngc, sink());
    arena_free(&ngc);
    return 0;
}
