/* dump_program.c - a program as text, a kernel a line, and the check of what every kernel relies
 * on. */
#include "program.h"

static const char *place_name(const Program *p, const Node *n)
{
    const Place *at = program_place(p, n);
    const char *kind[] = {
        [P_NONE] = "inline", [P_VAR] = "var",      [P_DATA] = "data",  [P_SPACE] = "space",
        [P_LOCAL] = "local", [P_MEMBER] = "work",  [P_GRAD] = "grads", [P_ALIAS] = "alias",
        [P_ROW] = "row",     [P_FOLDED] = "folded"};
    if (at->kind == P_VAR)
        return text_format(p->ngc, "var %s", at->var->name);
    if (at->kind == P_MEMBER && p->block[0] == 't')
        return text_format(p->ngc, "totals.%s", at->name);
    if (at->kind == P_MEMBER || at->kind == P_GRAD)
        return text_format(p->ngc, "%s.%s", kind[at->kind], at->name);
    if (at->kind == P_SPACE && at->offset >= 0)
        return text_format(p->ngc, "space+%lld", (long long)at->offset);
    return kind[at->kind];
}

static void dump_stores(const Program *p, const Kernel *k, FILE *out)
{
    for (int i = 0; i < k->stores; i++) {
        const Node *n = k->store[i].node;
        fprintf(out, "%s %%%d = %s -> %s", i ? "," : ":", n->id, node_text(p->graph, n, 3),
                k->store[i].target && k->store[i].target->place.kind == P_VAR
                    ? k->store[i].target->place.var->name
                    : place_name(p, n));
    }
    fprintf(out, "\n");
}

static void dump_axes(const Program *p, const Kernel *k, int from, FILE *out)
{
    for (int i = from; i < k->axes; i++)
        fprintf(out, " %s%s", k->axis[i] == AX_REDUCE ? "sum over " : "",
                size_text(p->graph, k->extent[i], ""));
}

static void dump_kernel(const Program *p, const Kernel *k, FILE *out)
{
    static const char *const kind[] = {
        [K_LOOP] = "loop", [K_GEMM] = "gemm", [K_RANDOM] = "random", [K_CALL] = "call"};
    if (k->waits)
        fprintf(out, "  the threads meet\n");
    fprintf(out, "  %s%s", k->split ? "shared " : "", k->member ? "rows" : kind[k->kind]);
    dump_axes(p, k, 0, out);
    if (!k->member) {
        dump_stores(p, k, out);
        return;
    }
    fprintf(out, "\n");
    for (int m = 0; m < k->members; m++) {
        fprintf(out, "    %s", k->member[m]->axis[0] == AX_REDUCE ? "add up" : "each");
        dump_axes(p, k->member[m], k->axes, out);
        dump_stores(p, k->member[m], out);
    }
}

void program_dump(const Program *p, FILE *out)
{
    fprintf(out, "program %s: %d kernels, %lld elements of space\n", p->name, p->kernels,
            (long long)p->space);
    for (int i = 0; i < p->kernels; i++)
        dump_kernel(p, p->kernel[i], out);
}
