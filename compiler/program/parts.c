/* parts.c - the functions of the emitted C: both phases are cut to a size that compilers handle
 * well.
 *
 * Requires: kernels in their final order. Keeps it, but for constant gradients at -O0. Gives:
 * Kernel.part, Program.parts.
 */
#include "program/program.h"

enum {
    PART = 700,       /* statements in one function of the emitted C: calls, which are short */
    PART_PLAIN = 300, /* at -O0: loops, with comments */
    LONG = 2,         /* a statement on numbers counts once more for each LONG values */
};

/* At -O0: a gradient that is a number. */
static bool is_constant_gradient(const Program *p, const Kernel *k)
{
    const Store *s = &k->store[0];

    if (!p->plain || k->loop || k->stores != 1 || s->add)
        return false;
    return store_place(p, s)->kind == P_GRAD && s->val && s->val->kind == V_CONST;
}

/* Is the kernel in no loop, except one that it begins? */
static bool is_outermost(const Program *p, const Kernel *k)
{
    if (k->kind == K_FOR)
        return program_loop(p, k->loop)->outer == NULL;
    return k->loop == NULL;
}

/* A compiler takes as long over a long expression as over several short ones; over a function, its
 * time grows faster than the length. Loops are calls. */
static int statements_of(const Program *p, const Kernel *k)
{
    bool expression = !p->plain && k->kind == K_LOOP && k->axes == 0 && !k->member;

    if (expression)
        return 1 + k->vals / LONG;
    return 1;
}

/* The first phase comes before the second. Each is cut into functions of a size that C compilers
 * handle well. Constant gradients come first, those of the latest values before the others, as in a
 * lecture. */
void program_parts(Program *p)
{
    Kernel **order = arena_array(p->ngc, p->kernels + 1, sizeof *order);
    int count = 0;

    int most = p->plain ? PART_PLAIN : PART;
    for (int phase = 0; phase < 2; phase++) {
        int first = count;
        for (int i = p->kernels - 1; i >= 0; i--)
            if (p->kernel[i]->phase == phase && is_constant_gradient(p, p->kernel[i]))
                order[count++] = p->kernel[i];
        for (int i = 0; i < p->kernels; i++)
            if (p->kernel[i]->phase == phase && !is_constant_gradient(p, p->kernel[i]))
                order[count++] = p->kernel[i];

        int in_part = most; /* statements; a loop is not cut */
        for (int i = first; i < count; i++) {
            /* a function ends only between kernels that are in no loop: a C loop is in one function
             */
            if (in_part >= most && is_outermost(p, order[i])) {
                p->parts++;
                in_part = 0;
            }
            in_part += statements_of(p, order[i]);
            order[i]->part = p->parts - 1;
        }
    }
    p->kernel = order;
    program_positions(p);
}
