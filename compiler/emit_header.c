/* emit_header.c - the declarations of a model: its types, its functions, and the descriptor that
 * tells both to programs. */
#include "emit.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- names ---- */

/* Does a function of the emitted C use this name for something else? */
static bool is_local_name(const char *name)
{
    static const char *const local[] = {
        "params", "state",      "in",   "w",     "grads",   "seed",         "i",
        "j",      "k",          "l",    "dims",  "tensors", "check_labels", "arg",
        "id",     "threads",    "call", "from",  "to",      "share_of",     "meet",
        "space",  "line_start", "t",    "error", "larger",  "whole"};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if (strcmp(local[i], name) == 0)
            return true;
    size_t letters = strspn(name, "abcdefghijklmnopqrstuvwxyz_");
    return letters > 0 && name[letters] != '\0' &&
           strspn(name + letters, "0123456789") == strlen(name + letters);
}

static const char *upper(Ngc *ngc, const char *name)
{
    char *s = arena_copy(ngc, name, strlen(name) + 1);
    for (char *c = s; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return s;
}

static void name_dims(Emit *e, Taken *inputs)
{
    Taken macros = {0};
    e->dim_prefix = "";
    e->upper = upper(e->ngc, e->name);
    for (int i = 0; i < e->graph->dims; i++) {
        const char *name = e->graph->dim[i].name;
        e->dim[i] = c_name_distinct(e->ngc, inputs, name);
        e->dim_max[i] =
            c_name_distinct(e->ngc, &macros,
                            text_format(e->ngc, "%s_%s_MAX", e->upper, upper(e->ngc, e->dim[i])));
        if (is_local_name(name) || strcmp(e->dim[i], name) != 0 ||
            strncmp(name, e->name, strlen(e->name)) == 0)
            e->dim_prefix = "n_";
    }
}

static bool in_work(RootKind kind)
{
    return kind == ROOT_LOSS || kind == ROOT_METRIC || kind == ROOT_OUTPUT || kind == ROOT_NAMED;
}

/* An earlier root of one name and value is one member with this. */
static const Root *same_root(Emit *e, Table *seen, Root *r)
{
    int *at = table_at(e->ngc, seen,
                       intern_str(e->ngc, text_format(e->ngc, "%d %s", r->node->id, r->name)));
    if (*at)
        return &e->model->root[*at - 1];
    *at = 1 + (int)(r - e->model->root);
    return NULL;
}

/* Tells that a name is another in C, where more than a dot was changed. */
static void warn_renamed(Emit *e, const char *name, const char *cname, Loc loc)
{
    bool same = strlen(name) == strlen(cname);
    for (size_t i = 0; same && name[i]; i++)
        same = name[i] == cname[i] || ((name[i] == '.' || name[i] == '/') && cname[i] == '_');
    if (!same)
        warn(e->ngc, "renamed-identifier", ERR_RENAMED, loc,
             "'%s' is called %s in C: the name is taken there", name, cname);
}

void emit_names(Emit *e)
{
    static const RootKind order[] = {ROOT_LOSS, ROOT_METRIC, ROOT_OUTPUT, ROOT_NAMED};
    Model *m = e->model;
    Taken var[3] = {{0}}, grads = {0};
    Table seen = {0};
    name_dims(e, &var[VAR_INPUT]);
    for (int i = 0; i < m->vars; i++)
        m->var[i]->cname = c_name_distinct(e->ngc, &var[m->var[i]->kind], m->var[i]->name);
    c_name_distinct(e->ngc, &e->member_names, "pool");
    c_name_distinct(e->ngc, &e->member_names, "space");
    c_name_distinct(e->ngc, &e->member_names, "ispace");
    c_name_distinct(e->ngc, &e->member_names, "space_at");
    for (int i = 0; i < m->roots; i++)
        m->root[i].cname =
            m->root[i].kind == ROOT_GRAD ? c_name_distinct(e->ngc, &grads, m->root[i].name) : NULL;
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (int i = 0; i < m->roots; i++)
            if (m->root[i].kind == order[k]) {
                const Root *same = same_root(e, &seen, &m->root[i]);
                m->root[i].cname =
                    same ? same->cname : c_name_distinct(e->ngc, &e->member_names, m->root[i].name);
            }
    for (int i = 0; i < e->graph->dims; i++)
        warn_renamed(e, e->graph->dim[i].name, e->dim[i], e->graph->dim[i].loc);
    for (int i = 0; i < m->vars; i++)
        warn_renamed(e, m->var[i]->name, m->var[i]->cname, m->var[i]->loc);
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_GRAD ||
            (m->root[i].kind != ROOT_UPDATE && emit_keeps(e, &m->root[i])))
            warn_renamed(e, m->root[i].name, m->root[i].cname, m->root[i].loc);
}

