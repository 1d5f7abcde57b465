/* emit_body.c - the statements of a function: its kernels in order, each below its comment. */
#include "emit.h"

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
    else if (k->axes == 0 || b->e->module->plain || b->p->init)
        print_here(b, k);
    else
        print_apart(b, k);
}

/* ---- comments ---- */

/* At -O0 the rules stand in forward, backward and update, once: the other functions are made of the
 * same statements. */
int emit_comment_level(const Emit *e, const Function *f)
{
    int level = e->ngc->opt.comments;
    bool again = f->fn == FN_PREDICT || f->fn == FN_EVAL || f->fn >= FN_STEP;
    for (int i = 0; i < e->module->functions && again; i++)
        if (e->module->function[i].fn == FN_FORWARD && e->module->plain)
            return level > 1 ? 1 : level;
    return level;
}

/* ---- numbers that wait for the statement that needs them ---- */

static bool writes_var(const Program *p, const Kernel *k)
{
    for (int i = 0; i < k->stores; i++)
        if (store_place(p, &k->store[i])->kind == P_VAR)
            return true;
    return false;
}

/* In a plain program, where only variables are written twice: numbers that have no name wait for
 * the first statement that they are computed for, to stand below its comment. */
typedef struct Waiting {
    Emit *e;
    const Program *p;
    const Kernel **kernel; /* in order; NULL: printed */
    bool *needed;
    int count, room, left; /* left: how many are not printed yet */
} Waiting;

static bool waits(Waiting *w, const Kernel *k, int level)
{
    Emit *e = w->e;
    if (!w->p->plain || level == 0 || !comment_is_helper(e, w->p, k))
        return false;
    if (!e->waiting_at)
        e->waiting_at = arena_alloc(e->ngc, (size_t)(e->graph->count + 1) * sizeof *e->waiting_at);
    if (w->left == 0)
        w->count = 0;
    int room = w->room;
    w->kernel = arena_grow(e->ngc, w->kernel, w->count, &w->room, sizeof *w->kernel);
    w->needed = arena_grow(e->ngc, w->needed, w->count, &room, sizeof *w->needed);
    w->needed[w->count] = false;
    w->kernel[w->count++] = k;
    w->left++;
    e->waiting_at[k->store[0].node->id] = w->count;
    return true;
}

static void mark_needed(Waiting *w, const Node *n)
{
    const Node *holder = program_holder(w->p, n);
    int at = holder->id < w->e->graph->count ? w->e->waiting_at[holder->id] : 0;
    if (at)
        w->needed[at - 1] = true;
}

/* Marks what k reads of them. */
static void mark_operands(Waiting *w, const Kernel *k)
{
    for (int i = 0; i < k->vals; i++)
        if (k->val[i]->kind == V_LOAD)
            mark_needed(w, k->val[i]->node);
    for (int i = 0; i < 3; i++)
        if (kernel_operand(w->p, k, i))
            mark_needed(w, kernel_operand(w->p, k, i));
    for (int i = 0; i < k->stores && k->kind != K_LOOP;
         i++) /* what a call or a draw is given as numbers */
        for (int a = 0; a < k->store[i].node->nargs; a++)
            mark_needed(w, k->store[i].node->arg[a]);
}

/* Those that k needs; all of them where k could change what they read, and at the end (k is NULL),
 * when what they are is said. */
static void print_waiting(Body *b, Waiting *w, const Kernel *k, int level, int *line)
{
    bool all = w->left && (!k || writes_var(b->p, k));
    if (w->left == 0)
        return;
    if (!all)
        mark_operands(w, k);
    for (int i = w->count;
         i-- > 0 && !all;) /* they are in order: what one needs stands before it */
        if (w->kernel[i] && w->needed[i])
            mark_operands(w, w->kernel[i]);
    for (int i = 0; i < w->count; i++) {
        const Kernel *helper = w->kernel[i];
        if (!helper || !(all || w->needed[i]))
            continue;
        if (k)
            comment_helper(b->e, &b->text, helper, level);
        else
            comment_kernel(b->e, &b->text, b->p, helper, level, line);
        emit_kernel(b, helper);
        w->e->waiting_at[helper->store[0].node->id] = 0;
        w->kernel[i] = NULL;
        w->left--;
    }
}

/* ---- a part ---- */

/* Where a part's kernels begin; parts come one after another. */
static int first_kernel(const Program *p, int part)
{
    int low = 0, high = p->kernels;
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
    Body b = {.e = e, .p = f->program, .text.ngc = e->ngc, .temps = e->module->temps};
    int line = 0, level = emit_comment_level(e, f);
    Waiting waiting = {.e = e, .p = f->program};
    text_put(&b.text, "", 0);
    for (int i = first_kernel(f->program, part); i < f->program->kernels; i++) {
        const Kernel *k = f->program->kernel[i];
        if (k->part != part)
            break;
        if (!function_has(f, k))
            continue;
        if (waits(&waiting, k, level))
            continue;
        if (f->shared)
            share_kernel(&b, k);
        comment_kernel(e, &b.text, f->program, k, level, &line);
        print_waiting(&b, &waiting, k, level, &line);
        emit_kernel(&b, k);
    }
    print_waiting(&b, &waiting, NULL, level, &line);
    share_end(&b);
    if (b.dims)
        b.blocks |= USES_INPUTS;
    return b;
}
