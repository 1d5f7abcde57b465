/* print_js.c - prints a module at -O0 as JavaScript, with the numbers of the reference interpreter:
 * all elements are double. In: a module and the starting values of its variables. Out: a text
 *
 *     (B, F) => { const p_W = B.params.W, ...; return {predict() {...}, step() {...}, ...}; }
 *
 * of arrays B, blocks of memory by the names of block_info, and of functions F: those of one
 * element by the names of their ops, `uniform`, which draws numbers, and those of whole tensors
 * (matrix.js). Run-time sizes are B.dims.
 *
 * What a page does not need is missing. Then the object has the reason, and no text. */
#include "play/print_js.h"

#include <math.h>
#include <string.h>

typedef struct Js {
    Ngc *ngc;
    const Module *module;
    Graph *graph;
    Text text;          /* of the functions */
    Text data;          /* declares arrays of constants */
    bool *has_data;     /* by node id: it is declared */
    const char *reason; /* why it cannot be printed, or NULL */

    /* of the function and the kernel at hand */
    const Program *p;
    const Kernel *k;
    bool *named; /* by Val.id: it is a constant v1, v2, ... */
    int indent;
} Js;

__attribute__((format(printf, 2, 3))) static void line(Js *j, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_add(&j->text, "%*s%s\n", 2 * j->indent, "", text_vformat(j->ngc, format, args));
    va_end(args);
}

static const char *refuse(Js *j, const char *what)
{
    if (!j->reason)
        j->reason = what;
    return "0";
}

/* ---- numbers, sizes, places ---- */

static const char *number(Js *j, double x)
{
    if (isnan(x))
        return "NaN";
    if (isinf(x))
        return x < 0 ? "-Infinity" : "Infinity";
    const char *text = text_number(j->ngc, x, false);
    if (x < 0 || (x == 0 && signbit(x)))
        return text_format(j->ngc, "(%s)", text);
    return text;
}

static const char *size(Js *j, Size s)
{
    const char *text = size_text(j->graph, s, "n_");
    if (!strpbrk(text, " -*"))
        return text;
    return text_format(j->ngc, "(%s)", text);
}

/* The name of a variable's array: its block's first letter comes before it. */
static const char *block_array(Js *j, Block block, const char *name)
{
    return text_format(j->ngc, "%c_%s", block_info[block].type[0], name);
}

static const char *data_array(Js *j, const Node *n)
{
    const char *name = text_format(j->ngc, "d_%d", n->id);
    if (j->has_data[n->id])
        return name;

    j->has_data[n->id] = true;
    int64_t count = shape_count(j->graph, n->shape);
    text_add(&j->data, "const %s = Float64Array.of(", name);
    for (int64_t i = 0; i < count; i++)
        text_add(&j->data, "%s%s", text_if(i, ","), number(j, n->attr.data[i]));
    text_add(&j->data, ");\n");
    return name;
}

/* The array that a place is in; a number (P_LOCAL) is in none. */
static const char *array_of(Js *j, const Place *place, const Node *n)
{
    switch (place->kind) {
    case P_VAR: return block_array(j, block_of_var[place->var->kind], place->var->cname);
    case P_MEMBER: return block_array(j, BLOCK_WORK, place->name);
    case P_GRAD: return block_array(j, BLOCK_GRADS, place->name);
    case P_DATA: return data_array(j, n);
    case P_SPACE: return n->type == T_INT ? "ispace" : "space";
    default: return refuse(j, "a value without a place");
    }
}

/* An element of what is stored at a place. */
static const char *element(Js *j, const Place *place, const Node *n, const char *at)
{
    Ngc *ngc = j->ngc;
    if (place->kind == P_LOCAL)
        return text_format(ngc, "t%d", slot_of(j->p, n));
    const char *array = array_of(j, place, n);
    if (place->kind == P_SPACE)
        return text_format(ngc, "%s[%lld + %s]", array, (long long)place->offset, at);
    return text_format(ngc, "%s[%s]", array, at);
}

