/* broken.c - passes that are wrong on purpose. The suites random, emit and fuzz link their drivers
 * with it a second time, by the linker's --wrap, and must then find fault; BROKEN in the
 * environment says with which pass. So no suite can come to run another list of passes than the
 * compiler's without being noticed. The first line of tests/broken.sh names the passes. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

void __real_model_simplify(Model *);
void __wrap_model_simplify(Model *);
void __real_modes_layout(Modes *);
void __wrap_modes_layout(Modes *);
void __real_program_rows(Program *);
void __wrap_program_rows(Program *);
void __real_program_collapse(Program *);
void __wrap_program_collapse(Program *);
void __real_program_parts(Program *);
void __wrap_program_parts(Program *);
void __real_program_plan(Program *);
void __wrap_program_plan(Program *);

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

void __wrap_model_simplify(Model *m)
{
    __real_model_simplify(m);
    for (int i = 0; i < m->roots && is_broken("simplify"); i++)
        m->root[i].node = spoilt(m->graph, m->root[i].node);
}

void __wrap_modes_layout(Modes *modes)
{
    __real_modes_layout(modes);
    for (int i = 0; i < modes->model->roots && is_broken("layout"); i++)
        modes->learn[i] = spoilt(modes->model->graph, modes->learn[i]);
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
