/* explain_json.c - a lesson as JSON, for the page and for other programs; compiler/README.md has
 * the schema. */
#include "explain/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FULL = 1024,          /* of larger computed tensors only statistics are written */
    PAGE_FULL = 64,       /* the same in a page that does not compute everything itself */
    PAGE_ROOT = 16,       /* and of results in a page */
    LIVE_COST = 60000000, /* operations that a page computes at each move of a slider */
    LIVE_DATA = 20000,    /* and the given elements that it carries for that */
};

typedef struct Json {
    const Lesson *l;
    Text *t;
    bool page; /* what the page computes itself is left out */
    bool live; /* the page computes everything */
} Json;

/* A "<" that could end the script in a page, or begin a comment there. */
static bool is_unsafe(const char *s)
{
    return *s == '<' && s[1] != ' ' && s[1] != '=';
}

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
        else if ((unsigned char)*s < ' ' || is_unsafe(s))
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

/* Each member and each item of a list ends in a comma: takes back that of the last one. */
static void drop_comma(Text *t)
{
    if (t->at[t->size - 1] == ',')
        t->at[--t->size] = '\0';
}

static void json_list(Text *t, const char *key)
{
    text_add(t, "\"%s\":[", key);
}

/* Ends a list or an object: by "]" or "}", and what comes after it. */
static void json_end(Text *t, const char *end)
{
    drop_comma(t);
    text_add(t, "%s", end);
}

static void json_bool(Text *t, const char *key, bool value)
{
    text_add(t, "\"%s\":%s,", key, true_or_false(value));
}

/* A number in the fewest digits that read back as the same number. JSON has no infinity and no NaN:
 * they are texts, as ngc run prints them. */
static void json_number(Text *t, double x)
{
    if (isnan(x)) {
        text_add(t, "\"nan\"");
        return;
    }
    if (isinf(x)) {
        text_add(t, x < 0 ? "\"-inf\"" : "\"inf\"");
        return;
    }

    char shortest[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(shortest, sizeof shortest, "%.*g", digits, x);
        if (strtod(shortest, NULL) == x)
            break;
    }
    text_add(t, "%s", shortest);
}

static void json_numbers(Text *t, const double *x, int64_t count)
{
    text_put(t, "[", 1);
    for (int64_t i = 0; i < count; i++) {
        json_number(t, x[i]);
        text_put(t, ",", 1);
    }
    json_end(t, "]");
}

static void json_ints(Text *t, const char *key, const int64_t *x, int count)
{
    json_list(t, key);
    for (int i = 0; i < count; i++)
        text_add(t, "%lld,", (long long)x[i]);
    json_end(t, "],");
}

/* "value":[...] with the elements in order, or with "stats" where there are too many: then x may be
 * NULL. */
static void json_value(Text *t, const double *x, int64_t count, Stats s, int full)
{
    text_add(t, "\"value\":");
    if (count <= full && x) {
        json_numbers(t, x, count);
        return;
    }

    text_add(t, "null,\"stats\":{\"mean\":");
    json_number(t, s.mean);
    text_add(t, ",\"min\":");
    json_number(t, s.low);
    text_add(t, ",\"max\":");
    json_number(t, s.high);
    text_add(t, "}");
}

/* "shape":[2,3],"value":[...]; in the body of a loop, the value in the last pass. */
static void json_tensor(const Lesson *l, Text *t, Node *n, int full)
{
    int64_t dim[MAX_RANK];
    int64_t count = lesson_dims(l, n, dim);
    const double *x = NULL;
    if (count <= full)
        x = lesson_elements(l, n);

    json_ints(t, "shape", dim, n->shape.rank);
    json_value(t, x, count, x ? (Stats){0} : lesson_stats(l, n), full);
}

/* The values of a node in a body, in the passes that are kept. */
static void json_passes(const Lesson *l, Text *t, const Node *n, int full)
{
    int count, depth;
    const PassValue *v = lesson_passes(l, n, &count, &depth);

    text_add(t, ",");
    json_list(t, "passes");
    for (int i = 0; v && i < count; i++) {
        if (!v[i].known)
            continue;
        text_add(t, "{");
        json_ints(t, "pass", v[i].pass, depth);
        json_value(t, v[i].value, lesson_count(l, n), v[i].stats, full);
        text_add(t, "},");
    }
    json_end(t, "]");
}

/* A size that may depend on the number of a pass: a number, or {"level":0,"c":[1,2]} for 1 + 2 t,
 * where t is the number of the pass of the loop at this level. */
