/* check.c - models from files, each computed several ways that must agree: by the interpreter from
 * the literal graph (what the text says, nothing shared, folded or simplified), by the interpreter
 * from the simplified graph, and by emitted C at -O0, at -O2, at -O2 with memory of its own for
 * every value, without one of the passes, and without all that can be left out. Gradients of the
 * literal graph against differences. The literal graph is what the needed passes alone make; all
 * others are those of the compiler's own list (passes.c), so that a pass that is wrong, or new and
 * wrong, is found.
 *
 *     check [-n | -1] DIR FIRST COUNT CC [LIBS] -n: no C. -1: C in one way only, every fourth
 * model at -O0, the others at -O2. Reads DIR/FIRST.ng ..., writes what it needs beside them, and
 * DIR/FIRST.ops: how often each op occurred. If CC has a level (-O3), all ways are compiled at it.
 *
 *     check -r TEXTS DIR FIRST COUNT            no C; the literal graph is that of TEXTS/FIRST.ng
 * ..., where rewrite.py wrote the models in another way. Where that keeps the order of operations,
 * the values are the same bits, and with other names so is the C.
 *
 * All models of a run are one C file for each way, so that starting compilers is not the cost.
 */
#include "emit/emit_c.h"
#include "run/run.h"
#include "tool/tool.h"

#include "../runtime/ngrt.h"
#include "../draw.h"
#include <ctype.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum { ALL_PASSES, ALL_BUT_ONE, NEEDED_PASSES } Passes;

typedef struct Way { /* of emitting a model */
    const char *name, *flags;
    bool plain, no_share;
    bool short_of_memory; /* as much as possible is computed again */
    Passes passes;        /* which of them run: each model leaves out another one */
    bool reordered;       /* they run in another order that their facts allow */
    int every;            /* which of the models: all, or every third */
} Way;

static const Way ways[] = {{"O2", "-O1", .every = 1},
                           {"O0", "-O0", .plain = true, .every = 1},
                           {"apart", "-O1", .no_share = true, .every = 4},
                           {"again", "-O1", .short_of_memory = true, .every = 3},
                           {"but_one", "-O1", .passes = ALL_BUT_ONE, .every = 6},
                           {"needed", "-O1", .passes = NEEDED_PASSES, .every = 12},
                           {"reordered", "-O1", .reordered = true, .every = 5}};

enum { O2, O0, WAYS = sizeof ways / sizeof *ways };

typedef struct Case { /* one model */
    int number;
    char path[1100];
    char text[1100]; /* the file of the literal graph */
    Ngc *ngc, *literal_ngc;
    Model *m, *literal; /* equal roots in equal order */
    Eval *e, *reference;
    double **value; /* by index of Model.var */
    uint64_t seed;
    uint64_t bits; /* of all that a way computed */
    bool moving;   /* it has loops over a run-time size, which only a graph of one size expands */
    int failures;
} Case;

static int failed;
static const char *rewritten; /* the directory of other texts, or NULL */
static bool one_way;          /* of emitting each model */

static void fault(Case *c, const char *way, const char *what, const char *name, const char *text)
{
    if (c->failures++ == 0)
        failed++;
    if (c->failures < 4)
        printf("model %d: %s: %s %s: %s\n", c->number, way, what, name, text);
}

/* ---- a model from its text ---- */

static Model *read_model(Ngc **ngc, const char *path, Options opt)
{
    Ngc *n = *ngc = calloc(1, sizeof *n);
    n->opt = opt;
    n->opt.optimize = 2;
    n->opt.real_double = n->opt.verify = true;
    source_library(n);
    int file = source_read(n, path, (Loc){.file = -1});
    Model *m = file >= 0 ? model_compile(n, file) : NULL;
    if (!m)
        diag_flush(n, stdout);
    return m;
}

/* An element of a variable: between -1 and 1, labels below their limit, int states as counters. */
static double make_value(const Var *v, int round, uint64_t *seed)
{
    int limit = v->limit > 0 ? v->limit : 3;

    if (v->kind == VAR_STATE)
        return v->type == T_INT ? round + 3 : draw_unit(seed);
    if (v->type == T_INT)
        return floor(draw_unit(seed) * (double)limit);
    return 2 * draw_unit(seed) - 1;
}

static Eval *new_eval(Ngc *ngc, Model *m, double *const *value)
{
    Eval *e = eval_new(ngc, m);
    for (int i = 0; i < m->vars; i++)
        e->var[i] = value[i];
    e->seed = 7;
    e->training = 1;
    return e;
}

/* A gradient over a variable after an expanded loop has the name of its last pass: dJ/dv.2, where a
 * loop that stays has dJ/dv. */
