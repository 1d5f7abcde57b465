/* emit_call.c - prints the kernels that are calls of the runtime's functions: matrix products,
 * random numbers, and what a record's own function computes. */
#include "emit/emit.h"

#include <string.h>

/* A size as an int: as text, cast where it is not a number. */
static const char *int_text(Printer *pr, Size s)
{
    const char *text = emit_size(pr->e, s, &pr->dims);
    if (s >= 0) /* a number */
        return text;
    return print_format(pr, strpbrk(text, " *") ? "(int)(%s)" : "(int)%s", text);
}

/* A pointer to matrix i of a batch; `stride` elements are from one matrix to the next. */
static const char *shifted(Printer *pr, const char *pointer, Size stride)
{
    return print_format(pr, "%s + i*%s", pointer, print_factor(pr, stride));
}

/* Is a product better compiled for its sizes than done by a call? It is if it has at most WORK
 * multiplications. The runtime has room for ROOM elements of an operand, whose rows are filled up
 * to whole vectors. */
static bool is_small(const Product *x)
{
    enum { WORK = 4096, ROOM = 2048, VECTOR = 8 };

    /* a vector, or sizes known only at run time: nothing for a compiler to unroll */
    if (x->batch != 1 || x->m <= 1 || x->n <= 1 || x->k <= 0)
        return false;

    Size most = max_int64(x->m, x->n);
    if (most > WORK || x->k > WORK || x->m * x->n * x->k > WORK)
        return false;

    Size filled = (most + VECTOR - 1) / VECTOR * VECTOR;
    return filled * x->k <= ROOM;
}

/* A product as text: C = alpha op(A) op(B) + beta C. */
typedef struct Gemm {
    Product size;
    const char *alpha, *beta;
    const char *a, *b, *c; /* pointers */
    const char *sizes;     /* "ta, tb, m, n, k" */
} Gemm;

/* The name of a function of the runtime without its prefix: "sgemm_small". */
static const char *gemm_call(const Emit *e, const char *what)
{
    return text_format(e->ngc, "%sgemm%s", e->ngc->opt.real_double ? "d" : "s", what);
}

/* A small product is a function of its own: with all sizes as constants the compiler unrolls it. */
static void print_small(Printer *pr, const Gemm *x)
{
    Emit *e = pr->e;
    const char *call = gemm_call(e, "_small");
    const char *alpha = x->alpha;
    const char *param = "";
    const char *name = "";
    const char *arg = "";

    /* a factor is a parameter, so that equal sizes are one function */
    if (pr->k->alpha) {
        alpha = "alpha";
        param = print_format(pr, ", const %s alpha", e->real);
        name = ", alpha";
        arg = print_format(pr, ", %s", x->alpha);
    }

    emit_section(e, call);
    e->uses_small = true;
    Static product = {.result = "void", .word = "product", .bytes = 64};
    product.params =
        print_format(pr, "(%s *c, const %s *a, const %s *b%s)", e->real, e->real, e->real, param);
    product.names = print_format(pr, "(c, a, b%s)", name);
    product.body =
        print_format(pr, "    ngrt_%s(%s, %s, a, b, %s, c);\n", call, x->sizes, alpha, x->beta);
    print_line(pr, "%s(%s, %s, %s%s);", emit_function(e, product), x->c, x->a, x->b, arg);
}

/* How a product is shared, and which part of `passes` is this one: arguments of a call. */
static const char *gemm_range(Printer *pr, Size passes)
{
    const Kernel *k = pr->k;
    const char *most = emit_size(pr->e, passes, &pr->dims);

    return print_format(pr, "%d, (int)%s, (int)%s", k->split - SHARE_WHOLE,
                        share_begin(pr->b, most, k->unit, false),
                        share_begin(pr->b, most, k->unit, true));
}

/* Threads share the products of a batch, rows or columns. */
static void print_shared_gemm(Printer *pr, const Gemm *x)
{
    Emit *e = pr->e;
    const Kernel *k = pr->k;
    const char *call = gemm_call(e, "_share");

    Size shared = x->size.n;
    if (k->split == SHARE_ROWS)
        shared = x->size.m;
    if (k->split == SHARE_WHOLE)
        shared = x->size.batch;

    emit_section(e, call);
    print_line(pr, "ngrt_%s(threads, %s,", call, gemm_range(pr, shared));
    print_line(pr, "    %s, %s, %s, %s, %s, %s, %s);", int_text(pr, x->size.batch), x->sizes,
               x->alpha, x->a, x->b, x->beta, x->c);
}

