/* emit_kernel.c - prints kernels. At -O2 the loops of a kernel are a static function of pointers
 * with canonical names, so that kernels of equal text are one function. At -O0, and for single
 * numbers, the loops are in the program's function and use the model's names. */
#include "emit/emit.h"

#include <string.h>

enum {
    NARROW = 16, /* bytes of vectors that any processor has */
    WIDE = 32,   /* those of AVX2 */
    CLONED = 64, /* passes: from here on a kernel is compiled for several processors */
    FULL = 90,   /* characters: a list is continued on the next line */
};

/* ---- kernels as functions ---- */

/* "sum", "relu": the name of the function without its number. */
static const char *kernel_word(const Kernel *k)
{
    if (k->member)
        return "rows";
    if (kernel_reduces(k))
        return op_info[k->reduce]->name;
    if (k->store[0].add)
        return "scatter";
    if (k->stores > 1)
        return "map";

    const Val *v = k->store[0].val;
    switch (v->kind) {
    case V_OP: return op_info[v->op]->name;
    case V_CONST: return "fill";
    default: return "copy";
    }
}

/* Does the kernel work long enough that wider vectors pay for the choice at run time? */
static bool is_worth_clones(const Emit *e, const Kernel *k)
{
    int64_t passes = 1;
    /* the choice among processors costs something in each call */
    for (int i = 0; i < k->axes && passes < CLONED; i++)
        passes *= size_max(e->graph, k->extent[i]);

    for (int m = 0; m < k->members; m++)
        if (is_worth_clones(e, k->member[m]))
            return true;
    return passes >= CLONED;
}

/* Do its loops compute with whole numbers? Those are not sizes. */
static bool computes_ints(const Kernel *k)
{
    for (int i = 0; i < k->vals; i++) {
        const Val *v = k->val[i];
        if (v->type == T_INT && (v->kind == V_CONST || v->kind == V_OP))
            return true;
    }
    return false;
}

/* Does it compute exponentials or the like? All else waits for memory, which feeds the widest
 * vectors no faster than those of half their width. */
static bool is_costly(const Program *p, const Kernel *k)
{
    for (int i = 0; i < k->vals; i++) {
        const Val *v = k->val[i];
        if (v->kind == V_OP && v->type == T_FLOAT && op_form(p, v->op)->vec)
            return true;
    }
    return false;
}

/* Of the widest vectors that a kernel is compiled for. */
static int vector_bytes(const Emit *e, const Program *p, const Kernel *k)
{
    /* such short loops are compiled once, for any processor */
    if (k->vector > NARROW && !is_worth_clones(e, k))
        return NARROW;
    return k->vector > WIDE && !is_costly(p, k) ? WIDE : k->vector;
}

/* ---- parameters and arguments ---- */

/* Three lists that grow together: of a kernel's function, and of its call. */
typedef struct Lists {
    Text params;       /* "(size_t from, const float *a": declarations */
    Text names;        /* "(from, a": the same by name only */
    Text args;         /* "0, w->space": the values in the call */
    const char *comma; /* before the next item; "" before the first */
} Lists;

/* Adds to a list, on a new line if the last line is full. */
static void add_item(Text *t, const char *comma, const char *item)
{
    size_t column = t->size;
    for (size_t i = 0; i < t->size; i++)
        if (t->at[i] == '\n')
            column = t->size - 1 - i;

    bool full = *comma && column + strlen(item) > FULL;
    text_add(t, "%s%s", full ? ",\n        " : comma, item);
}

static void add_to_lists(Lists *l, const char *param, const char *name, const char *arg)
{
    add_item(&l->params, l->comma, param);
    add_item(&l->names, l->comma, name);
    add_item(&l->args, l->comma, arg);
    l->comma = ", ";
}

/* ---- sums over rows that threads share, in blocks with sums of their own: see share.c ---- */

/* While the kernel is printed, its sums are the sums of the first block. Returns their own places,
 * for give_back. */
static Place *take_blocks(Program *p, const Kernel *k)
{
    Place *own = arena_array(p->ngc, k->members, sizeof *own);
    int64_t at = p->block_at;
    for (int m = 0; m < k->members; m++) {
        Place *place = program_place(p, k->member[m]->store[0].node);
        if (!kernel_sums_rows(k->member[m]))
            continue;
        own[m] = *place;
        /* BLOCKS rows of sums, one after another; block i is found by + i*size in the call */
        *place = (Place){.kind = P_SPACE, .offset = at};
        at += share_block(p, k->member[m]) * BLOCKS;
    }
    return own;
}

