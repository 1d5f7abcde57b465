/* weights.c - `--weights=FILE`: a trained model as constants. The model is cut down to what its outputs need, and the C has
 * predict and a const struct of weights.
 *
 * A file is safetensors - 8 bytes that tell the length of a JSON header, {"h.W": {"dtype": "F32", "shape": [4, 2],
 * "data_offsets": [0, 32]}, ...}, then the tensors, little-endian - or the memory of the params struct as a program of this
 * machine wrote it. Every size is checked against the file before it is used. */
#include "emit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct File {
    Ngc *ngc;
    const char *path;
    const unsigned char *at;
    size_t size;
    const char *head, *head_end; /* the JSON; NULL where the file is plain memory */
} File;

static bool fail(const File *f, const char *what, const char *name)
{
    fprintf(stderr, "ngc: error: weights '%s': %s%s%s\n", f->path, name ? name : "", name ? ": " : "", what);
    return false;
}

static bool read_file(File *f)
{
    FILE *in = fopen(f->path, "rb");
    Text t = {.ngc = f->ngc};
    char piece[4096];
    size_t n;
    if (!in)
        return fail(f, strerror(errno), NULL);
    text_put(&t, "", 0);
    while ((n = fread(piece, 1, sizeof piece, in)) > 0)
        text_put(&t, piece, n);
    bool good = !ferror(in);
    int why = errno;
    fclose(in);
    f->at = (const unsigned char *)t.at;
    f->size = t.size;
    return good ? true : fail(f, strerror(why), NULL);
}

/* ---- safetensors ------------------------------------------------------------------------------------------------ */

static uint64_t little(const unsigned char *at, int bytes)
{
    uint64_t v = 0;
    for (int i = bytes; i-- > 0;)
        v = v << 8 | at[i];
    return v;
}

static const char *skip_blank(const char *c)
{
    return c + strspn(c, " \t\r\n");
}

/* Behind the string, number, list or object at c; NULL: there is none. The text ends with a NUL. */
static const char *skip_value(const char *c)
{
    int depth = 0;
    do {
        c = skip_blank(c);
        if (*c == '"') {
            for (c++; *c && *c != '"'; c++)
                if (*c == '\\' && c[1])
                    c++;
            if (!*c++)
                return NULL;
        } else if (*c == '{' || *c == '[') {
            depth++;
            c++;
        } else if (*c == '}' || *c == ']') {
            if (--depth < 0)
                return NULL;
            c++;
        } else if (*c == ',' || *c == ':') {
            if (depth == 0)
                return NULL;
            c++;
        } else {
            size_t n = strcspn(c, " \t\r\n,:{}[]\"");
            if (n == 0)
                return NULL;
            c += n;
        }
    } while (depth > 0);
    return c;
}

/* The value of a key of the object at c, or NULL. */
static const char *member(const char *c, const char *key)
{
    size_t n = strlen(key);
    c = skip_blank(c);
    if (*c++ != '{')
        return NULL;
    for (;;) {
        c = skip_blank(c);
        const char *name = c, *end = *c == '"' ? skip_value(c) : NULL;
        if (!end)
            return NULL;
        c = skip_blank(end);
        if (*c++ != ':')
            return NULL;
        if ((size_t)(end - name) == n + 2 && strncmp(name + 1, key, n) == 0)
            return skip_blank(c);
        if ((c = skip_value(c)) == NULL)
            return NULL;
        c = skip_blank(c);
        if (*c++ != ',')
            return NULL;
    }
}

/* The whole numbers of a list; how many, or -1. */
static int numbers(const char *c, int64_t *out, int room)
{
    int n = 0;
    if (!c || *c != '[')
        return -1;
    for (c = skip_blank(c + 1); *c != ']'; c = skip_blank(c)) {
        char *end;
        errno = 0;
        long long v = strtoll(c, &end, 10);
        if (end == c || errno || v < 0 || n == room)
            return -1;
        out[n++] = v;
        c = skip_blank(end);
        if (*c == ',')
            c++;
        else if (*c != ']')
            return -1;
    }
    return n;
}

