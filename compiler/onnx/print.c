/* print.c - statements become the text of a model, and the file of its weights is planned.
 *
 * A statement is called after its layer, without what the names of all layers begin with. So the
 * weights have the names of the file. */
#include "onnx/onnx.h"

#include <string.h>

/* ---- what statements are called ---- */

static int components(const char *label)
{
    int n = 1;
    for (const char *c = label; *c; c++)
        n += *c == '.';
    return n;
}

/* The number of leading components that all labels have in common, and that do not leave one
 * empty. */
static int common_start(const Page *p)
{
    const char *first = NULL;
    int common = 0;
    for (int i = 0; i < p->statements; i++) {
        const Statement *s = p->statement[i];
        if (!s->label || s->declares == LINE_INPUT)
            continue;
        int most = components(s->label) - 1;
        if (!first) {
            first = s->label;
            common = most;
        }
        int same = 0;
        const char *a = first;
        const char *b = s->label;
        while (same < most && same < common) {
            size_t n = strcspn(a, ".");
            size_t m = strcspn(b, ".");
            if (n != m || strncmp(a, b, n) != 0)
                break;
            same++;
            a += n + 1;
            b += m + 1;
        }
        common = same;
    }
    return common;
}

static const char *without_start(const char *label, int n)
{
    while (n-- > 0)
        label += strcspn(label, ".") + 1;
    return label;
}