static void give_back(Program *p, const Kernel *k, const Place *own)
{
    for (int m = 0; m < k->members; m++)
        if (kernel_sums_rows(k->member[m]))
            *program_place(p, k->member[m]->store[0].node) = own[m];
}

/* A pointer to the sums of a member for the first block. */
static const char *block_text(Printer *pr, const Kernel *k, int member)
{
    Place at = {.kind = P_SPACE, .offset = pr->p->block_at};
    for (int m = 0; m < member; m++)
        if (kernel_sums_rows(k->member[m]))
            at.offset += share_block(pr->p, k->member[m]) * BLOCKS;
    return print_pointer(pr->b, &at, k->member[member]->store[0].node);
}

/* The argument for a parameter; sums are the sums of block i. */
static const char *base_text(Printer *pr, const Kernel *k, const Param *param)
{
    if (!k->split || !k->blocks)
        return param->base;

    /* the pointer to the first block's sums is known by its text */
    for (int m = 0; m < k->members; m++)
        if (kernel_sums_rows(k->member[m]) && same_text(param->base, block_text(pr, k, m)))
            return print_format(pr, "%s + i*%lld", param->base,
                                (long long)share_block(pr->p, k->member[m]));
    return param->base;
}

/* The first row of block i, and the row after its last. */
static const char *block_range(Printer *pr, const Kernel *k)
{
    /* i*n/8 .. (i + 1)*n/8: the same blocks for any number of threads */
    const char *rows = emit_size(pr->e, k->extent[k->split - 1], &pr->b->dims);
    if (strchr(rows, ' '))
        rows = print_format(pr, "(%s)", rows);
    return print_format(pr, "i*%s/%d, (i + 1)*%s/%d", rows, BLOCKS, rows, BLOCKS);
}

/* A function that combines the sums of all blocks, element by element. */
static const char *join_function(Printer *pr, const Kernel *member)
{
    Emit *e = pr->e;
    Text body = {.ngc = e->ngc};
    Printer own = {
        .b = pr->b, .e = e, .p = pr->p, .k = member, .out = &body, .indent = 1, .apart = true};
    Type type = member->store[0].node->type;
    const char *type_text = emit_type(e, type);
    long long block = (long long)share_block(pr->p, member);
    Part element = {print_format(&own, "a[j*%lld + i]", block), PREC_CALL};

    print_line(&own, "for (size_t i = from; i < to; i++) {");
    /* block by block, in order */
    print_line(&own, "    %s t = a[i];", type_text);
    print_line(&own, "    for (size_t j = 1; j < %d; j++)", BLOCKS);
    own.indent += 2;
    print_combine(&own, "t", element, type);
    own.indent -= 2;
    print_line(&own, "    y[i] = t;");
    print_line(&own, "}");

    const char *params =
        print_format(pr, "(size_t from, size_t to, %s *y, const %s *a)", type_text, type_text);
    return emit_function(e, (Static){.result = "void",
                                     .word = "join",
                                     .params = params,
                                     .names = "(from, to, y, a)",
                                     .body = body.at,
                                     .has_sizes = true});
}

/* The call for each block, a barrier, and the calls that combine the sums of the blocks. */
static void print_blocks(Printer *pr, const Kernel *k, const char *name, const char *call)
{
    Body *b = pr->b;
    const char *blocks = print_format(pr, "%d", BLOCKS);
    const char *from = share_begin(b, blocks, 1, false);
    const char *to = share_begin(b, blocks, 1, true);
    text_add(&b->text, "    for (size_t i = %s; i < %s; i++)\n", from, to);
    text_add(&b->text, "        %s(%s);\n", name, call);
    /* all blocks are there before any are joined */
    share_meet(b, &b->text);
    for (int m = 0; m < k->members; m++) {
        const Kernel *member = k->member[m];
        const Node *sums = member->store[0].node;
        if (!kernel_sums_rows(member))
            continue;

        const char *parts = block_text(pr, k, m);
        const char *sum = value_pointer(b, sums);
        Size count = shape_count(pr->e->graph, sums->shape);
        const char *range = share_range(b, count, CACHE_LINE);
        text_add(&b->text, "    %s(%s, %s, %s);\n", join_function(pr, member), range, sum, parts);
    }
    b->dims |= pr->dims;
}

/* ---- a kernel as a function ---- */

/* Parameters for the results: they come first, as in memcpy. */
static void name_results(Printer *pr, const Kernel *k)
{
    for (int i = 0; i < k->stores; i++) {
        const Store *s = &k->store[i];
        const Place *to = store_place(pr->p, s);
        Index rest = s->at ? *s->at : index_zero();
        if (to->kind == P_ROW)
            continue;
        const char *pointer = print_shifted(pr, to, s->node, &rest);
        print_param(pr, pointer, to, s->node->type, true);
    }
}

