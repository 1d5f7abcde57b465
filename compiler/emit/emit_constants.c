/* emit_constants.c - arrays of numbers in the C: constants of the model, default values of inputs,
 * and weights. */
#include "emit/emit.h"
#include "emit/emit_c.h"

#include <math.h>
#include <string.h>

enum {
    ROW = 8,     /* numbers in a line */
    MANY = 4096, /* elements that are written as bytes, where that is asked for */
};

/* Goes before number i of an array. */
static const char *number_separator(int64_t i)
{
    if (i == 0)
        return "\n    ";
    return i % ROW == 0 ? ",\n    " : ", ";
}

/* = {...} with numbers */
static void put_numbers(Emit *e, Text *t, const double *data, int64_t count, Type type)
{
    text_add(t, " = {");
    for (int64_t i = 0; i < count; i++)
        text_add(t, "%s%s", number_separator(i), emit_number(e, data[i], type));
    text_add(t, "\n}");
}

/* ---- bytes ----
 *
 * A compiler needs much time and memory for millions of numbers, and little for strings. So the C
 * that is compiled and run at once (Options.bytes) has large constants as this machine's bytes. */

/* "..." for each line of bytes */
static void put_bytes(Text *t, const unsigned char *at, size_t size)
{
    enum { LINE_BYTES = 64 };
    char line[4 * LINE_BYTES + 8];

    for (size_t i = 0; i < size; i += LINE_BYTES) {
        size_t n = 0;
        line[n++] = '\n';
        line[n++] = '"';
        for (size_t k = i; k < size && k < i + LINE_BYTES; k++) {
            unsigned char c = at[k];
            if (is_word_char((char)c)) {
                line[n++] = (char)c;
                continue;
            }
            line[n++] = '\\';
            line[n++] = (char)('0' + (c >> 6));
            line[n++] = (char)('0' + (c >> 3 & 7));
            line[n++] = (char)('0' + (c & 7));
        }
        line[n++] = '"';
        text_put(t, line, n);
    }
}

/* Stores elements as the C has them in memory. */
static void store_elements(const Emit *e, unsigned char *to, const double *data, int64_t count,
                           Type type)
{
    bool wide = same_text(e->real, "double");
    if (type == T_FLOAT && wide) {
        memcpy(to, data, (size_t)count * sizeof *data);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        float single = (float)data[i];
        int32_t whole = 0;
        if (type == T_INT)
            whole = (int32_t)data[i];
        memcpy(to + 4 * i, type == T_INT ? (const void *)&whole : (const void *)&single, 4);
    }
}

/* `name`, a pointer to constants of this type: a union of their bytes and of them. */
static void put_union(Text *t, const char *type, const char *name, const char *member,
                      const unsigned char *at, size_t size)
{
    text_add(t, "static const union {\n    unsigned char bytes[%zu];\n    %s;\n} %s_bytes = {",
             size, member, name);
    put_bytes(t, at, size);
    text_add(t, "};\ntypedef char %s_fits[sizeof %s_bytes == %zu ? 1 : -1];\n", name, name, size);
    text_add(t, "static const %s *const %s = %s_bytes.of;\n\n", type, name, name);
}

/* ---- constants of the model ---- */

static void put_array(Emit *e, Text *t, const Array *a, const char *name)
{
    Ngc *ngc = e->ngc;
    const char *type = emit_type(e, a->type);
    if (!ngc->opt.bytes || a->count < MANY) {
        text_add(t, "static const %s %s[%lld]", type, name, (long long)a->count);
        put_numbers(e, t, a->data, a->count, a->type);
        text_add(t, ";\n\n");
        return;
    }

    size_t size = (size_t)a->count * (size_t)type_size(ngc, a->type);
    unsigned char *bytes = arena_alloc(ngc, size);
    store_elements(e, bytes, a->data, a->count, a->type);
    const char *of = text_format(ngc, "%s of[%lld]", type, (long long)a->count);
    put_union(t, type, name, of, bytes, size);
}