Member *emit_member(Emit *e, const char *name)
{
    int at = *table_at(e->ngc, &e->member_of, name);
    return at ? &e->member[at - 1] : NULL;
}

MemberKind *emit_member_kind(Emit *e, Type type, Shape shape, const char *name)
{
    const char *text =
        text_format(e->ngc, "%d%s %s", type, shape_text(e->graph, shape), name ? name : "");
    int *at = table_at(e->ngc, &e->kind_of, intern_str(e->ngc, text));
    if (!*at) {
        e->kind = arena_grow(e->ngc, e->kind, e->kinds, &e->kind_room, sizeof *e->kind);
        e->kind[e->kinds++] = (MemberKind){0};
        *at = e->kinds;
    }
    return &e->kind[*at - 1];
}

Member *emit_add_member(Emit *e, Member m)
{
    MemberKind *kind = emit_member_kind(e, m.type, m.shape, m.named ? m.note : NULL);
    e->member = arena_grow(e->ngc, e->member, e->members, &e->member_room, sizeof *e->member);
    e->member[e->members++] = m;
    *table_at(e->ngc, &e->member_of, m.name) = e->members;
    if (kind->last)
        e->member[kind->last - 1].next = e->members;
    else
        kind->first = e->members;
    kind->last = e->members;
    return &e->member[e->members - 1];
}

/* Is a named value kept in work? At -O0 all are, else those of --keep. */
bool emit_keeps(const Emit *e, const Root *r)
{
    if (r->kind != ROOT_NAMED)
        return in_work(r->kind);
    for (int i = 0; i < e->ngc->opt.keeps; i++)
        if (strcmp(e->ngc->opt.keep[i], r->name) == 0)
            return true;
    return e->plain;
}

void emit_members(Emit *e)
{
    static const RootKind order[] = {ROOT_LOSS, ROOT_METRIC, ROOT_OUTPUT, ROOT_NAMED};
    Model *m = e->model;
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (int i = 0; i < m->roots; i++) {
            const Root *r = &m->root[i];
            if (r->kind != order[k] || !emit_keeps(e, r) || emit_member(e, r->cname))
                continue;
            emit_add_member(e, (Member){.name = r->cname,
                                        .type = r->node->type,
                                        .shape = r->node->shape,
                                        .named = true,
                                        .note = r->name});
        }
    e->pinned = e->members;
}

Place emit_root_place(Emit *e, const Root *r)
{
    if (r->kind == ROOT_UPDATE)
        return (
            Place){.kind = P_VAR, .var = r->var, .label = r->var->name, .shape = &r->var->shape};
    (void)e;
    return (Place){.kind = r->kind == ROOT_GRAD ? P_GRAD : P_MEMBER,
                   .name = r->cname,
                   .label = r->name,
                   .shape = &r->node->shape};
}

/* ---- types ---- */

int64_t type_size(const Ngc *ngc, Type type)
{
    return type == T_FLOAT && ngc->opt.real_double ? 8 : 4;
}

/* Sizes of an array at the bound; flat: one size, where rows have a length known only at run time
 * and lie end to end.
 */
const char *emit_dims(Emit *e, Shape shape, bool *flat)
{
    Text t = {.ngc = e->ngc};
    *flat = false;
    text_put(&t, "", 0);
    for (int i = 1; i < shape.rank; i++)
        *flat |= shape.dim[i] < 0;
    if (*flat)
        return text_format(e->ngc, "[%lld]",
                           (long long)size_max(e->graph, shape_count(e->graph, shape)));
    for (int i = 0; i < shape.rank; i++)
        text_add(&t, "[%lld]", (long long)size_max(e->graph, shape.dim[i]));
    return t.at;
}

