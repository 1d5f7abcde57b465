/* passes.c - the list of passes: what is done to a model after its text was read, in order, and
 * what runs it.
 *
 * The driver and all tests run this list. A pass that is added here, or broken, is seen by all of
 * them. A row has the pass's name (--without=NAME), its letter (-d LETTER prints what it leaves),
 * its function, and the facts that it requires, gives and breaks. It keeps all other facts. A pass
 * that runs before what it requires ends ngc, and so does, with --verify, one that gives or keeps
 * a fact that is not true.
 */
#include "program/program.h"

#include <string.h>

static void close_graph(Model *m);

const PassInfo pass_table[PASS_COUNT] = {
    /* on the graph, once; of lower() nothing is left to do */
    [PASS_LOWER] = {"lower", 'l', .needed = true, .plain = true},
    [PASS_CLOSE] = {"close", .needed = true, .plain = true, .gives = FACT_CLOSED,
                    .model = close_graph},
    [PASS_STABLE] = {"stable", 'e', .plain = true, .requires = FACT_CLOSED, .model = model_stable},
    [PASS_SIMPLIFY] = {"simplify", 's', .plain = true, .requires = FACT_CLOSED,
                       .model = model_simplify},
    [PASS_LOOPS] = {"loops", 'x', .requires = FACT_CLOSED, .model = model_tidy_loops},
    [PASS_CROP] = {"crop", 'i', .requires = FACT_CLOSED, .model = model_crop},
    [PASS_JOIN] = {"join", 'j', .requires = FACT_CLOSED, .model = model_join},
    [PASS_GATES] = {"gates", 'g', .requires = FACT_CLOSED, .model = model_gates},

    /* on the roots of both modes, before programs are made of them */
    [PASS_TRAINING] = {"training", 't', .needed = true, .plain = true, .requires = FACT_CLOSED,
                       .gives = FACT_MODES, .modes = modes_training},
    [PASS_CARRY] = {"carry", .needed = true, .plain = true, .requires = FACT_MODES,
                    .gives = FACT_CARRIED, .modes = modes_carry},
    [PASS_RANKS] = {"ranks", 'k', .needed = true, .plain = true, .requires = FACT_MODES,
                    .modes = modes_ranks},
    [PASS_LAYOUT] = {"layout", 'o',
                     .requires = FACT_MODES | FACT_CARRIED, /* it rewrites what is carried too */
                     .modes = modes_layout},
    [PASS_SPARSE] = {"sparse", 'a', .requires = FACT_MODES, .modes = modes_sparse},

    /* on the program of each function; what has no function is a step of fuse */
    [PASS_FOLD] = {"fold"},
    [PASS_ZEROS] = {"zeros"},
    [PASS_MERGE] = {"merge"},
    [PASS_DROP] = {"drop", .plain = true},
    [PASS_FUSE] = {"fuse", 'u', .needed = true, .plain = true, .requires = FACT_MODES,
                   .gives = FACT_KERNELS, .program = program_fuse},
    [PASS_ROWS] = {"rows", 'r', .requires = FACT_KERNELS,
                   .breaks = FACT_LEVELS | FACT_PARTS | FACT_PLACES | FACT_LANES,
                   .program = program_rows},
    [PASS_COLLAPSE] = {"collapse", 'c', .requires = FACT_KERNELS,
                       .breaks = FACT_LEVELS | FACT_LANES, .program = program_collapse},
    [PASS_FINISH] = {"finish", 'n', .needed = true, .plain = true, .requires = FACT_KERNELS,
                     .gives = FACT_LEVELS, .breaks = FACT_LANES, .program = program_finish},
    [PASS_RECOMPUTE] = {"recompute", 'm', .needed = true, .requires = FACT_KERNELS | FACT_LEVELS,
                        .breaks = FACT_PARTS | FACT_PLACES | FACT_LANES,
                        .program = program_recompute},
    [PASS_PARTS] = {"parts", 'f', .needed = true, .plain = true, .requires = FACT_KERNELS,
                    .gives = FACT_PARTS, .program = program_parts},
    [PASS_TRIANGLES] = {"triangles", .requires = FACT_KERNELS, .program = program_triangles},
    [PASS_SHARE] = {"share", 'h', .requires = FACT_LEVELS | FACT_PARTS,
                    .breaks = FACT_PLACES, /* blocks of sums need memory of their own */
                    .program = program_share},
    [PASS_PLAN] = {"plan", 'p', .needed = true, .plain = true, .requires = FACT_PARTS,
                   .gives = FACT_PLACES, .program = program_plan},
    [PASS_WAITS] = {"waits", 'w', .needed = true, .requires = FACT_PLACES,
                    .program = program_waits},
    [PASS_VECTORS] = {"vectors", 'v', .requires = FACT_LEVELS | FACT_PLACES, .gives = FACT_LANES,
                      .breaks = FACT_LEVELS, /* a value that is computed late has no uses */
                      .program = program_vectors},
};

