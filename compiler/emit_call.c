/* emit_call.c - prints the kernels that are calls of the runtime's functions: matrix products,
 * random numbers, and what a record's own function computes. */
#include "emit.h"

#include <string.h>

static const char *int_text(Printer *pr, Size s)
{
    const char *text = emit_size(pr->e, s, &pr->dims);
    return s >= 0 ? text : print_format(pr, strpbrk(text, " *") ? "(int)(%s)" : "(int)%s", text);
}

static const char *shifted(Printer *pr, const char *pointer, Size stride)
{
    return print_format(pr, "%s + i*%s", pointer, print_factor(pr, stride));
}

/* Is a product better compiled for its sizes than done by a call? The runtime has room for so much
 * of an operand. */
static bool is_small(Size batch, Size m, Size n, Size inner)
{
    enum { WORK = 4096, ROOM = 2048 };
    Size most = m > n ? m : n;
    return batch == 1 && m > 1 && n > 1 && inner > 0 && most <= WORK && inner <= WORK &&
           m * n * inner <= WORK && (most + 7) / 8 * 8 * inner <= ROOM;
}

/* The same as a function of its own. */
static void print_small(Printer *pr, const Kernel *k, const char *call, const char *sizes,
                        const char *alpha, const char *beta, const char *operands)
{
    Emit *e = pr->e;
    bool given = k->alpha != NULL;
    const char *params =
        print_format(pr, "(%s *c, const %s *a, const %s *b%s)", e->real, e->real, e->real,
                     given ? print_format(pr, ", const %s alpha", e->real) : "");
    const char *body = print_format(pr, "    ngrt_%s(%s, %s, a, b, %s, c);\n", call, sizes,
                                    given ? "alpha" : alpha, beta);
    emit_section(e, call);
    e->small = true;
    print_line(pr, "%s(%s%s%s);",
               emit_function(e, "void", "product", params, given ? "(c, a, b, alpha)" : "(c, a, b)",
                             body, 64),
               operands, given ? ", " : "", given ? alpha : "");
}

/* C = onto + alpha A B, once for each matrix of a batch. */
void print_gemm(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    Graph *g = e->graph;
    Printer pr = {.b = b, .e = e, .k = k, .out = &b->text, .indent = 1};
    const Node *x = k->product, *a = x->arg[0], *c = k->store[0].node;
    int r = x->shape.rank;
    Size m = x->shape.dim[r - 2], n = x->shape.dim[r - 1], inner = a->shape.dim[r - 1 - x->attr.ta],
         batch = 1;
    const Place *place = program_place(b->p, c);
    const char *to = print_pointer(b, place, c), *alpha = emit_number(e, 1, T_FLOAT),
               *beta = emit_number(e, k->onto != NULL, T_FLOAT);
    const char *pa = print_pointer(b, program_place(b->p, a), program_holder(b->p, a));
    const char *pb =
        print_pointer(b, program_place(b->p, x->arg[1]), program_holder(b->p, x->arg[1]));
    print_temps(&pr);
    if (k->alpha)
        alpha = print_val(&pr, k->alpha).text;
    if (k->onto) {
        const char *from =
            print_pointer(b, program_place(b->p, k->onto), program_holder(b->p, k->onto));
        Size count = shape_count(g, c->shape);
        if (strcmp(from, to) != 0 && k->split) {
            const char *whole = print_factor(&pr, count),
                       *begin = share_begin(b, whole, CACHE_LINE, false);
            print_line(&pr, "memcpy(%s + %s, %s + %s, (%s - %s)*sizeof(%s));", to, begin, from,
                       begin, share_begin(b, whole, CACHE_LINE, true), begin, e->real);
            share_meet(b, &b->text);
        } else if (strcmp(from, to) != 0)
            print_line(&pr, "memcpy(%s, %s, %s*sizeof(%s));", to, from, print_factor(&pr, count),
                       e->real);
    }
    for (int i = 0; i < r - 2; i++)
        batch = size_mul(g, batch, x->shape.dim[i]);
    if (k->split) {
        const char *call = e->ngc->opt.real_double ? "dgemm_share" : "sgemm_share";
        const char *shared = emit_size(e,
                                       k->split == SHARE_WHOLE  ? batch
                                       : k->split == SHARE_ROWS ? m
                                                                : n,
                                       &pr.dims);
        emit_section(e, call);
        print_line(&pr, "ngrt_%s(threads, %d, (int)%s, (int)%s,", call, k->split - SHARE_WHOLE,
                   share_begin(b, shared, k->unit, false), share_begin(b, shared, k->unit, true));
        print_line(&pr, "    %s, %d, %d, %s, %s, %s, %s, %s, %s, %s, %s);", int_text(&pr, batch),
                   x->attr.ta, x->attr.tb, int_text(&pr, m), int_text(&pr, n), int_text(&pr, inner),
                   alpha, pa, pb, beta, to);
        b->dims |= pr.dims;
        return;
    }
    if (is_small(batch, m, n, inner)) {
        print_small(&pr, k, e->ngc->opt.real_double ? "dgemm_small" : "sgemm_small",
                    print_format(&pr, "%d, %d, %s, %s, %s", x->attr.ta, x->attr.tb,
                                 int_text(&pr, m), int_text(&pr, n), int_text(&pr, inner)),
                    alpha, beta, print_format(&pr, "%s, %s, %s", to, pa, pb));
        return;
    }
    if (batch != 1) {
        print_line(&pr, "for (size_t i = 0; i < %s; i++)", emit_size(e, batch, &pr.dims));
        pr.indent++;
        pa = shifted(&pr, pa, size_mul(g, m, inner));
        pb = shifted(&pr, pb, size_mul(g, inner, n));
        to = shifted(&pr, to, size_mul(g, m, n));
    }
    const char *call = e->ngc->opt.real_double ? "dgemm" : "sgemm";
    emit_section(e, call);
    print_line(&pr, "ngrt_%s(%d, %d, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s);", call,
               x->attr.ta, x->attr.tb, int_text(&pr, m), int_text(&pr, n), int_text(&pr, inner),
               alpha, pa, int_text(&pr, x->attr.ta ? m : inner), pb,
               int_text(&pr, x->attr.tb ? inner : n), beta, to, int_text(&pr, n));
    b->dims |= pr.dims;
}