static bool is_last_pass(const char *kept, const char *expanded)
{
    size_t n = strlen(kept);

    return strncmp(kept, expanded, n) == 0 && expanded[n] == '.' &&
           expanded[n + 1 + strspn(expanded + n + 1, "0123456789")] == 0;
}

/* After marks such as b__, which rewrite.py puts before names. */
static const char *after_marks(const char *p)
{
    while (rewritten && islower((unsigned char)p[0]) && p[1] == '_' && p[2] == '_')
        p += 3;
    return p;
}

static bool same_name(const char *a, const char *b)
{
    a = after_marks(a);
    b = after_marks(b);
    while (*a && *a == *b) {
        a = after_marks(a + 1);
        b = after_marks(b + 1);
    }
    return *a == *b;
}

static bool same_root(const Root *a, const Root *b)
{
    if (a->kind != b->kind)
        return false;
    return same_name(a->name, b->name) || (a->kind == ROOT_GRAD && is_last_pass(a->name, b->name));
}

/* The roots of the other model, in its order. A named value that is a number where sizes are
 * numbers or loops are expanded is not a root there: its node is NULL. */
static void match_roots(Case *c)
{
    const Model *m = c->m;
    Root *root = arena_alloc(c->literal_ngc, (size_t)(m->roots + 1) * sizeof *root);
    int roots = 0;

    for (int i = 0, k = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        int at = k;

        while (at < c->literal->roots && !same_root(r, &c->literal->root[at]))
            at++;
        if (at == c->literal->roots && rewritten) /* its statements are in another order */
            for (at = 0; at < c->literal->roots && !same_root(r, &c->literal->root[at]);)
                at++;
        bool found = at < c->literal->roots;
        root[i] = found ? c->literal->root[at] : *r;
        root[i].name = r->name;
        if (!found)
            root[i].node = NULL;
        k = found ? at + 1 : k;
        roots += found || r->kind == ROOT_NAMED;
    }
    c->literal->root = root;
    c->literal->roots = roots;
}

/* The literal graph of the text at `path`. */
static bool read_literal(Case *c, const char *path)
{
    c->literal = read_model(&c->literal_ngc, path, (Options){.literal = true});
    if (c->literal)
        match_roots(c);
    if (c->literal && c->literal->roots == c->m->roots && c->literal->vars == c->m->vars)
        return true;
    fault(c, "compiler", "model", c->path,
          c->literal ? "the literal graph has other roots" : "there are errors");
    return false;
}

/* Most models keep every loop that can stay, others those that are worth it. */
static Options case_options(const Case *c, unsigned without)
{
    return (Options){.without = without, .unroll = c->number % 4 > 0};
}

static bool open_case(Case *c, const char *dir, int number)
{
    *c = (Case){.number = number, .seed = (uint64_t)number};
    snprintf(c->path, sizeof c->path, "%s/%d.ng", dir, number);
    snprintf(c->text, sizeof c->text, "%s/%d.ng", rewritten ? rewritten : dir, number);
    c->m = read_model(&c->ngc, c->path, case_options(c, 0));
    if (!c->m)
        fault(c, "compiler", "model", c->path, "there are errors");
    if (!c->m || !read_literal(c, c->text)) {
        c->m = NULL;
        return false;
    }
    for (int i = 0; i < c->literal->loops; i++)
        c->moving |= c->literal->loop[i].stays;
    c->value = arena_alloc(c->ngc, (size_t)(c->m->vars + 1) * sizeof *c->value);
    for (int i = 0; i < c->m->vars; i++) {
        Size n = shape_count(c->m->graph, c->m->var[i]->shape);
        c->value[i] = arena_alloc(c->ngc, (size_t)(size_max(c->m->graph, n) + 1) * sizeof(double));
    }
    return true;
}

/* The text of the model with numbers in place of its run-time sizes. */
static bool write_sized(const Case *c, const char *path)
{
    const Graph *g = c->m->graph;
    FILE *in = fopen(c->text, "r"), *out = fopen(path, "w");
    char line[4096];

    while (in && out && fgets(line, sizeof line, in))
        if (strncmp(line, "dim ", 4) != 0)
            fputs(line, out);
        else
            for (int d = 0; d < g->dims; d++)
                fprintf(out, "dim %s = %d\n", g->dim[d].name, (int)c->e->dim[d]);
    if (in)
        fclose(in);
    return out && fclose(out) == 0;
}

