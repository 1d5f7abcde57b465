/* emit_index.c - indices that are computed from inputs and states are checked before a function
 * computes anything with them.
 *
 * In: a function's program, in which `checked` marks each of them. Out: a second program of one
 * number, which is 0 if all are in their ranges. It is printed as a static function, which is
 * called first. It writes nothing but the scratch space of work. */
#include "emit/emit.h"

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

    const char *params = "void";
    if (own.blocks)
        params = emit_arguments(e, &own, true);
    text_add(out, "/* Is an index that is computed out of its range? */\n");
    text_add(out, "static int %s_outside(%s)\n", f->name, params);
    text_add(out, "{\n");
    emit_run_time_sizes(e, out, b.dims);
    emit_space(e, out, &b);
    text_add(out, "%s", b.text.at);
    text_add(out, "    return outside > 0;\n");
    text_add(out, "}\n\n");

    const char *args = "";
    if (own.blocks)
        args = emit_arguments(e, &own, false);
    *call = text_format(e->ngc,
                        "    if (%s_outside(%s))\n"
                        "        return NGRT_ELABEL;\n",
                        f->name, args);
    return b.blocks;
}