/* The part of the rows that one call works on. */
static const char *split_range(Printer *pr, const Kernel *k)
{
    if (k->blocks)
        return block_range(pr, k);
    /* columns are an axis of the members, after the rows of the nest */
    const Kernel *walks = k;
    if (k->split > k->axes)
        walks = k->member[0];
    return share_range(pr->b, walks->extent[k->split - 1], k->unit);
}

static void add_dims(Printer *pr, Lists *l)
{
    const Emit *e = pr->e;
    for (int i = 0; i < ALL_DIMS; i++) {
        const char *prefix = i < MAX_DIMS ? e->module->dim_prefix : ""; /* or the index of a loop */
        if (!(pr->dims >> i & 1))
            continue;
        const char *dim = print_format(pr, "%s%s", prefix, e->graph->dim[i].name);
        add_to_lists(l, print_format(pr, "size_t %s", dim), dim, dim);
    }
}

static void add_params(Printer *pr, const Kernel *k, Lists *l)
{
    for (int i = 0; i < pr->params; i++) {
        const Param *p = &pr->param[i];
        const char *constant = text_if(!p->scalar && !p->written, "const ");
        const char *star = text_if(!p->scalar, "*");
        const char *type = emit_type(pr->e, p->type);
        const char *param = print_format(pr, "%s%s %s%s", constant, type, star, p->name);
        add_to_lists(l, param, p->name, base_text(pr, k, p));
    }
}

/* The parameters that the printed loops use: a range of rows, run-time sizes, pointers and
 * numbers. */
static Lists kernel_lists(Printer *pr, const Kernel *k)
{
    Ngc *ngc = pr->e->ngc;
    Lists l = {{.ngc = ngc}, {.ngc = ngc}, {.ngc = ngc}, ""};

    text_add(&l.params, "(");
    text_add(&l.names, "(");
    text_put(&l.args, "", 0);
    if (k->split)
        add_to_lists(&l, "size_t from, size_t to", "from, to", split_range(pr, k));

    /* only now: printing the loops has found which they use */
    add_dims(pr, &l);
    add_params(pr, k, &l);
    text_add(&l.params, "%s)", text_if(!*l.comma, "void"));
    text_add(&l.names, ")");
    return l;
}

/* The call of the kernel's function. If it returns a number, that is stored or gets a name. */
static void print_call_of(Body *b, const Store *s, const char *result, const char *name,
                          const char *args)
{
    const Place *place = store_place(b->p, s);

    if (same_text(result, "void"))
        text_add(&b->text, "    %s(%s);\n", name, args);
    else if (place->kind == P_LOCAL)
        text_add(&b->text, "    const %s %s = %s(%s);\n", result, place->name, name, args);
    else
        text_add(&b->text, "    %s = %s(%s);\n", print_number(b, place, s->node), name, args);
}

/* Prints the loops as a function, and its call. */
void print_apart(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    Text loops = {.ngc = e->ngc};
    Printer pr = {.b = b, .e = e, .p = b->p, .k = k, .out = &loops, .indent = 1, .apart = true};
    const Node *n = k->store[0].node;
    bool number = /* the function returns it */
        kernel_reduces(k) && place_is_number(store_place(b->p, &k->store[0]), n);
    bool blocks = k->split && k->blocks;

    /* while it is printed, sums are those of a block */
    Place *own = NULL;
    if (blocks)
        own = take_blocks(b->p, k);
    if (!number)
        name_results(&pr, k);
    print_loops(&pr);
    if (own)
        give_back(b->p, k, own);
    b->dims |= pr.dims;

    Lists l = kernel_lists(&pr, k);
    const char *args = l.args.at;
    const char *result = "void";
    if (number)
        result = emit_type(e, n->type);
    const char *name = emit_function(e, (Static){.result = result,
                                                 .word = kernel_word(k),
                                                 .params = l.params.at,
                                                 .names = l.names.at,
                                                 .body = loops.at,
                                                 .bytes = vector_bytes(e, b->p, k),
                                                 .has_sizes = !computes_ints(k)});

    if (blocks)
        print_blocks(&pr, k, name, args);
    else
        print_call_of(b, &k->store[0], result, name, args);
}

/* Prints the loops within the function's text. */
void print_here(Body *b, const Kernel *k)
{
    Printer pr = {.b = b, .e = b->e, .p = b->p, .k = k, .out = &b->text, .indent = 1};
    print_loops(&pr);
    b->dims |= pr.dims;
}
