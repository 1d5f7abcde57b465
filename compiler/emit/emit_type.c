/* emit_type.c - types, sizes and declarations that several parts of the C have in common. */
#include "emit/emit.h"

#include <string.h>

const char *emit_type(const Emit *e, Type type)
{
    return type == T_INT ? "int32_t" : e->real;
}

const char *emit_type_constant(const Emit *e, Type type)
{
    if (type == T_INT)
        return "NGRT_I32";
    return e->ngc->opt.real_double ? "NGRT_F64" : "NGRT_F32";
}

const char *emit_size(Emit *e, Size s, unsigned *dims)
{
    for (int i = 0; i < ALL_DIMS && s < 0; i++)
        if (size_uses_dim(e->graph, s, i))
            *dims |= 1u << i;
    return size_text(e->graph, s, e->module->dim_prefix);
}

/* Sizes of an array, with run-time sizes at their bounds. Rows whose length is known only at run
 * time are stored end to end, so such an array is flat. */
const char *emit_dims(Emit *e, Shape shape, bool *flat)
{
    Text t = text_empty(e->ngc);
    *flat = false;

    for (int i = 1; i < shape.rank; i++)
        *flat |= shape.dim[i] < 0;
    if (*flat) {
        long long count = shape_count_max(e->graph, shape);
        return text_format(e->ngc, "[%lld]", count);
    }

    for (int i = 0; i < shape.rank; i++)
        text_add(&t, "[%lld]", (long long)size_max(e->graph, shape.dim[i]));
    return t.at;
}

/* The arguments in their fixed order: with their types, or as they are passed on. */
const char *emit_arguments(Emit *e, const Function *f, bool types)
{
    Text t = {.ngc = e->ngc};
    const char *comma = "";
    for (int i = 0; i < BLOCK_COUNT; i++) {
        const BlockInfo *block = &block_info[i];
        if (!(f->blocks & block->use))
            continue;

        text_add(&t, "%s", comma);
        if (types) {
            bool constant = !(f->writes & block->use);
            text_add(&t, "%s%s_%s *", text_if(constant, "const "), e->module->name, block->type);
        }
        text_add(&t, "%s", block->name);
        comma = ", ";
    }

    if (f->fn == FN_INIT)
        text_add(&t, types ? "%suint64_t seed" : "%sseed", comma);
    if (t.at)
        return t.at;
    return text_if(types, "void");
}

void emit_run_time_sizes(Emit *e, Text *t, unsigned dims)
{
    const char *prefix = e->module->dim_prefix, *const *member = e->module->dim;
    const Dim *dim = e->graph->dim;

    for (int i = 0; i < e->graph->dims; i++)
        if (dims >> i & 1)
            text_add(t, "    const size_t %s%s = (size_t)in->%s;\n", prefix, dim[i].name,
                     member[i]);
    if (e->ngc->opt.ranks && dims >> ALL_ROWS & 1)
        text_add(t, "    const size_t %s%s = (size_t)(w->ranks ? w->ranks->rows : in->%s);\n",
                 prefix, dim[ALL_ROWS].name, member[0]);
}

void emit_space(const Emit *e, Text *t, const Body *b)
{
    if (b->uses_space)
        text_add(t, "    %s *const space = w->space + w->space_at;\n", e->real);
}

void emit_indent(Text *t, size_t from)
{
    Text more = {.ngc = t->ngc};
    for (const char *c = t->at + from; *c;) {
        size_t n = strcspn(c, "\n") + 1;
        text_put(&more, "    ", 4);
        text_put(&more, c, n);
        c += n;
    }

    t->size = from;
    t->at[from] = '\0';
    text_put(t, text_or(more.at, ""), more.size);
}
