/* emit_kernel.c - prints kernels. At -O2 the loops of a kernel are a static function on pointers
 * with canonical names, so that kernels of equal text are one function; at -O0, and for single
 * numbers, they stand in the program's function and speak of the model's names. */
#include "emit.h"

#include <string.h>

enum {
    NARROW = 16, /* bytes of vectors that any processor has */
    CLONED = 64, /* passes from which on a kernel is compiled for several processors */
};

/* ---- kernels as functions ---- */

/* "sum", "relu": what the function is called but for its number. */
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
    return v->kind == V_OP ? op_info[v->op]->name : v->kind == V_CONST ? "fill" : "copy";
}

/* Does the kernel work long enough that wider vectors pay for the choice at run time? */
static bool is_worth_clones(const Emit *e, const Kernel *k)
{
    int64_t passes = 1;
    for (int i = 0; i < k->axes && passes < CLONED; i++)
        passes *= size_max(e->graph, k->extent[i]);
    for (int m = 0; m < k->members; m++)
        if (is_worth_clones(e, k->member[m]))
            return true;
    return passes >= CLONED;
}

static int vector_bytes(const Emit *e, const Kernel *k)
{
    return k->vector > NARROW && !is_worth_clones(e, k) ? NARROW : k->vector;
}

const char *emit_function(Emit *e, const char *result, const char *word, const char *params,
                          const char *args, const char *body, int bytes)
{
    int *at = table_at(e->ngc, &e->kernel_of,
                       intern_str(e->ngc, text_format(e->ngc, "%d%s%s", bytes, params, body)));
    if (*at)
        return e->kernel[*at - 1];
    const char *name = text_format(e->ngc, "%s_%d", word, e->kernel_count + 1);
    e->kernel = arena_grow(e->ngc, e->kernel, e->kernel_count, &e->kernel_room, sizeof *e->kernel);
    e->kernel[e->kernel_count++] = name;
    *at = e->kernel_count;
    if (bytes == 0) {
        text_add(&e->kernels, "static %s %s%s\n{\n%s}\n\n", result, name, params, body);
        return name;
    }
    emit_section(e, "vector");
    text_add(&e->kernels, "NGRT_KERNEL_%d(%s, %s, %s, %s, %s, %s, {\n%s})\n\n", bytes, e->real,
             result, strcmp(result, "void") == 0 ? "" : "return", name, params, args, body);
    return name;
}

/* Adds to a list, on a new line where the last is full. */
static void add_item(Text *t, const char *comma, const char *item)
{
    size_t column = t->size;
    for (size_t i = 0; i < t->size; i++)
        if (t->at[i] == '\n')
            column = t->size - 1 - i;
    bool full = *comma && column + strlen(item) > 90;
    text_add(t, "%s%s", full ? ",\n        " : comma, item);
}

/* ---- rows that are also summed over, in blocks with sums of their own: see share.c ---- */

/* While the kernel is printed, its sums are those of the first block. Returns the places that they
 * have otherwise. */
