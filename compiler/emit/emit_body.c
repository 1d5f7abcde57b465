/* emit_body.c - the statements of a function: its kernels in order, each below its comment. */
#include "emit/emit.h"

/* ---- a kernel of any kind ---- */

/* A derivative has its own name, dJ_dz; other numbers are t0, t1, ... */
static const char *local_name(Body *b, const Node *n)
{
    enum { MANY = 1000 }; /* each name is compared with all before it */
    bool derivative = n->derived && n->name && *n->name == 'd';
    if (derivative && b->locals.count < MANY)
        return c_name_distinct(b->e->ngc, &b->locals, n->name);
    return text_format(b->e->ngc, "t%d", b->temps++);
}

/* Does it give all elements of a variable the same starting value? */
static bool is_fill(const Body *b, const Kernel *k)
{
    const Store *s = &k->store[0];
    if (!b->p->init || b->e->module->plain)
        return false;
    if (k->kind != K_LOOP || k->axes != 1 || k->stores != 1 || kernel_reduces(k))
        return false;
    if (s->add || s->val->kind != V_CONST || s->node->type != T_FLOAT)
        return false;

    /* element i in pass i */
    Index each = index_zero();
    each.axis[0].plus = 1;
    return s->at && index_equal(s->at, &each) && k->extent[0] > 0;
}

static void print_fill_call(Body *b, const Kernel *k)
{
    Emit *e = b->e;
    const Store *s = &k->store[0];
    const char *real = e->real;
    const char *value = emit_number(e, s->val->value, T_FLOAT);
    const char *name = emit_function(
        e, (Static){.result = "void",
                    .word = "fill",
                    .params = text_format(e->ngc, "(%s *y, size_t n, %s value)", real, real),
                    .names = "(y, n, value)",
                    .body = "    for (size_t i = 0; i < n; i++)\n        y[i] = value;\n"});
    text_add(&b->text, "    %s(%s, %lld, %s);\n", name,
             print_pointer(b, store_place(b->p, s), s->node), (long long)k->extent[0], value);
}

void emit_kernel(Body *b, const Kernel *k)
{
    for (int i = 0; i < k->stores; i++) {
        Place *place = store_place(b->p, &k->store[i]);
        if (place->kind == P_LOCAL && place->name == NULL)
            place->name = local_name(b, k->store[i].node);
    }

    print_wait(b, k);
    if (k->kind == K_FOR)
        print_for(b, k);
    else if (k->kind == K_TEST)
        print_for_test(b, k);
    else if (k->kind == K_NEXT)
        print_for_end(b, k);
    else if (k->kind == K_GEMM)
        print_gemm(b, k);
    else if (k->kind == K_RANDOM)
        print_random(b, k);
    else if (k->kind == K_CALL)
        print_call(b, k);
    else if (is_fill(b, k))
        print_fill_call(b, k);
    else if (k->axes == 0 || b->e->module->plain || b->p->init)
        print_here(b, k);
    else
        print_apart(b, k);
}

/* ---- comments ---- */

/* At -O0 the rules are in forward, backward and update only: the other functions have the same
 * statements. */
int emit_comment_level(const Emit *e, const Function *f)
{
    int level = e->ngc->opt.comments;
    bool again = f->fn == FN_PREDICT || f->fn == FN_EVAL || f->fn >= FN_STEP;
    if (level <= 1 || !again || !e->module->plain)
        return level;

    for (int i = 0; i < e->module->functions; i++)
        if (e->module->function[i].fn == FN_FORWARD)
            return 1;
    return level;
}

/* ---- numbers that wait for the statement that needs them ---- */

/* In a plain program only variables are written twice: those of the model, and those of loops, with
 * what loops add to. Numbers without a name wait there for the first statement that needs them, so
 * that they are below its comment. */
typedef struct Waiting {
    Body *b;
    Comments *comments;
    const Kernel **kernel; /* in order; NULL: printed */
    bool *needed;          /* by the next statement */
    int count, room;
    int left; /* how many are not printed yet */
} Waiting;

static bool writes_var(const Program *p, const Kernel *k)
{
    for (int i = 0; i < k->stores; i++) {
        Op op = k->store[i].node->op;
        if (store_place(p, &k->store[i])->kind == P_VAR || op == OP_carried || op == OP_collect)
            return true;
    }
    return false;
}

/* Does it begin or end a loop over kernels, or leave it? */
static bool is_of_loop(const Kernel *k)
{
    return k->kind == K_FOR || k->kind == K_TEST || k->kind == K_NEXT;
}