static void json_size(const Lesson *l, Text *t, Size s)
{
    Graph *g = l->g;
    for (int level = 0; level < MAX_LEVELS; level++) {
        Size coef[256];
        if (!size_uses_dim(g, s, MAX_DIMS + level))
            continue;
        int count = size_powers(g, s, MAX_DIMS + level, coef);
        text_add(t, "{\"level\":%d,\"c\":[", level);
        for (int i = 0; i < count; i++) {
            json_size(l, t, coef[i]);
            text_add(t, ",");
        }
        json_end(t, "]}");
        return;
    }
    text_add(t, "%lld", (long long)size_at(g, s, l->e->dim));
}

static void json_sizes(const Lesson *l, Text *t, const char *key, const Size *size, int count)
{
    json_list(t, key);
    for (int i = 0; i < count; i++) {
        json_size(l, t, size[i]);
        text_add(t, ",");
    }
    json_end(t, "],");
}

/* What a program needs to compute the node again. */
static void json_attr(const Lesson *l, Text *t, const Node *n)
{
    text_add(t, "\"attr\":{");
    if (n->attr.loop)
        text_add(t, "\"loop\":%d,", lesson_find_loop(l, n->attr.loop));

    for (int a = 0; a < A_COUNT; a++) {
        const AttrMember *m = &attr_members[a];
        Size size[MAX_RANK];
        int count = 0;
        if (attr_used(n, a) && m->name)
            count = attr_sizes(n, a, size);

        /* what is not used, or false, is left out */
        if (count == 0 || (m->kind == ATTR_BOOL && !size[0]))
            continue;
        if (a == A_STREAM) {
            /* with what the passes of loops add to it */
            text_add(t, "\"stream\":");
            json_size(l, t, size_add(l->g, n->attr.size, n->attr.stream));
            text_add(t, ",");
        } else if (m->kind == ATTR_BOOL)
            json_bool(t, m->name, true);
        else if (m->kind == ATTR_INT || m->kind == ATTR_AXES)
            text_add(t, "\"%s\":%lld,", m->name, (long long)size[0]);
        else if (m->kind == ATTR_SIZES && a != A_STEP)
            json_sizes(l, t, m->name, size, count);
        else
            json_ints(t, m->name, size, count);
    }

    if (n->type == T_INT)
        json_bool(t, "int", true);
    drop_comma(t);
    text_add(t, "},");
}

/* The shape and the value, as far as the page does not compute them itself. */
static void json_node_value(const Json *j, Node *n)
{
    const Lesson *l = j->l;
    bool given = node_has(n, F_LEAF) && n->op != OP_iota && !node_loop(n);

    if (j->live && given) {
        json_tensor(l, j->t, n, LIVE_DATA);
    } else if (j->live) {
        int64_t dim[MAX_RANK];
        lesson_dims(l, n, dim);
        json_ints(j->t, "shape", dim, n->shape.rank);
        drop_comma(j->t);
    } else {
        json_tensor(l, j->t, n, j->page ? PAGE_FULL : FULL);
        if (lesson_loop(l, n) >= 0)
            json_passes(l, j->t, n, j->page ? PAGE_FULL : FULL);
    }
}

static void json_node(const Json *j, Node *n)
{
    Text *t = j->t;
    text_add(t, "\n{\"id\":%d,", n->id);
    json_pair(t, "op", op_info[n->op]->name);

    json_list(t, "args");
    for (int i = 0; i < n->nargs; i++)
        text_add(t, "%d,", arg_id(n, i));
    json_end(t, "],");

    json_attr(j->l, t, n);
    if (lesson_loop(j->l, n) >= 0)
        text_add(t, "\"loop\":%d,", lesson_loop(j->l, n));
    json_node_value(j, n);
    text_add(t, "},");
}

/* A number; null if it is negative. */
static void json_or_null(Text *t, const char *key, int number)
{
    if (number < 0)
        text_add(t, "\"%s\":null,", key);
    else
        text_add(t, "\"%s\":%d,", key, number);
}

/* The items that an item is computed from. */
static void json_item_args(const Lesson *l, Text *t, const Node *n)
{
    const Node **operand = arena_array(l->ngc, n->nargs + 1, sizeof *operand);
    int count = lesson_operands(l, n, operand);

    for (int i = 0; i < count; i++)
        if (lesson_at(l, operand[i]))
            text_add(t, "%d,", lesson_at(l, operand[i]) - 1);
}

