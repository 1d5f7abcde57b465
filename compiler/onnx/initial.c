/* initial.c - the initializers of a file as weights of a model. Exporters store equal tensors once,
 * also where they are weights of several layers that only start equal; and they store a weight that
 * is used in two ways twice, once of them transposed.
 *
 * A tensor whose elements are all one number says nothing about what belongs together: each use of
 * it is a weight of its own. Others with equal elements are one weight. */
#include "onnx/onnx.h"

#include <stdlib.h>
#include <string.h>

/* ---- tensors that are one weight ---- */

/* A number that does not depend on the order of the elements. */
static uint64_t mix_elements(const Known *k)
{
    uint64_t sum = (uint64_t)k->count;
    size_t size = ngrt_element_size(k->data.type);
    for (int64_t i = 0; i < k->count; i++) {
        uint64_t bits = 0;
        memcpy(&bits, (const char *)k->data.at + (size_t)i * size, size);
        bits *= 0x9E3779B97F4A7C15u;
        sum += bits ^ bits >> 29;
    }
    return sum;
}

static bool same_transposed(const Known *a, const Known *b)
{
    int64_t n = a->dim[0];
    int64_t k = a->dim[1];
    size_t size = ngrt_element_size(a->data.type);
    const char *x = a->data.at;
    const char *y = b->data.at;
    if (b->dim[0] != k || b->dim[1] != n || a->data.type != b->data.type)
        return false;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < k; j++)
            if (memcmp(x + (size_t)(i * k + j) * size, y + (size_t)(j * n + i) * size, size) != 0)
                return false;
    return true;
}