/* Its elements in order, as an array of their own (a copy, or the same memory). */
static const char *elements(Js *j, const Place *place, const Node *n, bool copy)
{
    Ngc *ngc = j->ngc;
    if (place->kind == P_LOCAL)
        return text_format(ngc, "[%s]", element(j, place, n, "0"));

    long long from = 0;
    if (place->kind == P_SPACE)
        from = (long long)place->offset;
    Text end = {.ngc = ngc}; /* from + 1*2*3 */
    text_add(&end, "%lld + 1", from);
    for (int i = 0; i < n->shape.rank; i++)
        text_add(&end, "*%s", size(j, n->shape.dim[i]));

    const char *array = array_of(j, place, n);
    const char *cut = copy ? "slice" : "subarray";
    return text_format(ngc, "%s.%s(%lld, %s)", array, cut, from, end.at);
}

/* ---- values ---- */

static const char *value(Js *j, const Val *v);

/* Adds by*what to a sum, or the number `by` if what is NULL. */
static void add_term(Js *j, Text *t, Coef by, const char *what)
{
    const char *sign = text_if(t->size, " + ");
    if (by.plus == 1 && what)
        text_add(t, "%s%s", sign, what);
    else if (by.plus != 0)
        text_add(t, "%s%s%s%s", sign, text_or(what, ""), text_if(what, "*"), size(j, by.plus));
    if (by.minus != 0)
        text_add(t, " - %s%s%s", text_or(what, ""), text_if(what, "*"), size(j, by.minus));
}

/* The place of an element: a sum over the loops i0, i1, ..., computed parts, and the base. */
static const char *index_text(Js *j, const Index *x)
{
    Text t = {.ngc = j->ngc};
    if (!x)
        return "0";

    for (int i = 0; i < MAX_AXES; i++)
        add_term(j, &t, x->axis[i], text_format(j->ngc, "i%d", i));
    for (int i = 0; i < x->parts; i++)
        add_term(j, &t, x->part[i].by, value(j, x->part[i].val));
    add_term(j, &t, x->base, NULL);
    return text_or(t.at, "0");
}

/* The value where its place is within a span, and a multiple of the step; otherwise 0. */
static const char *guard(Js *j, const Val *v)
{
    const char *at = index_text(j, v->at);
    const char *whole = "";
    if (v->size != 1)
        whole = text_format(j->ngc, " && (%s) %% %s === 0", at, size(j, v->size));
    return text_format(j->ngc, "((%s) >= 0 && (%s) < %s%s ? %s : 0)", at, at, size(j, v->span),
                       whole, value(j, v->arg[0]));
}

static const char *operation(Js *j, const Val *v)
{
    Ngc *ngc = j->ngc;
    const OpInfo *info = op_info[v->op];
    const char *arg[3] = {"", "", ""};
    const char *sign = info->sign;
    Text list = {.ngc = ngc}; /* "a, b" */
    if (!info->js)
        return refuse(j, info->name);

    for (int i = 0; i < 3 && v->arg[i]; i++) {
        arg[i] = value(j, v->arg[i]);
        text_add(&list, "%s%s", comma_before(i), arg[i]);
    }

    /* ints go round, modulo 2^32 */
    if (v->type == T_INT && v->op == OP_mul)
        return text_format(ngc, "Math.imul(%s)", list.at);
    if (v->type == T_INT && (v->op == OP_add || v->op == OP_sub))
        return text_format(ngc, "(%s %s %s | 0)", arg[0], sign, arg[1]);
    if (v->type == T_INT && v->op == OP_neg)
        return text_format(ngc, "(-%s | 0)", arg[0]);

    /* an operator of JavaScript, or a function */
    if (v->arg[1] && sign && strchr("+-*/", *sign) && !sign[1])
        return text_format(ngc, "(%s %s %s)", arg[0], sign, arg[1]);
    return text_format(ngc, "F.%s(%s)", info->name, list.at);
}

