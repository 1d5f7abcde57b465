/* explain_json.c - a lesson as JSON, for the page and for other programs; compiler/README.md has
 * the schema. */
#include "explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FULL = 1024,          /* computed tensors of more elements are told by statistics alone */
    PAGE_FULL = 64,       /* the same in a page that does not compute
                           * everything itself */
    LIVE_COST = 60000000, /* operations that a page computes at each move of a slider */
    LIVE_DATA = 20000,    /* and the given elements that it carries for that */
};

typedef struct Json { /* how much is told */
    const Lesson *l;
    Text *t;
    bool page; /* what the page computes itself is left out */
    bool live; /* it computes everything */
} Json;

/* A string; a "<" that could end the script in a page or begin a comment there is spelt out. */
static void page_string(Text *t, const char *s)
{
    if (!s) {
        text_add(t, "null");
        return;
    }
    text_add(t, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_add(t, "\\%c", *s);
        else if (*s == '\n')
            text_add(t, "\\n");
        else if ((unsigned char)*s < ' ' || (*s == '<' && s[1] != ' ' && s[1] != '='))
            text_add(t, "\\u%04x", (unsigned char)*s);
        else
            text_put(t, s, 1);
    }
    text_add(t, "\"");
}

static void json_pair(Text *t, const char *key, const char *value)
{
    text_add(t, "\"%s\":", key);
    page_string(t, value);
    text_add(t, ",");
}

/* JSON has no infinity and no NaN: they are texts, as ngc run prints them. */
static void json_number(Text *t, double x)
{
    char shortest[40];
    if (!isfinite(x)) {
        text_add(t, isnan(x) ? "\"nan\"" : x < 0 ? "\"-inf\"" : "\"inf\"");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(shortest, sizeof shortest, "%.*g", digits, x);
        if (strtod(shortest, NULL) == x)
            break;
    }
    text_add(t, "%s", shortest);
}

static void json_ints(Text *t, const char *key, const int64_t *x, int count)
{
    text_add(t, "\"%s\":[", key);
    for (int i = 0; i < count; i++)
        text_add(t, i ? ",%lld" : "%lld", (long long)x[i]);
    text_add(t, "],");
}

/* "shape":[2,3],"value":[...] of the elements in order, or with "stats" where there are too many.
 */
static void json_tensor(const Lesson *l, Text *t, Node *n, int full)
{
    int64_t dim[MAX_RANK], count = lesson_count(l, n, dim);
    json_ints(t, "shape", dim, n->shape.rank);
    text_add(t, "\"value\":");
    if (count <= full) {
        const double *x = eval_node(l->e, n);
        for (int64_t i = 0; i < count; i++) {
            text_add(t, i ? "," : "[");
            json_number(t, x[i]);
        }
        text_add(t, "]");
        return;
    }
    Stats s = lesson_stats(l, n);
    text_add(t, "null,\"stats\":{\"mean\":");
    json_number(t, s.mean);
    text_add(t, ",\"min\":");
    json_number(t, s.low);
    text_add(t, ",\"max\":");
    json_number(t, s.high);
    text_add(t, "}");
}

/* Where in the source: the file's line, and bytes from..to. */
static void json_place(const Lesson *l, Text *t, Loc loc)
{
    int column, line = 0;
    if (loc.file >= 0 && loc.file < l->ngc->files && !l->ngc->file[loc.file]->library)
        line = source_line(l->ngc, loc, &column);
    text_add(t, "\"line\":%d,", line);
}

