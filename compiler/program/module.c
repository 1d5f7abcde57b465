/* module.c - builds the module of a model: which functions there are, which roots each delivers,
 * which blocks of memory each takes.
 *
 * In: a model whose passes have run. Out: a Module whose programs are planned. Nothing is printed.
 */
#include "program/module.h"

bool function_has(const Function *f, const Kernel *k)
{
    return f->phase < 0 || k->phase == f->phase;
}

bool module_has_root(const Module *m, RootKind kind)
{
    for (int i = 0; i < m->model->roots; i++)
        if (m->model->root[i].kind == kind)
            return true;
    return false;
}

bool module_has_var(const Module *m, VarKind kind)
{
    for (int i = 0; i < m->model->vars; i++)
        if (m->model->var[i]->kind == kind)
            return true;
    return kind == VAR_INPUT && m->graph->dims > 0;
}

/* ---- blocks ---- */

const BlockInfo block_info[BLOCK_COUNT + 1] = {
    [BLOCK_PARAMS] = {USES_PARAMS, "params", "params"},
    [BLOCK_STATE] = {USES_STATE, "state", "state"},
    [BLOCK_INPUTS] = {USES_INPUTS, "inputs", "in"},
    [BLOCK_WORK] = {USES_WORK, "work", "w"},
    [BLOCK_GRADS] = {USES_GRADS, "grads", "grads"},
    [BLOCK_TOTALS] = {USES_TOTALS, "totals", "t"},
    [BLOCK_FROZEN] = {0, "frozen", "frozen"},
};

const Block block_of_var[] = {
    [VAR_INPUT] = BLOCK_INPUTS,
    [VAR_PARAM] = BLOCK_PARAMS,
    [VAR_STATE] = BLOCK_STATE,
    [VAR_FROZEN] = BLOCK_FROZEN,
};

bool module_has_block(const Module *m, Block block)
{
    switch (block) {
    case BLOCK_PARAMS: return module_has_var(m, VAR_PARAM);
    case BLOCK_STATE: return module_has_var(m, VAR_STATE);
    case BLOCK_INPUTS: return module_has_var(m, VAR_INPUT);
    case BLOCK_GRADS: return module_has_root(m, ROOT_GRAD);
    case BLOCK_TOTALS: return m->metrics != NULL;
    case BLOCK_WORK:
    case BLOCK_COUNT: break;
    }
    return true;
}

/* ---- programs: which roots each function delivers ---- */

/* Sets of RootKind. */
enum {
    LOSS = 1 << ROOT_LOSS,
    OUTPUT = 1 << ROOT_OUTPUT,
    METRIC = 1 << ROOT_METRIC,
    GRAD = 1 << ROOT_GRAD,
    UPDATE = 1 << ROOT_UPDATE,
    NAMED = 1 << ROOT_NAMED,
};

typedef struct Selection { /* of roots, for one program */
    unsigned kinds;        /* bits of RootKind */
    int group;             /* of updates and losses; -1: all */
    bool phases;           /* gradients belong to phase 1 */
    bool metrics;          /* and what metrics_add takes from a batch */
} Selection;

static bool selects(const Selection *s, RootKind kind)
{
    return s->kinds >> kind & 1;
}

/* By node id: is it needed by what is selected? Where there are two phases, by the first. */
static int *selected_uses(const Module *m, Node *const *node, const Selection *s)
{
    Node **root = arena_array(m->ngc, m->model->roots + 1, sizeof *root);
    int n = 0;

    for (int i = 0; i < m->model->roots; i++) {
        RootKind kind = m->model->root[i].kind;
        /* gradients: a named value that only they need is not computed in forward */
        bool second = s->phases && kind != ROOT_LOSS;
        if (kind != ROOT_NAMED && selects(s, kind) && !second)
            root[n++] = node[i];
    }
    return graph_uses(m->graph, root, n);
}