static const char *expression(Js *j, const Val *v)
{
    switch (v->kind) {
    case V_CONST: return number(j, v->value);
    case V_SIZE: return size(j, v->size);
    case V_LOAD:
        return element(j, program_place(j->p, v->node), program_holder(j->p, v->node),
                       index_text(j, v->at));
    case V_INDEX: return text_format(j->ngc, "(%s)", index_text(j, v->at));
    case V_QUOTIENT:
        return text_format(j->ngc, "Math.floor((%s)/%s)", index_text(j, v->at), size(j, v->size));
    case V_GUARD: return guard(j, v);
    case V_OP: return operation(j, v);
    }
    return refuse(j, "a value of an unknown kind");
}

static const char *value(Js *j, const Val *v)
{
    if (j->named[v->id])
        return text_format(j->ngc, "v%d", v->id);
    return expression(j, v);
}

/* Declares the operations of a level that are used more than once, or from deeper loops. */
static void declare_values(Js *j, int level)
{
    for (int i = 0; i < j->k->vals; i++) {
        const Val *v = j->k->val[i];
        bool again = v->uses > 1 || (v->uses > 0 && v->level < j->k->axes);
        if (v->kind != V_OP || v->level != level || !again)
            continue;
        line(j, "const v%d = %s;", v->id, expression(j, v));
        j->named[v->id] = true;
    }
}

/* ---- kernels ---- */

static void open_loop(Js *j, int axis)
{
    line(j, "for (let i%d = 0; i%d < %s; i%d++) {", axis, axis, size(j, j->k->extent[axis]), axis);
    j->indent++;
    declare_values(j, axis + 1);
}

static void close_loops(Js *j, int count)
{
    while (count-- > 0) {
        j->indent--;
        line(j, "}");
    }
}

static void store(Js *j, const Store *s, const char *what)
{
    const Place *place = store_place(j->p, s);
    const char *to = element(j, place, s->node, index_text(j, s->at));
    line(j, "%s %s %s;", to, s->add ? "+=" : "=", what);
}

/* All values of an element are computed before the first is stored. */
static void print_map(Js *j)
{
    const Kernel *k = j->k;
    const char *what[64];
    for (int i = 0; i < k->axes; i++)
        open_loop(j, i);

    for (int i = 0; i < k->stores && i < 64; i++) {
        what[i] = value(j, k->store[i].val);
        if (k->stores == 1)
            continue;
        line(j, "const r%d = %s;", i, what[i]);
        what[i] = text_format(j->ngc, "r%d", i);
    }
    for (int i = 0; i < k->stores && i < 64; i++)
        store(j, &k->store[i], what[i]);
    close_loops(j, k->axes);
}

/* The statement that takes one more value into a sum or a maximum. */
static void combine(Js *j, const char *acc, const char *x)
{
    if (j->k->reduce == OP_sum && j->k->store[0].node->type == T_INT)
        line(j, "%s = %s + %s | 0;", acc, acc, x);
    else if (j->k->reduce == OP_sum)
        line(j, "%s += %s;", acc, x);
    else if (j->k->reduce == OP_max)
        line(j, "%s = F.maximum(%s, %s);", acc, acc, x);
    else
        refuse(j, op_info[j->k->reduce]->name);
}

/* Results that are each accumulated in a variable. */
static void print_fold(Js *j, int lead)
{
    const Kernel *k = j->k;
    for (int i = 0; i < lead; i++)
        open_loop(j, i);

    line(j, "let acc = %s;", k->reduce == OP_max ? "-Infinity" : "0");
    for (int i = lead; i < k->axes; i++)
        open_loop(j, i);
    combine(j, "acc", value(j, k->store[0].val));
    close_loops(j, k->axes - lead);
    store(j, &k->store[0], "acc");
    close_loops(j, lead);
}