/* What a program needs to compute the node again. */
static void json_attr(const Lesson *l, Text *t, const Node *n)
{
    int64_t lo[MAX_RANK], step[MAX_RANK], perm[MAX_RANK];
    text_add(t, "\"attr\":{");
    for (int i = 0; i < n->shape.rank; i++) {
        perm[i] = n->op == OP_permute ? n->attr.perm[i] : 0;
        lo[i] = n->op == OP_slice || n->op == OP_pad ? size_at(l->g, n->attr.lo[i], l->e->dim) : 0;
        step[i] = n->op == OP_slice || n->op == OP_pad ? n->attr.step[i] : 0;
    }
    if (n->op == OP_permute)
        json_ints(t, "perm", perm, n->shape.rank);
    if (n->op == OP_slice || n->op == OP_pad) {
        json_ints(t, "lo", lo, n->shape.rank);
        json_ints(t, "step", step, n->shape.rank);
    }
    if (n->op == OP_conv || n->op == OP_convk) {
        json_ints(t, "step", n->attr.step, 2);
        json_ints(t, "dilation", n->attr.lo, 2);
        text_add(t, "\"groups\":%d,", n->attr.axis);
    }
    if (n->op == OP_sum || n->op == OP_max || n->op == OP_expand)
        text_add(t, "\"axes\":%u,", n->attr.axes);
    if (n->op == OP_argmax || n->op == OP_gather || n->op == OP_scatter || n->op == OP_concat ||
        n->op == OP_iota)
        text_add(t, "\"axis\":%d,", n->attr.axis);
    if (n->op == OP_noise)
        text_add(t, "\"stream\":%d,", n->attr.axis);
    if (n->type == T_INT)
        text_add(t, "\"int\":true,");
    if (n->attr.ta)
        text_add(t, "\"ta\":true,");
    if (n->attr.tb)
        text_add(t, "\"tb\":true,");
    if (t->at[t->size - 1] == ',')
        t->at[--t->size] = '\0';
    text_add(t, "},");
}

static void json_node(const Json *j, Node *n, bool first)
{
    const Lesson *l = j->l;
    Text *t = j->t;
    bool leaf = op_info[n->op]->flags & F_LEAF;
    text_add(t, "%s\n{\"id\":%d,", first ? "" : ",", n->id);
    json_pair(t, "op", op_info[n->op]->name);
    text_add(t, "\"args\":[");
    for (int i = 0; i < n->nargs; i++)
        text_add(t, i ? ",%d" : "%d", n->arg[i]->id);
    text_add(t, "],");
    json_attr(l, t, n);
    if (!j->live) {
        json_tensor(l, t, n, j->page ? PAGE_FULL : FULL);
    } else if (leaf && n->op != OP_iota) {
        json_tensor(l, t, n, LIVE_DATA);
    } else {
        int64_t dim[MAX_RANK];
        lesson_count(l, n, dim);
        json_ints(t, "shape", dim, n->shape.rank);
        t->at[--t->size] = '\0';
    }
    text_add(t, "}");
}

static void json_item(const Lesson *l, Text *t, const Item *n, bool first)
{
    text_add(t, "%s\n{\"node\":%d,", first ? "" : ",", n->node->id);
    json_pair(t, "name", n->label);
    json_pair(t, "kind", n->kind);
    if (n->node->op == OP_var && n->node->attr.var->invented)
        text_add(t, "\"invented\":true,");
    json_pair(t, "formula", n->formula);
    json_pair(t, "numbers", n->numbers);
    json_pair(t, "mathml", n->math_html);
    json_pair(t, "teach", n->teach);
    json_place(l, t, n->node->loc);
    json_pair(t, "group", n->group);
    text_add(t, "\"level\":%d,\"args\":[", n->level);
    bool some = false;
    for (int i = 0; i < n->node->nargs; i++)
        if (l->at[n->node->arg[i]->id]) {
            text_add(t, some ? ",%d" : "%d", l->at[n->node->arg[i]->id] - 1);
            some = true;
        }
    text_add(t, "],\"gradient\":");
    text_add(t, n->adjoint ? "%d}" : "null}", n->adjoint ? n->adjoint->id : 0);
}

static void json_move(const Lesson *l, Text *t, const Move *v, bool first)
{
    const Step *s = v->step;
    text_add(t, "%s\n{\"x\":%d,\"y\":%d,\"operand\":%d,\"use\":%d,", first ? "" : ",", v->x, v->y,
             s->operand, s->use);
    json_pair(t, "loss", lesson_label(l, s->loss));
    json_pair(t, "upstream", v->up);
    json_pair(t, "downstream", v->down);
    json_pair(t, "rule", v->rule);
    json_pair(t, "mathml", v->rule_html);
    json_pair(t, "local", v->local);
    json_pair(t, "teach", l->item[v->y].teach);
    text_add(t, "\"slope\":");
    if (isnan(v->slope)) /* of a tensor, or of what is no product */
        text_add(t, "null");
    else
        json_number(t, v->slope);
    text_add(t, ",\"dy\":%d,\"dx\":%d,\"sum\":%d}", s->dy->id, s->dx->id, s->sum->id);
}