static const char *element_type(const Emit *e, Type type)
{
    return type == T_INT ? "int32_t" : e->real;
}

/* "    float p[64][10]; [m, 10]" with what follows in a comment where it says more than the
 * declaration. */
static void declare_member(Emit *e, Text *t, const char *name, Type type, Shape shape,
                           const char *user)
{
    bool flat, run_time = false;
    const char *dims = emit_dims(e, shape, &flat);
    for (int i = 0; i < shape.rank; i++)
        run_time |= shape.dim[i] < 0;
    text_add(t, "    %s %s%s;", element_type(e, type), name, dims);
    if (run_time || (user && strcmp(user, name) != 0)) {
        text_add(t, " /*");
        if (user && strcmp(user, name) != 0)
            text_add(t, " %s", comment_text(e->ngc, user));
        if (run_time)
            text_add(t, " %s", shape_text(e->graph, shape));
        text_add(t, "%s */", flat ? ", rows end to end" : "");
    }
    text_add(t, "\n");
}

static bool has_var(const Emit *e, VarKind kind)
{
    for (int i = 0; i < e->model->vars; i++)
        if (e->model->var[i]->kind == kind)
            return true;
    return kind == VAR_INPUT && e->graph->dims > 0;
}

static bool has_root(const Emit *e, RootKind kind)
{
    for (int i = 0; i < e->model->roots; i++)
        if (e->model->root[i].kind == kind)
            return true;
    return false;
}

static void declare_vars(Emit *e, Text *t, VarKind kind, const char *what)
{
    if (!has_var(e, kind))
        return;
    text_add(t, "typedef struct %s_%s {\n", e->name, what);
    for (int i = 0; i < e->model->vars; i++) {
        const Var *v = e->model->var[i];
        if (v->kind == kind)
            declare_member(e, t, v->cname, v->type, v->shape, v->name);
    }
    text_add(t, "} %s_%s;\n\n", e->name, what);
}

static void declare_inputs(Emit *e, Text *t)
{
    if (!has_var(e, VAR_INPUT))
        return;
    text_add(
        t, "typedef struct %s_inputs { /* tensors are dense, row-major, and stay the caller's */\n",
        e->name);
    for (int i = 0; i < e->graph->dims; i++)
        text_add(t, "    int %s; /* 1 to %lld */\n", e->dim[i], (long long)e->graph->dim[i].max);
    for (int i = 0; i < e->model->vars; i++) {
        const Var *v = e->model->var[i];
        if (v->kind != VAR_INPUT)
            continue;
        if (v->shape.rank == 0)
            text_add(t, "    %s %s;", element_type(e, v->type), v->cname);
        else
            text_add(t, "    const %s *%s; /* %s", element_type(e, v->type), v->cname,
                     shape_text(e->graph, v->shape));
        if (v->limit > 0)
            text_add(t, "%s 0 to %lld", v->shape.rank ? "," : " /*", (long long)v->limit - 1);
        text_add(t, "%s\n", v->limit > 0 || v->shape.rank ? " */" : "");
    }
    text_add(t, "} %s_inputs;\n\n", e->name);
}

static void declare_grads(Emit *e, Text *t)
{
    if (!has_root(e, ROOT_GRAD))
        return;
    text_add(t, "typedef struct %s_grads {\n", e->name);
    for (int i = 0; i < e->model->roots; i++) {
        const Root *r = &e->model->root[i];
        if (r->kind == ROOT_GRAD)
            declare_member(e, t, r->cname, r->node->type, r->node->shape, r->name);
    }
    text_add(t, "} %s_grads;\n\n", e->name);
}

