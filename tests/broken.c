/* broken.c - passes that are wrong on purpose. The suites random, emit and fuzz link their drivers
 * with it a second time, by the linker's --wrap, and must then find fault; BROKEN in the
 * environment says with which pass. So no suite can come to run another list of passes than the
 * compiler's without being noticed. The first line of tests/broken.sh names the passes.
 *
 * Of the passes of compiler/program/passes.c there are all but lower and close, whose result is
 * what all others are compared with, and share, waits and vectors: these change what threads and
 * wide registers do, which only the suites pool and emit look at.
 */
#include "program/program.h"

#include <stdlib.h>
#include <string.h>

/* The compiler's pass, and the one that is called in its place. */
#define PASS(function, type)        \
    void __real_##function(type *); \
    void __wrap_##function(type *)

PASS(model_stable, Model);
PASS(model_simplify, Model);
PASS(modes_training, Modes);
PASS(modes_carry, Modes);
PASS(modes_layout, Modes);
PASS(modes_sparse, Modes);
PASS(program_fuse, Program);
PASS(program_order, Program);
PASS(program_rows, Program);
PASS(program_collapse, Program);
PASS(program_finish, Program);
PASS(program_parts, Program);
PASS(program_plan, Program);

static bool is_broken(const char *pass)
{
    const char *name = getenv("BROKEN");
    return name && strcmp(name, pass) == 0;
}

/* Another value: the node, half as large again. */
static Node *spoilt(Graph *g, Node *n)
{
    if (n->type != T_FLOAT)
        return n;
    return graph_binary(g, OP_mul, n, graph_full(g, n->shape, 1.5));
}

static void spoil_model(Model *m)
{
    for (int i = 0; i < m->roots; i++)
        m->root[i].node = spoilt(m->graph, m->root[i].node);
}

static void spoil_modes(Modes *modes)
{
    for (int i = 0; i < modes->model->roots; i++) {
        modes->learn[i] = spoilt(modes->model->graph, modes->learn[i]);
        if (modes->step)
            modes->step[i] = spoilt(modes->model->graph, modes->step[i]);
    }
}

void __wrap_model_stable(Model *m)
{
    __real_model_stable(m);
    if (is_broken("stable"))
        spoil_model(m);
}

void __wrap_model_simplify(Model *m)
{
    __real_model_simplify(m);
    if (is_broken("simplify"))
        spoil_model(m);
}

void __wrap_modes_training(Modes *modes)
{
    __real_modes_training(modes);
    if (is_broken("training"))
        spoil_modes(modes);
}

void __wrap_modes_carry(Modes *modes)
{
    __real_modes_carry(modes);
    if (is_broken("carry"))
        spoil_modes(modes);
}

void __wrap_modes_layout(Modes *modes)
{
    __real_modes_layout(modes);
    if (is_broken("layout"))
        spoil_modes(modes);
}

void __wrap_modes_sparse(Modes *modes)
{
    __real_modes_sparse(modes);
    if (is_broken("sparse"))
        spoil_modes(modes);
}

/* A value that is read is not computed. */
void __wrap_program_fuse(Program *p)
{
    __real_program_fuse(p);
    if (is_broken("fuse") && p->kernels > 0) {
        p->kernel++;
        p->kernels--;
    }
}

static void move_kernel(Program *p, int from, int to)
{
    Kernel *k = p->kernel[from];
    int step = from < to ? 1 : -1;

    for (int i = from; i != to; i += step)
        p->kernel[i] = p->kernel[i + step];
    p->kernel[to] = k;
}

static bool stores_op(const Kernel *k, Op op)
{
    return k->stores > 0 && k->store[0].node->op == op && !k->store[0].target;
}

static bool reads(const Program *p, const Kernel *k, const Node *n)
{
    for (int v = 0; v < k->vals; v++)
        if (k->val[v]->kind == V_LOAD && k->val[v]->node == n)
            return true;
    for (int v = 0; v < 3; v++)
        if (kernel_operand(p, k, v) == n)
            return true;
    return false;
}

/* A kernel before number i in its pass that reads the variable that i updates, for others than i;
 * -1: there is none. */
static int other_reader(const Program *p, int i)
{
    const Kernel *update = p->kernel[i];

    for (int j = i - 1; j > program_loop(p, update->loop)->begin; j--) {
        const Kernel *k = p->kernel[j];
        if (k->loop == update->loop && reads(p, k, update->store[0].node) &&
            !(k->stores > 0 && reads(p, update, k->store[0].node)))
            return j;
    }
    return -1;
}

/* Faults of one kernel of a loop: it reads a variable that has its next value (update); sums do not
 * begin with 0 (zero); the last kernel of a pass comes after the loop (escape). */
static bool break_order(Program *p, int i)
{
    Kernel *k = p->kernel[i];

    if (is_broken("update") && stores_op(k, OP_carried) && k->loop == k->store[0].node->attr.loop) {
        int reader = other_reader(p, i);
        if (reader >= 0)
            move_kernel(p, reader, i);
        return reader >= 0;
    }
    if (is_broken("zero") && stores_op(k, OP_collect) && k->loop != k->store[0].node->attr.loop) {
        move_kernel(p, i, --p->kernels);
        return true;
    }
    if (is_broken("escape") && k->kind == K_NEXT && p->kernel[i - 1]->kind != K_NEXT) {
        p->kernel[i - 1]->loop = program_loop(p, k->loop)->outer;
        move_kernel(p, i - 1, i);
        return true;
    }
    return false;
}

/* One of each loop's kernels may be read by none, so all loops have the fault. */
void __wrap_program_order(Program *p)
{
    __real_program_order(p);
    for (int i = 0; i < p->kernels; i++)
        if (break_order(p, i))
            program_positions(p);
}

/* Kernels from the last to the first: what is read is not there yet. */
void __wrap_program_rows(Program *p)
{
    __real_program_rows(p);
    for (int i = 0, k = p->kernels - 1; i < k && is_broken("rows"); i++, k--) {
        Kernel *first = p->kernel[i];
        p->kernel[i] = p->kernel[k];
        p->kernel[k] = first;
    }
}

/* Loops that end too early. */
void __wrap_program_collapse(Program *p)
{
    __real_program_collapse(p);
    for (int i = 0; i < p->kernels && is_broken("collapse"); i++)
        if (p->kernel[i]->axes > 0 && p->kernel[i]->extent[0] > 1)
            p->kernel[i]->extent[0]--;
}

/* Every value is computed outside of all loops. */
void __wrap_program_finish(Program *p)
{
    __real_program_finish(p);
    for (int i = 0; i < p->kernels && is_broken("finish"); i++)
        for (int v = 0; v < p->kernel[i]->vals; v++)
            p->kernel[i]->val[v]->level = 0;
}

/* The last kernel is lost. */
void __wrap_program_parts(Program *p)
{
    __real_program_parts(p);
    if (is_broken("parts") && p->kernels > 0)
        p->kernels--;
}

/* All values at one place. */
void __wrap_program_plan(Program *p)
{
    __real_program_plan(p);
    for (int i = 0; i < p->nodes && is_broken("plan"); i++)
        if (p->place[i].kind == P_SPACE)
            p->place[i].offset = 0;
}