/* The index of the first of the largest; a NaN is larger than any number. */
static void print_argmax(Js *j, int lead)
{
    for (int i = 0; i < lead; i++)
        open_loop(j, i);
    line(j, "let acc = 0, most = -Infinity;");
    open_loop(j, lead);
    line(j, "const x = %s;", value(j, j->k->store[0].val));
    line(j, "if (i%d === 0 || x > most || (x !== x && most === most)) {", lead);
    line(j, "  most = x; acc = i%d;", lead);
    line(j, "}");
    close_loops(j, 1);
    store(j, &j->k->store[0], "acc");
    close_loops(j, lead);
}

/* Rows that are added to a row of results. */
static void print_rows(Js *j, int lead)
{
    const Kernel *k = j->k;
    const Store *s = &k->store[0];
    int trail = lead;
    while (k->axis[trail] != AX_TRAIL)
        trail++;
    for (int i = 0; i < lead; i++)
        open_loop(j, i);

    const char *y = element(j, store_place(j->p, s), s->node, index_text(j, s->at));
    for (int i = trail; i < k->axes; i++)
        line(j, "for (let i%d = 0; i%d < %s; i%d++)", i, i, size(j, k->extent[i]), i);
    line(j, "  %s = %s;", y, k->reduce == OP_max ? "-Infinity" : "0");

    for (int i = lead; i < k->axes; i++)
        open_loop(j, i);
    combine(j, y, value(j, s->val));
    close_loops(j, k->axes);
}

/* A number is declared outside of the block that the loops are in. */
static void print_loops(Js *j)
{
    const Kernel *k = j->k;
    int lead = 0;
    while (lead < k->axes && k->axis[lead] == AX_LEAD)
        lead++;
    if (k->members) {
        refuse(j, "a nest of loops over rows");
        return;
    }

    const Place *place = store_place(j->p, &k->store[0]);
    if (place->kind == P_LOCAL)
        line(j, "let %s;", element(j, place, k->store[0].node, ""));
    line(j, "{");
    j->indent++;
    declare_values(j, 0);
    if (!kernel_reduces(k))
        print_map(j);
    else if (k->reduce == OP_argmax)
        print_argmax(j, lead);
    else if (k->axes && k->axis[k->axes - 1] == AX_TRAIL)
        print_rows(j, lead);
    else
        print_fold(j, lead);
    close_loops(j, 1);
}

/* An element of an operand, where it is stored. */
static const char *operand_element(Js *j, const Node *n, const char *at)
{
    return element(j, program_place(j->p, n), program_holder(j->p, n), at);
}

/* C = onto + alpha A B, for each matrix of a batch. */
static void print_gemm(Js *j)
{
    Ngc *ngc = j->ngc;
    const Kernel *k = j->k;
    const Node *y = k->product;
    const Node *c = k->store[0].node;
    Product x = product_of(j->graph, y);
    const char *m = size(j, x.m);
    const char *n = size(j, x.n);
    const char *inner = size(j, x.k);
    const char *alpha = "1";
    if (k->alpha)
        alpha = value(j, k->alpha);

    /* i0: the matrix, i1: the row, i2: the column, i3: the sum */
    const char *from_a;
    if (x.ta)
        from_a = text_format(ngc, "((i0*%s + i3)*%s + i1)", inner, m);
    else
        from_a = text_format(ngc, "((i0*%s + i1)*%s + i3)", m, inner);
    const char *from_b;
    if (x.tb)
        from_b = text_format(ngc, "((i0*%s + i2)*%s + i3)", n, inner);
    else
        from_b = text_format(ngc, "((i0*%s + i3)*%s + i2)", inner, n);
    const char *to = text_format(ngc, "(i0*%s + i1)*%s + i2", m, n);

    const char *left = operand_element(j, y->arg[0], from_a);
    const char *right = operand_element(j, y->arg[1], from_b);
    const char *result = element(j, program_place(j->p, c), c, to);
    const char *onto = "";
    if (k->onto)
        onto = text_format(ngc, "%s + ", operand_element(j, k->onto, to));

    line(j, "for (let i0 = 0; i0 < %s; i0++)", size(j, x.batch));
    line(j, "for (let i1 = 0; i1 < %s; i1++)", m);
    line(j, "for (let i2 = 0; i2 < %s; i2++) {", n);
    line(j, "  let acc = 0;");
    line(j, "  for (let i3 = 0; i3 < %s; i3++) acc += %s * %s;", inner, left, right);
    line(j, "  %s = %s%s * acc;", result, onto, alpha);
    line(j, "}");
}