/* those that are not needed, for the table of options; tests/pass compares */
const char pass_words[] =
    "stable simplify loops crop join gates layout sparse fold zeros merge drop rows collapse triangles share vectors";

/* ---- asking the table ---- */

int pass_find(const char *name)
{
    for (int i = 0; i < PASS_COUNT; i++)
        if (!pass_table[i].needed && same_text(pass_table[i].name, name))
            return i;
    return -1;
}

const char *pass_letters(Ngc *ngc)
{
    Text t = {.ngc = ngc};

    for (int i = 0; i < PASS_COUNT; i++)
        if (pass_table[i].letter)
            text_add(&t, "%c", pass_table[i].letter);
    return t.at;
}

static bool is_printed(const Ngc *ngc, const PassInfo *pass)
{
    return ngc->opt.dump && pass->letter && strchr(ngc->opt.dump, pass->letter);
}

/* ---- facts ---- */

/* The facts after a pass; before it those must hold that it requires. */
static unsigned facts_after(const PassInfo *pass, unsigned facts)
{
    unsigned missing = pass->requires & ~facts;

    if (missing)
        ngc_bug("pass %s runs before what it requires (facts %x)", pass->name, missing);
    return (facts & ~pass->breaks) | pass->gives;
}

/* Does a root need `training`, which has a number in each mode? */
static bool needs_training(const Model *m, Node *const *root)
{
    return m->training && graph_uses(m->graph, root, m->roots)[m->training->id] > 0;
}

static void verify_model(const Model *m)
{
    graph_verify(m->graph);
    if (m->facts & FACT_CLOSED && !m->graph->final)
        ngc_bug("names still keep values of the graph apart");
}

/* Every root is of the shape and type that the text gives it. */
static void verify_roots(const Model *m, Node *const *root)
{
    for (int i = 0; i < m->roots; i++) {
        const Node *was = m->root[i].node;
        const Node *is = root[i];
        if (is->type != was->type || !shape_equal(is->shape, was->shape))
            ngc_bug("%s is %s after a pass, and was %s", m->root[i].name,
                    shape_text(m->graph, is->shape), shape_text(m->graph, was->shape));
    }
}

static void verify_modes(const Modes *modes)
{
    const Model *m = modes->model;

    verify_model(m);
    if (!(m->facts & FACT_MODES))
        return;
    verify_roots(m, modes->use);
    verify_roots(m, modes->learn);
    if (modes->step)
        verify_roots(m, modes->step);
    if (needs_training(m, modes->use) || needs_training(m, modes->learn))
        ngc_bug("a root still needs `training`");
}

/* ---- the order ---- */

static unsigned facts_of_next(const PassInfo *pass, unsigned facts)
{
    return (facts & ~pass->breaks) | pass->gives;
}

/* One try: each time one of the passes whose facts hold, by chance. False: none is left that can
 * run, or at the end other facts hold. */
static bool draw_order(int *pass, int count, unsigned facts, unsigned wanted, uint64_t *seed)
{
    for (int i = 0; i < count; i++) {
        int ready[PASS_COUNT], n = 0;
        for (int k = i; k < count; k++)
            if (!(pass_table[pass[k]].requires & ~facts))
                ready[n++] = k;
        if (n == 0)
            return false;

        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        int k = ready[(*seed >> 33) % (unsigned)n];
        int taken = pass[k];
        memmove(pass + i + 1, pass + i, (size_t)(k - i) * sizeof *pass);
        pass[i] = taken;
        facts = facts_of_next(&pass_table[taken], facts);
    }
    return facts == wanted;
}

/* For tests, passes that run are put into another order that their facts allow. */
static void reorder(const Ngc *ngc, int *pass, int count, unsigned facts)
{
    int order[PASS_COUNT];
    unsigned wanted = facts;
    uint64_t seed = (uint64_t)ngc->opt.reorder;

    for (int i = 0; i < count; i++)
        wanted = facts_of_next(&pass_table[pass[i]], wanted);
    for (int tries = 0; ngc->opt.reorder && tries < 100; tries++) {
        memcpy(order, pass, sizeof order);
        if (!draw_order(order, count, facts, wanted, &seed))
            continue;
        memcpy(pass, order, sizeof order);
        return;
    }
}