static void json_roots(const Json *j, const char *key, bool (*wanted)(const Root *))
{
    static const char *const kinds[] = {
        [ROOT_OUTPUT] = "output", [ROOT_METRIC] = "metric", [ROOT_LOSS] = "loss"};
    const Lesson *l = j->l;
    Text *t = j->t;
    bool first = true;
    text_add(t, "\"%s\":[", key);
    for (int i = 0; i < l->m->roots; i++) {
        Root *r = &l->m->root[i];
        if (!wanted(r))
            continue;
        text_add(t, "%s\n{", first ? "" : ",");
        first = false;
        json_pair(t, "name", r->name);
        if (r->kind <= ROOT_LOSS)
            json_pair(t, "kind", kinds[r->kind]);
        if (r->kind == ROOT_UPDATE)
            text_add(t, "\"var\":%d,", r->var->node->id);
        if (r->kind == ROOT_UPDATE || r->kind == ROOT_GRAD)
            json_pair(t, "formula", node_text(l->g, r->written, 3));
        text_add(t, "\"node\":%d,", r->written->id);
        json_tensor(l, t, r->written, j->page ? 16 : FULL);
        text_add(t, "}");
    }
    text_add(t, "],\n");
}

static bool is_derivative(const Root *r)
{
    return r->kind == ROOT_GRAD;
}
static bool is_update(const Root *r)
{
    return r->kind == ROOT_UPDATE;
}
static bool is_result(const Root *r)
{
    return r->kind <= ROOT_LOSS;
}

static void json_nudges(const Lesson *l, Text *t)
{
    text_add(t, "\"nudges\":[");
    for (int i = 0; i < l->nudges; i++) {
        const Nudge *n = &l->nudge[i];
        const double number[] = {
            n->x, n->x + n->h, n->loss, n->moved, (n->moved - n->loss) / n->h, n->derivative};
        static const char *const key[] = {"from", "to", "loss", "moved", "slope", "derivative"};
        text_add(t, "%s\n{", i ? "," : "");
        json_pair(t, "entry", n->entry);
        json_pair(t, "of", lesson_label(l, n->root->loss));
        text_add(t, "\"node\":%d,\"at\":%lld,\"gradient\":%d,", n->root->x->id, (long long)n->k,
                 n->root->written->id);
        for (int k = 0; k < 6; k++) {
            text_add(t, "%s\"%s\":", k ? "," : "", key[k]);
            json_number(t, number[k]);
        }
        text_add(t, "}");
    }
    text_add(t, "],\n");
}

static void json_vector(Text *t, const char *key, const double *v, int64_t count)
{
    text_add(t, "\"%s\":%s", key, v ? "[" : "null");
    for (int64_t i = 0; v && i < count; i++) {
        text_add(t, i ? "," : "");
        json_number(t, v[i]);
    }
    text_add(t, v ? "]," : ",");
}

static void json_cost(const Lesson *l, Text *t)
{
    int *chain = arena_alloc(l->ngc, (size_t)(l->items + 1) * sizeof *chain),
        n = jacobian_chain(l, chain);
    double *size = arena_alloc(l->ngc, (size_t)(n + 1) * sizeof *size), naive, clever;
    int64_t dim[MAX_RANK];
    text_add(t, "\"cost\":{\"chain\":[");
    for (int i = 0; i < n; i++) {
        size[i] = (double)lesson_count(l, l->item[chain[i]].node, dim);
        text_add(t, i ? ",%d" : "%d", chain[i]);
    }
    jacobian_cost(size, n - 1, &naive, &clever);
    text_add(t, "],\"naive\":%.17g,\"clever\":%.17g},\n", naive, clever);
}

/* The numbers stand in the layout that was asked for, row by row. */
static void json_jacobians(const Lesson *l, Text *t)
{
    bool by_columns = l->ngc->opt.columns;
    json_pair(t, "layout", by_columns ? "denominator" : "numerator");
    text_add(t, "\"jacobians\":[");
    for (int i = 0; i < l->jacobians; i++) {
        const Jacobian *j = &l->jacobian[i];
        int64_t rows = by_columns ? j->columns : j->rows,
                columns = by_columns ? j->rows : j->columns;
        double *v = j->value ? arena_alloc(l->ngc, (size_t)(rows * columns + 1) * sizeof *v) : NULL;
        for (int64_t k = 0; v && k < rows * columns; k++)
            v[k] = by_columns ? j->value[k % columns * rows + k / columns] : j->value[k];
        text_add(t, "%s\n{\"y\":%d,\"x\":%d,\"rows\":%lld,\"columns\":%lld,", i ? "," : "", j->y,
                 j->x, (long long)rows, (long long)columns);
        json_pair(t, "name",
                  text_format(l->ngc, "d%s/d%s", l->item[j->y].label, l->item[j->x].label));
        json_pair(t, "structure", j->structure);
        json_vector(t, "downstream", j->downstream, j->columns);
        json_vector(t, "value", v, rows * columns);
        t->at[--t->size] = '\0';
        text_add(t, "}");
    }
    text_add(t, "],\n");
    json_cost(l, t);
}