/* A value in another order of axes is computed where its own is. */
static bool is_used(const int *uses, const Node *n)
{
    return uses[n->id] > 0 || (n->op == OP_permute && uses[arg_id(n, 0)] > 0);
}

/* A named value comes along where it is computed anyway; at -O0 also where only the text, not the
 * simplified graph, computes the loss from it. */
static bool takes_named(const Module *m, const Root *r, const Node *n, const Selection *s,
                        const int *uses)
{
    if (!module_keeps(m, r))
        return false;
    if (selects(s, ROOT_METRIC) || is_used(uses, n))
        return true;
    return m->plain && r->of_loss && selects(s, ROOT_LOSS);
}

static bool is_selected(const Module *m, const Root *r, const Node *n, const Selection *s,
                        const int *uses)
{
    if (!selects(s, r->kind))
        return false;
    if (r->kind == ROOT_NAMED)
        return takes_named(m, r, n, s, uses);
    if (r->kind == ROOT_UPDATE && r->group < 0) /* of no minimize: each step does it */
        return true;
    /* of one minimize, or of all */
    return s->group < 0 || r->group == s->group;
}

/* Two roots that are one member need one target. */
static bool is_again(const Module *m, Table *taken, const Root *r)
{
    return r->kind != ROOT_UPDATE && r->kind != ROOT_GRAD &&
           ++*table_at(m->ngc, taken, r->cname) > 1;
}

/* Has it a forward and a backward? */
static bool is_training(const Selection *s)
{
    return s->kinds & LOSS && s->kinds & (GRAD | UPDATE);
}

/* node: by index of Model.root, with a value in place of `training`. */
static Program *build_program(const Module *m, const char *name, Node *const *node, Selection s,
                              const Target *given, int givens)
{
    const Model *model = m->model;
    int carriers = m->metrics ? m->metrics->carry->carriers : 0;
    Target *t = arena_array(m->ngc, model->roots + carriers + 1, sizeof *t);
    int *uses = selected_uses(m, node, &s);
    Table taken = {0};
    int count = 0;

    for (int i = 0; i < model->roots; i++) {
        const Root *r = &model->root[i];
        if (!is_selected(m, r, node[i], &s, uses) || is_again(m, &taken, r))
            continue;

        t[count++] = (Target){.node = node[i],
                              .place = root_place(r),
                              .phase = s.phases && r->kind == ROOT_GRAD};
    }
    if (s.metrics)
        count += metrics_targets(m, 0, t + count);

    if (is_training(&s) && m->room >= 0)
        return program_fit(m, name, t, count);
    return program_build(m->ngc, m->model, name, t, count, given, givens, m->plain && !given);
}

/* init: the starting values of params and state. */
static Program *build_init(const Module *m)
{
    Graph *g = m->graph;
    Target *t = arena_array(m->ngc, m->model->vars + 1, sizeof *t);
    int count = 0;

    for (int i = 0; i < m->model->vars; i++) {
        Var *v = m->model->var[i];
        if (v->kind == VAR_INPUT || v->kind == VAR_FROZEN)
            continue;

        /* a state without a starting value begins at 0 */
        Node *n = v->init ? v->init : graph_full(g, v->shape, 0);
        n = graph_cast(g, graph_broadcast(g, n, v->shape), v->type);
        t[count++] =
            (Target){.node = n,
                     .place = {.kind = P_VAR, .var = v, .label = v->name, .shape = &v->shape}};
    }
    return program_build(m->ngc, m->model, "init", t, count, NULL, 0, false);
}

/* update: gradients are given, not computed. */
static Program *build_update(const Module *m, Node *const *node)
{
    const Model *model = m->model;
    Target *given = arena_array(m->ngc, model->roots + 1, sizeof *given);
    int givens = 0;

    for (int i = 0; i < model->roots; i++)
        if (model->root[i].kind == ROOT_GRAD)
            given[givens++] = (Target){.node = node[i], .place = root_place(&model->root[i])};

    return build_program(m, "update", node, (Selection){.kinds = UPDATE, .group = -1}, given,
                         givens);
}