static void declare_work(Emit *e, Text *t)
{
    text_add(t, "typedef struct %s_work { /* zeroed once by its owner, then reused */\n", e->name);
    text_add(t, "    struct ngrt_pool *pool; /* NULL: the caller's thread alone */\n");
    for (int i = 0; i < e->members; i++)
        declare_member(e, t, e->member[i].name, e->member[i].type, e->member[i].shape, NULL);
    if (e->ispace > 0)
        text_add(t, "    int32_t ispace[%lld];\n", (long long)e->ispace);
    if (e->spare)
        text_add(t, "    int space_at; /* where a cache line begins in space */\n");
    if (e->space > 0)
        text_add(t, "    %s space[%lld];\n", e->real, (long long)e->space + e->spare);
    text_add(t, "} %s_work;\n\n", e->name);
}

/* ---- macros ---- */

/* The elements that a tensor has by default; NULL: the caller gives them. */
static const double *default_data(const Var *v)
{
    return v->kind == VAR_INPUT ? v->standard : NULL;
}

/* Elements up to the last one that is not 0: C has zeros after them. */
static int64_t last_written(const double *data, int64_t count)
{
    while (count > 1 && data[count - 1] == 0)
        count--;
    return count;
}

/* Declares or defines the arrays of default values. */
void emit_defaults(Emit *e, Text *t, bool define)
{
    for (int i = 0; i < e->model->vars; i++) {
        const Var *v = e->model->var[i];
        const double *data = default_data(v);
        int64_t count = data ? size_max(e->graph, shape_count(e->graph, v->shape)) : 0;
        if (data == NULL)
            continue;
        text_add(t, "%sconst %s %s_default_%s[%lld]", define ? "" : "extern ",
                 element_type(e, v->type), e->name, v->cname, (long long)count);
        int64_t written = last_written(data, count);
        for (int64_t k = 0; define && k < written; k++) {
            const char *before = ", ";
            if (k % 8 == 0)
                before = k ? ",\n    " : " = {\n    ";
            text_add(t, "%s%s", before, emit_number(e, data[k], v->type));
        }
        text_add(t, define ? "\n};\n\n" : ";\n");
    }
}

/* Does the initializer of inputs have an INFINITY or a NAN in it? */
static bool needs_math(const Emit *e)
{
    double d;
    for (int i = 0; i < e->model->vars; i++) {
        const Var *v = e->model->var[i];
        if (v->kind != VAR_INPUT || v->shape.rank != 0 || !v->init || !node_const(v->init, &d))
            continue;
        if (!isfinite(e->ngc->opt.real_double ? d : (double)(float)d))
            return true;
    }
    return false;
}

static void define_macros(Emit *e, Text *t)
{
    const char *comma = "";
    for (int i = 0; i < e->graph->dims; i++)
        text_add(t, "#define %s %lld\n", e->dim_max[i], (long long)e->graph->dim[i].max);
    if (has_var(e, VAR_INPUT)) {
        text_add(t, "#define %s_INPUTS { ", e->upper);
        for (int i = 0; i < e->graph->dims; i++, comma = ", ")
            text_add(t, "%s%lld", comma, (long long)e->graph->dim[i].max);
        for (int i = 0; i < e->model->vars; i++) {
            const Var *v = e->model->var[i];
            double d = 0;
            if (v->kind != VAR_INPUT)
                continue;
            bool given = v->init && node_const(v->init, &d);
            if (v->shape.rank)
                text_add(t, "%s%s", comma,
                         default_data(v) ? text_format(e->ngc, "%s_default_%s", e->name, v->cname)
                                         : "0");
            else
                text_add(t, "%s%s", comma, emit_number(e, given ? d : 0, v->type));
            comma = ", ";
        }
        text_add(t, " } /* the default values, as an initializer */\n");
    }
    text_add(t, "\n");
}

/* ---- functions ---- */

static const char *const function_note[] = {
    [FN_INIT] = "the same bits on every machine",
    [FN_PREDICT] = "outputs; training = 0",
    [FN_EVAL] = "outputs, losses, metrics; training = 0",
    [FN_FORWARD] = "losses, and what backward needs; training = 1",
    [FN_BACKWARD] = "after forward, on the same work; overwrites the gradients",
    [FN_UPDATE] = "all updates, simultaneously",
    [FN_STEP] = "forward, backward and update in one",
    [FN_GROUP] = "the same for one minimize",
};

