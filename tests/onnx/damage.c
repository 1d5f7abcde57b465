/* damage.c - damaged models: a file is cut, its bytes are changed, or what is in its messages:
 * names, numbers, sizes, types, operands. Nothing may crash, and what is still a model must
 * compile.
 *
 *     damage SEED COUNT FILE.onnx ...
 */
#include "onnx/onnx.h"
#include "tool/tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint64_t draw(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 20) % below;
}

/* Imports a file; false if its text is not a model. */
static bool import(const char *path)
{
    Ngc ngc = {.opt = {.optimize = 2, .digits = 9}};
    Written made = {.text = {.ngc = &ngc}};
    ImportOptions options = {0};
    bool good = true;
    source_restart(&ngc);
    parse(&ngc, 0);
    if (onnx_import(&ngc, path, NULL, 0, &options, &made)) {
        source_restart(&ngc);
        int file = source_add(&ngc, "model.ng", made.text.at, made.text.size, false);
        const Model *m = model_compile(&ngc, file);
        good = m || ngc.errors == 0 || ngc.diags->code != ERR_TOKEN;
        if (!good)
            printf("%s\n%s", ngc.diags->text, made.text.at);
        else if (m)
            weights_match(&ngc, m, &made);
    }
    arena_free(&ngc);
    return good;
}

static char *read_all(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *at = malloc(1 << 20);
    if (!f || !at)
        exit(2);
    *size = fread(at, 1, 1 << 20, f);
    fclose(f);
    return at;
}

/* Changes a few bytes: more often one bit than all of them. */
static void change(char *at, size_t size)
{
    for (uint64_t n = 1 + draw(4); n > 0; n--) {
        char *c = at + draw(size);
        switch (draw(4)) {
        case 0: *c = (char)draw(256); break;
        case 1: *c = (char)(*c + (draw(2) ? 1 : -1)); break;
        case 2: *c = (char)(draw(2) ? 0xFF : 0x7F); break;
        default: *c = (char)(*c ^ 1 << draw(8)); break;
        }
    }
}

/* ---- what is in the messages ---- */