static Place *take_blocks(Program *p, const Kernel *k)
{
    Place *own = arena_alloc(p->ngc, (size_t)k->members * sizeof *own);
    int64_t at = p->block_at;
    for (int m = 0; m < k->members; m++) {
        Place *place = program_place(p, k->member[m]->store[0].node);
        if (!kernel_sums_rows(k->member[m]))
            continue;
        own[m] = *place;
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

/* Where the sums of a member lie for the first block. */
static const char *block_text(Printer *pr, const Kernel *k, int member)
{
    Place at = {.kind = P_SPACE, .offset = pr->b->p->block_at};
    for (int m = 0; m < member; m++)
        at.offset +=
            kernel_sums_rows(k->member[m]) ? share_block(pr->b->p, k->member[m]) * BLOCKS : 0;
    return print_pointer(pr->b, &at, k->member[member]->store[0].node);
}

/* The argument for a parameter; sums are those of block i. */
static const char *base_text(Printer *pr, const Kernel *k, const Param *param)
{
    for (int m = 0; m < k->members && k->split && k->blocks; m++)
        if (kernel_sums_rows(k->member[m]) && strcmp(param->base, block_text(pr, k, m)) == 0)
            return print_format(pr, "%s + i*%lld", param->base,
                                (long long)share_block(pr->b->p, k->member[m]));
    return param->base;
}

static const char *block_range(Printer *pr, const Kernel *k)
{
    const char *rows = emit_size(pr->e, k->extent[k->split - 1], &pr->b->dims),
               *f = strchr(rows, ' ') ? "i*(%s)/%d, (i + 1)*(%s)/%d" : "i*%s/%d, (i + 1)*%s/%d";
    return print_format(pr, f, rows, BLOCKS, rows, BLOCKS);
}

/* A function that puts the sums of all blocks together, element by element. */
static const char *join_function(Printer *pr, const Kernel *member)
{
    Text body = {.ngc = pr->e->ngc};
    Printer own = {.b = pr->b, .e = pr->e, .k = member, .out = &body, .indent = 1, .apart = true};
    const Store *s = &member->store[0];
    print_line(&own, "for (size_t i = from; i < to; i++) {");
    print_line(&own, "    %s t = a[i];", print_type(pr->e, s->node->type));
    print_line(&own, "    for (size_t j = 1; j < %d; j++)", BLOCKS);
    own.indent += 2;
    print_combine(
        &own, "t",
        (Part){print_format(&own, "a[j*%lld + i]", (long long)share_block(pr->b->p, member)), 16},
        s->node->type);
    own.indent -= 2;
    print_line(&own, "    y[i] = t;");
    print_line(&own, "}");
    const char *params =
        print_format(pr, "(size_t from, size_t to, %s *y, const %s *a)",
                     print_type(pr->e, s->node->type), print_type(pr->e, s->node->type));
    return emit_function(pr->e, "void", "join", params, "(from, to, y, a)", body.at, 0);
}

/* The call for each block, and what puts their sums together. */
static void print_blocks(Printer *pr, const Kernel *k, const char *name, const char *call)
{
    Body *b = pr->b;
    text_add(&b->text, "    for (size_t i = %s; i < %s; i++)\n",
             share_begin(b, print_format(pr, "%d", BLOCKS), 1, false),
             share_begin(b, print_format(pr, "%d", BLOCKS), 1, true));
    text_add(&b->text, "        %s(%s);\n", name, call);
    share_meet(b, &b->text);
    for (int m = 0; m < k->members; m++) {
        const Store *s = &k->member[m]->store[0];
        if (kernel_sums_rows(k->member[m]))
            text_add(&b->text, "    %s(%s, %s, %s);\n", join_function(pr, k->member[m]),
                     share_range(b, shape_count(pr->e->graph, s->node->shape), CACHE_LINE),
                     print_pointer(b, program_place(b->p, s->node), s->node), block_text(pr, k, m));
    }
    b->dims |= pr->dims;
}

/* Prints the loops as a function, and its call. */
static void print_apart(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    Text inner = {.ngc = e->ngc}, head = {.ngc = e->ngc}, pass = {.ngc = e->ngc},
         call = {.ngc = e->ngc};
    Printer pr = {.b = b, .e = e, .k = k, .out = &inner, .indent = 1, .apart = true};
    const Place *place = store_place(b->p, &k->store[0]);
    bool number = kernel_reduces(k) && place_is_number(place, k->store[0].node);
    const char *result = number ? print_type(e, k->store[0].node->type) : "void", *comma = "";
    Place *own = k->split && k->blocks ? take_blocks(b->p, k) : NULL;
    for (int i = 0; i < k->stores && !number; i++) { /* results come first, as in memcpy */
        const Place *to = store_place(b->p, &k->store[i]);
        Index rest = k->store[i].at ? *k->store[i].at : index_zero();
        if (to->kind == P_ROW)
            continue;
        print_param(&pr, print_shifted(&pr, to, k->store[i].node, &rest), k->store[i].node->type,
                    false, true);
    }
    print_loops(&pr);
    if (own)
        give_back(b->p, k, own);
    b->dims |= pr.dims;
    text_add(&head, k->split ? "(size_t from, size_t to" : "(");
    text_add(&pass, k->split ? "(from, to" : "(");
    if (k->split) {
        Size extent =
            k->split > k->axes ? k->member[0]->extent[k->split - 1] : k->extent[k->split - 1];
        text_add(&call, "%s", k->blocks ? block_range(&pr, k) : share_range(b, extent, k->unit));
        comma = ", ";
    }
    for (int i = 0; i < e->graph->dims; i++)
        if (pr.dims >> i & 1) {
            add_item(&head, comma,
                     text_format(e->ngc, "size_t %s%s", e->dim_prefix, e->graph->dim[i].name));
            add_item(&pass, comma,
                     text_format(e->ngc, "%s%s", e->dim_prefix, e->graph->dim[i].name));
            add_item(&call, comma,
                     text_format(e->ngc, "%s%s", e->dim_prefix, e->graph->dim[i].name));
            comma = ", ";
        }
    for (int i = 0; i < pr.params; i++) {
        const Param *p = &pr.param[i];
        const char *type = print_type(e, p->type);
        if (p->scalar)
            add_item(&head, comma, text_format(e->ngc, "%s %s", type, p->name));
        else
            add_item(&head, comma,
                     text_format(e->ngc, "%s%s *%s", p->written ? "" : "const ", type, p->name));
        add_item(&pass, comma, p->name);
        add_item(&call, comma, base_text(&pr, k, p));
        comma = ", ";
    }
    text_add(&head, "%s)", *comma ? "" : "void");
    text_add(&pass, ")");
    const char *name =
        emit_function(e, result, kernel_word(k), head.at, pass.at, inner.at, vector_bytes(e, k));
    if (k->split && k->blocks)
        print_blocks(&pr, k, name, call.at);
    else if (!number)
        text_add(&b->text, "    %s(%s);\n", name, call.at ? call.at : "");
    else if (place->kind == P_LOCAL)
        text_add(&b->text, "    const %s %s = %s(%s);\n", result, place->name, name,
                 call.at ? call.at : "");
    else
        text_add(&b->text, "    %s = %s(%s);\n", print_number(b, place, k->store[0].node), name,
                 call.at ? call.at : "");
}

static void print_here(Body *b, const Kernel *k)
{
    Printer pr = {.b = b, .e = b->e, .k = k, .out = &b->text, .indent = 1};
    print_loops(&pr);
    b->dims |= pr.dims;
}

/* ---- a kernel, of whatever kind ---- */

/* A derivative is called what it is, dJ_dz; other numbers t0, t1, ... */
static const char *local_name(Body *b, const Node *n)
{
    if (n->derived && n->name && *n->name == 'd' &&
        b->locals.count < 1000) /* each is compared with all before it */
        return c_name_distinct(b->e->ngc, &b->locals, n->name);
    return text_format(b->e->ngc, "t%d", b->temps++);
}

void emit_kernel(Body *b, const Kernel *k)
{
    for (int i = 0; i < k->stores; i++) {
        Place *place = store_place(b->p, &k->store[i]);
        if (place->kind == P_LOCAL && place->name == NULL)
            place->name = local_name(b, k->store[i].node);
    }
    if (k->kind == K_GEMM)
        print_gemm(b, k);
    else if (k->kind == K_RANDOM)
        print_random(b, k);
    else if (k->kind == K_CALL)
        print_call(b, k);
    else if (k->axes == 0 || b->e->plain || b->p->init)
        print_here(b, k);
    else
        print_apart(b, k);
}