/* Lets a kernel wait, if it is such a number. */
static bool waits(Waiting *w, const Kernel *k)
{
    Emit *e = w->b->e;
    if (!w->b->p->plain || w->comments->level == 0 || !comment_is_helper(w->comments, k))
        return false;

    if (!e->waiting_at)
        e->waiting_at = arena_array(e->ngc, e->graph->count + 1, sizeof *e->waiting_at);
    if (w->left == 0)
        w->count = 0;

    int room = w->room;
    LIST_GROW(e->ngc, w->kernel, w->count, &w->room);
    LIST_GROW(e->ngc, w->needed, w->count, &room);
    w->needed[w->count] = false;
    w->kernel[w->count++] = k;
    w->left++;
    e->waiting_at[k->store[0].node->id] = w->count;
    return true;
}

static void mark_needed(Waiting *w, const Node *n)
{
    const Emit *e = w->b->e;
    const Node *holder = program_holder(w->b->p, n);
    if (holder->id >= e->graph->count)
        return;

    int at = e->waiting_at[holder->id];
    if (at)
        w->needed[at - 1] = true;
}

/* Marks those that k reads. */
static void mark_operands(Waiting *w, const Kernel *k)
{
    for (int i = 0; i < k->vals; i++)
        if (k->val[i]->kind == V_LOAD)
            mark_needed(w, k->val[i]->node);

    for (int i = 0; i < 3; i++) {
        const Node *operand = kernel_operand(w->b->p, k, i);
        if (operand)
            mark_needed(w, operand);
    }

    if (k->kind == K_LOOP)
        return;
    for (int i = 0; i < k->stores; i++) { /* numbers that a call of the runtime is given */
        const Node *n = k->store[i].node;
        for (int a = 0; a < n->nargs; a++)
            mark_needed(w, n->arg[a]);
    }
}

/* Marks all that k needs. One comes before those that need it, so the last is asked first. */
static void mark_all_needed(Waiting *w, const Kernel *k)
{
    mark_operands(w, k);
    for (int i = w->count - 1; i >= 0; i--)
        if (w->kernel[i] && w->needed[i])
            mark_operands(w, w->kernel[i]);
}

/* Prints those that k needs, and all of them if k might change what they read. At the end, when k
 * is NULL, all are printed, with full comments. */
static void print_waiting(Waiting *w, const Kernel *k)
{
    Body *b = w->b;
    if (w->left == 0)
        return;

    bool all = !k || writes_var(b->p, k) || is_of_loop(k);
    if (!all)
        mark_all_needed(w, k);

    for (int i = 0; i < w->count; i++) {
        const Kernel *helper = w->kernel[i];
        bool is_due = all || w->needed[i];
        if (!helper || !is_due)
            continue;

        if (k)
            comment_helper(w->comments, helper);
        else
            comment_kernel(w->comments, helper);
        emit_kernel(b, helper);
        b->e->waiting_at[helper->store[0].node->id] = 0;
        w->kernel[i] = NULL;
        w->left--;
    }
}

/* ---- a part ---- */

/* Where a part's kernels begin; parts come one after another. */
static int first_kernel(const Program *p, int part)
{
    int low = 0;
    int high = p->kernels;
    while (low < high) {
        int middle = (low + high) / 2;
        if (p->kernel[middle]->part < part)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The statements of one part. */
Body emit_part(Emit *e, const Function *f, int part)
{
    const Program *p = f->program;
    Body b = {.e = e, .p = f->program, .text.ngc = e->ngc, .temps = e->module->temps};
    Comments comments = {.e = e, .p = p, .out = &b.text, .level = emit_comment_level(e, f)};
    Waiting waiting = {.b = &b, .comments = &comments};

    text_put(&b.text, "", 0);
    for (int i = first_kernel(p, part); i < p->kernels && p->kernel[i]->part == part; i++) {
        const Kernel *k = p->kernel[i];
        if (!function_has(f, k) || waits(&waiting, k))
            continue;

        if (f->shared)
            share_kernel(&b, k);
        comment_kernel(&comments, k);
        print_waiting(&waiting, k);
        emit_kernel(&b, k);
    }

    print_waiting(&waiting, NULL);
    share_end(&b);
    /* run-time sizes are members of inputs */
    if (b.dims & ((1u << MAX_DIMS) - 1))
        b.blocks |= USES_INPUTS;
    if (b.dims >> ALL_ROWS & 1)
        b.blocks |= USES_WORK;
    return b;
}