/* ---- functions: which blocks they take, what they check ---- */

/* Notes the run-time dims that a size depends on. */
static void note_size(Function *f, const Module *m, Size s)
{
    Graph *g = m->graph;
    /* a negative size is not a number */
    for (int d = 0; s < 0 && d < g->dims; d++)
        f->dims |= (unsigned)size_uses_dim(g, s, d) << d;
    if (m->ngc->opt.ranks && s < 0 && size_uses_dim(g, s, ALL_ROWS)) { /* work knows it */
        f->dims |= 1;
        f->blocks |= USES_WORK;
    }
}

static void note_coef(Function *f, const Module *m, Coef c)
{
    note_size(f, m, c.plus);
    note_size(f, m, c.minus);
}

static void note_index(Function *f, const Module *m, const Index *at)
{
    if (!at)
        return;
    note_coef(f, m, at->base);
    for (int i = 0; i < MAX_AXES; i++)
        note_coef(f, m, at->axis[i]);
    for (int i = 0; i < at->parts; i++)
        note_coef(f, m, at->part[i].by);
}

/* The block that a place is in, as USES_*; 0: in none. */
static unsigned block_of(const Function *f, const Place *place)
{
    switch (place->kind) {
    case P_VAR: return block_info[block_of_var[place->var->kind]].use;
    case P_GRAD: return USES_GRADS;
    case P_MEMBER:
    case P_SPACE: return f->fn == FN_INIT ? 0 : USES_WORK; /* init has space of its own */
    default: return 0;
    }
}

static void note_place(Function *f, const Module *m, const Place *place, const Node *n,
                       bool written)
{
    unsigned use = block_of(f, place);

    if (place->kind == P_VAR)
        f->reads[place->var->index] = true;
    f->blocks |= use;
    if (written)
        f->writes |= use;
    for (int i = 0; i < n->shape.rank; i++)
        note_size(f, m, n->shape.dim[i]);
}

static void note_kernel(Function *f, const Module *m, const Kernel *k)
{
    const Program *p = f->program;

    for (int i = 0; i < k->stores; i++)
        note_place(f, m, store_place(p, &k->store[i]), k->store[i].node, true);
    for (int i = 0; i < k->axes; i++)
        note_size(f, m, k->extent[i]);
    if (k->kind == K_CALL && m->ngc->opt.ranks)
        f->blocks |= USES_WORK;
    if (k->kind == K_FOR)
        note_size(f, m, k->loop->passes);

    for (int i = 0; i < k->vals; i++) {
        const Val *v = k->val[i];
        if (v->kind == V_LOAD)
            note_place(f, m, program_place(p, v->node), v->node, false);
        note_size(f, m, v->size);
        note_size(f, m, v->span);
        note_index(f, m, v->at);
    }

    for (int i = 0; i < 3; i++) {
        const Node *n = kernel_operand(p, k, i);
        if (n)
            note_place(f, m, program_place(p, n), n, false);
    }
}

/* Work has room for the space of each function. */
static void note_space(Module *m, const Program *p)
{
    if (p->space > m->space)
        m->space = p->space;
    if (p->ispace > m->ispace)
        m->ispace = p->ispace;
}

/* The program that checks the indices of a function is a part of it. */
static void note_check(Function *f, Module *m)
{
    Function own = *f;

    own.program = f->check = index_program(m, f->program);
    if (!f->check)
        return;

    /* the check comes before both phases, and needs the blocks of its own loads only */
    own.phase = -1;
    for (int i = 0; i < f->check->kernels; i++)
        note_kernel(&own, m, f->check->kernel[i]);
    f->blocks |= own.blocks;
    f->writes |= own.writes;
    f->dims |= own.dims;
    note_space(m, f->check);
}

