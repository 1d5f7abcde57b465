/* dump_program.c - a program as text, one kernel a line (ngc -d f). */
#include "program/program.h"

static const char *place_name(const Program *p, const Place *at)
{
    Ngc *ngc = p->ngc;
    static const char *const kind[] = {
        [P_NONE] = "inline", [P_VAR] = "var",      [P_DATA] = "data",  [P_SPACE] = "space",
        [P_LOCAL] = "local", [P_MEMBER] = "work",  [P_GRAD] = "grads", [P_ALIAS] = "alias",
        [P_ROW] = "row",     [P_FOLDED] = "folded"};
    bool totals = p->block[0] == 't';

    switch (at->kind) {
    case P_VAR: return text_format(ngc, "var %s", at->var->name);
    case P_GRAD: return text_format(ngc, "grads.%s", at->name);
    case P_MEMBER: return text_format(ngc, totals ? "totals.%s" : "work.%s", at->name);
    case P_SPACE:
        if (at->offset >= 0)
            return text_format(ngc, "space+%lld", (long long)at->offset);
        return kind[P_SPACE]; /* before program_plan */
    default: return kind[at->kind];
    }
}

static void dump_store(const Program *p, const Store *s, FILE *out)
{
    const Node *n = s->node;
    const char *place = place_name(p, program_place(p, n));

    if (s->target && s->target->place.kind == P_VAR)
        place = s->target->place.var->name;
    fprintf(out, " %%%d = %s -> %s", n->id, node_text(p->graph, n, 3), place);
}

static void dump_stores(const Program *p, const Kernel *k, FILE *out)
{
    for (int i = 0; i < k->stores; i++) {
        fprintf(out, "%s", i ? "," : ":");
        dump_store(p, &k->store[i], out);
    }
    fprintf(out, "\n");
}

static void dump_axes(const Program *p, const Kernel *k, int from, FILE *out)
{
    for (int i = from; i < k->axes; i++) {
        const char *kind = text_if(k->axis[i] == AX_REDUCE, "sum over ");
        fprintf(out, " %s%s", kind, size_text(p->graph, k->extent[i], ""));
    }
}

static void dump_members(const Program *p, const Kernel *k, FILE *out)
{
    for (int m = 0; m < k->members; m++) {
        const Kernel *member = k->member[m];
        fprintf(out, "    %s", member->axis[0] == AX_REDUCE ? "add up" : "each");
        dump_axes(p, member, k->axes, out);
        dump_stores(p, member, out);
    }
}

static void dump_kernel(const Program *p, const Kernel *k, FILE *out)
{
    static const char *const kind[] = {
        [K_LOOP] = "loop", [K_GEMM] = "gemm", [K_RANDOM] = "random", [K_CALL] = "call",
        [K_FOR] = "for",   [K_TEST] = "test", [K_NEXT] = "next"};

    if (k->waits)
        fprintf(out, "  barrier\n");
    fprintf(out, "  %s%s%s%s", text_if(k->again, "again "), text_if(k->split, "shared "),
            text_if(k->blocked, "blocked "), k->member ? "rows" : kind[k->kind]);
    dump_axes(p, k, 0, out);

    if (k->member) {
        fprintf(out, "\n");
        dump_members(p, k, out);
    } else {
        dump_stores(p, k, out);
    }
}

void program_dump(const Program *p, FILE *out)
{
    fprintf(out, "program %s: %d kernels, %lld elements of space\n", p->name, p->kernels,
            (long long)p->space);
    for (int i = 0; i < p->kernels; i++)
        dump_kernel(p, p->kernel[i], out);
}