/* One call for each matrix of a batch. */
static void print_each_gemm(Printer *pr, Gemm x)
{
    Emit *e = pr->e;
    Graph *g = e->graph;
    Size m = x.size.m;
    Size n = x.size.n;
    Size k = x.size.k;
    /* matrices lie one after another: A has m k elements, B k n, C m n */
    if (x.size.batch != 1) {
        print_line(pr, "for (size_t i = 0; i < %s; i++)", emit_size(e, x.size.batch, &pr->dims));
        pr->indent++;
        x.a = shifted(pr, x.a, size_mul(g, m, k));
        x.b = shifted(pr, x.b, size_mul(g, k, n));
        x.c = shifted(pr, x.c, size_mul(g, m, n));
    }

    /* elements from one row to the next, as it is stored */
    const char *row_of_a = int_text(pr, x.size.ta ? m : k);
    const char *row_of_b = int_text(pr, x.size.tb ? k : n);

    const char *call = gemm_call(e, "");
    emit_section(e, call);
    print_line(pr, "ngrt_%s(%s, %s, %s, %s, %s, %s, %s, %s, %s);", call, x.sizes, x.alpha, x.a,
               row_of_a, x.b, row_of_b, x.beta, x.c, int_text(pr, n));
}

/* A product for the passes of a loop. */
static void print_chain(Printer *pr, const Gemm *x)
{
    const Kernel *k = pr->k;
    const char *call = gemm_call(pr->e, k->split ? "_chain_share" : "_chain");
    const char *share = "";

    if (k->split) {
        Size passes = k->split == SHARE_ROWS ? x->size.m : x->size.n;
        share = print_format(pr, "%s, ", gemm_range(pr, passes));
    }
    emit_section(pr->e, call);
    print_line(pr, "ngrt_%s(%s%s, %d, %s, %s, %d, %s);", call, share, x->sizes,
               k->product->attr.down, x->a, x->b, k->onto != NULL, x->c);
}

/* A product that is 0, or not used, above a diagonal. */
static void print_half_gemm(Printer *pr, const Gemm *x)
{
    Emit *e = pr->e;
    const Kernel *k = pr->k;
    const char *call = gemm_call(e, "_half");
    const char *batch = int_text(pr, x->size.batch);
    const char *args = print_format(pr, "%d, %d, %d, %s, %s, %s, %s, %s, %s", HALF_ROWS, k->half,
                                    (int)k->diagonal, batch, x->sizes, x->alpha, x->a, x->b, x->c);

    emit_section(e, call);
    if (!k->split) {
        print_line(pr, "ngrt_%s(1, 0, 0, %s, %s);", call, batch, args);
        return;
    }
    /* threads share batches, or blocks of HALF_ROWS rows */
    Size shared = k->split == SHARE_WHOLE ? x->size.batch : x->size.m;
    print_line(pr, "ngrt_%s(threads, %s,", call, gemm_range(pr, shared));
    print_line(pr, "    %s);", args);
}

/* A pointer to the elements of an operand. */
static const char *operand_pointer(Body *b, const Node *n)
{
    return print_pointer(b, program_place(b->p, n), program_holder(b->p, n));
}

/* A product adds to what is in C: `onto`, if it is elsewhere, is copied there. */
static void copy_onto(Printer *pr, const Kernel *k, const char *to)
{
    Emit *e = pr->e;
    Body *b = pr->b;
    const char *from = operand_pointer(b, k->onto);
    if (same_text(from, to))
        return;

    const char *count = print_factor(pr, shape_count(e->graph, k->store[0].node->shape));
    if (!k->split) {
        print_line(pr, "memcpy(%s, %s, %s*sizeof(%s));", to, from, count, e->real);
        return;
    }
    /* each thread copies a share; then all wait, since products add to what others have copied */
    const char *begin = share_begin(b, count, CACHE_LINE, false);
    const char *end = share_begin(b, count, CACHE_LINE, true);
    print_line(pr, "memcpy(%s + %s, %s + %s, (%s - %s)*sizeof(%s));", to, begin, from, begin, end,
               begin, e->real);
    share_meet(b, &b->text);
}

