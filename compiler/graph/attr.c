/* attr.c - the attributes of nodes. The table has the name and the type of each; an op's record
 * says which of them it has. Hashing, comparing, copying, dumping and JSON use these two. */
#include "graph/graph.h"

#include <string.h>

#define MEMBER(name) offsetof(struct Attr, name)

const AttrMember attr_members[A_COUNT] = {
    [A_VALUE] = {NULL, ATTR_REAL, MEMBER(value)},
    [A_VALUE2] = {NULL, ATTR_REAL, MEMBER(value2)},
    [A_KIND] = {"kind", ATTR_INT, MEMBER(kind)},
    [A_DATA] = {NULL, ATTR_POINTER, MEMBER(data)},
    [A_VAR] = {NULL, ATTR_POINTER, MEMBER(var)},
    [A_LOOP] = {NULL, ATTR_POINTER, MEMBER(loop)},
    [A_GIVEN] = {NULL, ATTR_POINTER, MEMBER(given)},
    [A_SIZE] = {NULL, ATTR_SIZE, MEMBER(size)},
    [A_PERM] = {"perm", ATTR_ORDER, MEMBER(perm)},
    [A_LO] = {"lo", ATTR_SIZES, MEMBER(lo)},
    [A_STEP] = {"step", ATTR_SIZES, MEMBER(step)},
    [A_STRIDE] = {"stride", ATTR_PAIR, MEMBER(stride)},
    [A_DILATION] = {"dilation", ATTR_PAIR, MEMBER(dilation)},
    [A_GROUPS] = {"groups", ATTR_INT, MEMBER(groups)},
    [A_AXES] = {"axes", ATTR_AXES, MEMBER(axes)},
    [A_AXIS] = {"axis", ATTR_INT, MEMBER(axis)},
    [A_STREAM] = {"stream", ATTR_INT, MEMBER(stream)},
    [A_TA] = {"ta", ATTR_BOOL, MEMBER(ta)},
    [A_TB] = {"tb", ATTR_BOOL, MEMBER(tb)},
    [A_CHAIN] = {NULL, ATTR_BOOL, MEMBER(chain)},
    [A_DOWN] = {NULL, ATTR_BOOL, MEMBER(down)},
};

bool attr_used(const Node *n, AttrName a)
{
    return op_info[n->op]->attrs >> a & 1;
}

/* Where the member is in struct Attr. */
static const char *place(const Node *n, AttrName a)
{
    return (const char *)&n->attr + attr_members[a].offset;
}

/* The bytes of the member in struct Attr. */
static size_t member_size(AttrName a)
{
    switch (attr_members[a].kind) {
    case ATTR_REAL: return sizeof(double);
    case ATTR_INT: return sizeof(int);
    case ATTR_BOOL: return sizeof(bool);
    case ATTR_AXES: return sizeof(uint32_t);
    case ATTR_SIZE: return sizeof(Size);
    case ATTR_PAIR: return 2 * sizeof(Size);
    case ATTR_POINTER:
    case ATTR_ORDER:
    case ATTR_SIZES: break;
    }
    return sizeof(void *);
}

/* Where the value is, and its bytes: those of a list are its elements. */
static const void *contents(const Node *n, AttrName a, size_t *size)
{
    size_t rank = (size_t)n->shape.rank;

    switch (attr_members[a].kind) {
    case ATTR_ORDER: *size = rank * sizeof(int); return *(const int *const *)place(n, a);
    case ATTR_SIZES: *size = rank * sizeof(Size); return *(const Size *const *)place(n, a);
    default: *size = member_size(a); return place(n, a);
    }
}

AttrName attr_stray(const Node *n)
{
    static const char zeros[sizeof(struct Attr)];

    int a = 0;
    while (a < A_COUNT && (attr_used(n, a) || memcmp(place(n, a), zeros, member_size(a)) == 0))
        a++;
    return (AttrName)a;
}

int attr_sizes(const Node *n, AttrName a, Size *out)
{
    size_t size;
    const void *at = contents(n, a, &size);
    int count = 1;

    switch (attr_members[a].kind) {
    case ATTR_REAL:
    case ATTR_POINTER: return 0;
    case ATTR_INT: out[0] = *(const int *)at; break;
    case ATTR_BOOL: out[0] = *(const bool *)at; break;
    case ATTR_AXES: out[0] = *(const uint32_t *)at; break;
    case ATTR_ORDER:
        count = n->shape.rank;
        for (int i = 0; i < count; i++)
            out[i] = ((const int *)at)[i];
        break;
    case ATTR_SIZE:
    case ATTR_PAIR:
    case ATTR_SIZES:
        count = (int)(size / sizeof(Size));
        for (int i = 0; i < count; i++)
            out[i] = ((const Size *)at)[i];
        break;
    }
    return count;
}

uint64_t attr_hash(const Node *n, uint64_t h)
{
    for (int a = 0; a < A_COUNT; a++) {
        size_t size = 0;
        const unsigned char *at = NULL;
        if (attr_used(n, a))
            at = contents(n, a, &size);
        for (size_t i = 0; i < size; i++)
            h = (h ^ at[i]) * 0x100000001B3u; /* FNV-1a */
    }
    return h;
}

bool attr_equal(const Node *x, const Node *y)
{
    for (int a = 0; a < A_COUNT; a++) {
        size_t size;
        if (!attr_used(x, a))
            continue;
        const void *of_x = contents(x, a, &size);
        const void *of_y = contents(y, a, &size);
        if (size > 0 && memcmp(of_x, of_y, size) != 0)
            return false;
    }
    return true;
}

void attr_keep(Ngc *ngc, Node *n)
{
    for (int a = 0; a < A_COUNT; a++) {
        AttrKind kind = attr_members[a].kind;
        size_t size;
        if (!attr_used(n, a) || (kind != ATTR_ORDER && kind != ATTR_SIZES))
            continue;

        const void *list = contents(n, a, &size);
        list = arena_copy(ngc, list, size);
        memcpy((char *)place(n, a), &list, sizeof list);
    }
}