/* Some are double in a model of floats: those of metrics_finish. */
void emit_arrays(Emit *e, Text *t)
{
    bool wide = e->ngc->opt.real_double;

    for (int i = 0; i < e->arrays; i++) {
        emit_set_real(e, e->array[i].wide);
        put_array(e, t, &e->array[i], text_format(e->ngc, "data_%d", i + 1));
    }
    emit_set_real(e, wide);
}

/* ---- default values ---- */

/* The elements that a tensor has by default; NULL: the caller gives them. */
const double *default_data(const Var *v)
{
    return v->kind == VAR_INPUT ? v->standard : NULL;
}

bool default_is_even(const double *data, int64_t count)
{
    if (count < MANY)
        return false;
    return memcmp(data, data + 1, (size_t)(count - 1) * sizeof *data) == 0;
}

/* Defines NGRT_TIMES_1(x), 8 times x, and so on: each is 8 times the one before. */
static int put_times(Text *t, int64_t count)
{
    int levels = 0;
    for (int64_t many = 8; many <= count; many *= 8) {
        const char *before = "x";
        char name[32];
        if (levels++ > 0) {
            snprintf(name, sizeof name, "NGRT_TIMES_%d(x)", levels - 1);
            before = name;
        }
        text_add(t, "#define NGRT_TIMES_%d(x)", levels);
        for (int i = 0; i < 8; i++)
            text_add(t, "%s %s", text_if(i > 0, ","), before);
        text_add(t, "\n");
    }
    return levels;
}

/* The array with one number in every place: as a range where the compiler has these, else by
 * macros. C++ has no ranges. */
static void put_even(Text *t, const char *array, const char *x, int64_t count)
{
    text_add(t, "#if defined __GNUC__ && !defined __cplusplus\n");
    text_add(t, "__extension__ %s = {[0 ... %lld] = %s};\n#else\n", array, (long long)count - 1, x);

    int levels = put_times(t, count);
    text_add(t, "%s = {", array);
    int64_t left = count;
    int64_t many = 1, item = 0;
    for (int k = 0; k < levels; k++)
        many *= 8;
    for (int k = levels; k >= 0; k--, many /= 8)
        for (; left >= many; left -= many) {
            text_add(t, "%s", number_separator(item++));
            if (k > 0)
                text_add(t, "NGRT_TIMES_%d(%s)", k, x);
            else
                text_add(t, "%s", x);
        }
    text_add(t, "\n};\n");

    for (int k = 1; k <= levels; k++)
        text_add(t, "#undef NGRT_TIMES_%d\n", k);
    text_add(t, "#endif\n\n");
}

/* Elements up to the last one that is not 0: C has zeros after them, which are not -0. */
static int64_t last_written(const double *data, int64_t count)
{
    while (count > 1 && data[count - 1] == 0 && !signbit(data[count - 1]))
        count--;
    return count;
}

/* Declares or defines the arrays of default values. */
void emit_defaults(Emit *e, Text *t, bool define)
{
    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        const double *data = default_data(v);
        if (data == NULL)
            continue;

        int64_t count = shape_count_max(e->graph, v->shape);
        int64_t written = last_written(data, count);
        const char *array =
            text_format(e->ngc, "const %s %s_default_%s[%lld]", emit_type(e, v->type),
                        e->module->name, v->cname, (long long)count);
        if (!define) {
            text_add(t, "extern %s;\n", array);
            continue;
        }
        if (written > 1 && default_is_even(data, count)) {
            put_even(t, array, emit_number(e, data[0], v->type), count);
            continue;
        }
        text_add(t, "%s", array);
        put_numbers(e, t, data, written, v->type);
        text_add(t, ";\n\n");
    }
}

/* ---- the weights of --weights ---- */

/* Goes before element i of an axis. Rows begin on a new line, and so do each ROW numbers of the
 * last axis. */
static const char *element_separator(int64_t i, bool last_axis)
{
    if (i == 0)
        return "";
    return last_axis && i % ROW != 0 ? ", " : ",\n     ";
}