/* The arguments in their fixed order: with their types, or as they are passed on. */
const char *emit_arguments(Emit *e, const Function *f, bool types)
{
    static const struct {
        unsigned use;
        const char *type, *name;
    } all[] = {
        {USES_PARAMS, "params", "params"}, {USES_STATE, "state", "state"},
        {USES_INPUTS, "inputs", "in"},     {USES_WORK, "work", "w"},
        {USES_GRADS, "grads", "grads"},    {USES_TOTALS, "totals", "t"},
    };
    Text t = {.ngc = e->ngc};
    const char *comma = "";
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!(f->blocks & all[i].use))
            continue;
        if (types)
            text_add(&t, "%s%s%s_%s *%s", comma, f->writes & all[i].use ? "" : "const ", e->name,
                     all[i].type, all[i].name);
        else
            text_add(&t, "%s%s", comma, all[i].name);
        comma = ", ";
    }
    if (f->fn == FN_INIT)
        text_add(&t, types ? "%suint64_t seed" : "%sseed", comma);
    return t.at ? t.at : types ? "void" : "";
}

static void declare_functions(Emit *e, Text *t)
{
    for (int i = 0; i < e->functions; i++) {
        const Function *f = &e->function[i];
        if (f->walk)
            continue;
        text_add(t, "/* %s */\n", function_note[f->fn < FN_GROUP ? f->fn : FN_GROUP]);
        text_add(t, "%s %s_%s(%s);\n", f->fn == FN_INIT ? "void" : "int", e->name, f->name,
                 emit_arguments(e, f, true));
    }
    metrics_declare(e, t);
    text_add(t, "\n/* for other languages and generic programs */\n");
    static const char *const block[] = {"params", "state", "inputs", "work", "grads"};
    bool have[] = {has_var(e, VAR_PARAM), has_var(e, VAR_STATE), has_var(e, VAR_INPUT), true,
                   has_root(e, ROOT_GRAD)};
    for (size_t i = 0; i < sizeof block / sizeof *block; i++)
        if (have[i])
            text_add(t, "size_t %s_sizeof_%s(void);\n", e->name, block[i]);
    if (e->metrics)
        text_add(t, "size_t %s_sizeof_totals(void);\n", e->name);
    text_add(t, "extern const ngrt_model %s_model;\n", e->name);
}