/* ---- running it ---- */

/* No gradient can be asked any more: names no longer keep values apart, and the derivatives that
 * the user gives have done their work. */
static void close_graph(Model *m)
{
    Graph *g = m->graph;
    int roots;
    Node **root = model_take_roots(m, &roots);

    g->final = true;
    for (int i = 0; i < m->roots; i++)
        m->root[i].written = m->root[i].node;
    for (int i = 0; i < g->count; i++)
        if (g->node[i]->op == OP_training)
            m->training = g->node[i];

    graph_drop_given(g, root, roots);
    model_put_roots(m, root);
}

void model_run_passes(Model *m)
{
    Ngc *ngc = m->graph->ngc;

    int order[PASS_COUNT], count = 0;

    for (int i = PASS_LOWER; i < PASS_TRAINING; i++)
        order[count++] = i;
    reorder(ngc, order, count, m->facts);
    for (int i = 0; i < count; i++) {
        const PassInfo *pass = &pass_table[order[i]];
        bool left_out = !pass_runs(ngc, (Pass)order[i]) || (ngc->opt.literal && !pass->needed) ||
                        (ngc->opt.optimize == 0 && !pass->plain);

        if (!left_out && pass->model) {
            m->facts = facts_after(pass, m->facts);
            pass->model(m);
        }
        if (ngc->opt.verify)
            verify_model(m);
        if (is_printed(ngc, pass))
            model_dump(m, stderr);
    }
    verify_model(m);
}

static void dump_mode(const Modes *modes, const char *name, Node *const *root)
{
    const Model *m = modes->model;

    fprintf(stderr, "# %s\n", name);
    for (int i = 0; i < m->roots; i++)
        fprintf(stderr, "# %s = %%%d\n", m->root[i].name, root[i]->id);
    graph_dump(m->graph, root, m->roots, stderr);
}

Modes model_modes(Model *m)
{
    Ngc *ngc = m->graph->ngc;
    Modes modes = {.model = m};
    int order[PASS_COUNT], count = 0;

    for (int i = 0; i < PASS_COUNT; i++)
        if (pass_table[i].modes)
            order[count++] = i;
    reorder(ngc, order, count, m->facts);
    for (int i = 0; i < count; i++) {
        const PassInfo *pass = &pass_table[order[i]];
        bool left_out = !pass_runs(ngc, (Pass)order[i]) || (ngc->opt.optimize == 0 && !pass->plain);

        if (!left_out) {
            m->facts = facts_after(pass, m->facts);
            pass->modes(&modes);
        }
        if (ngc->opt.verify)
            verify_modes(&modes);
        if (is_printed(ngc, pass)) {
            dump_mode(&modes, "predict, eval", modes.use);
            dump_mode(&modes, "forward, backward, update, step", modes.learn);
            if (modes.step)
                dump_mode(&modes, "step", modes.step);
        }
    }
    return modes;
}

static void run_on_program(Program *p)
{
    Ngc *ngc = p->ngc;
    int order[PASS_COUNT], count = 0;

    for (int i = 0; i < PASS_COUNT; i++)
        if (pass_table[i].program)
            order[count++] = i;
    reorder(ngc, order, count, p->facts);
    for (int i = 0; i < count; i++) {
        const PassInfo *pass = &pass_table[order[i]];
        bool left_out = !pass_runs(ngc, (Pass)order[i]) || (p->plain && !pass->plain);

        if (!left_out) {
            p->facts = facts_after(pass, p->facts);
            pass->program(p);
        }
        if (ngc->opt.verify || order[i] == PASS_PARTS)
            program_verify(p);
        if (is_printed(ngc, pass))
            program_dump(p, stderr);
    }
}

Program *program_build_within(Ngc *ngc, Model *model, const char *name, Target *target, int targets,
                              int64_t room)
{
    Program *p = program_new(ngc, model, name, target, targets, NULL, 0, false);

    p->room = room;
    run_on_program(p);
    return p;
}

Program *program_build(Ngc *ngc, Model *model, const char *name, Target *target, int targets,
                       const Target *given, int givens, bool plain)
{
    Program *p = program_new(ngc, model, name, target, targets, given, givens, plain);

    run_on_program(p);
    return p;
}
