/* emit_place.c - where a stored value is, as C text: a member of a struct, a place in work.space,
 * an array of constants. Notes what the function uses. */
#include "emit/emit.h"

/* The argument that holds a variable; the function uses it from here on. */
static const char *var_block(Body *b, const Var *v)
{
    const BlockInfo *block = &block_info[block_of_var[v->kind]];
    b->blocks |= block->use;
    return block->name;
}

const char *place_member(Body *b, const Place *place)
{
    Ngc *ngc = b->e->ngc;
    switch (place->kind) {
    case P_VAR: return text_format(ngc, "%s->%s", var_block(b, place->var), place->var->cname);
    case P_GRAD: b->blocks |= USES_GRADS; return text_format(ngc, "grads->%s", place->name);
    case P_MEMBER:
        b->blocks |= USES_WORK;
        return text_format(ngc, "%s->%s", b->p->block, place->name);
    default: ngc_bug("a value of %s has no member", b->p->name);
    }
}

bool place_is_input(const Place *place)
{
    return place->kind == P_VAR && place->var->kind == VAR_INPUT;
}

/* Is the place one number, which has a name, and not an array? */
bool place_is_number(const Place *place, const Node *n)
{
    if (place->kind == P_LOCAL)
        return true;
    if (place->kind == P_VAR || place->kind == P_MEMBER || place->kind == P_GRAD)
        return place->shape->rank == 0;
    return place->kind == P_SPACE && n->shape.rank == 0;
}

/* The array of planned values: a member of work, or init's own. */
const char *place_space(Body *b, Type type)
{
    Emit *e = b->e;
    if (b->p->init)
        return type == T_INT ? "ispace" : "space";

    b->blocks |= USES_WORK;
    if (type == T_INT)
        return text_format(e->ngc, "%s->ispace", b->p->block);
    if (e->module->spare && b->p->block[0] == 'w') { /* that of totals is not aligned */
        b->uses_space = true;
        return "space";
    }
    return text_format(e->ngc, "%s->space", b->p->block);
}

/* A pointer to the first element. */
const char *print_pointer(Body *b, const Place *place, const Node *n)
{
    Emit *e = b->e;
    if (place->kind == P_DATA) {
        int data = emit_data(e, n->attr.data, n->type, shape_count(e->graph, n->shape));
        return text_format(e->ngc, "data_%d", data);
    }
    /* an offset into the one array for planned values */
    if (place->kind == P_SPACE) {
        const char *space = place_space(b, n->type);
        if (place->offset == 0)
            return space;
        return text_format(e->ngc, "%s + %lld", space, (long long)place->offset);
    }

    const char *member = place_member(b, place);
    if (place->shape->rank == 0)
        return text_format(e->ngc, "&%s", member);

    /* A member of rank r is an array of arrays: x[0][0] is its first row. */
    bool flat;
    emit_dims(e, *place->shape, &flat);
    Text t = {.ngc = e->ngc};
    text_add(&t, "%s", member);
    for (int i = 1; i < place->shape->rank && !flat && !place_is_input(place); i++)
        text_add(&t, "[0]");
    return t.at;
}

const char *value_pointer(Body *b, const Node *n)
{
    return print_pointer(b, program_place(b->p, n), n);
}

/* The text of a number that has a name. */
const char *print_number(Body *b, const Place *place, const Node *n)
{
    if (place->kind == P_LOCAL)
        return place->name;
    if (place->kind == P_SPACE)
        return text_format(b->e->ngc, "%s[%lld]", place_space(b, n->type),
                           (long long)place->offset);
    return place_member(b, place);
}