/* The reference of the sizes of this round. */
static bool give_sizes(Case *c)
{
    const double training = c->reference->training;
    char path[1200];

    memcpy(c->reference->dim, c->e->dim, sizeof c->e->dim);
    if (!c->moving)
        return true;

    snprintf(path, sizeof path, "%s.sized", c->text);
    arena_free(c->literal_ngc);
    if (!write_sized(c, path) || !read_literal(c, path))
        return false;
    c->reference = new_eval(c->literal_ngc, c->literal, c->value);
    c->reference->training = training;
    return true;
}

/* Values of variables; sizes are at their bound in the first round, then below, then 1. */
static bool give_values(Case *c, int round)
{
    const Graph *g = c->m->graph;

    for (int d = 0; d < g->dims; d++) {
        int64_t size = round == 2 ? 1 : g->dim[d].max;

        if (round == 1)
            size = 1 + (int64_t)(draw_unit(&c->seed) * (double)size);
        c->e->dim[d] = size;
    }
    for (int i = 0; i < c->m->vars; i++) {
        const Var *v = c->m->var[i];
        int64_t dim[MAX_RANK], n = eval_shape(c->e, v->shape, dim);

        for (int64_t k = 0; k < n; k++)
            c->value[i][k] = make_value(v, round, &c->seed);
    }
    eval_forget(c->e);
    eval_forget(c->reference);
    return give_sizes(c);
}

/* Loops over a run-time size are also tried with one pass. */
static int rounds(const Case *c)
{
    return c->moving ? 3 : 2;
}

/* ---- comparing ---- */

static int64_t count_of(const Eval *e, const Node *n)
{
    int64_t dim[MAX_RANK];
    return eval_shape(e, n->shape, dim);
}

/* Elements of a value as got(at, i), against the reference. */
static void compare(Case *c, const char *way, const char *what, const char *name, Node *want,
                    const void *got, bool is_int)
{
    const double *x = eval_node(c->reference, want), *y = got;
    int64_t n = count_of(c->reference, want);
    double scale = 1;
    char text[200];
    for (int64_t i = 0; i < n; i++)
        scale = fmax(scale, fabs(x[i]));
    for (int64_t i = 0; i < n; i++) {
        double z = is_int ? (double)((const int32_t *)got)[i] : y[i];
        if (fabs(z - x[i]) <= 1e-10 * scale && isfinite(x[i]))
            continue;
        snprintf(text, sizeof text, "element %lld: %.17g, not %.17g", (long long)i, z, x[i]);
        fault(c, way, what, name, text);
        return;
    }
}

/* Is x what a range promises? Bounds hold for exact arithmetic; all data is finite. */
static bool in_range(Range r, double x)
{
    double near = 1e-9 * (1 + fabs(x));

    if (!isfinite(x))
        return r.risk != RISK_NONE;
    return r.lo - near <= x && x <= r.hi + near;
}

/* All values that were computed lie in their ranges (range.c), on which rewrites, masks and the
 * checks of indices rely. */
static void check_ranges(Case *c, const Eval *e, const Model *m)
{
    for (int i = 0; i < m->graph->count; i++) {
        const Node *n = m->graph->node[i];
        Range r = e->training ? n->trained : n->range;
        int64_t bad = 0, count = e->known[i] && e->value[i] ? count_of(e, n) : 0;
        char text[200];

        while (bad < count && in_range(n->range, e->value[i][bad]) && in_range(r, e->value[i][bad]))
            bad++;
        if (bad == count)
            continue;
        snprintf(text, sizeof text, "%%%d is %.17g, not from %g to %g with risk %d", i,
                 e->value[i][bad], r.lo, r.hi, (int)r.risk);
        fault(c, "range", "of", op_info[n->op]->name, text);
        return;
    }
}

/* The simplified graph, in training and not. */
static void check_simplified(Case *c)
{
    for (int training = 1; training >= 0; training--) {
        c->e->training = c->reference->training = training;
        eval_forget(c->e);
        eval_forget(c->reference);
        for (int i = 0; i < c->m->roots; i++)
            if (c->literal->root[i].node)
                compare(c, "simplified", training ? "training" : "predict", c->m->root[i].name,
                        c->literal->root[i].node, eval_node(c->e, c->m->root[i].node), false);
        check_ranges(c, c->e, c->m);
        check_ranges(c, c->reference, c->literal);
    }
}

/* ---- differences ---- */

/* The loss with x moved by h along u. A value in the middle is given, not computed. */
static double moved_loss(Case *c, const Root *r, double *x, const double *at, const double *u,
                         double h)
{
    Eval *e = c->reference;
    int64_t n = count_of(e, r->x);
    for (int64_t i = 0; i < n; i++)
        x[i] = at[i] + h * u[i];
    eval_forget(e);
    if (r->x->op != OP_var) {
        e->value[r->x->id] = x;
        e->known[r->x->id] = true;
    }
    return *eval_node(e, r->loss);
}

