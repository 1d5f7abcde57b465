/* boundary.c - what a model of two numbers says in each place of their plane, as a picture, with
 * the rows of the data as dots. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

enum { CELLS = 120, CELL = 4, EDGE = 50, MOST_DOTS = 2000 };

typedef struct Plane {
    const Feed *x, *label; /* label: NULL if there is none */
    const ngrt_tensor *output;
    size_t elements; /* of the output in a row */
    double low[2], high[2];
    double *said; /* [CELLS*CELLS][elements] */
} Plane;

/* The colours of classes: a light one for places, a dark one for rows. */
static const unsigned light[] = {0xcfe0f7, 0xfbdcc4, 0xcdeccf, 0xeed3ee, 0xf7eec0, 0xd0efee};
static const unsigned dark[] = {0x1f5fbf, 0xd9730d, 0x2a8f3a, 0x9a3fa0, 0xa08a00, 0x1f8f8a};
enum { COLOURS = sizeof light / sizeof *light };

/* ---- which input, which output ---- */

/* Is it [rows], or [rows, elements] where the elements have a constant size? */
static int has_plane(const ngrt_tensor *x)
{
    if (x->role != NGRT_OUTPUT || x->rank < 1 || x->rank > 2)
        return 0;
    return x->dim[0] == 0 && (x->rank == 1 || x->dim[1] == -1);
}

/* Finds the input of two numbers, which must be the only one that predict reads; the labels; and an
 * output with elements for each row. */
static int find_plane(const Trainer *t, const Set *set, Plane *p)
{
    int i;

    for (i = 0; i < set->feeds; i++) {
        const Feed *f = &set->feed[i];
        int is_pair = f->width == 2 && f->outer == 1 && f->input->type != NGRT_I32;

        /* predict reads no target: labels only colour the dots */
        if (f->input->flags & NGRT_TARGET) {
            if (f->batched && f->width == 1 && !p->label)
                p->label = f;
            continue;
        }
        if (!f->batched || p->x || !is_pair)
            return 0;
        p->x = f;
    }

    for (i = 0; i < t->model->tensors && p->x && !p->output; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        if (has_plane(x)) {
            p->output = x;
            if (x->rank == 2)
                p->elements = (size_t)x->shape[1];
            else
                p->elements = 1;
        }
    }
    return p->output != NULL;
}

/* Finds what the numbers are between, and a little more. */
static int find_range(const Trainer *t, const Set *set, Plane *p)
{
    size_t row;
    int i;
    int status = DONE;

    for (row = 0; row < set->rows && !status; row++) {
        double v[2];

        status = ngrt_rows_read(t, p->x, ngrt_set_row(set, row), v);
        for (i = 0; i < 2 && !status; i++) {
            if (row == 0)
                p->low[i] = p->high[i] = v[i];
            p->low[i] = fmin(p->low[i], v[i]);
            p->high[i] = fmax(p->high[i], v[i]);
        }
    }

    /* no dot lies on the edge, and a constant column has a range too */
    for (i = 0; i < 2; i++) {
        double more = 1;
        if (p->high[i] > p->low[i])
            more = 0.08 * (p->high[i] - p->low[i]);
        p->low[i] -= more;
        p->high[i] += more;
    }
    return status;
}

/* ---- the places ---- */

/* The numbers at the middle of a cell; cells are counted by rows from the top. */
static void place_of(const Plane *p, size_t cell, double *v)
{
    double right = ((double)(cell % CELLS) + 0.5) / CELLS;
    double up = 1 - ((double)(cell / CELLS) + 0.5) / CELLS;

    v[0] = p->low[0] + right * (p->high[0] - p->low[0]);
    v[1] = p->low[1] + up * (p->high[1] - p->low[1]);
}

static int predict_places(const Trainer *t, Set *set, Plane *p)
{
    const ngrt_tensor *output = p->output;
    ngrt_data said = {.type = ngrt_element_of(output->type), .at = t->work + output->offset};
    size_t cell, count, i;

    for (cell = 0; cell < CELLS * CELLS; cell += count) {
        int rows, error;

        /* cells take the place of rows, in batches as the model takes them */
        count = CELLS * CELLS - cell;
        if (count > set->batch)
            count = set->batch;
        rows = (int)count;
        for (i = 0; i < count; i++) {
            double v[2];
            place_of(p, cell + i, v);
            ngrt_rows_put(p->x, v, i);
        }

        memcpy(set->inputs + t->model->dim[0].offset, &rows, sizeof rows);
        error = t->model->predict(t->params, t->state, set->inputs, t->work);
        if (error)
            return ngrt_trainer_fail(t, FAILED, "prediction: %s", ngrt_strerror(error));
        for (i = 0; i < count * p->elements; i++)
            p->said[cell * p->elements + i] = ngrt_data_value(&said, i);
    }
    return DONE;
}

/* ---- the picture ---- */

/* A colour between two. */
static unsigned between(unsigned a, unsigned b, double share)
{
    unsigned colour = 0;
    int i;

    for (i = 16; i >= 0; i -= 8) {
        double from = a >> i & 255;
        double to = b >> i & 255;
        colour |= (unsigned)(from + (to - from) * share + 0.5) << i;
    }
    return colour;
}