static const char *sizes_text(Js *j, const Node *n)
{
    Text t = {.ngc = j->ngc};
    text_add(&t, "[");
    for (int i = 0; i < n->shape.rank; i++)
        text_add(&t, "%s%s", comma_before(i), size(j, n->shape.dim[i]));
    text_add(&t, "]");
    return t.at;
}

/* The operands of a call, copied, as the result may have their memory. */
static const char *operands_text(Js *j, const Node *n)
{
    Text t = text_empty(j->ngc);
    for (int i = 0; i < n->nargs; i++) {
        const Node *a = n->arg[i];
        const Node *held = kernel_operand(j->p, j->k, i);
        text_add(&t, "%s{shape: %s", comma_before(i), sizes_text(j, a));
        if (call_takes(n, i) && call_operand(j->p, n, i) != a)
            refuse(j, "padding that is not stored");
        else if (call_takes(n, i) && held)
            text_add(&t, ", v: %s", elements(j, program_place(j->p, held), a, true));
        text_add(&t, "}");
    }
    return t.at;
}

static const char *attr_text(Js *j, const Node *n)
{
    const struct Attr *at = &n->attr;
    if (n->op != OP_conv && n->op != OP_convk)
        return text_format(j->ngc, "{ta: %s}", true_or_false(at->ta));

    const Size *stride = at->stride;
    const Size *dilation = at->dilation;
    return text_format(j->ngc, "{stride: [%s, %s], dilation: [%s, %s], groups: %d}",
                       size(j, stride[0]), size(j, stride[1]), size(j, dilation[0]),
                       size(j, dilation[1]), at->groups);
}

/* A call of a function of whole tensors: a draw, or one of matrix.js. */
static void print_call(Js *j)
{
    const Node *n = j->k->product;
    const Place *place = store_place(j->p, &j->k->store[0]);
    bool number = place->kind == P_LOCAL;
    const char *to;
    if (number)
        to = text_format(j->ngc, "y%d", n->id);
    else
        to = elements(j, place, n, false);
    if (number)
        line(j, "const %s = new Float64Array(1);", to);

    Size sizes[CALL_SIZES] = {0};
    switch (n->op) {
    case OP_noise:
        call_sizes(j->p, n, sizes);
        line(j, "F.uniform(%s, %s, %s, %d + %s);", to, size(j, sizes[0]), value(j, j->k->alpha),
             n->attr.stream, size(j, n->attr.size));
        break;
    case OP_conv:
    case OP_convk:
    case OP_lu:
    case OP_cholesky:
    case OP_solve:
    case OP_det:
    case OP_logdet:
    case OP_lup:
    case OP_cof:
    case OP_cof2:
    case OP_order:
        line(j, "F.%s({shape: %s, attr: %s}, %s, [%s]);", op_info[n->op]->name, sizes_text(j, n),
             attr_text(j, n), to, operands_text(j, n));
        break;
    default: refuse(j, op_info[n->op]->name); break;
    }

    if (number)
        line(j, "let %s = %s[0];", element(j, place, n, "0"), to);
}