void emit_declarations(Emit *e, Text *t)
{
    text_add(t, "%s#include <stddef.h>\n#include <stdint.h>\n\n",
             needs_math(e) ? "#include <math.h>\n" : "");
    if (e->ngc->opt.standalone)
        emit_types(t);
    else
        text_add(t, "#include \"ngrt.h\"\n\n");
    text_add(t, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    define_macros(e, t);
    emit_defaults(e, t, false);
    declare_vars(e, t, VAR_PARAM, "params");
    declare_vars(e, t, VAR_STATE, "state");
    declare_grads(e, t);
    declare_inputs(e, t);
    declare_work(e, t);
    metrics_declare_block(e, t);
    emit_weights(e, t, false);
    text_add(
        t,
        "/* Functions that return int check sizes and labels before they write anything: 0, or a negative "
        "NGRT_E... */\n");
    declare_functions(e, t);
    text_add(t, "\n#ifdef __cplusplus\n}\n#endif\n");
}

/* ---- the descriptor ---- */

/* A string literal of any text. */
static const char *quote(Ngc *ngc, const char *text)
{
    Text t = {.ngc = ngc};
    text_add(&t, "\"");
    for (const char *c = text; *c; c++)
        if (*c == '"' || *c == '\\' || *c == '?')
            text_add(&t, "\\%c", *c);
        else if (*c < ' ' || *c > '~')
            text_add(&t, "\\%03o", (unsigned char)*c);
        else
            text_put(&t, c, 1);
    text_add(&t, "\"");
    return t.at;
}

static int run_time_dim(const Emit *e, Size s)
{
    for (int i = 0; i < e->graph->dims && s < 0; i++)
        if (size_uses_dim(e->graph, s, i))
            return i;
    return -1;
}

typedef struct Row { /* of the table of tensors */
    const char *name, *role, *block, *member;
    Type type;
    Shape shape;
    const char *flags;
    int64_t limit;
    const char *total; /* where its value for all rows is; NULL: nowhere */
} Row;

static void add_row(Emit *e, Text *t, Row r)
{
    text_add(t, "    {%s, %s, %s, %d, {", quote(e->ngc, r.name), r.role,
             r.type == T_INT           ? "NGRT_I32"
             : e->ngc->opt.real_double ? "NGRT_F64"
                                       : "NGRT_F32",
             r.shape.rank);
    for (int i = 0; i < 8; i++)
        text_add(t, "%s%lld", i ? ", " : "",
                 i < r.shape.rank ? (long long)size_max(e->graph, r.shape.dim[i]) : 0LL);
    text_add(t, "}, {");
    for (int i = 0; i < 8; i++)
        text_add(t, "%s%d", i ? ", " : "", i < r.shape.rank ? run_time_dim(e, r.shape.dim[i]) : -1);
    text_add(t, "}, offsetof(%s_%s, %s), %s, %lld, %s},\n", e->name, r.block, r.member, r.flags,
             r.limit > INT_MAX ? 0LL : (long long)r.limit, r.total ? r.total : "0");
}

/* Is the input's value no part of what predict reads? */
static bool is_target(const Emit *e, int var)
{
    for (int i = 0; i < e->functions; i++)
        if (e->function[i].fn == FN_PREDICT)
            return !e->function[i].reads[var];
    return false;
}

/* Does the model give the input a value? */
static bool has_default(const Var *v)
{
    double d;
    if (v->kind != VAR_INPUT || !v->init)
        return false;
    return v->shape.rank > 0 ? default_data(v) != NULL : node_const(v->init, &d);
}

/* The flags of a variable. */
static const char *var_flags(const Emit *e, int var)
{
    bool target = e->model->var[var]->kind == VAR_INPUT && is_target(e, var);
    if (has_default(e->model->var[var]))
        return target ? "NGRT_TARGET | NGRT_DEFAULT" : "NGRT_DEFAULT";
    return target ? "NGRT_TARGET" : "0";
}

static int add_rows(Emit *e, Text *t)
{
    static const struct {
        const char *role, *block;
    } of_var[] = {[VAR_INPUT] = {"NGRT_INPUT", "inputs"},
                  [VAR_PARAM] = {"NGRT_PARAM", "params"},
                  [VAR_STATE] = {"NGRT_STATE", "state"}};
    static const struct {
        RootKind kind;
        const char *role, *block;
    } of_root[] = {{ROOT_GRAD, "NGRT_GRAD", "grads"},
                   {ROOT_OUTPUT, "NGRT_OUTPUT", "work"},
                   {ROOT_LOSS, "NGRT_LOSS", "work"},
                   {ROOT_METRIC, "NGRT_METRIC", "work"}};
    int rows = 0;
    for (int k = VAR_INPUT; k <= VAR_STATE; k++)
        for (int i = 0; i < e->model->vars; i++) {
            const Var *v = e->model->var[i];
            if (v->kind != (VarKind)k)
                continue;
            add_row(e, t,
                    (Row){v->name, of_var[k].role, of_var[k].block, v->cname, v->type, v->shape,
                          var_flags(e, i), v->limit});
            rows++;
        }
    for (size_t k = 0; k < sizeof of_root / sizeof *of_root; k++)
        for (int i = 0; i < e->model->roots; i++) {
            const Root *r = &e->model->root[i];
            if (r->kind != of_root[k].kind)
                continue;
            add_row(e, t,
                    (Row){r->name, of_root[k].role, of_root[k].block, r->cname, r->node->type,
                          r->node->shape, metrics_flags(e, i), 0, metrics_offset(e, i)});
            rows++;
        }
    return rows;
}

/* A function with the descriptor's arguments. */
static void add_wrapper(Emit *e, Text *t, const Function *f)
{
    static const struct {
        unsigned use;
        const char *name, *own;
    } all[] = {{USES_PARAMS, "params", "params"},
               {USES_STATE, "state", "state"},
               {USES_INPUTS, "inputs", "in"},
               {USES_WORK, "work", "w"},
               {USES_GRADS, "grads", "grads"}};
    bool init = f->fn == FN_INIT, writes = init || f->fn == FN_UPDATE || f->fn == FN_STEP;
    const char *comma = "";
    text_add(t, "static %s call_%s(%svoid *params, void *state, ", init ? "void" : "int", f->name,
             writes ? "" : "const ");
    text_add(t, init ? "uint64_t seed" : "const void *inputs, void *work");
    text_add(t, "%s)\n{\n",
             f->fn == FN_BACKWARD ? ", void *grads"
             : f->fn == FN_UPDATE ? ", const void *grads"
                                  : "");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bool there = i < 2 || (i < 4 && !init) || f->fn == FN_BACKWARD || f->fn == FN_UPDATE;
        if (there && !(f->blocks & all[i].use))
            text_add(t, "    (void)%s;\n", all[i].name);
    }
    text_add(t, "    %s%s_%s(", init ? "" : "return ", e->name, f->name);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (f->blocks & all[i].use) {
            text_add(t, "%s%s", comma, all[i].name);
            comma = ", ";
        }
    text_add(t, "%s);\n}\n\n", init ? text_format(e->ngc, "%sseed", comma) : "");
}