static void json_item(const Lesson *l, Text *t, const Item *item)
{
    const Node *n = item->node;
    text_add(t, "\n{\"node\":%d,", n->id);
    json_pair(t, "name", item->label);
    json_pair(t, "kind", item->kind);
    if (n->op == OP_var && n->attr.var->invented)
        json_bool(t, "invented", true);
    json_pair(t, "formula", item->formula);
    json_pair(t, "numbers", item->numbers);
    json_pair(t, "mathml", item->math_html);
    json_pair(t, "teach", item->teach);
    text_add(t, "\"line\":%d,", lesson_line(l, n));
    json_pair(t, "group", item->group);

    text_add(t, "\"level\":%d,", item->level);
    json_list(t, "args");
    json_item_args(l, t, n);
    json_end(t, "],");
    json_or_null(t, "loop", item->loop);
    json_or_null(t, "gradient", item->adjoint ? item->adjoint->id : -1);
    json_end(t, "},");
}

static void json_move(const Lesson *l, Text *t, const Move *v)
{
    const Step *s = v->step;
    text_add(t, "\n{\"x\":%d,\"y\":%d,\"operand\":%d,\"use\":%d,", v->x, v->y, s->operand, s->use);
    json_pair(t, "loss", lesson_label(l, s->loss));
    json_pair(t, "upstream", v->up);
    json_pair(t, "downstream", v->down);
    json_pair(t, "rule", v->rule);
    json_pair(t, "mathml", v->rule_html);
    json_pair(t, "local", v->local);
    json_pair(t, "teach", l->item[v->y].teach);
    json_or_null(t, "loop", v->loop);
    text_add(t, "\"slope\":");
    if (isnan(v->slope)) /* a tensor, or not a product */
        text_add(t, "null");
    else
        json_number(t, v->slope);
    text_add(t, ",\"dy\":%d,\"dx\":%d,\"sum\":%d},", s->dy->id, s->dx->id, s->sum->id);
}

static const char *root_kind(RootKind kind)
{
    switch (kind) {
    case ROOT_OUTPUT: return "output";
    case ROOT_METRIC: return "metric";
    case ROOT_LOSS: return "loss";
    default: return NULL;
    }
}

static void json_root(const Json *j, const Root *r)
{
    const Lesson *l = j->l;
    Text *t = j->t;
    text_add(t, "\n{");
    json_pair(t, "name", r->name);

    if (r->kind <= ROOT_LOSS)
        json_pair(t, "kind", root_kind(r->kind));
    if (r->kind == ROOT_UPDATE)
        text_add(t, "\"var\":%d,", r->var->node->id);
    if (r->kind == ROOT_UPDATE || r->kind == ROOT_GRAD)
        json_pair(t, "formula", node_text(l->g, r->written, 3));

    text_add(t, "\"node\":%d,", r->written->id);
    json_tensor(l, t, r->written, j->page ? PAGE_ROOT : FULL);
    text_add(t, "},");
}