/* The slope of the loss at `at` along u, by central differences of the fourth order, with the step
 * that comes nearest to the wanted slope: where one step crosses a kink, a smaller one does not. */
static double slope_along(Case *c, const Root *r, double *x, const double *at, const double *u,
                          double want, double scale)
{
    double best = INFINITY, slope = NAN;

    for (double h = 1e-3; h > 1e-7 && best > 1e-7 * scale; h *= 0.05) {
        double one = moved_loss(c, r, x, at, u, h) - moved_loss(c, r, x, at, u, -h);
        double two = moved_loss(c, r, x, at, u, 2 * h) - moved_loss(c, r, x, at, u, -2 * h);
        double s = (8 * one - two) / (12 * h), error = fabs(s - want);

        if (error < best) {
            best = error;
            slope = s;
        }
    }
    return slope;
}

/* The memory in which a value is moved: a variable's own, or for a value in the middle a copy. */
static double *moving_room(Case *c, const Root *r, int64_t n)
{
    for (int i = 0; i < c->m->vars && r->x->op == OP_var; i++)
        if (c->literal->var[i] == r->x->attr.var)
            return c->value[i];
    return arena_alloc(c->ngc, (size_t)(n + 1) * sizeof(double));
}

/* A gradient along a random direction, against differences. */
static void check_gradient(Case *c, const Root *r)
{
    Eval *e = c->reference;
    int64_t n = count_of(e, r->x);
    size_t size = (size_t)n * sizeof(double);
    const double *at = arena_copy(c->ngc, eval_node(e, r->x), size);
    double *computed = e->value[r->x->id], *x = moving_room(c, r, n);
    const double *g = arena_copy(c->ngc, eval_node(e, r->node), size);
    double *u = arena_alloc(c->ngc, size + sizeof *u), dot = 0, scale = 1e-3;

    for (int64_t i = 0; i < n; i++) {
        u[i] = 2 * draw_unit(&c->seed) - 1;
        dot += u[i] * g[i];
        scale = fmax(scale, fabs(u[i] * g[i]));
    }
    scale = fmax(scale, 1e-3 * fabs(*eval_node(e, r->loss)));
    double slope = slope_along(c, r, x, at, u, dot, scale);

    memcpy(x, at, size);
    e->value[r->x->id] = computed;
    eval_forget(e);
    if (!(fabs(slope - dot) < 2e-6 * scale)) {
        char text[100];
        snprintf(text, sizeof text, "slope %.12g, by differences %.12g", dot, slope);
        fault(c, "derivative", "gradient", r->name, text);
    }
}

static void check_gradients(Case *c)
{
    c->reference->training = 1;
    for (int i = 0; i < c->literal->roots; i++) {
        const Root *r = &c->literal->root[i];
        eval_forget(c->reference);
        if (r->kind == ROOT_GRAD && strncmp(r->name, "dS/", 3) != 0) /* S has a stop */
            check_gradient(c, r);
    }
}

/* ---- emitted C ---- */

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The names of a C file that are static, a space after each. */
static void static_names(const char *text, Text *names)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        bool body = strncmp(line, "NGRT_KERNEL_", 12) == 0; /* (real, type, back, name, ... */
        const char *list = body ? strchr(line, '(') + 1 : line,
                   *word = body ? line : strstr(line, "static ");
        const char *end = list + strcspn(list, "([=;"), *start;
        if (!is_letter(*line) || !word || word > end)
            continue;
        while (end > line && !is_letter(end[-1]))
            end--;
        for (start = end; start > line && is_letter(start[-1]);)
            start--;
        text_add(names, "%.*s ", (int)(end - start), start);
    }
}

static bool has_name(const char *names, const char *word, size_t size)
{
    for (const char *p = names; (p = strstr(p, word)) != NULL; p++)
        if (p[size] == ' ' && (p == names || p[-1] == ' '))
            return true;
    return false;
}

/* The text with a number after its static names, and after members that are called as they are:
 * many such files can then be one. */
static void print_apart(Ngc *ngc, FILE *f, const char *text, int number)
{
    Text names = {.ngc = ngc};
    text_add(&names, " ");
    static_names(text, &names);
    for (const char *p = text; *p;) {
        if (*p == '"') { /* a string, as it is */
            const char *end = p + 1;
            while (*end && *end != '"')
                end += 1 + (*end == '\\');
            fwrite(p, 1, (size_t)(end + 1 - p), f);
            p = end + 1;
        } else if (is_letter(*p)) {
            char word[256];
            size_t n = 0;
            while (is_letter(p[n]))
                n++;
            snprintf(word, sizeof word, "%.*s", (int)n, p);
            fprintf(f, has_name(names.at, word, n) ? "%s_%d" : "%s", word, number);
            p += n;
        } else
            fputc(*p++, f);
    }
}

