/* module_size.c - how many bytes the blocks of a module have, and where their members are.
 *
 * In: a module. Out: sizes and offsets on a platform whose types are aligned to their size, as on
 * all that are common, with run-time sizes at their bounds. */
#include "program/module.h"

enum { INT_BYTES = 4, DOUBLE_BYTES = 8 };

int64_t struct_add(StructSize *s, int64_t size, int64_t align)
{
    int64_t at = (s->size + align - 1) / align * align;

    s->size = at + size;
    if (align > s->align)
        s->align = align;
    return at;
}

int64_t struct_bytes(const StructSize *s)
{
    if (s->align == 0)
        return 0;
    return (s->size + s->align - 1) / s->align * s->align;
}

int64_t type_size(const Ngc *ngc, Type type)
{
    return type == T_FLOAT && ngc->opt.real_double ? DOUBLE_BYTES : INT_BYTES;
}

int64_t module_count(const Module *m, Shape shape)
{
    return shape_count_max(m->graph, shape);
}

int64_t module_bytes(const Module *m, Type type, Shape shape)
{
    return module_count(m, shape) * type_size(m->ngc, type);
}

StructSize module_work(const Module *m, int64_t pointer, int64_t *offset)
{
    Ngc *ngc = m->ngc;
    StructSize s = {0};
    int64_t real = type_size(ngc, T_FLOAT);

    struct_add(&s, pointer, pointer); /* to the pool of threads */
    if (ngc->opt.ranks)
        struct_add(&s, pointer, pointer);
    for (int i = 0; i < m->members; i++) {
        const Member *member = &m->member[i];
        int64_t at = struct_add(&s, module_bytes(m, member->type, member->shape),
                                type_size(ngc, member->type));
        if (offset)
            offset[i] = at;
    }

    if (m->ispace > 0)
        struct_add(&s, m->ispace * INT_BYTES, INT_BYTES);
    if (m->spare > 0) /* where space begins */
        struct_add(&s, INT_BYTES, INT_BYTES);
    if (m->space > 0)
        struct_add(&s, (m->space + m->spare) * real, real);
    return s;
}

/* Puts where the member of this name is in *offset, unless it is NULL. */
static StructSize place_totals(const Module *m, const char *name, int64_t *offset)
{
    const Metrics *x = m->metrics;
    StructSize s = {0};

    for (int i = 0; i < x->totals; i++) {
        const Total *total = &x->total[i];
        int64_t at = struct_add(&s, module_count(m, *total->shape) * DOUBLE_BYTES, DOUBLE_BYTES);
        if (offset && total->name == name)
            *offset = at;
    }

    if (x->carry->walks > 1) /* the number of the walk */
        struct_add(&s, INT_BYTES, INT_BYTES);
    for (int i = 1; i < m->graph->dims; i++)
        struct_add(&s, INT_BYTES, INT_BYTES);
    if (x->ispace > 0)
        struct_add(&s, x->ispace * INT_BYTES, INT_BYTES);
    if (x->space > 0)
        struct_add(&s, x->space * DOUBLE_BYTES, DOUBLE_BYTES);
    return s;
}

StructSize module_totals(const Module *m)
{
    if (m->metrics)
        return place_totals(m, NULL, NULL);
    return (StructSize){0};
}

int64_t module_total_at(const Module *m, int root)
{
    int64_t at = 0;

    if (m->metrics && m->metrics->of_root[root])
        place_totals(m, m->metrics->of_root[root], &at);
    return at;
}