/* C = onto + alpha A B, once for each matrix of a batch. */
void print_gemm(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    Printer pr = {.b = b, .e = e, .p = b->p, .k = k, .out = &b->text, .indent = 1};
    const Node *y = k->product;
    Product size = product_of(e->graph, y);

    Gemm x = {.size = size};
    x.c = value_pointer(b, k->store[0].node);
    x.alpha = emit_number(e, 1, T_FLOAT);
    x.beta = emit_number(e, k->onto != NULL, T_FLOAT);
    x.a = operand_pointer(b, y->arg[0]);
    x.b = operand_pointer(b, y->arg[1]);

    print_temps(&pr);
    if (k->alpha)
        x.alpha = print_val(&pr, k->alpha).text;
    if (k->onto)
        copy_onto(&pr, k, x.c);

    const char *columns = int_text(&pr, size.n);
    const char *rows = int_text(&pr, size.m);
    const char *terms = int_text(&pr, size.k);
    x.sizes = print_format(&pr, "%d, %d, %s, %s, %s", size.ta, size.tb, rows, columns, terms);

    if (y->attr.chain)
        print_chain(&pr, &x);
    else if (k->half)
        print_half_gemm(&pr, &x);
    else if (k->split)
        print_shared_gemm(&pr, &x);
    else if (is_small(&x.size))
        print_small(&pr, &x);
    else
        print_each_gemm(&pr, x);
    b->dims |= pr.dims;
}

void print_random(Body *b, const Kernel *k)
{
    static const char *const name[] = {[RANDOM_UNIFORM] = "uniform",
                                       [RANDOM_NORMAL] = "normal",
                                       [RANDOM_TRUNCATED] = "truncated",
                                       [RANDOM_ORTHOGONAL] = "orthogonal"};
    Emit *e = b->e;
    Printer pr = {.b = b, .e = e, .p = b->p, .k = k, .out = &b->text, .indent = 1};
    const Node *n = k->store[0].node;
    const char *call = text_format(e->ngc, "%s%s", name[n->attr.kind], e->suffix);
    const char *to = value_pointer(b, n);
    const char *count = emit_size(e, shape_count(e->graph, n->shape), &pr.dims);
    const char *first = print_shortest(e->ngc, n->attr.value, false);
    const char *second = print_shortest(e->ngc, n->attr.value2, false);

    const char *seed = "0";
    if (b->p->init) {
        seed = "seed";
        b->blocks |= USES_SEED;
    }

    emit_section(e, call);
    print_line(&pr, "ngrt_%s(%s, %s, %s, %d, %s, %s);", call, to, count, seed, n->attr.stream,
               first, second);
    b->dims |= pr.dims;
}

/* ---- calls of a record: OpInfo.call ---- */

/* (const int[]){1, 2, 3} */
static const char *sizes_text(Printer *pr, const Size *size)
{
    Text t = {.ngc = pr->e->ngc};

    text_add(&t, "(const int[]){");
    for (int i = 0; i < CALL_SIZES; i++)
        text_add(&t, "%s%s", comma_before(i), int_text(pr, size[i]));
    text_add(&t, "}");
    return t.at;
}

/* An operand: a tensor is a pointer, and a number is the kernel's factor alpha. */
static const char *call_argument(Printer *pr, const Node *n, int operand)
{
    const Program *p = pr->p;
    if (n->arg[operand]->shape.rank == 0)
        return print_val(pr, pr->k->alpha).text;

    return operand_pointer(pr->b, call_operand(p, n, operand));
}

/* Are n rows and columns worth products of blocks? Those make a standalone file larger. */
static bool is_large(const Graph *g, Size n)
{
    enum { SMALL = 16 };
    int64_t number;

    return !size_number(g, n, &number) || number > SMALL;
}

/* What is added to the first number of noise, so that each rank draws numbers of its own. */
static const char *rank_offset(Printer *pr, const Node *n)
{
    bool alike = !n->attr.kind; /* on all ranks */
    if (alike)
        return "";

    pr->b->blocks |= USES_WORK;
    return " + (w->ranks ? (uint64_t)w->ranks->rank << 32 : 0)";
}

/* The stream of noise; in a loop, each pass has its own. */
static const char *stream_text(Printer *pr, const Node *n)
{
    if (n->attr.size == 0)
        return print_format(pr, "%d", n->attr.stream);
    return print_format(pr, "(uint32_t)(%d + %s)", n->attr.stream, int_text(pr, n->attr.size));
}