static bool emits(const Case *c, int way)
{
    if (one_way && way != (c->number % 4 == 0 ? O0 : O2))
        return false;
    return c->m && c->number % ways[way].every == 0;
}

/* Bits of the passes that a way leaves out of a model. */
static unsigned left_out(const Case *c, int way)
{
    unsigned all = 0;
    int pass = -1;

    for (int i = 0; i < PASS_COUNT; i++)
        all |= (unsigned)!pass_table[i].needed << i;
    if (ways[way].passes != ALL_BUT_ONE)
        return ways[way].passes == NEEDED_PASSES ? all : 0;

    for (int skip = c->number / ways[way].every; skip >= 0; skip--)
        do
            pass = (pass + 1) % PASS_COUNT;
        while (pass_table[pass].needed);
    return 1u << pass;
}

/* The C of a model one way. Where passes are left out or in another order, the model is read again,
 * as those over the graph have run before. */
static void emit_way(Case *c, int way, FILE *f)
{
    Ngc *ngc = c->ngc;
    Model *m = c->m;
    unsigned without = left_out(c, way);
    bool anew = without || ways[way].reordered;
    Options opt = case_options(c, without);

    opt.reorder = ways[way].reordered ? c->number : 0;
    if (anew)
        m = read_model(&ngc, c->path, opt);
    Output out = {.c = {.ngc = ngc}, .h = {.ngc = ngc}};
    ngc->opt.optimize = ways[way].plain ? 0 : 2;
    ngc->opt.no_share = ways[way].no_share;
    ngc->opt.memory = ways[way].short_of_memory; /* one byte, which is not enough */
    ngc->opt.short_row = c->number % 4 < 2;      /* rows.c sees every second model */
    m->name = text_format(ngc, "model%d", c->number);
    emit_c(module_build(m), NULL, &out);
    print_apart(ngc, f, out.c.at, c->number);
    if (anew)
        arena_free(ngc);
}

/* All models one way as a C file, and a shared object of it. A quick compiler may be no linker: tcc
 * binds what a library asks of the processor (__cpu_model) to another object's. */
static void *build(Case *c, int count, int way, const char *dir, const char *cc, const char *libs)
{
    char path[1200], object[1100], command[8192];
    int first = c->number;
    const char *level = strstr(cc, " -O") ? "" : ways[way].flags;
    snprintf(path, sizeof path, "%s/%d_%s.c", dir, first, ways[way].name);
    FILE *f = fopen(path, "w");
    if (!f)
        return NULL;
    for (int i = 0; i < count; i++)
        if (emits(&c[i], way))
            emit_way(&c[i], way, f);
    fclose(f);
    snprintf(object, sizeof object, "%s/%d_%s", dir, first, ways[way].name);
    snprintf(
        command, sizeof command,
        "%s -std=c99 %s -fPIC -Iruntime -c %s -o %s.o && cc -shared -z noexecstack %s.o -o %s.so %s && rm %s.o",
        cc, level, path, object, object, object, libs, object);
    if (system(command) != 0)
        return NULL;
    snprintf(path, sizeof path, "%s.so", object);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        printf("%s\n", dlerror());
    return handle;
}

typedef struct Blocks {
    char *params, *state, *inputs, *work, *grads;
} Blocks;

static const ngrt_tensor *find(const ngrt_model *d, const char *name, unsigned roles)
{
    for (int i = 0; i < d->tensors; i++)
        if (roles >> d->tensor[i].role & 1 && strcmp(d->tensor[i].name, name) == 0)
            return &d->tensor[i];
    return NULL;
}

/* The block of a variable, and the role that its tensor has. */
static char *block_of(const Blocks *b, const Var *v, int *role)
{
    switch (v->kind) {
    case VAR_INPUT: *role = NGRT_INPUT; return b->inputs;
    case VAR_PARAM: *role = NGRT_PARAM; return b->params;
    default: *role = NGRT_STATE; return b->state;
    }
}

/* Copies elements in the type that the emitted C has for them. */
static void put_elements(char *to, const double *from, size_t n, bool is_int)
{
    for (size_t k = 0; k < n; k++)
        if (is_int)
            ((int32_t *)to)[k] = (int32_t)from[k];
        else
            ((double *)to)[k] = from[k];
}

