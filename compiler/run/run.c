/* run.c - `ngc run`: values by the reference interpreter, in double precision. In: a model, and
 * name=value for its inputs and dims. Out: a text with the values. */
#include "run/run_values.h"

#include <math.h>
#include <string.h>

enum { INT_DIGITS = 10 };

/* A number as all C libraries print it: no -0, no -nan. */
static void print_number(Text *out, double x, int digits)
{
    if (x == 0)
        x = 0;
    if (isnan(x))
        text_add(out, "nan");
    else
        text_add(out, "%.*g", digits, x);
}

/* Nested lists; the rows of a matrix one below the other. */
static void print_rows(Text *out, const double *x, const int64_t *dim, int rank, int indent,
                       int digits)
{
    if (rank == 0) {
        print_number(out, *x, digits);
        return;
    }

    int64_t inner = 1;
    for (int i = 1; i < rank; i++)
        inner *= dim[i];
    text_add(out, "[");
    for (int64_t i = 0; i < dim[0]; i++) {
        if (i && rank > 1)
            text_add(out, ",\n%*s", indent + 1, "");
        else if (i)
            text_add(out, ", ");
        print_rows(out, x + i * inner, dim + 1, rank - 1, indent + 1, digits);
    }
    text_add(out, "]");
}

/* "next W = [...]"; ints with all their digits. */
static void print_value(Run *r, const char *before, const char *name, Shape shape, Type type,
                        const double *x)
{
    int64_t dim[MAX_RANK];
    eval_shape(r->e, shape, dim);
    int digits = r->ngc->opt.digits;
    if (type == T_INT && digits < INT_DIGITS)
        digits = INT_DIGITS;

    size_t start = r->out->size;
    text_add(r->out, "%s%s = ", before, name);
    print_rows(r->out, x, dim, shape.rank, (int)(r->out->size - start), digits);
    text_add(r->out, "\n");
}

static void print_root(Run *r, const Root *root)
{
    const char *before = text_if(root->kind == ROOT_UPDATE, "next ");
    print_value(r, before, root->name, root->node->shape, root->node->type,
                eval_node(r->e, root->node));
}

Eval *run_eval(Ngc *ngc, Model *m, char **assign, int count, const char *files, DataRows *rows,
               int *status)
{
    Run *r = run_new(ngc, m);
    r->files = files;
    r->rows = rows;
    *status = run_start(r, assign, count, true);
    return *status == 0 ? r->e : NULL;
}

/* Is the value printed already? One that has a name and is also an output has two roots. rank: the
 * place of each kind in the order of printing. */
static bool is_printed(const Model *m, int root, const int *rank)
{
    const Root *r = &m->root[root];
    if (r->kind == ROOT_UPDATE)
        return false;
    for (int j = 0; j < m->roots; j++) {
        const Root *other = &m->root[j];
        bool before = j < root || rank[other->kind] < rank[r->kind];
        if (j != root && before && other->kind != ROOT_UPDATE && same_text(other->name, r->name))
            return true;
    }
    return false;
}

int run_main(Ngc *ngc, Model *m, char **assign, int count, bool fill, Text *out)
{
    static const int rank[] = {[ROOT_NAMED] = 0, [ROOT_OUTPUT] = 1, [ROOT_METRIC] = 2,
                               [ROOT_LOSS] = 3,  [ROOT_GRAD] = 4,   [ROOT_UPDATE] = 5};
    enum { KINDS = sizeof rank / sizeof *rank };
    Run *r = run_new(ngc, m);
    r->out = out;
    int status = run_start(r, assign, count, fill);
    if (status != 0)
        return status;

    /* what the inputs were filled with */
    for (int i = 0; i < m->vars && fill; i++) {
        const Var *v = m->var[i];
        if (v->kind == VAR_INPUT)
            print_value(r, "", v->name, v->shape, v->type, r->var[i]);
    }

    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < m->roots; i++)
            if (rank[m->root[i].kind] == k && !is_printed(m, i, rank))
                print_root(r, &m->root[i]);
    return 0;
}