/* The blocks that a function takes by its interface, whether it uses them or not. */
static void take_blocks(Function *f, const Module *m)
{
    unsigned params = module_has_var(m, VAR_PARAM) ? USES_PARAMS : 0;
    unsigned state = module_has_var(m, VAR_STATE) ? USES_STATE : 0;
    unsigned inputs = module_has_var(m, VAR_INPUT) ? USES_INPUTS : 0;

    if (f->dims)
        f->blocks |= USES_INPUTS;

    switch (f->fn) {
    case FN_INIT: f->blocks = f->writes = params | state; break;
    case FN_UPDATE: break;
    case FN_BACKWARD:
        f->blocks |= USES_GRADS;
        f->writes |= USES_GRADS;
        /* fall through */
    default: f->blocks |= params | inputs | USES_WORK; f->writes |= USES_WORK;
    }
}

static Function *add_function(Module *m, Fn fn, const char *name, Program *p, int phase)
{
    Function *f = &m->function[m->functions++];

    *f = (Function){.fn = fn, .name = name, .program = p, .phase = phase};
    f->reads = arena_array(m->ngc, m->model->vars + 1, sizeof *f->reads);
    for (int i = 0; i < p->kernels; i++)
        if (function_has(f, p->kernel[i])) {
            note_kernel(f, m, p->kernel[i]);
            f->shared |= p->kernel[i]->split > 0;
        }

    if (fn != FN_INIT && fn != FN_BACKWARD) /* forward has checked the indices of backward */
        note_check(f, m);
    take_blocks(f, m);
    if (fn != FN_INIT)
        note_space(m, p);
    return f;
}

/* ---- which functions there are ---- */

/* predict and eval, and the walks over all rows that are not eval's own. */
static void add_uses(Module *m, Node *const *node)
{
    const Carry *carry = m->metrics ? m->metrics->carry : NULL;
    bool outputs = module_has_root(m, ROOT_OUTPUT);
    bool results = outputs || module_has_root(m, ROOT_LOSS) || module_has_root(m, ROOT_METRIC);

    if (outputs) {
        Selection s = {.kinds = OUTPUT | NAMED, .group = -1};
        Program *p = build_program(m, "predict", node, s, NULL, 0);
        add_function(m, FN_PREDICT, "predict", p, -1);
    }
    if (results && !m->model->constant) {
        Selection s = {.kinds = OUTPUT | LOSS | METRIC | NAMED, .group = -1, .metrics = carry};
        Program *p = build_program(m, "eval", node, s, NULL, 0);
        add_function(m, FN_EVAL, "eval", p, -1);
    }
    for (int walk = 1; carry && walk < carry->walks; walk++) {
        const char *name = text_format(m->ngc, "metrics_walk_%d", walk);
        Program *p = metrics_walk(m, walk);
        add_function(m, FN_EVAL, name, p, -1)->walk = walk;
    }
}

/* step, and one step for each minimize where there are several. */
static void add_steps(Module *m, Node *const *node)
{
    const Model *model = m->model;
    Selection s = {.kinds = LOSS | UPDATE | NAMED, .group = -1};

    add_function(m, FN_STEP, "step", build_program(m, "step", node, s, NULL, 0), -1);
    if (model->groups <= 1)
        return;

    for (int i = 0; i < model->groups; i++) {
        const char *name = text_format(m->ngc, "step_%s", c_name(m->ngc, model->group[i]));
        s.group = i;
        add_function(m, (Fn)(FN_GROUP + i), name, build_program(m, "step", node, s, NULL, 0), -1);
    }
}

/* forward and backward, update, and the steps. */
static void add_training(Module *m, const Modes *modes)
{
    Node *const *node = modes->learn;

    if (module_has_root(m, ROOT_LOSS)) {
        Selection s = {.kinds = LOSS | GRAD | NAMED, .group = -1, .phases = true};
        /* one program for two functions: backward reads what forward has left in work */
        Program *train = build_program(m, "train", node, s, NULL, 0);
        add_function(m, FN_FORWARD, "forward", train, 0);
        if (module_has_root(m, ROOT_GRAD))
            add_function(m, FN_BACKWARD, "backward", train, 1);
    }

    if (!module_has_root(m, ROOT_UPDATE))
        return;

    add_function(m, FN_UPDATE, "update", build_update(m, node), -1);
    add_steps(m, modes->step ? modes->step : node);
}