/* The values of variables into the blocks; tensors of inputs are kept for the pointers there. */
static void fill_blocks(Case *c, const ngrt_model *d, Blocks *b)
{
    for (int i = 0; i < d->dims; i++) {
        int n = (int)c->e->dim[i];
        memcpy(b->inputs + d->dim[i].offset, &n, sizeof n);
    }
    for (int i = 0; i < c->m->vars; i++) {
        const Var *v = c->m->var[i];
        int role;
        char *block = block_of(b, v, &role), *to;
        const ngrt_tensor *t = find(d, v->name, 1u << role);
        size_t n = (size_t)count_of(c->e, v->node);

        if (!t)
            continue; /* no function needs it */
        to = block + t->offset;
        if (v->kind == VAR_INPUT && v->shape.rank > 0) {
            to = arena_alloc(c->ngc, n * sizeof(double) + 1);
            memcpy(block + t->offset, &to, sizeof to);
        }
        put_elements(to, c->value[i], n, v->type == T_INT);
    }
}

static size_t bytes(const ngrt_tensor *t)
{
    size_t n = t->type == NGRT_I32 ? sizeof(int32_t) : sizeof(double);
    for (int i = 0; i < t->rank; i++)
        n *= (size_t)t->shape[i];
    return n;
}

/* Results are NaN before they are computed. */
static void spoil(const ngrt_model *d, char *block, unsigned roles)
{
    for (int i = 0; i < d->tensors; i++)
        if (roles >> d->tensor[i].role & 1)
            memset(block + d->tensor[i].offset, 0xff, bytes(&d->tensor[i]));
}

enum {
    OUTPUTS = 1 << NGRT_OUTPUT,
    LOSSES = 1 << NGRT_LOSS,
    METRICS = 1 << NGRT_METRIC,
    GRADS = 1 << NGRT_GRAD
};

/* The tensor of a root, and the block in which it must be. */
static const ngrt_tensor *find_root(const ngrt_model *d, const Blocks *b, const Root *r,
                                    const char **block)
{
    switch (r->kind) {
    case ROOT_GRAD: *block = b->grads; return find(d, r->name, GRADS);
    case ROOT_UPDATE:
        *block = r->var->kind == VAR_PARAM ? b->params : b->state;
        return find(d, r->name, 1u << NGRT_PARAM | 1u << NGRT_STATE);
    default: /* a value that is two of these is one member */
        *block = b->work;
        return find(d, r->name, OUTPUTS | METRICS | LOSSES);
    }
}

/* The roots of some kinds, in the block where they now must be. */
static void check_roots(Case *c, const ngrt_model *d, const Blocks *b, const char *way,
                        const char *what, int training, unsigned kinds)
{
    if (c->reference->training != training)
        eval_forget(c->reference);
    c->reference->training = training;
    for (int i = 0; i < c->literal->roots; i++) {
        const Root *r = &c->literal->root[i];
        const char *block;

        if (!r->node || !(kinds >> r->kind & 1))
            continue;
        const ngrt_tensor *t = find_root(d, b, r, &block);
        if (!t) {
            fault(c, way, what, r->name, "is not there");
            continue;
        }
        bool is_int = t->type == NGRT_I32;
        size_t size = is_int ? sizeof(int32_t) : sizeof(double);
        size_t n = (size_t)count_of(c->reference, r->node) * size;
        const unsigned char *p = (const unsigned char *)block + t->offset;

        compare(c, way, what, r->name, r->node, p, is_int);
        for (size_t k = 0; k < n; k++)
            c->bits = (c->bits ^ p[k]) * 1099511628211u;
    }
}

static void check_status(Case *c, const char *way, const char *what, int status)
{
    if (status != NGRT_OK)
        fault(c, way, what, "returned", ngrt_strerror(status));
}

/* The functions that train: forward, backward, update, each on what the one before left; then step,
 * which is all three. */
static void check_training(Case *c, const ngrt_model *d, Blocks *b, const char *way)
{
    int status;

    fill_blocks(c, d, b);
    spoil(d, b->work, OUTPUTS | LOSSES | METRICS);
    if (d->forward) {
        status = d->forward(b->params, b->state, b->inputs, b->work);
        check_status(c, way, "forward", status);
        check_roots(c, d, b, way, "forward", 1, 1u << ROOT_LOSS);
    }
    if (d->backward) {
        memset(b->grads, 0xff, d->sizeof_grads);
        status = d->backward(b->params, b->state, b->inputs, b->work, b->grads);
        check_status(c, way, "backward", status);
        check_roots(c, d, b, way, "backward", 1, 1u << ROOT_GRAD);
    }
    if (d->update) {
        status = d->update(b->params, b->state, b->inputs, b->work, b->grads);
        check_status(c, way, "update", status);
        check_roots(c, d, b, way, "update", 1, 1u << ROOT_UPDATE);
    }
    if (d->step) {
        fill_blocks(c, d, b);
        spoil(d, b->work, OUTPUTS | LOSSES | METRICS);
        status = d->step(b->params, b->state, b->inputs, b->work);
        check_status(c, way, "step", status);
        check_roots(c, d, b, way, "step", 1, 1u << ROOT_LOSS | 1u << ROOT_UPDATE);
    }
}

