/* emit_for.c - loops over kernels: a for with the user's index, and its braces. */
#include "emit/emit.h"

#include <string.h>

/* Is it the name of a local number: t0, t1, ...? */
static bool is_number_name(const char *name)
{
    return name[0] == 't' && is_whole_number(name + 1);
}

/* Names of the loops of kernels and of the functions' arguments, which the index must not hide. The
 * functions for all rows of the data have an argument t. */
static bool is_taken(const Program *p, const char *name)
{
    static const char *const taken[] = {"i",       "j",     "k",     "l",     "m",    "n",
                                        "w",       "in",    "from",  "space", "seed", "id",
                                        "threads", "r",     "to",    "y",     "a",    "params",
                                        "state",   "grads", "frozen"};

    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (same_text(name, taken[i]))
            return true;
    if (same_text(name, "t"))
        return begins(p->name, "metrics");
    return is_number_name(name);
}

/* "t", or "i_pass" where C has another i. */
static const char *index_name(const Body *b, const Loop *loop)
{
    const Emit *e = b->e;
    const char *name = c_name(e->ngc, loop->name);

    if (loop->level > 0)
        return text_format(e->ngc, "%s_%d", name, loop->level + 1);
    if (!is_taken(b->p, name))
        return name;
    return text_format(e->ngc, "%s_pass", name);
}

/* The value of a number that the loop reads, in the function's text. */
static const char *number_text(Body *b, const Kernel *k)
{
    Printer pr = {.b = b, .e = b->e, .p = b->p, .k = k, .out = &b->text, .indent = 1};
    const char *text = print_val(&pr, k->alpha).text;

    b->dims |= pr.dims;
    return text;
}

/* Is there an index of this name that is declared beside its loop? */
static bool is_beside(const Body *b, const char *name)
{
    for (int i = 0; i < b->besides; i++)
        if (same_text(b->beside[i], name))
            return true;
    return false;
}

void print_for(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    const Loop *loop = k->loop;
    const char *i = index_name(b, loop);
    const char *passes = emit_size(e, loop->passes, &b->dims);

    /* the index of a while is declared beside its for, as its value is read after it */
    bool is_while = loop_test(k->product) != NULL;
    if (is_while) {
        LIST_GROW(e->ngc, b->beside, b->besides, &b->beside_room);
        b->beside[b->besides++] = i;
        i = c_name_distinct(e->ngc, &b->locals, i);
    } else if (is_beside(b, i)) {
        i = c_name_distinct(e->ngc, &b->locals, i);
    }
    e->graph->dim[index_dim(loop)].name = i;

    if (loop_count(k->product))
        passes = text_format(e->ngc, "(size_t)%s", number_text(b, k));

    if (loop->down)
        text_add(&b->text, "    for (size_t %s = %s; %s-- > 0;) {\n", i, passes, i);
    else if (is_while)
        text_add(&b->text, "    size_t %s = 0;\n    for (; %s < %s; %s++) {\n", i, i, passes, i);
    else
        text_add(&b->text, "    for (size_t %s = 0; %s < %s; %s++) {\n", i, i, passes, i);
    b->for_from[b->fors++] = b->text.size;
}

void print_for_test(Body *b, const Kernel *k)
{
    text_add(&b->text, "    if ((%s) == 0)\n        break;\n", number_text(b, k));
}

void print_for_end(Body *b, const Kernel *k)
{
    const char *i = b->e->graph->dim[index_dim(k->loop)].name;

    emit_indent(&b->text, b->for_from[--b->fors]);
    text_add(&b->text, "    }\n");
    b->dims &= ~(1u << index_dim(k->loop));

    /* the number of passes that were made; all threads that make the passes have counted the same
     * number */
    const char *once = text_if(k->split, "if (id == 0)\n        ");
    for (int s = 0; s < k->stores; s++) {
        const Node *n = k->store[s].node;
        const char *count = print_number(b, program_place(b->p, n), n);
        text_add(&b->text, "    %s%s = (int32_t)%s;\n", once, count, i);
    }
}