/* The colour of a place: that of its class, or one between two by where its number lies. */
static unsigned colour_of(const Plane *p, size_t cell, double low, double high)
{
    const double *said = p->said + cell * p->elements;
    size_t best = 0, i;

    if (p->elements == 1 && p->output->type == NGRT_I32)
        return light[said[0] >= 0 ? (size_t)said[0] % COLOURS : 0];

    if (p->elements == 1) {
        double share = 0;
        if (high > low)
            share = fmin(fmax((said[0] - low) / (high - low), 0), 1);
        return between(light[0], light[1], share);
    }

    for (i = 1; i < p->elements; i++)
        if (said[i] > said[best])
            best = i;
    return light[best % COLOURS];
}

/* Draws each row as a dot in the colour of its label. */
static int draw_rows(const Trainer *t, const Set *set, const Plane *p, Picture *picture)
{
    const double side = CELLS * CELL;
    const double width = p->high[0] - p->low[0];
    const double height = p->high[1] - p->low[1];
    size_t step = set->rows / MOST_DOTS + 1;
    size_t row;
    int status = DONE;

    for (row = 0; row < set->rows && !status; row += step) {
        size_t number = ngrt_set_row(set, row);
        double v[2], is = 0, right, down;
        unsigned colour = dark[0];

        status = ngrt_rows_read(t, p->x, number, v);
        if (!status && p->label)
            status = ngrt_rows_read(t, p->label, number, &is);
        if (is >= 0 && is < 1e6)
            colour = dark[(size_t)is % COLOURS];

        /* pictures count downward, the second number upward */
        right = (v[0] - p->low[0]) / width * side;
        down = (p->high[1] - v[1]) / height * side;
        ngrt_picture_dot(picture, EDGE + right, 10 + down, 2.5, colour);
    }
    return status;
}

/* Writes the ends of the scales beside the plane. */
static void draw_ends(const Plane *p, Picture *picture)
{
    const double right = EDGE + CELLS * CELL;
    const double bottom = 10 + CELLS * CELL;
    char text[40];

    snprintf(text, sizeof text, "%.4g", p->high[1]);
    ngrt_picture_text(picture, EDGE - 4, 20, 1, 0, text);
    snprintf(text, sizeof text, "%.4g", p->low[1]);
    ngrt_picture_text(picture, EDGE - 4, bottom, 1, 0, text);
    snprintf(text, sizeof text, "%.4g", p->low[0]);
    ngrt_picture_text(picture, EDGE, bottom + 16, 0, 0, text);
    snprintf(text, sizeof text, "%.4g", p->high[0]);
    ngrt_picture_text(picture, right, bottom + 16, 1, 0, text);
}

/* Draws the places: runs of cells of one colour are one box. */
static void draw_places(const Plane *p, Picture *picture)
{
    double low = INFINITY;
    double high = -INFINITY;
    size_t cell, run;

    for (cell = 0; cell < CELLS * CELLS * p->elements; cell++) {
        low = fmin(low, p->said[cell]);
        high = fmax(high, p->said[cell]);
    }
    for (cell = 0; cell < CELLS * CELLS; cell += run) {
        unsigned colour = colour_of(p, cell, low, high);

        for (run = 1; (cell + run) % CELLS != 0; run++)
            if (colour_of(p, cell + run, low, high) != colour)
                break;
        ngrt_picture_box(picture, EDGE + (double)(cell % CELLS) * CELL,
                         10 + (double)(cell / CELLS) * CELL, (double)run * CELL, CELL, colour);
    }
}

int ngrt_boundary_check(Trainer *t, int part)
{
    const ngrt_model *m = t->model;
    Plane p = {0};

    if (!t->boundary_path || (m->predict && m->dims > 0 && find_plane(t, &t->part[part], &p)))
        return DONE;
    return ngrt_trainer_fail(
        t, USAGE,
        "--boundary wants a model with an output for each row of one input of two numbers");
}

int ngrt_boundary(Trainer *t, int part)
{
    Set *set = &t->part[part];
    Plane p = {0};
    Picture picture;
    int status, written;

    if (!t->boundary_path)
        return DONE;
    find_plane(t, set, &p);
    p.said = ngrt_trainer_allocate(CELLS * CELLS * p.elements, sizeof *p.said);
    if (p.said)
        status = find_range(t, set, &p);
    else
        status = ngrt_trainer_no_memory(t);
    if (!status)
        status = predict_places(t, set, &p);
    if (!status) {
        ngrt_picture_start(&picture, EDGE + CELLS * CELL + 20, CELLS * CELL + 40, t->boundary_path);
        /* the dots are drawn over the places */
        draw_places(&p, &picture);
        status = draw_rows(t, set, &p, &picture);
        draw_ends(&p, &picture);
        written = ngrt_picture_write(t, &picture, t->boundary_path);
        if (!status)
            status = written;
    }
    free(p.said);
    return status;
}
