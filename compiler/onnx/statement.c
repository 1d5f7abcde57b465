/* statement.c - lines become statements. A line that is read once becomes part of its reader; the
 * others are statements. A statement has at most one layer with weights, and is called after it, so
 * that the weights have the names of the file. */
#include "onnx/onnx.h"

#include <string.h>

/* ---- which lines are statements ---- */

enum { LONG = 88, DEEP = 6 };

/* What is known of a line, by Line.id. */
typedef struct Joined {
    bool needed, inlined;
    bool heavy; /* there is a layer with weights in it */
    bool output;
    int uses, length, depth;
    uint64_t parts; /* those that are read: a bit for each */
} Joined;

static void count_use(Joined *of, const Operand *o)
{
    Joined *line = &of[o->line->id];
    line->needed = true;
    line->uses++;
    line->parts |= (uint64_t)1 << (o->part & 63);
}

/* From the outputs back: a line that is not needed uses nothing. */
static void count_uses(Import *im, Joined *of)
{
    for (int i = 0; i < im->outputs; i++) {
        const Operand *o = &im->output[i];
        if (!o->line)
            continue;
        count_use(of, o);
        of[o->line->id].output = true;
    }

    for (int i = im->lines - 1; i >= 0; i--) {
        const Line *l = im->line[i];
        if (l->kind == LINE_INPUT || l->kind == LINE_DIM)
            of[i].needed = true;
        if (!of[i].needed || !l->args)
            continue;
        for (const char *c = l->form; *c; c++)
            if (*c == '$') {
                count_use(of, &l->arg[c[2] - '0']);
                c += 2;
            }
    }
}

/* The function of a form like "relu($00)", if a layer takes it as its argument `act`; else NULL. */
static const char *activation(const char *form)
{
    static const char *const acts[] = {"relu",       "sigmoid",  "tanh",        "gelu",
                                       "elu",        "selu",     "silu",        "relu6",
                                       "leaky_relu", "softplus", "hardswish",   "gelu_tanh",
                                       "mish",       "softsign", "hardsigmoid", NULL};
    size_t n = strcspn(form, "(");
    if (!same_text(form + n, "($00)"))
        return NULL;
    for (int i = 0; acts[i]; i++)
        if (is_word(form, n, acts[i]))
            return acts[i];
    return NULL;
}

/* Is it a sum of a layer and another value, of which one is read elsewhere too? Such sums begin and
 * end blocks. */
static bool is_residual(const Joined *of, const Line *a)
{
    const Line *sum = a;
    while (sum->args == 1 && of[sum->arg[0].line->id].inlined)
        sum = sum->arg[0].line;
    if (!same_text(sum->form, "$20 + $31"))
        return false;
    bool again = false, layer = false;
    for (int i = 0; i < 2; i++) {
        const Line *part = sum->arg[i].line;
        again |= part->kind == LINE_VALUE && of[part->id].uses > 1;
        layer |= of[part->id].heavy;
    }
    return again && layer;
}

/* Can operand a be written inside of line l? */
static bool can_inline(const Joined *of, const Line *l, const Line *a)
{
    const Joined *j = &of[a->id];
    if (a->kind == LINE_LITERAL)
        return true;
    if (a->kind != LINE_VALUE || j->uses != 1 || a->parts || j->output)
        return false;
    if (!activation(l->form) && is_residual(of, a))
        return false;
    if (j->heavy && !activation(l->form))
        return false;
    return j->length + (int)strlen(l->form) < LONG && j->depth < DEEP;
}

static void choose_inlined(Import *im, Joined *of)
{
    for (int i = 0; i < im->lines; i++) {
        const Line *l = im->line[i];
        Joined *j = &of[i];
        j->heavy = l->weights > 0;
        j->length = (int)strlen(l->form);
        for (int k = 0; k < l->args && j->needed; k++) {
            Joined *a = &of[l->arg[k].line->id];
            if (!can_inline(of, l, l->arg[k].line))
                continue;
            a->inlined = true;
            j->heavy |= a->heavy;
            j->length += a->length;
            j->depth = max_int(a->depth + 1, j->depth);
        }
    }
}

/* ---- their text ---- */

/* The form of a layer with an activation: "dense($00, 8, relu)". NULL: it takes none. */
static const char *with_activation(Import *im, const char *form, const char *act)
{
    bool dense = begins(form, "dense(");
    if (!dense && !begins(form, "conv1d(") && !begins(form, "conv2d(") &&
        !begins(form, "conv_transpose2d("))
        return NULL;
    const char *end = strstr(form, ", bias = 0)");
    if (!end)
        end = form + strlen(form) - 1;
    return text_format(im->ngc, "%.*s, %s%s%s", (int)(end - form), form, text_if(!dense, "act = "),
                       act, end);
}

typedef struct Pen {
    Import *im;
    Joined *of;
    Text text;
    Statement *s;
    const Line *layer; /* the layer in it, or NULL */
} Pen;

