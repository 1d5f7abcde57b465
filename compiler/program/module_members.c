/* module_members.c - the members of work: one for each root that is delivered there, and at -O0 one
 * for each value that is stored.
 *
 * In: a module with its names; for the values, with its functions. Out: Module.member, and P_MEMBER
 * in place of P_SPACE. Values of one kind (shape, type, name) share a member where no program needs
 * both. */
#include "program/module.h"

#include <stdlib.h>
#include <string.h>

/* ---- finding and adding them ---- */

/* The one of that name, or that this node has in another program; NULL: there is none. */
static Member *module_member(Module *m, const void *key)
{
    int at = *table_at(m->ngc, &m->member_of, key);
    if (at)
        return &m->member[at - 1];
    return NULL;
}

/* The kind with this type and shape, a new one if there is none. name: the user's, or NULL. */
static MemberKind *member_kind(Module *m, Type type, Shape shape, const char *name)
{
    Ngc *ngc = m->ngc;
    const char *dims = shape_text(m->graph, shape);
    const char *text = text_format(ngc, "%d%s %s", type, dims, text_or(name, ""));
    int *at = table_at(ngc, &m->kind_of, intern_str(ngc, text));

    if (!*at) {
        LIST_GROW(ngc, m->kind, m->kinds, &m->kind_room);
        m->kind[m->kinds++] = (MemberKind){0};
        *at = m->kinds;
    }
    return &m->kind[*at - 1];
}

Member *module_add_member(Module *m, Member member)
{
    const char *name = member.named ? member.note : NULL;
    MemberKind *kind = member_kind(m, member.type, member.shape, name);

    LIST_GROW(m->ngc, m->member, m->members, &m->member_room);
    m->member[m->members++] = member;
    *table_at(m->ngc, &m->member_of, member.name) = m->members;

    /* the last of its kind */
    if (kind->last)
        m->member[kind->last - 1].next = m->members;
    else
        kind->first = m->members;
    kind->last = m->members;
    return &m->member[m->members - 1];
}

/* ---- of roots ---- */

/* At -O0 all named values are kept, else those of --keep. */
bool module_keeps(const Module *m, const Root *r)
{
    const Options *opt = &m->ngc->opt;

    if (r->kind == ROOT_GRAD || r->kind == ROOT_UPDATE)
        return false;
    if (r->kind != ROOT_NAMED || m->plain)
        return true;

    for (int i = 0; i < opt->keeps; i++)
        if (same_text(opt->keep[i], r->name))
            return true;
    return false;
}

void module_members(Module *m)
{
    static const RootKind order[] = {ROOT_LOSS, ROOT_METRIC, ROOT_OUTPUT, ROOT_NAMED};

    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (int i = 0; i < m->model->roots; i++) {
            const Root *r = &m->model->root[i];
            if (r->kind != order[k] || !module_keeps(m, r) || module_member(m, r->cname))
                continue;
            module_add_member(m, (Member){.name = r->cname,
                                          .type = r->node->type,
                                          .shape = r->node->shape,
                                          .named = true,
                                          .note = r->name});
        }
}

Place root_place(const Root *r)
{
    if (r->kind == ROOT_UPDATE)
        return (
            Place){.kind = P_VAR, .var = r->var, .label = r->var->name, .shape = &r->var->shape};
    return (Place){.kind = r->kind == ROOT_GRAD ? P_GRAD : P_MEMBER,
                   .name = r->cname,
                   .label = r->name,
                   .shape = &r->node->shape};
}

/* ---- of values, at -O0 ---- */

/* The number of a name like t12; -1: it is not one, or too large for any function to reach. */
static int temp_number(const char *name)
{
    size_t digits = 0;
    if (*name == 't')
        digits = count_digits(name + 1);

    if (digits == 0 || digits > 6 || name[1 + digits] != '\0')
        return -1;
    return (int)strtol(name + 1, NULL, 10);
}

static void note_temp(int *most, const char *name)
{
    int number = temp_number(name);

    if (number > *most)
        *most = number;
}

/* Members that have no name from the user are called t1, t2, ..., from a number that leaves the
 * user's own t1 alone. */
static int last_user_temp(const Module *m)
{
    int most = 0;

    for (int i = 0; i < m->model->vars; i++)
        note_temp(&most, m->model->var[i]->name);
    for (int i = 0; i < m->model->roots; i++)
        note_temp(&most, m->model->root[i].name);
    return most;
}

/* A function's own numbers begin after those of the members. */
static int first_temp(const Module *m)
{
    int most = last_user_temp(m);

    for (int i = 0; i < m->members; i++)
        note_temp(&most, m->member[i].name);
    return most + 1;
}

/* A member of this kind that the program at hand does not use, or NULL. */
static Member *free_member(Module *m, MemberKind *kind)
{
    if (kind->program != m->programs)
        kind->free = kind->first;
    kind->program = m->programs;

    while (kind->free) {
        Member *member = &m->member[kind->free - 1];
        if (member->program != m->programs)
            return member;
        kind->free = member->next;
    }
    return NULL;
}

/* A free member of its name or kind, or a new one. */
static Member *find_member(Module *m, const Node *n)
{
    Ngc *ngc = m->ngc;
    Member *member = free_member(m, member_kind(m, n->type, n->shape, n->name));
    if (member)
        return member;

    const char *name = n->name;
    if (!name)
        name = text_format(ngc, "t%d", m->temps + m->members + 1 - m->pinned);
    member = module_add_member(m, (Member){.name = c_name_distinct(ngc, &m->member_names, name),
                                           .type = n->type,
                                           .shape = n->shape,
                                           .named = n->name != NULL,
                                           .note = n->name});
    *table_at(ngc, &m->member_of, n) = m->members;
    return member;
}

/* known: only values that have a member already, which they get before others may take it. */
static void place_values(Module *m, Program *p, bool known)
{
    for (int i = 0; i < p->nodes; i++) {
        Node *n = p->node[i];
        if (p->place[i].kind != P_SPACE)
            continue;

        Member *member;
        if (known)
            member = module_member(m, n);
        else
            member = find_member(m, n);
        if (member == NULL)
            continue;

        member->program = m->programs;
        p->place[i] = (Place){.kind = P_MEMBER, .name = member->name, .shape = &n->shape};
    }
}

/* What a program delivers in members takes them. */
static void take_members(Module *m, const Program *p)
{
    for (int i = 0; i < p->targets; i++) {
        const Place *place = &p->target[i].place;
        if (place->kind != P_MEMBER)
            continue;

        Member *member = module_member(m, place->name);
        if (member)
            member->program = m->programs;
    }
}

void module_place_values(Module *m)
{
    m->temps = last_user_temp(m);

    for (int i = 0; i < m->functions; i++) {
        Program *p = m->function[i].program;
        if (!p->plain || m->function[i].phase == 1) /* forward's program is backward's too */
            continue;

        m->programs++;
        take_members(m, p);
        place_values(m, p, true);
        place_values(m, p, false);
    }

    m->temps = first_temp(m);
}