/* The header, where the file has one. */
static void find_header(File *f)
{
    uint64_t n = f->size >= 10 ? little(f->at, 8) : 0;
    if (n < 2 || n > f->size - 8 || f->at[8] != '{')
        return;
    f->head = text_format(f->ngc, "%.*s", (int)n, (const char *)f->at + 8);
    f->head_end = (const char *)f->at + 8 + n;
}

/* PyTorch's names of the same: h.weight, h.bias. */
static const char *other_name(Ngc *ngc, const char *name)
{
    size_t n = strlen(name);
    if (n < 3 || name[n - 2] != '.' || (name[n - 1] != 'W' && name[n - 1] != 'b'))
        return NULL;
    return text_format(ngc, "%.*s%s", (int)n - 1, name, name[n - 1] == 'W' ? "weight" : "bias");
}

static double element(const unsigned char *at, char kind, int bytes)
{
    uint64_t bits = little(at, bytes);
    if (kind == 'I')
        return bytes == 4 ? (double)(int32_t)(uint32_t)bits : (double)(int64_t)bits;
    if (bytes == 8) {
        double d;
        memcpy(&d, &bits, sizeof d);
        return d;
    }
    uint32_t half = bytes == 2 ? (uint32_t)bits << 16 : (uint32_t)bits; /* bfloat16 is the upper half of a float */
    float v;
    memcpy(&v, &half, sizeof v);
    return (double)v;
}

/* The elements of a variable by its name, after a check of type, shape and place. */
static double *read_named(File *f, const Graph *g, const Var *v, int64_t count)
{
    static const struct {
        const char *name;
        char kind;
        int bytes;
    } types[] = {{"\"F32\"", 'F', 4}, {"\"F64\"", 'F', 8}, {"\"BF16\"", 'F', 2}, {"\"I32\"", 'I', 4}, {"\"I64\"", 'I', 8}};
    const char *other = other_name(f->ngc, v->name), *entry = member(f->head, v->name);
    if (!entry && other)
        entry = member(f->head, other);
    if (!entry)
        return fail(f, "is not in the file", v->name), NULL;
    int64_t shape[MAX_RANK], place[2];
    const char *type = member(entry, "dtype");
    int k = 0, rank = numbers(member(entry, "shape"), shape, MAX_RANK);
    while (k < 5 && !(type && strncmp(type, types[k].name, strlen(types[k].name)) == 0))
        k++;
    if (k == 5)
        return fail(f, "its type is none of F32, F64, BF16, I32, I64", v->name), NULL;
    bool same = rank == v->shape.rank;
    for (int i = 0; same && i < rank; i++)
        same = shape[i] == size_max(g, v->shape.dim[i]);
    if (!same)
        return fail(f, text_format(f->ngc, "its shape is not %s", shape_text(g, v->shape)), v->name), NULL;
    size_t data = f->size - (size_t)((const unsigned char *)f->head_end - f->at);
    if (numbers(member(entry, "data_offsets"), place, 2) != 2 || place[0] > place[1] || (uint64_t)place[1] > data ||
        place[1] - place[0] != count * types[k].bytes)
        return fail(f, "its data_offsets do not fit", v->name), NULL;
    double *out = arena_alloc(f->ngc, (size_t)(count + 1) * sizeof *out);
    for (int64_t i = 0; i < count; i++)
        out[i] = element((const unsigned char *)f->head_end + place[0] + i * types[k].bytes, types[k].kind, types[k].bytes);
    return out;
}

/* ---- plain memory ------------------------------------------------------------------------------------------------- */

/* The elements of a param at a place of the file. */
static double *read_plain(const File *f, const Var *v, size_t at, int64_t count)
{
    double *out = arena_alloc(f->ngc, (size_t)(count + 1) * sizeof *out);
    for (int64_t i = 0; i < count; i++) {
        float single;
        int32_t whole;
        if (v->type == T_INT) {
            memcpy(&whole, f->at + at + (size_t)i * 4, 4);
            out[i] = whole;
        } else if (f->ngc->opt.real_double) {
            memcpy(&out[i], f->at + at + (size_t)i * 8, 8);
        } else {
            memcpy(&single, f->at + at + (size_t)i * 4, 4);
            out[i] = (double)single;
        }
    }
    return out;
}