/* Functions of one number and their slopes, by their records: those of the model, and a few to
 * compare them with. */
static void json_curve(const Lesson *l, Text *t, Op op, int operand, double other, const char *name,
                       bool first)
{
    enum { POINTS = 97 };
    const OpInfo *info = op_info[op];
    const Expr *rule = parse_expr(l->ngc, info->rule[operand]);
    text_add(t, "%s\n{", first ? "" : ",");
    json_pair(t, "name", name);
    json_pair(t, "op", info->name);
    json_pair(t, "rule", info->rule[operand]);
    for (int slope = 0; slope < 2; slope++) {
        text_add(t, "%s", slope ? ",\"slope\":[" : "\"from\":-6,\"to\":6,\"y\":[");
        for (int i = 0; i < POINTS; i++) {
            double v[4] = {-6 + 12.0 * i / (POINTS - 1), other, 0, 0};
            v[3] = info->value(v[0], v[1], 0);
            double y = slope ? math_value(rule, v) : v[3];
            text_add(t, isfinite(y) ? "%s%.4g" : "%snull", i ? "," : "", y);
        }
        text_add(t, "]");
    }
    text_add(t, "}");
}

static void json_curves(const Lesson *l, Text *t)
{
    bool told[OP_COUNT] = {false};
    text_add(t, "\"curves\":[");
    json_curve(l, t, OP_sigmoid, 0, 0, "sigmoid", true);
    json_curve(l, t, OP_tanh, 0, 0, "tanh", false);
    json_curve(l, t, OP_maximum, 0, 0, "relu", false);
    told[OP_sigmoid] = told[OP_tanh] = true;
    for (int i = 0; i < l->items; i++) {
        Op op = l->item[i].node->op;
        const OpInfo *info = op_info[op];
        if (told[op] || info->arity != 1 || !(info->flags & F_ELEMENTWISE) || !info->rule[0] ||
            op == OP_neg || op == OP_copy)
            continue;
        told[op] = true;
        json_curve(l, t, op, 0, 0, info->name, false);
    }
    text_add(t, "],\n");
}

/* All nodes that the items, the steps and the roots speak of, and what these need. */
static void json_nodes(const Json *j)
{
    const Lesson *l = j->l;
    Text *t = j->t;
    int n;
    Node **root = lesson_nodes(l, &n);
    int *uses = graph_uses(l->g, root, n);
    bool first = true, few = j->page && !j->live; /* then only those that are spoken of */
    for (int i = 0; i < l->g->count && few; i++)
        uses[i] = 0;
    for (int i = 0; i < n && few; i++)
        uses[root[i]->id] = 1;
    text_add(t, "\"nodes\":[");
    for (int i = 0; i < l->g->count; i++)
        if (uses[i]) {
            json_node(j, l->g->node[i], first);
            first = false;
        }
    text_add(t, "],\n");
}

/* What a value of that name is called in the C unless something is in the way: "w->h_z". Of a
 * gradient there are several. */
static bool is_plain_variable(const Lesson *l, const Variable *v, const char *prefix)
{
    char *name = arena_copy(l->ngc, v->name, strlen(v->name) + 1);
    for (char *c = name; *c; c++)
        *c = *c == '.' || *c == '/' ? '_' : *c;
    return strcmp(v->text, text_format(l->ngc, "%s%s", prefix, name)) == 0;
}