void print_random(Body *b, const Kernel *k)
{
    static const char *const name[] = {[RANDOM_UNIFORM] = "uniform",
                                       [RANDOM_NORMAL] = "normal",
                                       [RANDOM_TRUNCATED] = "truncated",
                                       [RANDOM_ORTHOGONAL] = "orthogonal"};
    Emit *e = b->e;
    Printer pr = {.b = b, .e = e, .k = k, .out = &b->text, .indent = 1};
    const Node *n = k->store[0].node;
    const char *call = text_format(e->ngc, "%s%s", name[n->attr.kind], e->suffix);
    const char *to = print_pointer(b, program_place(b->p, n), n);
    emit_section(e, call);
    print_line(&pr, "ngrt_%s(%s, %s, %s, %d, %s, %s);", call, to,
               emit_size(e, shape_count(e->graph, n->shape), &pr.dims), b->p->init ? "seed" : "0",
               n->attr.stream, print_shortest(e->ngc, n->attr.value, false),
               print_shortest(e->ngc, n->attr.value2, false));
    b->blocks |= b->p->init ? USES_SEED : 0;
    b->dims |= pr.dims;
}

/* The record's runtime function, its text filled in: OpInfo.call. */
void print_call(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    Printer pr = {.b = b, .e = e, .k = k, .out = &b->text, .indent = 1};
    const Node *n = k->product;
    Text t = {.ngc = e->ngc};
    Size size[CALL_SIZES] = {0};
    call_sizes(b->p, n, size);
    print_temps(&pr);
    b->id |= k->split > 0;
    b->threads |= k->split > 0;
    for (const char *c = op_info[n->op]->call; *c; c++) {
        if (*c == '%')
            text_add(&t, "%c", e->ngc->opt.real_double ? 'd' : 's');
        else if (*c == '@')
            text_add(&t, "%s", e->suffix);
        else if (*c != '$')
            text_put(&t, c, 1);
        else if (*++c == 'y')
            text_add(&t, "%s", print_pointer(b, program_place(b->p, n), n));
        else if (*c == 'k')
            text_add(&t, "%d", n->attr.stream);
        else if (*c == 'p')
            text_add(&t, "%s", k->split ? "id, threads" : "0, 1");
        else if (*c == 's')
            for (int i = 0; i < CALL_SIZES; i++)
                text_add(&t, "%s%s%s", i ? ", " : "(const int[]){", int_text(&pr, size[i]),
                         i + 1 < CALL_SIZES ? "" : "}");
        else if (*c >= '0' && *c <= '3')
            text_add(&t, "%s", int_text(&pr, size[*c - '0']));
        else if (n->arg[*c - 'a']->shape.rank == 0)
            text_add(&t, "%s", print_val(&pr, k->alpha).text);
        else
            text_add(&t, "%s",
                     print_pointer(b, program_place(b->p, call_operand(b->p, n, *c - 'a')),
                                   program_holder(b->p, call_operand(b->p, n, *c - 'a'))));
    }
    emit_section(e, intern(e->ngc, t.at + 5, strcspn(t.at, "(") - 5)); /* behind ngrt_ */
    print_line(&pr, "%s;", t.at);
    b->dims |= pr.dims;
}