static bool read_memory(File *f, Model *m)
{
    size_t at = 0, total = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < m->vars; i++) {
            Var *v = m->var[i];
            int64_t count = size_max(m->graph, shape_count(m->graph, v->shape));
            size_t bytes = (size_t)count * (v->type == T_FLOAT && f->ngc->opt.real_double ? 8 : 4);
            if (v->kind != VAR_PARAM)
                continue;
            if (pass == 0) {
                total += bytes;
                continue;
            }
            if (total != f->size)
                return fail(f, text_format(f->ngc, "neither safetensors nor the %zu bytes of the params, but %zu", total, f->size), NULL);
            v->data = read_plain(f, v, at, count);
            at += bytes;
        }
    return true;
}

/* ---- the model ------------------------------------------------------------------------------------------------------ */

/* Drops what the outputs do not need: losses, metrics, updates, and the variables that nothing else reads. */
static void cut_down(Model *m)
{
    Node **root = arena_alloc(m->graph->ngc, (size_t)(m->roots + 1) * sizeof *root);
    int roots = 0, vars = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_OUTPUT)
            m->root[roots++] = m->root[i];
    m->roots = roots;
    m->groups = 0;
    for (int i = 0; i < roots; i++)
        root[i] = m->root[i].node;
    int *uses = graph_uses(m->graph, root, roots);
    for (int i = 0; i < m->vars; i++)
        if (uses[m->var[i]->node->id] > 0) {
            m->var[vars] = m->var[i];
            m->var[vars]->index = vars;
            vars++;
        }
    m->vars = vars;
}

int weights_freeze(Ngc *ngc, Model *m)
{
    File f = {.ngc = ngc, .path = ngc->opt.weights};
    bool output = false;
    for (int i = 0; i < m->roots; i++)
        output |= m->root[i].kind == ROOT_OUTPUT;
    if (!output) {
        fprintf(stderr, "ngc: error: --weights wants a model with an output\n");
        return 2;
    }
    if (!read_file(&f))
        return 3;
    find_header(&f);
    if (!f.head && !read_memory(&f, m))
        return 3;
    cut_down(m);
    for (int i = 0; i < m->vars; i++) {
        Var *v = m->var[i];
        if (v->kind != VAR_INPUT && !v->data && !f.head)
            return fail(&f, "a state that predict needs is not in the memory of params", v->name), 3;
        if (v->kind != VAR_INPUT && !v->data)
            v->data = read_named(&f, m->graph, v, size_max(m->graph, shape_count(m->graph, v->shape)));
        if (v->kind != VAR_INPUT && !v->data)
            return 3;
    }
    return 0;
}

/* ---- the C ------------------------------------------------------------------------------------------------------------ */

/* Elements in as many braces as there are axes. Returns those behind them. */
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
        text_add(t, i == 0 ? "" : !last || i % 8 == 0 ? ",\n     " : ", ");
        at = put_elements(e, t, v, axis + 1, at);
    }
    text_add(t, "}");
    return at;
}

/* Declares or defines the constants: iris_weights, and iris_weights_state where predict reads states. */
void emit_weights(Emit *e, Text *t, bool define)
{
    static const char *const block[] = {[VAR_PARAM] = "params", [VAR_STATE] = "state"}, *const end[] = {[VAR_PARAM] = "", [VAR_STATE] = "_state"};
    for (int kind = VAR_PARAM; kind <= VAR_STATE && e->ngc->opt.weights; kind++) {
        const char *before = define ? " = {\n    " : "";
        bool any = false;
        for (int i = 0; i < e->model->vars; i++) {
            const Var *v = e->model->var[i];
            if ((int)v->kind != kind)
                continue;
            if (!any)
                text_add(t, "%sconst %s_%s %s_weights%s", define ? "" : "extern ", e->name, block[kind], e->name, end[kind]);
            any = true;
            if (!define)
                break;
            text_add(t, "%s", before);
            put_elements(e, t, v, 0, v->data);
            text_add(t, " /* %s */", comment_text(e->ngc, v->name));
            before = ",\n    ";
        }
        text_add(t, !any ? "" : define ? "\n};\n\n" : ";\n\n");
    }
}