/* A word for a value that the file has no name for: by the layer in it. */
static const char *word_of(const char *hint)
{
    static const char *const words[][2] = {
        {"dense(", "fc"},       {"conv1d(", "conv"},
        {"conv2d(", "conv"},    {"conv_transpose2d(", "up"},
        {"batch_norm(", "bn"},  {"layer_norm(", "ln"},
        {"group_norm(", "gn"},  {"embedding(", "emb"},
        {"split(", "part"},     {"lstm_sequence(", "y"},
        {"gru_sequence(", "y"}, {"rnn_sequence(", "y"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (hint && begins(hint, words[i][0]))
            return words[i][1];
    return "h";
}

/* The results of a recurrent net are called as in the manual; others are numbered. */
static const char *part_word(Import *im, const Statement *s, const char *word, int i)
{
    static const char *const results[] = {"y", "h", "c"};
    bool sequence = s->hint && strstr(s->hint, "_sequence(") && i < 3;
    if (sequence)
        return results[i];
    return text_format(im->ngc, "%s%d", word, i);
}

static void name_statement(Import *im, Statement *s, int start)
{
    if (s->name)
        return;
    const char *word;
    if (s->label)
        word = without_start(s->label, start);
    else
        word = word_of(s->hint);
    if (s->declares == LINE_PARAM && !s->label)
        word = "w";
    if (s->declares == LINE_INPUT)
        word = is_good_name(s->label) && !same_text(s->label, "input") ? s->label : "x";
    if (s->before) {
        s->name = s->before->name;
        return;
    }
    if (!s->parts) {
        s->name = name_fresh(im, word, false);
        return;
    }
    s->part_name = arena_array(im->ngc, s->parts, sizeof *s->part_name);
    for (int i = 0; i < s->parts; i++)
        s->part_name[i] = name_fresh(im, part_word(im, s, word, i), false);
    s->name = s->part_name[0];
}

/* ---- text ---- */

static const char *ref_name(const Ref *r)
{
    const Statement *s = statement_now(r->of);
    if (s->parts)
        return s->part_name[r->part];
    return s->name;
}

static void add_expression(Text *t, const Statement *s)
{
    int k = 0;
    for (const char *c = s->text; *c; c++)
        if (*c == '\1')
            text_add(t, "%s", ref_name(&s->ref[k++]));
        else
            text_put(t, c, 1);
}

/* The calls of a def, one after the other, as a loop. */
static void add_loop(Import *im, Text *t, const Statement *s, const char *indent)
{
    const char *from = ref_name(&s->ref[0]);
    if (!same_text(from, s->name))
        text_add(t, "%s = %s\n%s", s->name, from, indent);
    text_add(t, "for %s in 0..%d { %s = %s", im->index, s->passes, s->name, s->of->name);

    /* the first operand is what the pass before has made */
    int k = 0;
    for (const char *c = s->text; *c; c++) {
        if (*c != '\1') {
            text_put(t, c, 1);
            continue;
        }
        const char *name = s->name;
        if (k > 0)
            name = ref_name(&s->ref[k]);
        text_add(t, "%s", name);
        k++;
    }
    text_add(t, " }\n");
}

static void add_statement(Import *im, Text *t, const Statement *s, const char *indent)
{
    static const char *const declares[] = {[LINE_DIM] = "dim ",
                                           [LINE_INPUT] = "input ",
                                           [LINE_PARAM] = "param ",
                                           [LINE_STATE] = "state "};
    text_add(t, "%s", indent);
    if (s->declares >= LINE_DIM) {
        text_add(t, "%s%s%s\n", declares[s->declares], s->name, s->text);
        return;
    }
    if (s->kind == ST_LOOP) {
        add_loop(im, t, s, indent);
        return;
    }

    for (int i = 0; i < s->parts; i++)
        text_add(t, "%s%s", comma_before(i), s->part_name[i]);
    if (!s->parts)
        text_add(t, "%s", s->name);
    text_add(t, " = ");
    if (s->kind == ST_CALL)
        text_add(t, "%s", s->of->name);
    add_expression(t, s);
    text_add(t, "\n");
}

static void take_name(Import *im, const char *name)
{
    *table_at(im->ngc, &im->taken, intern_str(im->ngc, name)) = 1;
}

/* The statements; the last one gives the value. */
static void add_body(Import *im, Text *t, const Def *d)
{
    for (int i = 0; i < d->count; i++) {
        Statement *s = d->body[i];
        bool last = i == d->count - 1;
        if (last && !s->weights) {
            text_add(t, "    return %s", s->kind == ST_CALL ? s->of->name : "");
            add_expression(t, s);
            text_add(t, "\n");
            return;
        }
        name_statement(im, s, 0);
        add_statement(im, t, s, "    ");
        if (last)
            text_add(t, "    return %s\n", s->name);
    }
}

static void add_def(Import *im, Text *t, const Page *p, Def *d)
{
    /* names outside are not taken inside, but for those of dims and defs */
    Table outside = im->taken;
    im->taken = (Table){0};
    for (int i = 0; i < im->g->dims; i++)
        take_name(im, im->g->dim[i].name);
    for (int i = 0; i < p->defs; i++)
        take_name(im, p->def[i]->name);

    /* the parameters: values, whose names are others inside, and numbers */
    text_add(t, "\ndef %s(", d->name);
    const char **kept = arena_array(im->ngc, d->entries + 1, sizeof *kept);
    for (int i = 0; i < d->entries; i++) {
        Statement *entry = statement_now(d->entry[i]);
        kept[i] = entry->name;
        entry->name = name_fresh(im, i ? "other" : "x", false);
        text_add(t, "%s%s", comma_before(i), entry->name);
    }
    for (int i = 0; i < d->numbers; i++) {
        take_name(im, d->number[i]);
        text_add(t, ", %s", d->number[i]);
    }

    text_add(t, ") {\n");
    add_body(im, t, d);
    text_add(t, "}\n");

    for (int i = 0; i < d->entries; i++)
        statement_now(d->entry[i])->name = kept[i];
    im->taken = outside;
}

/* ---- the parts of a model ---- */

static void add_inputs(Import *im, Text *t, const Page *p)
{
    bool some = false;
    for (int i = 0; i < p->statements; i++) {
        const Statement *s = p->statement[i];
        if (s->declares == LINE_DIM)
            add_statement(im, t, s, "");
    }
    for (int i = 0; i < p->statements; i++) {
        const Statement *s = p->statement[i];
        if (s->declares != LINE_INPUT)
            continue;
        text_add(t, "%s%s%s", some ? ", " : "input ", s->name, s->text);
        some = true;
    }
    if (some)
        text_add(t, "\n");
}

/* Is the statement written as a part of an output? */
static bool is_output_only(const Statement *s)
{
    return s->output && s->uses == 1 && !s->weights && s->kind == ST_LINE &&
           s->declares == LINE_VALUE && !s->parts;
}

static void add_outputs(Import *im, Text *t)
{
    for (int i = 0; i < im->outputs; i++) {
        const Line *l = im->output[i].line;
        const char *theirs = im->output_name[i];
        bool good = is_good_name(theirs) && !same_text(theirs, "output");
        if (l->kind == LINE_LITERAL) {
            text_add(t, "output %s = %s\n", name_fresh(im, good ? theirs : "y", false), l->form);
            continue;
        }
        Statement *s = statement_now(l->statement);
        const char *name = ref_name(&(Ref){l->statement, im->output[i].part});
        if (!is_output_only(s) && (!good || same_text(theirs, name)) && s->declares == LINE_VALUE) {
            int *written = table_at(im->ngc, &im->written, intern_str(im->ngc, name));
            if (!(*written)++) {
                text_add(t, "output %s\n", name);
                continue;
            }
        }
        const char *ours = name_fresh(im, good ? theirs : "y", false);
        text_add(t, "output %s = ", ours);
        if (is_output_only(s)) {
            s->name = ours;
            add_expression(t, s);
        } else {
            text_add(t, "%s", name);
        }
        text_add(t, "\n");
    }
}

/* The value that the loss is of: before a softmax at the end, for a loss that takes logits. */
static const char *scores_of(Import *im, const char *loss, Shape *shape)
{
    static const char *const squashing[] = {"softmax(\1)", "log_softmax(\1)", "sigmoid(\1)"};
    const Line *l = im->output[0].line;
    Statement *s = statement_now(l->statement);
    const char *name = ref_name(&(Ref){l->statement, im->output[0].part});
    *shape = operand_node(im->output[0])->shape;

    bool logits = has_word("cross_entropy bce_logits", loss);
    for (size_t i = 0; i < sizeof squashing / sizeof *squashing; i++)
        if (logits && s->refs == 1 && same_text(s->text, squashing[i]))
            return ref_name(&s->ref[0]);
    return name;
}

static void add_loss(Import *im, Text *t, const ImportOptions *options)
{
    if (im->outputs == 0 || im->output[0].line->kind != LINE_VALUE)
        return;
    const char *loss = text_or(options->loss, "cross_entropy");
    const char *with = text_or(options->optimizer, "sgd(lr = 0.01)");
    const char *mark = text_if(!options->loss, "# ");
    Shape s;
    const char *scores = scores_of(im, loss, &s);

    /* a label for each row of scores, or a target for each score */
    bool labels = has_word("cross_entropy nll", loss) && s.rank > 0;
    if (labels)
        s.rank--;
    const char *shape = "";
    if (s.rank)
        shape = shape_text(im->g, s);
    const char *target = name_fresh(im, "t", false);
    const char *J = name_fresh(im, "J", false);
    text_add(t, "\n%sinput %s%s%s\n", mark, target, shape, text_if(labels, ": int"));

    if (labels && same_text(loss, "cross_entropy")) {
        const char *hits = name_fresh(im, "hits", false);
        text_add(t, "%smetric %s = accuracy(%s, %s)\n", mark, hits, scores, target);
    }
    text_add(t, "%sminimize %s = %s(%s, %s) with %s\n", mark, J, loss, scores, target, with);
}

/* Is each weight of the file one weight of the text? */
static void check_weights(Import *im, const Written *w)
{
    Table seen = {0};
    for (int i = 0; i < w->weights; i++) {
        const Known *k = w->weight[i]->value;
        int *at = table_at(im->ngc, &seen, k);
        im->failed = false;
        im->at = NULL;
        if ((*at)++ && k->name && !k->merged)
            problem(im, "the weight '%s' is used in two ways that are not supported together",
                    k->name);
    }
}

static void collect_weights(Import *im, const Page *p, Written *w)
{
    int count = 0;
    for (int i = 0; i < p->statements; i++)
        count += p->statement[i]->weights;
    w->weight = arena_array(im->ngc, count + 1, sizeof *w->weight);
    for (int i = 0; i < p->statements; i++)
        for (int k = 0; k < p->statement[i]->weights; k++)
            w->weight[w->weights++] = p->statement[i]->weight[k];
    check_weights(im, w);
}

static void add_header(Import *im, Text *t)
{
    const char *name = base_name(im->path);
    text_add(t, "# imported from ");
    text_clean(t, name, strlen(name));
    text_add(t, "\n");
}

/* Names in the order in which a reader meets them first. */
static void name_all(Import *im, Text *t, Page *p)
{
    int start = common_start(p);
    for (int i = 0; i < p->statements; i++)
        if (p->statement[i]->declares == LINE_INPUT)
            name_statement(im, p->statement[i], 0);
    add_inputs(im, t, p);

    im->index = name_fresh(im, "i", false); /* of loops */
    for (int i = 0; i < p->defs; i++) {
        const char *word = p->def[i]->name;
        if (is_taken(im, word))
            word = "block";
        p->def[i]->name = name_fresh(im, word, false);
    }
    for (int i = 0; i < p->statements; i++)
        if (!is_output_only(p->statement[i]))
            name_statement(im, p->statement[i], start);
}

void import_print(Import *im, const ImportOptions *options, Written *w)
{
    Page p = {0};
    Text *t = &w->text;
    make_statements(im, &p);
    if (!options->flat)
        outline(im, &p);

    add_header(im, t);
    name_all(im, t, &p);
    for (int i = 0; i < p.defs; i++)
        add_def(im, t, &p, p.def[i]);

    text_add(t, "\n");
    for (int i = 0; i < p.statements; i++) {
        const Statement *s = p.statement[i];
        bool declared = s->declares == LINE_DIM || s->declares == LINE_INPUT;
        if (!declared && !is_output_only(s))
            add_statement(im, t, s, "");
    }
    add_outputs(im, t);
    if (im->remarks.size)
        text_add(t, "%s", im->remarks.at);
    add_loss(im, t, options);
    collect_weights(im, &p, w);
}