static int by_mix(const void *a, const void *b)
{
    const Known *x = *(Known *const *)a;
    const Known *y = *(Known *const *)b;
    if (x->mix != y->mix)
        return x->mix < y->mix ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static bool is_candidate(const Known *k)
{
    return k && k->name && k->rank > 0 && k->count > 1 && !element_is_int(k->element) &&
           k->element != EL_BOOL;
}

/* ---- how they are used ---- */

/* The nodes that read an initializer. */
typedef struct Use {
    const Pb__Node *node;
    int operand;
    struct Use *next;
} Use;

static int scope_length(const Pb__Node *n)
{
    const char *slash = NULL;
    if (n->name)
        slash = strrchr(n->name, '/');
    if (!slash)
        return 0;
    return (int)(slash - n->name);
}

/* Are both the same operand of the same operator, in different modules? */
static bool is_elsewhere(const Use *a, const Use *b)
{
    int n = scope_length(a->node);
    int m = scope_length(b->node);
    if (n == 0 || m == 0) /* it may have no name */
        return false;
    bool same = n == m && strncmp(a->node->name, b->node->name, (size_t)n) == 0;
    return !same && a->operand == b->operand && same_text(a->node->op, b->node->op);
}

/* Is the scope of b that of a module called again, as /fc_1 is that of /fc? */
static bool is_again(const Use *a, const Use *b)
{
    int n = scope_length(a->node);
    int m = scope_length(b->node);
    if (n == 0 || m == 0 || a->operand != b->operand || !same_text(a->node->op, b->node->op))
        return false;

    const char *x = a->node->name;
    const char *y = b->node->name;
    const char *x_end = x + n;
    const char *y_end = y + m;
    bool again = false;
    while (x < x_end && y < y_end && *x == *y) {
        x++;
        y++;
        bool x_over = x == x_end || *x == '/';
        bool y_counts = y < y_end && *y == '_';
        if (x_over && y_counts) {
            y++;
            if (y == y_end || !is_digit(*y))
                return false;
            while (y < y_end && is_digit(*y))
                y++;
            again = true;
        }
    }
    return again && x == x_end && y == y_end;
}

/* Do all nodes that read a tensor come from calls of one module? */
static bool is_of_one_module(const Use *use)
{
    const Use *first = use;
    for (const Use *u = use; u; u = u->next)
        if (scope_length(u->node) < scope_length(first->node))
            first = u;
    for (const Use *u = use; u; u = u->next)
        if (u != first && !is_again(first, u))
            return false;
    return use && use->next;
}

/* Is a tensor, which is stored once, the weight of several layers that only start equal? */
static bool is_merged(const Use *use)
{
    for (const Use *a = use; a; a = a->next)
        for (const Use *b = a->next; b; b = b->next)
            if (!is_elsewhere(a, b))
                return false;
    return use && use->next;
}

/* Joins a weight and its copies: those that are transposed, or used by another operator. */
static void join_twins(Import *im, Known **list, Use **use, int count)
{
    qsort(list, (size_t)count, sizeof *list, by_mix);
    for (int i = 0; i < count; i++) {
        if (list[i]->twin || list[i]->even)
            continue;
        for (int k = i + 1; k < count && list[k]->mix == list[i]->mix; k++) {
            Known *a = list[i];
            Known *b = list[k];
            const Use *ua = use[a->order];
            const Use *ub = use[b->order];
            if (b->twin || b->even || !ua || !ub || a->inside || b->inside)
                continue;
            bool same = known_same(im->g, a, b);
            bool turned = a->rank == 2 && b->rank == 2 && same_transposed(a, b);
            if (!turned && (!same || same_text(ua->node->op, ub->node->op)))
                continue;
            b->twin = a;
            b->turned = !same;
            a->uses += b->uses;
            a->merged = b->merged = false;
        }
    }
}

/* An Identity of an initializer is another name for it. */
static bool is_other_name(Import *im, const Pb__Node *n)
{
    bool named = n->op && same_text(n->op, "Identity") && n->n_input == 1 && wants_output(n, 0);
    const Meaning *m = NULL;
    if (named)
        m = meaning_of(im, n->input[0]);
    if (!m || !m->known)
        return false;
    im->at = n;
    result_known(im, 0, m->known);
    return true;
}

/* What a graph in a node reads from outside is one weight, however often the graph is repeated. */
static void count_inside(Import *im, const Pb__Node *n)
{
    for (size_t i = 0; i < n->n_attribute; i++) {
        const Pb__Graph *g = n->attribute[i]->g;
        for (size_t k = 0; g && k < g->n_node + g->n_output; k++) {
            const Pb__Node *inner = NULL;
            if (k < g->n_node)
                inner = g->node[k];
            for (size_t o = 0; o < (inner ? inner->n_input : 1); o++) {
                const char *name = inner ? inner->input[o] : g->output[k - g->n_node]->name;
                const Meaning *m = meaning_of(im, name);
                if (name)
                    *table_at(im->ngc, &im->uses, intern_str(im->ngc, name)) += 2;
                if (m && m->known) {
                    m->known->inside = true;
                    m->known->uses += 2;
                }
            }
            if (inner)
                count_inside(im, inner);
        }
    }
}

static void count_operand(Import *im, Use **use, const Pb__Node *n, int k)
{
    Ngc *ngc = im->ngc;
    const char *name = n->input[k];
    const Meaning *m = meaning_of(im, name);

    ++*table_at(ngc, &im->uses, intern_str(ngc, name));
    if (m && m->known) {
        Use **last = &use[m->known->order];
        Use *u = arena_alloc(ngc, sizeof *u);
        *u = (Use){n, k, *last};
        *last = u;
        m->known->uses++;
    }
}

static void count_operands(Import *im, Use **use)
{
    for (int i = 0; i < im->nodes; i++)
        count_inside(im, im->node[i]);

    for (int i = 0; i < im->nodes; i++) {
        const Pb__Node *n = im->node[i];
        for (size_t k = 0; !is_other_name(im, n) && k < n->n_input; k++)
            count_operand(im, use, n, (int)k);
    }

    /* a result of the model is used, too */
    for (size_t i = 0; i < im->graph->n_output; i++) {
        const char *name = im->graph->output[i]->name;
        if (name)
            ++*table_at(im->ngc, &im->uses, intern_str(im->ngc, name));
    }
}

void weights_find(Import *im)
{
    int count = 0;
    int all = (int)im->graph->n_initializer;
    double v;
    Known **list = arena_array(im->ngc, all + 1, sizeof *list);
    Use **use = arena_array(im->ngc, all + 2, sizeof *use);

    /* their order, and who uses them */
    for (int i = 0; i < all; i++) {
        const char *name = im->graph->initializer[i]->name;
        Meaning *m = meaning_of(im, name);
        if (m && m->known && !m->known->order)
            m->known->order = i + 1;
    }
    count_operands(im, use);

    /* those that may be one weight in several places */
    for (int i = 0; i < all; i++) {
        const char *name = im->graph->initializer[i]->name;
        Meaning *m = meaning_of(im, name);
        if (!m || !is_candidate(m->known) || m->known->order != i + 1)
            continue;
        Known *k = m->known;
        k->mix = mix_elements(k);
        k->even = known_even(im->g, k, &v);
        k->merged = k->even || is_merged(use[k->order]);
        k->merged &= !is_of_one_module(use[k->order]) && !k->inside;
        list[count++] = k;
    }
    join_twins(im, list, use, count);
}

/* ---- a file of weights ---- */

/* The first variable of a kind: they are in the order of their kinds. */
static int first_of(const Model *m, VarKind kind)
{
    int i = 0;
    while (i < m->vars && m->var[i]->kind != kind)
        i++;
    return i;
}

const Var **weights_match(Ngc *ngc, const Model *m, const Written *made)
{
    const Var **var = arena_array(ngc, made->weights + 1, sizeof *var);
    int at[2] = {first_of(m, VAR_PARAM), first_of(m, VAR_STATE)};
    for (int i = 0; i < made->weights; i++) {
        const Weight *w = made->weight[i];
        VarKind kind = w->state ? VAR_STATE : VAR_PARAM;
        const Var *v = NULL;
        if (at[w->state] < m->vars)
            v = m->var[at[w->state]++];
        if (!v || v->kind != kind || !shape_equal(v->shape, w->shape)) {
            complain(ngc, "the weights of the text are not those of the file: at '%s'",
                     text_or(w->value->name, "a constant"));
            return NULL;
        }
        var[i] = v;
    }
    return var;
}

double weight_at(const Graph *g, const Weight *w, int64_t i)
{
    const Known *k = w->value;
    int64_t at[MAX_RANK] = {0}, place[MAX_RANK];
    double v = 0;
    for (int a = k->rank - 1; w->perm && a >= 0; a--) {
        at[a] = i % w->shape.dim[a];
        i /= w->shape.dim[a];
    }
    for (int a = 0; w->perm && a < k->rank; a++)
        place[w->perm[a]] = at[a];
    known_number(g, k, w->perm ? index_at(k->rank, k->dim, place) : i, &v);
    return v;
}

static const char *kind_name(int kind)
{
    static const char *const names[] = {
        [NGRT_DATA_U8] = "U8",   [NGRT_DATA_I8] = "I8",   [NGRT_DATA_I16] = "I16",
        [NGRT_DATA_I32] = "I32", [NGRT_DATA_I64] = "I64", [NGRT_DATA_F32] = "F32",
        [NGRT_DATA_F64] = "F64", [NGRT_DATA_U16] = "U16", [NGRT_DATA_U32] = "U32",
        [NGRT_DATA_U64] = "U64", [NGRT_DATA_F16] = "F16", [NGRT_DATA_BF16] = "BF16",
    };
    return names[kind];
}

/* How its elements are written, and where they are. */
static const char *elements_of(Ngc *ngc, const Known *k, int *kind)
{
    *kind = k->data.type;
    if (k->data.at)
        return k->data.at;
    *kind = element_is_int(k->element) ? NGRT_DATA_I64 : NGRT_DATA_F64;
    if (*kind == NGRT_DATA_F64)
        return (const char *)k->number;
    int64_t *whole = arena_array(ngc, k->count + 1, sizeof *whole);
    for (int64_t i = 0; i < k->count; i++)
        whole[i] = (int64_t)k->number[i];
    return (const char *)whole;
}

/* Adds the elements, in the order of the permuted axes. */
static void add_elements(Text *t, const Weight *w, const char *from, size_t size)
{
    const Known *k = w->value;
    int64_t at[MAX_RANK] = {0}, place[MAX_RANK];
    if (!w->perm) {
        text_put(t, from, (size_t)k->count * size);
        return;
    }
    char *to = arena_alloc(t->ngc, (size_t)k->count * size + 1);
    for (int64_t i = 0; i < k->count; i++) {
        for (int a = 0; a < k->rank; a++)
            place[w->perm[a]] = at[a];
        memcpy(to + (size_t)i * size, from + (size_t)index_at(k->rank, k->dim, place) * size, size);
        index_next(k->rank, w->shape.dim, at);
    }
    text_put(t, to, (size_t)k->count * size);
}

bool weights_bytes(Ngc *ngc, const Written *made, const Var *const *var, Text *out)
{
    Text head = {.ngc = ngc};
    uint64_t end = 0;
    int kind;
    if (!ngrt_little_endian()) {
        complain(ngc, "files of weights are written only on machines whose numbers are "
                      "little-endian");
        return false;
    }
    text_add(&head, "{\"__metadata__\": {\"format\": \"pt\"}");
    for (int i = 0; i < made->weights; i++) {
        const Weight *w = made->weight[i];
        elements_of(ngc, w->value, &kind);
        uint64_t start = end;
        end += (uint64_t)w->value->count * ngrt_element_size(kind);
        text_add(&head, ", ");
        json_string(&head, var[i]->name);
        text_add(&head, ": {\"dtype\": \"%s\", \"shape\": [", kind_name(kind));
        for (int k = 0; k < w->shape.rank; k++)
            text_add(&head, "%s%lld", comma_before(k), (long long)w->shape.dim[k]);
        text_add(&head, "], \"data_offsets\": [%llu, %llu]}", (unsigned long long)start,
                 (unsigned long long)end);
    }
    text_add(&head, "}");
    while (head.size % 8)
        text_add(&head, " ");

    char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (char)((uint64_t)head.size >> 8 * i & 255);
    text_put(out, length, 8);
    text_put(out, head.at, head.size);
    for (int i = 0; i < made->weights; i++) {
        const char *from = elements_of(ngc, made->weight[i]->value, &kind);
        add_elements(out, made->weight[i], from, ngrt_element_size(kind));
    }
    return true;
}