static void json_roots(const Json *j, const char *key, bool (*wanted)(const Root *))
{
    const Model *m = j->l->m;

    json_list(j->t, key);
    for (int i = 0; i < m->roots; i++)
        if (wanted(&m->root[i]))
            json_root(j, &m->root[i]);
    json_end(j->t, "],\n");
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

static void json_nudge(const Lesson *l, Text *t, const Nudge *n)
{
    const struct {
        const char *key;
        double value;
    } number[] = {
        {"from", n->x},      {"to", n->x + n->h}, {"loss", n->loss},
        {"moved", n->moved}, {"slope", n->slope}, {"derivative", n->derivative},
    };

    text_add(t, "\n{");
    json_pair(t, "entry", n->entry);
    json_pair(t, "of", lesson_label(l, n->root->loss));
    text_add(t, "\"node\":%d,\"at\":%lld,\"gradient\":%d", n->root->x->id, (long long)n->k,
             n->root->written->id);
    for (size_t k = 0; k < sizeof number / sizeof *number; k++) {
        text_add(t, ",\"%s\":", number[k].key);
        json_number(t, number[k].value);
    }
    text_add(t, "},");
}

static void json_nudges(const Lesson *l, Text *t)
{
    json_list(t, "nudges");
    for (int i = 0; i < l->nudges; i++)
        json_nudge(l, t, &l->nudge[i]);
    json_end(t, "],\n");
}

/* A list of numbers, or null. */
static void json_vector(Text *t, const char *key, const double *v, int64_t count)
{
    text_add(t, "\"%s\":", key);
    if (v)
        json_numbers(t, v, count);
    else
        text_add(t, "null");
    text_add(t, ",");
}

/* What the longest chain of Jacobians costs. */
static void json_cost(const Lesson *l, Text *t)
{
    int *chain = arena_array(l->ngc, l->items + 1, sizeof *chain);
    int n = jacobian_chain(l, chain);
    double *size = arena_array(l->ngc, n + 1, sizeof *size);

    text_add(t, "\"cost\":{");
    json_list(t, "chain");
    for (int i = 0; i < n; i++) {
        size[i] = (double)lesson_count(l, l->item[chain[i]].node);
        text_add(t, "%d,", chain[i]);
    }
    json_end(t, "],");

    double naive, clever;
    jacobian_cost(size, n - 1, &naive, &clever);
    text_add(t, "\"naive\":%.17g,\"clever\":%.17g},\n", naive, clever);
}

/* The numbers are in the layout that was asked for, row by row. */
static void json_jacobian(const Lesson *l, Text *t, const Jacobian *j)
{
    JacobianView v = jacobian_view(l, j);
    double *value = NULL;
    if (j->value) {
        value = arena_array(l->ngc, v.rows * v.columns + 1, sizeof *value);
        for (int64_t r = 0; r < v.rows; r++)
            for (int64_t c = 0; c < v.columns; c++)
                value[r * v.columns + c] = jacobian_entry(&v, r, c);
    }

    text_add(t, "\n{\"y\":%d,\"x\":%d,\"rows\":%lld,\"columns\":%lld,", j->y, j->x,
             (long long)v.rows, (long long)v.columns);
    json_pair(t, "name", lesson_derivative(l, l->item[j->y].node, l->item[j->x].node));
    json_pair(t, "structure", j->structure);
    json_vector(t, "downstream", j->downstream, j->columns);
    json_vector(t, "value", value, v.rows * v.columns);
    json_end(t, "},");
}

static void json_jacobians(const Lesson *l, Text *t)
{
    json_pair(t, "layout", l->ngc->opt.columns ? "denominator" : "numerator");
    json_list(t, "jacobians");
    for (int i = 0; i < l->jacobians; i++)
        json_jacobian(l, t, &l->jacobian[i]);
    json_end(t, "],\n");
    json_cost(l, t);
}

/* Of a function or of its slope: values at points from LOW to HIGH. */
enum { POINTS = 97, LOW = -6, HIGH = 6 };

static void json_points(Text *t, const char *key, const double *y)
{
    json_list(t, key);
    for (int i = 0; i < POINTS; i++)
        if (isfinite(y[i]))
            text_add(t, "%.4g,", y[i]);
        else
            text_add(t, "null,");
    json_end(t, "],");
}

/* A function of one number and its slope, both by the op's record. */
static void json_curve(const Lesson *l, Text *t, Op op, const char *name)
{
    const OpInfo *info = op_info[op];
    const Expr *rule = parse_expr(l->ngc, info->rule[0]);
    double y[POINTS], slope[POINTS];

    for (int i = 0; i < POINTS; i++) {
        double x = LOW + (double)(HIGH - LOW) * i / (POINTS - 1);
        y[i] = info->value(x, 0, 0);
        /* what the rule calls a b c y */
        slope[i] = math_value(rule, (double[]){x, 0, 0, y[i]});
    }

    text_add(t, "\n{");
    json_pair(t, "name", name);
    json_pair(t, "op", info->name);
    json_pair(t, "rule", info->rule[0]);
    text_add(t, "\"from\":%d,\"to\":%d,", LOW, HIGH);
    json_points(t, "y", y);
    json_points(t, "slope", slope);
    json_end(t, "},");
}

/* Is it a function of one number whose curve is worth a look? */
static bool has_curve(Op op)
{
    const OpInfo *info = op_info[op];
    bool of_one = info->arity == 1 && info->flags & F_ELEMENTWISE;
    return of_one && info->rule[0] && op != OP_neg && op != OP_copy;
}

/* Of functions that the model uses, and of three to compare them with. */
static void json_curves(const Lesson *l, Text *t)
{
    bool done[OP_COUNT] = {[OP_sigmoid] = true, [OP_tanh] = true};
    json_list(t, "curves");
    json_curve(l, t, OP_sigmoid, "sigmoid");
    json_curve(l, t, OP_tanh, "tanh");
    json_curve(l, t, OP_maximum, "relu"); /* its second operand is 0 */

    for (int i = 0; i < l->items; i++) {
        Op op = l->item[i].node->op;
        if (done[op] || !has_curve(op))
            continue;
        done[op] = true;
        json_curve(l, t, op, op_info[op]->name);
    }
    json_end(t, "],\n");
}

/* The nodes of items, steps and roots, and all that they are computed from. A page that does not
 * compute gets only the former. */
static void json_nodes(const Json *j)
{
    const Lesson *l = j->l;
    int n;
    Node **node = lesson_nodes(l, &n);
    int *uses = graph_uses(l->g, node, n);

    if (j->page && !j->live) {
        memset(uses, 0, (size_t)l->g->count * sizeof *uses);
        for (int i = 0; i < n; i++)
            uses[node[i]->id] = 1;
    }

    json_list(j->t, "nodes");
    for (int i = 0; i < l->g->count; i++)
        if (uses[i])
            json_node(j, l->g->node[i]);
    json_end(j->t, "],\n");
}

/* What comes before the name of a value in the C: "w->h_z" for "h.z". */
static const char *const places[] = {"in->",    "params->", "state->",  "w->",
                                     "grads->", "forward ", "backward "};
enum { PLACES = 7, PLACES_OF_VALUES = 5 }; /* a gradient is often a variable of a function */

/* Is the variable the place and the name, with "_" for what C has no letter for? */
static bool is_plain_variable(const Lesson *l, const Variable *v, const char *place)
{
    char *name = arena_copy(l->ngc, v->name, strlen(v->name) + 1);
    for (char *c = name; *c; c++)
        if (*c == '.' || *c == '/')
            *c = '_';
    return same_text(v->text, text_format(l->ngc, "%s%s", place, name));
}

/* Can a reader guess what the variable is called? */
static bool is_expected_variable(const Lesson *l, const Variable *v)
{
    bool is_gradient = strstr(v->name, "/d") != NULL;
    int count = is_gradient ? PLACES : PLACES_OF_VALUES;
    for (int k = 0; k < count; k++)
        if (is_plain_variable(l, v, places[k]))
            return true;
    return false;
}

/* Variables of items and their gradients whose name in the C cannot be guessed. */
static void json_variables(const Lesson *l, Text *t)
{
    Ngc *ngc = l->ngc;

    /* the names that the lesson shows */
    Table names = {0};
    for (int i = 0; i < l->items; i++)
        *table_at(ngc, &names, intern_str(ngc, l->item[i].label)) = 1;
    for (int i = 0; i < l->moves; i++)
        *table_at(ngc, &names, intern_str(ngc, l->move[i].down)) = 1;

    text_add(t, "\"variables\":{");
    for (int i = 0; i < l->code.variables; i++) {
        const Variable *v = &l->code.variable[i];
        bool wanted = *table_at(ngc, &names, intern_str(ngc, v->name));
        if (!wanted || is_expected_variable(l, v))
            continue;
        page_string(t, v->name);
        text_add(t, ":");
        page_string(t, v->text);
        text_add(t, ",");
    }
    json_end(t, "},\n");
}

static void json_loop(const Lesson *l, Text *t, const LessonLoop *loop)
{
    const Loop *of = loop->loop;
    const Node *node = loop->node;
    const char *formula;

    /* the derivative of a loop says which loop it goes back through */
    if (of->of)
        formula = lesson_loop_back(l, loop);
    else
        formula = lesson_loop_text(l, node);

    text_add(t, "{");
    json_pair(t, "name", of->name);
    json_pair(t, "formula", formula);
    long long passes = size_at(l->g, of->passes, l->e->dim);
    text_add(t, "\"node\":%d,\"from\":%lld,\"passes\":%lld,\"level\":%d,", node->id,
             (long long)of->from, passes, of->level);
    json_bool(t, "down", of->down);
    json_bool(t, "while", loop_test(node));
    json_bool(t, "counted", loop_count(node));
    text_add(t, "\"variables\":%d,", loop_variables(node));
    json_or_null(t, "item", loop->item);
    json_or_null(t, "outer", loop->outer);
    json_or_null(t, "of", loop->of);
    json_end(t, "},");
}

static void json_loops(const Lesson *l, Text *t)
{
    json_list(t, "loops");
    for (int i = 0; i < l->loops; i++) {
        text_add(t, "%s", text_if(i, "\n"));
        json_loop(l, t, &l->loop[i]);
    }
    json_end(t, "],\n");
}

static const char *main_source(const Lesson *l)
{
    Ngc *ngc = l->ngc;
    for (int i = 0; i < ngc->files; i++)
        if (!ngc->file[i]->library)
            return ngc->file[i]->text;
    return "";
}

/* Operations, about, that it takes a page to compute a body node once, however small it is. */
enum { LIVE_NODE = 30 };

/* The nodes that are computed in the passes of loops, each as often as there are passes. */
static double nodes_of_passes(const Lesson *l)
{
    double count = 0;
    for (int i = 0; i < l->loops; i++)
        for (int k = 0; k < l->loop[i].nodes; k++)
            count += lesson_times(l, l->loop[i].body[k]);
    return count;
}

/* Is a step in a loop that no result needs? Then nothing runs that loop. */
static bool has_idle_loop(const Lesson *l)
{
    int count;
    Node **node = lesson_nodes(l, &count);
    for (int i = 0; i < count; i++)
        if (node_loop(node[i]) && lesson_loop(l, node[i]) < 0)
            return true;
    return false;
}

/* Is the model small enough for the page to compute all of it again at each move? */
static bool is_live(const Lesson *l)
{
    int64_t given = 0;
    double cost = l->cost.all + LIVE_NODE * nodes_of_passes(l);
    for (int i = 0; i < l->m->vars; i++)
        given += lesson_count(l, l->m->var[i]->node);
    return cost <= LIVE_COST && given <= LIVE_DATA && !has_idle_loop(l);
}

/* Whole batches of --data, as many as a page may carry. */
static int64_t batches_carried(const Lesson *l)
{
    int64_t each = 0;
    if (!l->data.batch)
        return 0;

    for (int i = 0; i < l->m->vars; i++)
        if (l->data.all[i])
            each += lesson_count(l, l->m->var[i]->node);
    int64_t batches = l->data.rows / l->data.batch;
    if (each && batches > LIVE_DATA / each)
        batches = LIVE_DATA / each;
    return batches;
}

/* The rows of --data, for a page that trains. One batch is in the inputs' values already. */
static void json_data(const Json *j)
{
    const Lesson *l = j->l;
    int64_t batches = batches_carried(l);
    text_add(j->t, "\"data\":{\"rows\":%lld,\"batches\":%lld,", (long long)l->data.rows,
             (long long)batches);
    json_list(j->t, "inputs");
    for (int i = 0; i < l->m->vars && batches > 1; i++) {
        const Node *n = l->m->var[i]->node;
        if (!l->data.all[i])
            continue;
        text_add(j->t, "{\"node\":%d,\"value\":", n->id);
        json_numbers(j->t, l->data.all[i], lesson_count(l, n) * batches);
        text_add(j->t, "},");
    }
    json_end(j->t, "]},\n");
}

static void json_lesson(const Json *j)
{
    const Lesson *l = j->l;
    Text *t = j->t;

    /* the model */
    text_add(t, "{\"version\":1,");
    json_bool(t, "live", is_live(l));
    json_pair(t, "model", l->m->name);
    json_pair(t, "source", main_source(l));

    /* what is computed, and the way back */
    text_add(t, "\n");
    json_list(t, "items");
    for (int i = 0; i < l->items; i++)
        json_item(l, t, &l->item[i]);
    json_end(t, "],\n");
    json_list(t, "steps");
    for (int i = 0; i < l->moves; i++)
        json_move(l, t, &l->move[i]);
    json_end(t, "],\n");
    json_loops(l, t);

    /* what the user asked for */
    json_roots(j, "derivatives", is_derivative);
    json_roots(j, "updates", is_update);
    json_roots(j, "results", is_result);

    /* what it costs; what a change of an entry does; curves; Jacobians */
    text_add(t, "\"work\":{\"forward\":%.17g,\"all\":%.17g,\"numbers\":%.17g},\n", l->cost.forward,
             l->cost.both, l->cost.numbers);
    json_data(j);
    json_nudges(l, t);
    json_curves(l, t);
    if (l->ngc->opt.jacobians)
        json_jacobians(l, t);

    /* the graph, for the page to compute, and the C */
    json_nodes(j);
    json_variables(l, t);
    json_pair(t, "c", l->code.c.at);
    json_end(t, "}\n");
}

void explain_json(const Lesson *l, Text *t)
{
    json_lesson(&(Json){.l = l, .t = t});
}

void explain_json_page(const Lesson *l, Text *t)
{
    json_lesson(&(Json){.l = l, .t = t, .page = true, .live = is_live(l)});
}