static void print_for(Js *j)
{
    const Loop *loop = j->k->loop;
    const char *i = text_format(j->ngc, "pass%d", loop->level);
    j->graph->dim[index_dim(loop)].name = i;
    const char *passes;
    if (loop_count(j->k->product))
        passes = value(j, j->k->alpha);
    else
        passes = size(j, loop->passes);

    if (loop->down)
        line(j, "{ let %s; for (%s = %s - 1; %s >= 0; %s--) {", i, i, passes, i, i);
    else
        line(j, "{ let %s; for (%s = 0; %s < %s; %s++) {", i, i, i, passes, i);
    j->indent++;
}

static void print_next(Js *j)
{
    const Kernel *k = j->k;
    j->indent--;
    line(j, "}");
    for (int s = 0; s < k->stores; s++)
        store(j, &k->store[s], text_format(j->ngc, "pass%d", k->loop->level));
    line(j, "}");
}

static void print_kernel(Js *j, const Kernel *k)
{
    j->k = k;
    int most = 0;
    for (int i = 0; i < k->vals; i++)
        most = k->val[i]->id >= most ? k->val[i]->id + 1 : most;
    j->named = arena_array(j->ngc, most + 1, sizeof *j->named);

    switch (k->kind) {
    case K_LOOP: print_loops(j); break;
    case K_CALL: print_call(j); break;
    case K_FOR: print_for(j); break;
    case K_TEST: line(j, "if (%s === 0) break;", value(j, k->alpha)); break;
    case K_NEXT: print_next(j); break;
    case K_GEMM: print_gemm(j); break;
    case K_RANDOM: refuse(j, "a random starting value"); break;
    }
}

/* ---- functions ---- */

static void print_function(Js *j, const Function *f)
{
    Graph *g = j->graph;
    j->p = f->program;
    j->indent = 1;
    line(j, "%s() {", f->name);
    j->indent++;
    for (int d = 0; d < g->dims; d++)
        line(j, "const n_%s = B.dims.%s;", g->dim[d].name, g->dim[d].name);
    for (int i = 0; i < f->program->kernels; i++)
        if (function_has(f, f->program->kernel[i]))
            print_kernel(j, f->program->kernel[i]);
    j->indent--;
    line(j, "},");
}

static bool is_wanted(const Function *f)
{
    return f->fn != FN_INIT && f->fn < FN_GROUP && !f->walk;
}

/* ---- the arrays ---- */

/* One array of the list: its block, its name there, what it is, and its declared sizes. */
static void put_array(Js *j, Text *t, Block block, const char *name, const char *of, Shape shape)
{
    int64_t count = 1;
    text_add(t,
             "%s{\"block\":\"%s\",\"name\":\"%s\",\"of\":", t->at[t->size - 1] == '[' ? "" : ",\n",
             block_info[block].type, name);
    json_string(t, text_or(of, ""));
    text_add(t, ",\"shape\":[");
    for (int i = 0; i < shape.rank; i++) {
        int64_t most = size_max(j->graph, shape.dim[i]);
        text_add(t, "%s%lld", text_if(i, ","), (long long)most);
        count *= most;
    }
    bool batch = shape.rank > 0 && shape.dim[0] < 0;
    text_add(t, "],\"batch\":%s,\"count\":%lld", true_or_false(batch), (long long)count);
}

/* A variable, with its starting value or the value that the lesson has. */
static void put_var(Js *j, Text *t, Eval *e, const Var *v)
{
    put_array(j, t, block_of_var[v->kind], v->cname, v->name, v->shape);
    text_add(t, ",\"int\":%s,\"limit\":%lld,\"start\":[", true_or_false(v->type == T_INT),
             (long long)v->limit);
    const double *x = eval_node(e, v->node);
    int64_t count = eval_count(e, v->shape);
    for (int64_t i = 0; i < count; i++)
        if (isfinite(x[i]))
            text_add(t, "%s%.17g", text_if(i, ","), x[i]);
        else
            text_add(t, "%snull", text_if(i, ","));
    text_add(t, "]}");
}