/* Each function of a model, once. */
static void check_functions(Case *c, const ngrt_model *d, Blocks *b, const char *way)
{
    const unsigned results = 1u << ROOT_OUTPUT | 1u << ROOT_LOSS | 1u << ROOT_METRIC;
    int status;

    check_training(c, d, b, way);
    fill_blocks(c, d, b);
    if (d->predict) {
        spoil(d, b->work, OUTPUTS | LOSSES | METRICS);
        status = d->predict(b->params, b->state, b->inputs, b->work);
        check_status(c, way, "predict", status);
        check_roots(c, d, b, way, "predict", 0, 1u << ROOT_OUTPUT);
    }
    if (d->eval) {
        spoil(d, b->work, OUTPUTS | LOSSES | METRICS);
        status = d->eval(b->params, b->state, b->inputs, b->work);
        check_status(c, way, "eval", status);
        check_roots(c, d, b, way, "eval", 0, results);
    }
}

static void check_init(Case *c, const ngrt_model *d, const Blocks *b, const char *way)
{
    d->init(b->params, b->state, 7);
    for (int i = 0; i < c->literal->vars; i++) {
        const Var *v = c->literal->var[i];
        if (v->kind == VAR_INPUT || !v->init)
            continue;
        const ngrt_tensor *t = find(d, v->name, 1u << NGRT_PARAM | 1u << NGRT_STATE);
        if (t)
            compare(c, way, "init", v->name, v->init,
                    (v->kind == VAR_PARAM ? b->params : b->state) + t->offset, t->type == NGRT_I32);
    }
}

static Blocks new_blocks(const ngrt_model *d)
{
    size_t size[5] = {d->sizeof_params, d->sizeof_state, d->sizeof_inputs, d->sizeof_work,
                      d->sizeof_grads};
    char *block[5];
    for (int i = 0; i < 5; i++)
        block[i] = calloc(size[i] + 64, 1);
    return (Blocks){block[0], block[1], block[2], block[3], block[4]};
}

static void free_blocks(Blocks *b)
{
    free(b->params);
    free(b->state);
    free(b->inputs);
    free(b->work);
    free(b->grads);
}

static void check_emitted(Case *c, void *const *object)
{
    char name[40];
    uint64_t shared = 0;
    const uint64_t seed = c->seed;
    snprintf(name, sizeof name, "model%d_model", c->number);
    for (int w = 0; w < WAYS; w++) {
        if (!emits(c, w))
            continue;
        const ngrt_model *d = object[w] ? dlsym(object[w], name) : NULL;
        if (!d) {
            fault(c, ways[w].name, "C", "", "does not compile");
            continue;
        }
        Blocks b = new_blocks(d);
        c->seed = seed;
        c->bits = 0;
        if (d->init)
            check_init(c, d, &b, ways[w].name);
        for (int round = 0; round < rounds(c) && give_values(c, round); round++)
            check_functions(c, d, &b, ways[w].name);
        free_blocks(&b);
        if (w == 0)
            shared = c->bits;
        if (ways[w].no_share && c->bits != shared)
            fault(c, ways[w].name, "memory", "", "other bits where nothing is shared");
        if (ways[w].short_of_memory && c->bits != shared)
            fault(c, ways[w].name, "memory", "", "other bits where values are computed again");
    }
}

/* ---- texts written in another way ---- */

/* Without signs, -0 is 0. */
static bool same_bits(const double *x, const double *y, int64_t n, bool signs)
{
    for (int64_t i = 0; i < n; i++)
        if (memcmp(&x[i], &y[i], sizeof *x) != 0 && (signs || x[i] != y[i]))
            return false;
    return true;
}

