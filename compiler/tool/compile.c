/* compile.c - from a text to a model: the library and the text are parsed and lowered, then the
 * passes run on the graph. */
#include "tool/tool.h"
#include "lang/lower.h"

extern const char prelude_text[];
extern const size_t prelude_size;

int source_library(Ngc *ngc)
{
    return source_add(ngc, "prelude.ng", prelude_text, prelude_size, true);
}

void source_restart(Ngc *ngc)
{
    ngc->files = ngc->file_room = ngc->errors = ngc->warnings = 0;
    ngc->file = NULL;
    ngc->diags = NULL;
    ngc->diag_end = NULL;
    source_library(ngc);
}

Model *model_compile(Ngc *ngc, int file)
{
    parse(ngc, 0);
    parse(ngc, file);
    if (ngc->errors)
        return NULL;

    Model *m = lower(ngc, file);
    if (!m || diag_failed(ngc))
        return NULL;

    model_run_passes(m);
    return m;
}