static void put_arrays(Js *j, Text *t, Eval *e)
{
    const Model *m = j->module->model;
    text_add(t, ",\n\"arrays\":[");
    for (int i = 0; i < m->vars; i++)
        put_var(j, t, e, m->var[i]);
    for (int i = 0; i < j->module->members; i++) {
        const Member *w = &j->module->member[i];
        put_array(j, t, BLOCK_WORK, w->name, w->note, w->shape);
        text_add(t, "}");
    }
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (r->kind != ROOT_GRAD)
            continue;
        put_array(j, t, BLOCK_GRADS, r->cname, r->name, r->node->shape);
        text_add(t, ",\"var\":");
        json_string(t, r->var ? r->var->name : "");
        text_add(t, "}");
    }
    text_add(t, "]");
}

static void put_results(const Js *j, Text *t)
{
    Graph *g = j->graph;
    static const char *const kind[] = {
        [ROOT_OUTPUT] = "output", [ROOT_METRIC] = "metric", [ROOT_LOSS] = "loss"};
    const Model *m = j->module->model;
    const char *before = "";
    text_add(t, ",\n\"results\":[");
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (r->kind > ROOT_LOSS)
            continue;
        text_add(t, "%s{\"kind\":\"%s\",\"name\":", before, kind[r->kind]);
        json_string(t, r->name);
        text_add(t, ",\"array\":\"%s\"}", r->cname);
        before = ",";
    }
    text_add(t, "],\n\"dims\":{");
    for (int d = 0; d < g->dims; d++)
        text_add(t, "%s\"%s\":%lld", text_if(d, ","), g->dim[d].name, (long long)g->dim[d].max);
    text_add(t, "}");
}

/* Declares a constant for each array. */
static void declare_arrays(Js *j, Text *t)
{
    const Model *m = j->module->model;
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        Block block = block_of_var[v->kind];
        text_add(t, "const %s = B.%s.%s;\n", block_array(j, block, v->cname),
                 block_info[block].type, v->cname);
    }
    for (int i = 0; i < j->module->members; i++) {
        const char *name = j->module->member[i].name;
        text_add(t, "const w_%s = B.work.%s;\n", name, name);
    }
    for (int i = 0; i < m->roots; i++) {
        const char *name = m->root[i].cname;
        if (m->root[i].kind == ROOT_GRAD)
            text_add(t, "const g_%s = B.grads.%s;\n", name, name);
    }
    text_add(t, "const space = new Float64Array(%lld), ispace = new Float64Array(%lld);\n",
             (long long)j->module->space + 1, (long long)j->module->ispace + 1);
}

void print_js(const Module *module, Eval *e, Text *out)
{
    Ngc *ngc = module->ngc;
    Js j = {.ngc = ngc,
            .module = module,
            .graph = module->graph,
            .text = {.ngc = ngc},
            .data = {.ngc = ngc},
            .has_data = arena_alloc(ngc, (size_t)module->graph->count + 1)};

    text_put(&j.data, "", 0);
    text_put(&j.text, "", 0);
    for (int i = 0; i < module->functions; i++)
        if (is_wanted(&module->function[i]))
            print_function(&j, &module->function[i]);

    text_add(out, "{\"reason\":");
    json_string(out, text_or(j.reason, ""));
    if (!j.reason) {
        Text whole = {.ngc = ngc};
        text_add(&whole, "(B, F) => {\n");
        declare_arrays(&j, &whole);
        text_add(&whole, "%sreturn {\n%s};\n}", j.data.at, j.text.at);
        text_add(out, ",\n\"text\":");
        json_string(out, whole.at);
        put_arrays(&j, out, e);
        put_results(&j, out);
    }
    text_add(out, "}");
}