static int64_t some_number(int64_t was)
{
    static const int64_t numbers[] = {0,         1,         -1,        2,        3,
                                      7,         8,         64,        1000,     1 << 20,
                                      INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    if (draw(3) == 0)
        return was + (draw(2) ? 1 : -1);
    return numbers[draw(sizeof numbers / sizeof *numbers)];
}

static char *some_name(const Pb__Graph *g)
{
    const Pb__Node *n = g->n_node ? g->node[draw(g->n_node)] : NULL;
    if (n && n->n_output && draw(2))
        return n->output[draw(n->n_output)];
    if (n && n->n_input && draw(2))
        return n->input[draw(n->n_input)];
    if (g->n_initializer && draw(2))
        return g->initializer[draw(g->n_initializer)]->name;
    return g->n_input && g->input[0]->name && draw(4) ? g->input[0]->name : "";
}

static char *some_operator(void)
{
    int tables = 0, ops = 0;
    while (onnx_tables[tables])
        tables++;
    const OnnxOp *table = onnx_tables[draw((uint64_t)tables)];
    while (table[ops].name)
        ops++;
    return (char *)table[draw((uint64_t)ops)].name;
}

static void change_graph(Ngc *ngc, Pb__Graph *g);

/* A word that is not a name of a tensor: of an attribute, an operator, an axis. */
static char *some_word(Ngc *ngc, char *was)
{
    static char *const words[] = {"", " ", "axis", "=", "$60[", "a b", "\n", "\xff"};
    if (was && *was && draw(4) == 0)
        return (char *)text_format(ngc, "%.*s", (int)draw(strlen(was)), was);
    return words[draw(sizeof words / sizeof *words)];
}

static void change_attribute(Ngc *ngc, Pb__Attribute *a)
{
    static const double numbers[] = {0, -1, 0.5, 1e30, -INFINITY, NAN};
    if (draw(8) == 0)
        a->name = some_word(ngc, a->name);
    else if (a->g)
        change_graph(ngc, a->g);
    else if (a->n_ints && draw(4))
        a->ints[draw(a->n_ints)] = some_number(a->ints[0]);
    else if (a->n_ints)
        a->n_ints--;
    else if (a->t && a->t->n_dims)
        a->t->dims[draw(a->t->n_dims)] = some_number(a->t->dims[0]);
    else if (a->t)
        a->t->type = (int32_t)draw(18);
    else if (a->has_f)
        a->f = (float)numbers[draw(6)];
    else
        a->i = some_number(a->i);
}

static void change_node(Ngc *ngc, Pb__Graph *g, Pb__Node *n)
{
    const Pb__Node *other = g->node[draw(g->n_node)];
    switch (draw(8)) {
    case 0: n->n_input -= n->n_input > 0; break;
    case 1:
        if (n->n_input)
            n->input[draw(n->n_input)] = some_name(g);
        break;
    case 2:
        if (n->n_attribute)
            change_attribute(ngc, n->attribute[draw(n->n_attribute)]);
        break;
    case 3: n->n_attribute -= n->n_attribute > 0; break;
    case 4: n->op = draw(2) ? other->op : some_operator(); break;
    case 5:
        n->input = other->input;
        n->n_input = other->n_input;
        break;
    case 6: *(draw(3) ? &n->name : &n->op) = some_word(ngc, n->op); break;
    default:
        if (n->n_output)
            n->output[draw(n->n_output)] = some_name(g);
    }
}

static void change_tensor(Pb__Tensor *t)
{
    if (t->n_dims && draw(3))
        t->dims[draw(t->n_dims)] = some_number(t->dims[0]);
    else if (t->n_int64s)
        t->int64s[draw(t->n_int64s)] = some_number(t->int64s[0]);
    else if (t->has_raw && t->raw.len >= 8 && t->type == EL_INT64)
        memcpy(t->raw.data, &(int64_t){some_number(0)}, 8);
    else
        t->type = (int32_t)draw(18);
}

static void change_value(Ngc *ngc, Pb__Value *v)
{
    Pb__TensorType *t = v->type ? v->type->tensor : NULL;
    if (draw(4) == 0) {
        v->name = some_word(ngc, v->name);
    } else if (t && t->shape && t->shape->n_axis && draw(4) == 0) {
        Pb__Axis *a = t->shape->axis[draw(t->shape->n_axis)];
        a->has_size = false;
        a->name = some_word(ngc, a->name);
    } else if (t && t->shape && t->shape->n_axis && draw(3)) {
        Pb__Axis *a = t->shape->axis[draw(t->shape->n_axis)];
        a->has_size = draw(4) > 0;
        a->size = some_number(a->size);
    } else if (t && t->shape && draw(2)) {
        t->shape->n_axis -= t->shape->n_axis > 0;
    } else if (t) {
        t->element = (int32_t)draw(18);
    }
}

static void change_graph(Ngc *ngc, Pb__Graph *g)
{
    uint64_t what = draw(10);
    if (what == 0 && g->n_initializer && draw(4) == 0)
        g->initializer[draw(g->n_initializer)]->name = some_word(ngc, "weight");
    else if (what == 0 && g->n_initializer)
        change_tensor(g->initializer[draw(g->n_initializer)]);
    else if (what == 1 && g->n_input)
        change_value(ngc, g->input[draw(g->n_input)]);
    else if (what == 2 && g->n_node > 1)
        g->node[draw(g->n_node)] = g->node[draw(g->n_node)];
    else if (g->n_node)
        change_node(ngc, g, g->node[draw(g->n_node)]);
}

/* The file with other messages, in `at`; false: it is none. */
static bool change_messages(const char *path, char **at, size_t *size)
{
    Ngc ngc = {0};
    Text out = {.ngc = &ngc};
    source_restart(&ngc);
    Pb__Model *m = onnx_read(&ngc, path);
    if (m) {
        for (uint64_t n = 1 + draw(3); n > 0; n--)
            change_graph(&ngc, m->graph);
        if (m->n_opset && draw(10) == 0)
            m->opset[0]->version = (int64_t)(5 + draw(16));
        onnx_write(&ngc, m, &out);
        free(*at);
        *at = malloc(out.size + 1);
        *size = out.size;
        if (*at)
            memcpy(*at, out.at, out.size);
    }
    arena_free(&ngc);
    return m && *at;
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[2]) : 0, bad = 0;
    char path[] = "/tmp/damage.XXXXXX";
    state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    int fd = mkstemp(path);
    if (fd < 0)
        return 2;
    for (int i = 0; i < count && argc > 3; i++) {
        size_t size;
        char *at = read_all(argv[3 + i % (argc - 3)], &size);
        const char *from = argv[3 + i % (argc - 3)];
        uint64_t how = draw(8);
        if (how == 0)
            size = draw(size);
        else if (how < 3 || !change_messages(from, &at, &size))
            change(at, size);
        if (getenv("SHOW"))
            fprintf(stderr, "%d %s\n", i, from);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(at, 1, size, f) != size || fclose(f) != 0)
            return 2;
        bad += !import(path);
        free(at);
    }
    remove(path);
    printf("%d files, %d texts that are not models\n", count, bad);
    return bad > 0;
}