/* Values other than derivatives, literally computed from both texts, are the same bits. */
static void check_same_bits(Case *c, bool signs)
{
    Ngc *ngc;
    Model *m = read_model(&ngc, c->path, (Options){.literal = true});
    Eval *e = m ? new_eval(ngc, m, c->value) : NULL;

    memcpy(e->dim, c->reference->dim, sizeof e->dim);
    for (int i = 0; i < m->roots; i++) {
        const Root *a = &m->root[i], *b = c->literal->root;
        for (int k = 0; k < c->literal->roots && !same_root(a, b); k++)
            b++;
        if (b == c->literal->root + c->literal->roots || !b->node || a->kind != ROOT_NAMED ||
            !strchr("vy", *a->name))
            continue;
        if (!same_bits(eval_node(e, a->node), eval_node(c->reference, b->node),
                       count_of(e, a->node), signs))
            fault(c, "literal", "bits", a->name, "other bits where the text is written otherwise");
    }
    arena_free(ngc);
}

/* The kind of rewriting is the first word of the text. */
static void check_rewritten(Case *c)
{
    char kind[40] = "";
    FILE *f = fopen(c->text, "r");

    if (!f || fscanf(f, "# %39s", kind) != 1)
        fault(c, "text", "kind", c->text, "is not there");
    if (f)
        fclose(f);
    c->reference->training = 1;
    eval_forget(c->reference);
    if (!c->moving && strcmp(kind, "reductions") != 0)
        check_same_bits(c, strcmp(kind, "zero") != 0); /* -0 + 0*x is 0 */
}

/* ---- the run ---- */

/* Adds up the ops that what is asked for needs. */
static void count_ops(const Model *m, int *ops)
{
    int all, n = 0;
    Node **root = model_take_roots(m, &all);
    for (int i = 0; i < all; i++)
        if (root[i])
            root[n++] = root[i];
    int *uses = graph_uses(m->graph, root, n);
    for (int i = 0; i < m->graph->count; i++)
        ops[m->graph->node[i]->op] += uses[i] > 0;

    /* Derivatives that the text gives are there only until the last gradient was asked for. */
    for (int i = 0; i < m->roots; i++)
        root[i] = m->root[i].written;
    uses = graph_uses(m->graph, root, m->roots);
    for (int i = 0; i < m->graph->count; i++)
        ops[OP_given] += uses[i] > 0 && m->graph->node[i]->op == OP_given;

    /* Updates of a few rows are made for step alone. */
    for (int i = 0; i < m->graph->count; i++)
        ops[OP_assign] += m->graph->node[i]->op == OP_assign;
}

static void print_ops(const char *dir, int first, const int *ops)
{
    char path[1100];
    snprintf(path, sizeof path, "%s/%d.ops", dir, first);
    FILE *f = fopen(path, "w");
    for (int i = 0; f && i < OP_COUNT; i++)
        fprintf(f, "%s %d\n", op_info[i]->name, ops[i]);
    if (f)
        fclose(f);
}

/* All checks of a model. */
static void check_case(Case *c, void *const *object, bool emit, int *ops)
{
    c->e = new_eval(c->ngc, c->m, c->value);
    c->reference = new_eval(c->literal_ngc, c->literal, c->value);
    count_ops(c->m, ops);
    count_ops(c->literal, ops);
    if (give_values(c, 0)) {
        check_simplified(c);
        if (rewritten)
            check_rewritten(c);
        else
            check_gradients(c);
    }
    for (int round = 1; c->moving && round < rounds(c) && give_values(c, round); round++)
        check_simplified(c);
    if (emit && !c->failures)
        check_emitted(c, object);
    arena_free(c->ngc);
    arena_free(c->literal_ngc);
}

int main(int argc, char **argv)
{
    bool emit = argc < 2 || strcmp(argv[1], "-n") != 0;

    one_way = argc > 1 && strcmp(argv[1], "-1") == 0;
    if (!emit || one_way) {
        argv++;
        argc--;
    } else if (argc > 2 && strcmp(argv[1], "-r") == 0) {
        rewritten = argv[2];
        emit = false;
        argv += 2;
        argc -= 2;
    }
    if (argc < 4 + emit) {
        fprintf(stderr, "usage: check [-n | -1 | -r TEXTS] DIR FIRST COUNT CC [LIBS]\n");
        return 2;
    }
    const char *dir = argv[1], *libs = argc > 5 ? argv[5] : "";
    int first = atoi(argv[2]), count = atoi(argv[3]), ops[OP_COUNT] = {0};
    void *object[WAYS] = {0};
    Case *c = calloc((size_t)count, sizeof *c);

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < count; i++)
        open_case(&c[i], dir, first + i);
    for (int w = 0; w < WAYS && emit; w++)
        object[w] = build(c, count, w, dir, argv[4], libs);
    for (int i = 0; i < count; i++)
        if (c[i].m)
            check_case(&c[i], object, emit, ops);
    print_ops(dir, first, ops);
    printf("%d passed, %d failed\n", count - failed, failed);
    return failed > 0;
}