/* What $ and a letter are replaced with. */
static const char *call_word(Printer *pr, char letter, const Node *n, const Size *size)
{
    switch (letter) {
    case 'y': return value_pointer(pr->b, n);
    case 'r': return rank_offset(pr, n);
    case 'k': return stream_text(pr, n);
    case 'p': return pr->k->split ? "id, threads" : "0, 1";
    case 's': return sizes_text(pr, size);
    case 'l': return text_if(is_large(pr->e->graph, size[1]), "_large");
    case '0':
    case '1':
    case '2':
    case '3': return int_text(pr, size[letter - '0']);
    default: return call_argument(pr, n, letter - 'a');
    }
}

/* ---- what goes over the ranks ---- */

const char *const ranks_word[] = {
    [RANKS_SUM] = "sum", [RANKS_MAX] = "max", [RANKS_LATER] = "ready"};

/* A value of all ranks takes the place of the rank's own. */
static void print_over_ranks(Printer *pr, const Kernel *k)
{
    Body *b = pr->b;
    Emit *e = pr->e;
    const Node *n = k->product;
    const char *to = value_pointer(b, n);
    const char *count = "1";

    /* each rank's own value first, where the sum over all is to be */
    if (n->shape.rank == 0) {
        const char *value = print_val(pr, k->alpha).text;
        const char *y = print_number(b, program_place(b->p, n), n);
        print_line(pr, "%s = %s;", y, value);
    } else {
        const char *from = operand_pointer(b, n->arg[0]);
        count = print_factor(pr, shape_count(e->graph, n->shape));
        if (!same_text(from, to))
            print_line(pr, "memcpy(%s, %s, %s*sizeof(%s));", to, from, count,
                       emit_type(e, n->type));
    }

    const char *type = emit_type_constant(e, n->type);
    print_line(pr, "ranks_%s(w->ranks, %s, %s, %s);", ranks_word[n->attr.kind], type, to, count);

    e->uses_ranks |= 1u << n->attr.kind;
    e->ready |= n->attr.kind == RANKS_LATER;
    b->blocks |= USES_WORK;
    b->dims |= pr->dims;
}

/* Does a kernel, or one of the loop that it begins, read what is still to go over the ranks? */
static bool reads_ready(Program *p, const Kernel *k)
{
    if (kernel_reads_later(p, k))
        return true;
    if (k->kind != K_FOR)
        return false;

    const struct ProgramLoop *loop = program_loop(p, k->loop);
    for (int i = loop->begin + 1; i < loop->end; i++)
        if (kernel_reads_later(p, p->kernel[i]))
            return true;
    return false;
}

void print_wait(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    if (!e->ready || (k && !reads_ready(b->p, k)))
        return;

    /* once for all that is on the way */
    text_add(&b->text, "    ranks_wait(w->ranks);\n");
    e->ready = false;
    e->uses_ranks |= RANKS_WAIT;
    b->blocks |= USES_WORK;
}

/* The letter of a runtime function: by the type of what it reads. */
static char call_letter(const Emit *e, const Node *n)
{
    if (n->nargs > 0 && n->arg[0]->type == T_INT)
        return 'i';
    return e->ngc->opt.real_double ? 'd' : 's';
}

/* The record's call of a runtime function, filled in: "ngrt_%det($0, $1, $b, $y)" becomes
 * "ngrt_sdet(1, 3, ..". */
static const char *call_text(Printer *pr, const Node *n)
{
    Emit *e = pr->e;
    Text t = {.ngc = e->ngc};
    Size size[CALL_SIZES] = {0};

    call_sizes(pr->p, n, size);
    for (const char *c = op_info[n->op]->call; *c; c++)
        switch (*c) {
        case '%': text_add(&t, "%c", call_letter(e, n)); break;
        case '@': text_add(&t, "%s", e->suffix); break;
        case '$': text_add(&t, "%s", call_word(pr, *++c, n, size)); break;
        default: text_put(&t, c, 1);
        }
    return t.at;
}

void print_call(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    Printer pr = {.b = b, .e = e, .p = b->p, .k = k, .out = &b->text, .indent = 1};
    const Node *n = k->product;

    print_temps(&pr);
    if (n->op == OP_over_ranks) {
        print_over_ranks(&pr, k);
        return;
    }

    /* "ngrt_dlu(..": the section is called dlu */
    const char *call = call_text(&pr, n);
    const char *name = call + strlen("ngrt_");
    emit_section(e, intern(e->ngc, name, strcspn(name, "(")));
    print_line(&pr, "%s;", call);

    b->uses_id |= k->split > 0;
    b->uses_threads |= k->split > 0;
    b->dims |= pr.dims;
}
