/* emit_lines.c - the lines of the model, for comments: on which line what a statement computes was
 * written. */
#include "emit/emit_comment.h"

#include <string.h>

/* What is known of a line; a set of bits. */
enum {
    NAMED_HERE = 1,  /* a value is named there */
    NEEDED_HERE = 2, /* a loss needs such a value */
};

/* A number for a line of the user's files; 0: the place is not in the user's files. */
int line_key(const Emit *e, Loc loc)
{
    Ngc *ngc = e->ngc;
    enum { LINES = 1 << 20 };
    if (loc.file < 0 || loc.file >= ngc->files || loc_of_library(ngc, loc))
        return 0;
    return loc.file * LINES + source_line(ngc, loc, NULL) % LINES;
}

static int *line_state(Emit *e, int key)
{
    return table_at(e->ngc, &e->line_state, (const void *)(uintptr_t)key);
}

/* 1 + the root of that name that is not a gradient or an update; 0: there is none. */
int *line_root(Emit *e, const char *name)
{
    return table_at(e->ngc, &e->root_of, intern_str(e->ngc, name));
}

static int find_losses_written(const Emit *e, Node **loss)
{
    const Model *m = e->module->model;
    int losses = 0;
    for (int i = 0; i < m->roots; i++)
        if (m->root[i].kind == ROOT_LOSS)
            loss[losses++] = m->root[i].written;
    return losses;
}

/* By id: does a loss need it, as the user wrote the loss or as forward computes it? A derivative in
 * forward counts too. */
static int *needed_by_losses(Emit *e, Node *const *loss, int losses)
{
    int *used = graph_uses(e->graph, loss, losses);

    for (int f = 0; f < e->module->functions; f++) {
        const Program *p = e->module->function[f].program;
        if (e->module->function[f].fn != FN_FORWARD)
            continue;
        for (int i = 0; i < p->nodes; i++) {
            const Node *n = p->node[i];
            if (n->id < e->graph->count && (p->phase[i] == 0 || n->derived))
                used[n->id]++;
        }
    }
    return used;
}

/* By id: the first user that a loss needs. By name: the root. By line: what is named there. */
void lines_find(Emit *e)
{
    const Model *m = e->module->model;
    const Graph *g = e->graph;
    Node **loss = arena_array(e->ngc, m->roots + 1, sizeof *loss);
    int losses = find_losses_written(e, loss);
    int *used = needed_by_losses(e, loss, losses);

    /* from the last node to the first, so that the first user remains */
    e->first_user = arena_array(e->ngc, g->count + 1, sizeof *e->first_user);
    for (int i = g->count - 1; i >= 0; i--) {
        const Node *n = g->node[i];
        for (int k = 0; used[i] && k < n->nargs; k++)
            e->first_user[arg_id(n, k)] = n;
    }

    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (r->kind == ROOT_GRAD || r->kind == ROOT_UPDATE)
            continue;

        /* The line where it is assigned is better than the line where it is an output. */
        int *root = line_root(e, r->name);
        if (*root == 0 || r->kind == ROOT_NAMED)
            *root = i + 1;

        if (losses > 0) {
            int *line = line_state(e, line_key(e, r->loc));
            *line |= NAMED_HERE;
            if (r->of_loss)
                *line |= NEEDED_HERE;
        }
    }
}

/* Do comments take this node's line? Not if the line only names values that no loss needs, unless
 * the node is such a value. */
static bool has_line(Emit *e, const Node *n)
{
    int key = line_key(e, n->loc);
    if (key == 0)
        return false;
    if (*line_state(e, key) != NAMED_HERE)
        return true;
    const char *name = kept_name(e, n);
    return name && *line_root(e, name);
}

/* The place in the model that n is computed for. A value that a loss shares with a line that it
 * does not need (the softmax(z) of an output and of a cross-entropy) gets the line of its user. */
Loc line_loc(Emit *e, const Node *n)
{
    bool crossed = false; /* from a value of the backward pass to the value that it is for */

    for (const Node *at = n; at && at->id < e->graph->count; at = e->first_user[at->id]) {
        if (at->step && crossed)
            break;
        if (at->step) {
            at = at->step->y;
            crossed = true;
        }
        if (has_line(e, at))
            return at->loc;
    }
    return n->loc;
}

/* "line 7: ", of an imported file "layers.ng, line 7: ". */
const char *line_words(Emit *e, Loc loc)
{
    Ngc *ngc = e->ngc;
    enum { MODEL = 1 }; /* the file after the library */
    const char *path = ngc->file[loc.file]->name;
    int number = source_line(ngc, loc, NULL);

    if (loc.file == MODEL)
        return text_format(ngc, "line %d: ", number);
    return text_format(ngc, "%s, line %d: ", base_name(path), number);
}

/* The text of the user's line there: "z = w*x + b". */
const char *line_source(Emit *e, Loc loc)
{
    Ngc *ngc = e->ngc;
    const Source *source = ngc->file[loc.file];
    int at = source->line[source_line(ngc, loc, NULL) - 1];
    while (source->text[at] == ' ' || source->text[at] == '\t')
        at++;

    int end = at;
    while (end < source->size && !strchr("\n\r#", source->text[end]) && end - at < 100)
        end++;
    while (end > at && source->text[end - 1] == ' ')
        end--;
    return text_format(ngc, "%.*s", end - at, source->text + at);
}
