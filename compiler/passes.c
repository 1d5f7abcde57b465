/* passes.c - the list of passes: what is done to a model after its text was read, in order, and
 * what runs it.
 *
 * The driver and all tests run this list. A pass that is added here, or broken, is seen by all of
 * them. A row says of a pass its name (--without=NAME), its letter (-d LETTER prints what it
 * leaves) and its function.
 */
#include "program.h"

#include <string.h>

static void close_graph(Model *m);

const PassInfo pass_table[PASS_COUNT] = {
    /* on the graph, once */
    [PASS_LOWER] = {"lower", 'l', .needed = true,
                    .plain = true}, /* lower() has run: nothing is left to do */
    [PASS_CLOSE] = {"close", 0, .needed = true, .plain = true, .model = close_graph},
    [PASS_SIMPLIFY] = {"simplify", 's', .plain = true, .model = model_simplify},

    /* on the roots of both modes, before programs are made of them */
    [PASS_TRAINING] = {"training", 't', .needed = true, .plain = true, .modes = modes_training},
    [PASS_CARRY] = {"carry", 0, .needed = true, .plain = true, .modes = modes_carry},
    [PASS_LAYOUT] = {"layout", 'o', .modes = modes_layout},

    /* on the program of each function; what has no function is a step of fuse */
    [PASS_FOLD] = {"fold", 0},
    [PASS_ZEROS] = {"zeros", 0},
    [PASS_MERGE] = {"merge", 0},
    [PASS_DROP] = {"drop", 0, .plain = true},
    [PASS_FUSE] = {"fuse", 'u', .needed = true, .plain = true, .program = program_fuse},
    [PASS_ROWS] = {"rows", 'r', .program = program_rows},
    [PASS_COLLAPSE] = {"collapse", 'c', .program = program_collapse},
    [PASS_FINISH] = {"finish", 'n', .needed = true, .plain = true, .program = program_finish},
    [PASS_PARTS] = {"parts", 'f', .needed = true, .plain = true, .program = program_parts},
    [PASS_SHARE] = {"share", 'h', .program = program_share},
    [PASS_PLAN] = {"plan", 'p', .needed = true, .plain = true, .program = program_plan},
    [PASS_WAITS] = {"waits", 'w', .needed = true, .program = program_waits},
    [PASS_VECTORS] = {"vectors", 'v', .program = program_vectors},
};

/* those that are not needed, for the table of options; tests/pass compares */
const char pass_words[] = "simplify layout fold zeros merge drop rows collapse share vectors";

/* ---- asking the table ---- */

int pass_find(const char *name)
{
    for (int i = 0; i < PASS_COUNT; i++)
        if (!pass_table[i].needed && strcmp(pass_table[i].name, name) == 0)
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

/* ---- running it ---- */

/* No gradient can be asked any more: names no longer keep values apart. */
static void close_graph(Model *m)
{
    m->graph->final = true;
    for (int i = 0; i < m->roots; i++)
        m->root[i].written = m->root[i].node;
    for (int i = 0; i < m->graph->count; i++)
        if (m->graph->node[i]->op == OP_training)
            m->training = m->graph->node[i];
}

void model_run_passes(Model *m)
{
    Ngc *ngc = m->graph->ngc;

    for (int i = PASS_LOWER; i < PASS_TRAINING; i++) {
        const PassInfo *pass = &pass_table[i];
        bool left_out = !pass_runs(ngc, (Pass)i) || (ngc->opt.literal && !pass->needed);
        if (!left_out && pass->model)
            pass->model(m);
        if (ngc->opt.verify)
            graph_verify(m->graph);
        if (is_printed(ngc, pass))
            model_dump(m, stderr);
    }
    graph_verify(m->graph);
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

    for (int i = 0; i < PASS_COUNT; i++) {
        const PassInfo *pass = &pass_table[i];
        bool left_out = !pass_runs(ngc, (Pass)i) || (ngc->opt.optimize == 0 && !pass->plain);
        if (!pass->modes)
            continue;
        if (!left_out)
            pass->modes(&modes);
        if (ngc->opt.verify)
            graph_verify(m->graph);
        if (is_printed(ngc, pass)) {
            dump_mode(&modes, "predict, eval", modes.use);
            dump_mode(&modes, "forward, backward, update, step", modes.learn);
        }
    }
    return modes;
}

static void run_on_program(Program *p)
{
    for (int i = 0; i < PASS_COUNT; i++) {
        const PassInfo *pass = &pass_table[i];
        bool left_out = !pass_runs(p->ngc, (Pass)i) || (p->plain && !pass->plain);
        if (!pass->program)
            continue;
        if (!left_out)
            pass->program(p);
        if (p->ngc->opt.verify || i == PASS_PARTS)
            program_verify(p);
        if (is_printed(p->ngc, pass))
            program_dump(p, stderr);
    }
}

Program *program_build(Ngc *ngc, Model *model, const char *name, Target *target, int targets,
                       const Target *given, int givens, bool plain)
{
    Program *p = program_new(ngc, model, name, target, targets, given, givens, plain);

    run_on_program(p);
    return p;
}