/* Elements, with braces for each axis. Returns the elements after them. */
static const double *put_elements(Emit *e, Text *t, const Var *v, int axis, const double *at)
{
    if (axis == v->shape.rank) {
        text_add(t, "%s", emit_number(e, *at, v->type));
        return at + 1;
    }

    int64_t count = size_max(e->graph, v->shape.dim[axis]);
    bool last = axis == v->shape.rank - 1;
    text_add(t, "{");
    for (int64_t i = 0; i < count; i++) {
        text_add(t, "%s", element_separator(i, last));
        at = put_elements(e, t, v, axis + 1, at);
    }
    text_add(t, "}");
    return at;
}

static bool has_kind(const Model *m, VarKind kind)
{
    for (int i = 0; i < m->vars; i++)
        if (m->var[i]->kind == kind)
            return true;
    return false;
}

/* {...} with the variables of one kind. */
static void put_block(Emit *e, Text *t, VarKind kind)
{
    const char *before = "{\n    ";
    for (int i = 0; i < e->module->model->vars; i++) {
        const Var *v = e->module->model->var[i];
        if (v->kind != kind)
            continue;
        text_add(t, "%s", before);
        put_elements(e, t, v, 0, v->data);
        text_add(t, " /* %s */", comment_text(e->ngc, v->name));
        before = ",\n    ";
    }
    text_add(t, "\n}");
}

/* Declares or defines the constants: iris_weights, and iris_weights_state where predict reads
 * states. */
void emit_weights(Emit *e, Text *t, bool define)
{
    static const struct {
        VarKind kind;
        const char *type, *end;
    } blocks[] = {{VAR_PARAM, "params", ""}, {VAR_STATE, "state", "_state"}};

    for (size_t k = 0; k < sizeof blocks / sizeof *blocks && e->module->model->constant; k++) {
        if (!has_kind(e->module->model, blocks[k].kind))
            continue;
        text_add(t, "%sconst %s_%s %s_weights%s", text_if(!define, "extern "), e->module->name,
                 blocks[k].type, e->module->name, blocks[k].end);
        if (define) {
            text_add(t, " = ");
            put_block(e, t, blocks[k].kind);
        }
        text_add(t, ";\n\n");
    }
}

/* The next multiple of a size. */
static size_t round_up(size_t at, size_t size)
{
    return (at + size - 1) / size * size;
}

/* The same as bytes: members of one struct after another, each where its type may be. */
static void put_frozen_bytes(Emit *e, Text *t)
{
    Ngc *ngc = e->ngc;
    const Model *m = e->module->model;

    /* room for elements of 8 bytes, and for what is skipped before each member */
    size_t room = 16;
    for (int i = 0; i < m->vars; i++)
        room += 8 + (size_t)module_count(e->module, m->var[i]->shape) * 8;
    unsigned char *bytes = arena_alloc(ngc, room);

    size_t size = 0, most = 1;
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        if (v->kind != VAR_FROZEN)
            continue;

        size_t one = (size_t)type_size(ngc, v->type);
        int64_t count = module_count(e->module, v->shape);
        size = round_up(size, one);
        store_elements(e, bytes + size, v->data, count, v->type);
        size += (size_t)count * one;
        most = max_int64(one, most);
    }
    size = round_up(size, most);

    const char *type = text_format(ngc, "%s_frozen", e->module->name);
    put_union(t, type, "frozen", text_format(ngc, "%s of[1]", type), bytes, size);
}

/* An array of one struct, as functions read it like the structs that they are given pointers to:
 * frozen->h_W. */
void emit_frozen(Emit *e, Text *t)
{
    if (e->ngc->opt.bytes) {
        put_frozen_bytes(e, t);
        return;
    }
    text_add(t, "static const %s_frozen frozen[1] = {", e->module->name);
    put_block(e, t, VAR_FROZEN);
    text_add(t, "};\n\n");
}