static void add_functions(Module *m, const Modes *modes)
{
    int walks = modes->carry ? modes->carry->walks : 0;
    size_t most = (size_t)(FN_GROUP + m->model->groups + walks + 1);
    bool starts = module_has_var(m, VAR_PARAM) || module_has_var(m, VAR_STATE);

    m->function = arena_array(m->ngc, most, sizeof *m->function);
    /* it is called again with less room */
    m->functions = 0;
    m->space = m->ispace = 0;
    if (starts && !m->model->constant)
        add_function(m, FN_INIT, "init", build_init(m), -1);
    add_uses(m, modes->use);
    add_training(m, modes);

    /* room to move the space of work to the beginning of a cache line */
    int64_t size = type_size(m->ngc, T_FLOAT);
    m->spare = 0;
    if (!m->plain && m->space * size >= WORTH_A_LINE)
        m->spare = (int)(LINE / size) - 1;
}

/* Builds the functions again, with programs of training that need at most `room` bytes. Returns the
 * bytes of work. */
static int64_t fit_functions(Module *m, const Modes *modes, int64_t room)
{
    m->room = room;
    add_functions(m, modes);
    return module_work_bytes(m);
}

/* The same with as much room as leaves work at most `most` bytes; members: those of its members. */
static int64_t fit_into(Module *m, const Modes *modes, int64_t most, int64_t members)
{
    int64_t room = most - members;
    int64_t bytes = INT64_MAX;

    /* space for ints may grow, too, where values are computed again: then less is left */
    for (int i = 0; i < 2 && room > 0 && bytes > most; i++) {
        bytes = fit_functions(m, modes, room);
        /* further off than ints can explain: less room would not help */
        if (bytes - most > m->ispace * type_size(m->ngc, T_INT))
            break;
        room -= bytes - most;
    }
    return bytes;
}

/* --memory: work must not be larger. The least that it can be is found by trying to do with less
 * than the least so far, so it does not depend on what the user asks for. */
static void fit_work(Module *m, const Modes *modes)
{
    Ngc *ngc = m->ngc;
    int64_t most = ngc->opt.memory;
    int64_t bytes = module_work_bytes(m);
    int64_t least;
    int64_t space = m->space * type_size(ngc, T_FLOAT) + m->ispace * type_size(ngc, T_INT);
    int64_t members = bytes - space;

    if (bytes <= most)
        return;
    if (m->plain || ngc->opt.no_share) {
        module_too_large(m, bytes);
        return;
    }
    if (fit_into(m, modes, most, members) <= most)
        return;

    /* only programs that are too large for it become as small as they can */
    m->tight = true;
    bytes = fit_into(m, modes, most, members);
    m->tight = false;
    if (bytes <= most)
        return;
    bytes = fit_functions(m, modes, 0);
    /* one byte less, as long as that leads to something smaller */
    while (bytes > most && (least = fit_into(m, modes, bytes - 1, members)) < bytes)
        bytes = least;
    if (bytes > most)
        module_too_large(m, bytes);
}

Module *module_build(Model *model)
{
    Ngc *ngc = model->graph->ngc;
    Module *m = arena_alloc(ngc, sizeof *m);
    Modes modes = model_modes(model);

    *m = (Module){.ngc = ngc,
                  .model = model,
                  .graph = model->graph,
                  .plain = ngc->opt.optimize == 0,
                  .room = -1};

    /* names and members come first: the functions deliver roots there */
    module_names(m);
    module_members(m);
    module_metrics(m, modes.carry, modes.use);
    m->pinned = m->members;

    add_functions(m, &modes);
    if (m->plain)
        module_place_values(m);
    if (ngc->opt.memory > 0)
        fit_work(m, &modes);
    if (m->metrics)
        metrics_ends(m);
    return m;
}