/* Variables of the C that are called otherwise than their values, of items and their gradients. */
static void json_variables(const Lesson *l, Text *t)
{
    Table told = {0};
    bool first = true;
    for (int i = 0; i < l->items; i++)
        *table_at(l->ngc, &told, intern_str(l->ngc, l->item[i].label)) = 1;
    for (int i = 0; i < l->moves; i++)
        *table_at(l->ngc, &told, intern_str(l->ngc, l->move[i].down)) = 1;
    text_add(t, "\"variables\":{");
    for (int i = 0; i < l->code.variables; i++) {
        const Variable *v = &l->code.variable[i];
        static const char *const prefix[] = {"in->",    "params->", "state->",  "w->",
                                             "grads->", "forward ", "backward "};
        bool plain = !*table_at(l->ngc, &told, intern_str(l->ngc, v->name));
        int kinds = strstr(v->name, "/d") ? 7 : 5; /* a gradient is often a function's own */
        for (int k = 0; k < kinds && !plain; k++)
            plain = is_plain_variable(l, v, prefix[k]);
        if (plain)
            continue;
        text_add(t, first ? "" : ",");
        first = false;
        page_string(t, v->name);
        text_add(t, ":");
        page_string(t, v->text);
    }
    text_add(t, "},\n");
}

static const char *main_source(const Lesson *l)
{
    for (int i = 0; i < l->ngc->files; i++)
        if (!l->ngc->file[i]->library)
            return l->ngc->file[i]->text;
    return "";
}

/* Can a page compute all of it again at once? */
static bool is_live(const Lesson *l)
{
    int64_t dim[MAX_RANK], given = 0;
    for (int i = 0; i < l->m->vars; i++)
        given += lesson_count(l, l->m->var[i]->node, dim);
    return l->cost.all <= LIVE_COST && given <= LIVE_DATA;
}

/* The rows behind the first batch, for a page that trains: whole batches, as many as it may carry.
 */
static void json_data(const Json *j)
{
    const Lesson *l = j->l;
    int64_t dim[MAX_RANK], each = 0, batches = l->data.batch ? l->data.rows / l->data.batch : 0;
    bool first = true;
    for (int i = 0; i < l->m->vars && batches; i++)
        each += l->data.all[i] ? lesson_count(l, l->m->var[i]->node, dim) : 0;
    batches = each && batches > LIVE_DATA / each ? LIVE_DATA / each : batches;
    text_add(j->t, "\"data\":{\"rows\":%lld,\"batches\":%lld,\"inputs\":[", (long long)l->data.rows,
             (long long)batches);
    for (int i = 0; i < l->m->vars && batches > 1; i++) {
        if (!l->data.all[i])
            continue;
        int64_t count = lesson_count(l, l->m->var[i]->node, dim) * batches;
        text_add(j->t, "%s{\"node\":%d,\"value\":[", first ? "" : ",", l->m->var[i]->node->id);
        first = false;
        for (int64_t k = 0; k < count; k++) {
            text_add(j->t, k ? "," : "");
            json_number(j->t, l->data.all[i][k]);
        }
        text_add(j->t, "]}");
    }
    text_add(j->t, "]},\n");
}

static void json_lesson(const Json *j)
{
    const Lesson *l = j->l;
    Text *t = j->t;
    text_add(t, "{\"version\":1,\"live\":%s,", is_live(l) ? "true" : "false");
    json_pair(t, "model", l->m->name);
    json_pair(t, "source", main_source(l));
    text_add(t, "\n\"items\":[");
    for (int i = 0; i < l->items; i++)
        json_item(l, t, &l->item[i], i == 0);
    text_add(t, "],\n\"steps\":[");
    for (int i = 0; i < l->moves; i++)
        json_move(l, t, &l->move[i], i == 0);
    text_add(t, "],\n");
    json_roots(j, "derivatives", is_derivative);
    json_roots(j, "updates", is_update);
    json_roots(j, "results", is_result);
    text_add(t, "\"work\":{\"forward\":%.17g,\"all\":%.17g,\"numbers\":%.17g},\n", l->cost.forward,
             l->cost.both, l->cost.numbers);
    json_data(j);
    json_nudges(l, t);
    json_curves(l, t);
    if (l->ngc->opt.jacobians)
        json_jacobians(l, t);
    json_nodes(j);
    json_variables(l, t);
    json_pair(t, "c", l->code.c.at);
    t->at[--t->size] = '\0';
    text_add(t, "}\n");
}

void explain_json(const Lesson *l, Text *t)
{
    json_lesson(&(Json){l, t, false, false});
}

void explain_json_page(const Lesson *l, Text *t)
{
    json_lesson(&(Json){l, t, true, is_live(l)});
}