static void write_line(Pen *p, const Line *l, const char *form);

static void write_operand(Pen *p, const Operand *o, int binds)
{
    Joined *j = &p->of[o->line->id];
    const Line *l = o->line;
    if (!j->inlined && l->kind != LINE_LITERAL) {
        Statement *s = p->s;
        LIST_GROW(p->im->ngc, s->ref, s->refs, &s->ref_room);
        s->ref[s->refs++] = (Ref){l->statement, o->part};
        text_add(&p->text, "\1");
        return;
    }
    bool parens = (int)l->binds < binds;
    if (parens)
        text_add(&p->text, "(");
    write_line(p, l, l->form);
    if (parens)
        text_add(&p->text, ")");
}

/* The text of a line; each operand that is another statement is the byte 1. */
static void write_line(Pen *p, const Line *l, const char *form)
{
    Import *im = p->im;
    const Line *layer = NULL;
    if (l->args == 1)
        layer = l->arg[0].line;
    if (layer && p->of[layer->id].inlined && layer->weights) {
        const char *act = activation(form);
        const char *both = NULL;
        if (act)
            both = with_activation(im, layer->form, act);
        if (both) {
            write_line(p, layer, both);
            return;
        }
    }
    if (l->weights)
        p->layer = l;
    for (const char *c = form; *c; c++) {
        if (*c != '$') {
            text_put(&p->text, c, 1);
            continue;
        }
        write_operand(p, &l->arg[c[2] - '0'], c[1] - '0');
        c += 2;
    }
}

static Statement *statement_of(Import *im, Joined *of, Line *l)
{
    Ngc *ngc = im->ngc;
    const Joined *line = &of[l->id];
    Statement *s = arena_alloc(ngc, sizeof *s);
    Pen p = {.im = im, .of = of, .text = {.ngc = ngc}, .s = s};
    *s = (Statement){.declares = l->kind, .parts = l->parts, .output = line->output};
    write_line(&p, l, l->form);

    /* where only one part is read, it is that part */
    for (int i = 0; i < l->parts; i++)
        if (line->parts == (uint64_t)1 << i) {
            text_add(&p.text, "[%d]", i);
            s->parts = 0;
        }
    s->text = text_or(p.text.at, "");
    s->uses = line->uses;
    if (l->kind == LINE_INPUT)
        s->label = l->label;
    if (l->kind == LINE_DIM)
        s->name = l->name;

    const Line *layer = p.layer;
    if (!layer) {
        s->hint = l->form;
        return s;
    }
    s->hint = layer->form;
    s->label = layer->label;
    s->weights = layer->weights;
    s->weight = arena_array(ngc, s->weights, sizeof *s->weight);
    for (int i = 0; i < s->weights; i++)
        s->weight[i] = &layer->weight[i];
    return s;
}

/* Does it depend on no input and no weight? */
static bool is_constant(const Statement *s)
{
    bool constant = s->declares == LINE_STATE || (s->declares == LINE_VALUE && s->weights == 0);
    for (int i = 0; i < s->refs; i++)
        constant &= s->ref[i].of->constant;
    return constant && !s->output;
}

/* Constants that are read several times go to the start, after the inputs, with what they read. So
 * the first of several blocks that read them is like the others. */
static void move_constants(Import *im, Page *p)
{
    int n = p->statements;
    int count = 0, inputs = 0;
    Statement **in = LIST_COPY(im->ngc, p->statement, n);
    bool *first = arena_array(im->ngc, n + 1, sizeof *first);
    for (int i = 0; i < n; i++) {
        in[i]->at = i;
        in[i]->constant = is_constant(in[i]);
    }
    for (int i = n - 1; i >= 0; i--) {
        first[i] |= in[i]->constant && in[i]->uses > 1;
        for (int k = 0; first[i] && k < in[i]->refs; k++)
            first[in[i]->ref[k].of->at] = true;
    }

    while (inputs < n && (in[inputs]->declares == LINE_DIM || in[inputs]->declares == LINE_INPUT))
        inputs++;
    for (int pass = 0; pass < 2; pass++)
        for (int i = inputs; i < n; i++)
            if (first[i] == (pass == 0))
                p->statement[inputs + count++] = in[i];
}

/* All statements, in order. */
void make_statements(Import *im, Page *p)
{
    Joined *of = arena_array(im->ngc, im->lines + 1, sizeof *of);
    count_uses(im, of);
    choose_inlined(im, of);
    p->statement = arena_array(im->ngc, im->lines + 1, sizeof *p->statement);
    for (int i = 0; i < im->lines; i++) {
        Line *l = im->line[i];
        if (!of[i].needed || of[i].inlined || l->kind == LINE_LITERAL)
            continue;
        Statement *s = statement_of(im, of, l);
        l->statement = s;
        p->statement[p->statements++] = s;
    }
    move_constants(im, p);
}