void emit_model(Emit *e, Text *t)
{
    Text rows = {.ngc = e->ngc};
    int count = add_rows(e, &rows);
    static const char *const block[] = {"params", "state", "inputs", "work", "grads"};
    bool have[] = {has_var(e, VAR_PARAM), has_var(e, VAR_STATE), has_var(e, VAR_INPUT), true,
                   has_root(e, ROOT_GRAD)};
    const char *name[FN_GROUP] = {NULL};
    for (size_t i = 0; i < sizeof block / sizeof *block; i++)
        if (have[i])
            text_add(t, "size_t %s_sizeof_%s(void)\n{\n    return sizeof(%s_%s);\n}\n\n", e->name,
                     block[i], e->name, block[i]);
    for (int i = 0; i < e->functions; i++)
        if (e->function[i].fn < FN_GROUP && !e->function[i].walk) {
            add_wrapper(e, t, &e->function[i]);
            name[e->function[i].fn] = e->function[i].name;
        }
    metrics_wrappers(e, t);
    if (e->graph->dims > 0) {
        text_add(t, "static const ngrt_dim dims[] = {\n");
        for (int i = 0; i < e->graph->dims; i++)
            text_add(t, "    {%s, %lld, offsetof(%s_inputs, %s)},\n",
                     quote(e->ngc, e->graph->dim[i].name), (long long)e->graph->dim[i].max, e->name,
                     e->dim[i]);
        text_add(t, "};\n\n");
    }
    if (count > 0)
        text_add(t, "static const ngrt_tensor tensors[] = {\n%s};\n\n", rows.at);
    if (has_var(e, VAR_INPUT))
        text_add(t, "static const %s_inputs defaults = %s_INPUTS;\n\n", e->name, e->upper);
    text_add(t, "const ngrt_model %s_model = {\n    NGRT_MODEL_VERSION, %s, %s,\n    ", e->name,
             quote(e->ngc, e->model->name), e->ngc->opt.real_double ? "NGRT_F64" : "NGRT_F32");
    for (size_t i = 0; i < sizeof block / sizeof *block; i++)
        text_add(t, have[i] ? "sizeof(%s_%s),%s" : "0,%.0s%.0s%s", e->name, block[i],
                 i < 4 ? " " : "");
    text_add(t, "\n    %d, %s, %d, %s,\n    ", e->graph->dims, e->graph->dims ? "dims" : "NULL",
             count, count ? "tensors" : "NULL");
    for (int fn = FN_INIT; fn <= FN_STEP; fn++)
        text_add(t, name[fn] ? "%scall_%s" : "%sNULL", fn ? ", " : "", name[fn]);
    if (e->metrics)
        text_add(
            t,
            ",\n    sizeof(%s_totals), call_metrics_start, call_metrics_add, call_metrics_finish",
            e->name);
    else
        text_add(t, ",\n    0, NULL, NULL, NULL");
    text_add(t, ",\n    %s\n};\n", has_var(e, VAR_INPUT) ? "&defaults" : "NULL");
}
