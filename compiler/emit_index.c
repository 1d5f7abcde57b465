/* emit_index.c - indices that are computed from inputs and states are checked before a function
 * computes anything with them.
 *
 * In: a function's program, in which `checked` marks each of them. Out: a second program of one
 * number, which is 0 where all are in their ranges, printed as a static function that is called
 * first. It writes nothing but the scratch space of work. */
#include "emit.h"

/* ---- the program ---- */

/* ---- its function ---- */

/* The function with the check of f as its program. */
static Function own_function(const Function *f)
{
    Function own = *f;
    own.program = f->check;
    own.phase = -1;
    own.shared = false;
    return own;
}

unsigned emit_index_function(Emit *e, const Function *f, Text *out, const char **call)
{
    Function own = own_function(f);
    Body b = {.e = e, .p = f->check, .text.ngc = e->ngc};

    text_put(&b.text, "", 0);
    for (int i = 0; i < f->check->kernels; i++)
        emit_kernel(&b, f->check->kernel[i]);
    if (b.dims)
        b.blocks |= USES_INPUTS;
    own.blocks = b.blocks;

    text_add(out,
             "/* Is an index that is computed out of its range? */\nstatic int %s_outside(%s)\n{\n",
             f->name, own.blocks ? emit_arguments(e, &own, true) : "void");
    emit_run_time_sizes(e, out, b.dims);
    emit_space(e, out, &b);
    text_add(out, "%s    return outside > 0;\n}\n\n", b.text.at);
    *call = text_format(e->ngc, "    if (%s_outside(%s))\n        return NGRT_ELABEL;\n", f->name,
                        own.blocks ? emit_arguments(e, &own, false) : "");
    return b.blocks;
}
