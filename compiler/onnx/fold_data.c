/* fold_data.c - results of known data: masks, and what can be had only of known data, as its size
 * depends on it: places that are not 0, elements without repetitions, boxes that do not overlap. */
#include "onnx/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20 };

static double element(const Known *k, int64_t i)
{
    double v = 0;
    known_number(NULL, k, i, &v);
    return v;
}

/* Elements that are numbers, or NULL: they are sizes. */
static Known *known_numbers(Import *im, int i)
{
    Known *k = input_known(im, i);
    return k && !k->size && k->count <= MOST ? k : NULL;
}

/* ---- ScatterND, by which exporters make masks ---- */

Known *fold_scatter(Import *im)
{
    const Known *x = known_numbers(im, 0);
    const Known *i = known_numbers(im, 1);
    const Known *u = known_numbers(im, 2);
    int64_t axes = 0;
    if (i && i->rank > 0)
        axes = i->dim[i->rank - 1];
    int64_t inner = 1;
    if (!x || !u || axes < 1 || axes > x->rank || attribute(im, "reduction"))
        return NULL;
    for (int a = (int)axes; a < x->rank; a++)
        inner *= x->dim[a];
    int64_t rows = i->count / axes;
    if (u->count != rows * inner)
        return NULL;

    Known *y = known_new(im->ngc, x->element, x->rank, x->dim);
    for (int64_t k = 0; k < x->count; k++)
        y->number[k] = element(x, k);

    for (int64_t r = 0; r < rows; r++) {
        /* the row that these indices choose */
        int64_t to = 0;
        for (int64_t a = 0; a < axes; a++) {
            int64_t at = (int64_t)element(i, r * axes + a);
            int64_t n = x->dim[a];
            if (at < 0)
                at += n;
            if (at < 0 || at >= n)
                return NULL;
            to = to * n + at;
        }
        for (int64_t k = 0; k < inner; k++)
            y->number[to * inner + k] = element(u, r * inner + k);
    }
    return y;
}

/* ---- NonZero ---- */

Known *fold_nonzero(Import *im)
{
    const Known *x = known_numbers(im, 0);
    if (!x)
        return NULL;
    int64_t dim[2] = {x->rank ? x->rank : 1, 0};
    int64_t at[MAX_RANK] = {0}, to = 0;
    for (int64_t i = 0; i < x->count; i++)
        dim[1] += element(x, i) != 0;
    Known *y = known_new(im->ngc, EL_INT64, 2, dim);
    for (int64_t i = 0; i < x->count; i++, index_next(x->rank, x->dim, at)) {
        if (element(x, i) == 0)
            continue;
        for (int a = 0; a < x->rank; a++)
            y->number[a * dim[1] + to] = (double)at[a];
        to++;
    }
    return y;
}

/* ---- Unique ---- */

typedef struct Slices { /* what is compared: the parts of a tensor along an axis */
    const Known *x;
    int64_t outer, count, inner;
} Slices;

static double part(const Slices *s, int64_t which, int64_t i)
{
    return element(s->x, (i / s->inner * s->count + which) * s->inner + i % s->inner);
}

static int compare_parts(const Slices *s, int64_t a, int64_t b)
{
    for (int64_t i = 0; i < s->outer * s->inner; i++) {
        double x = part(s, a, i);
        double y = part(s, b, i);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

/* Which parts are the first of their kind, in order; kind: the place of each part's kind there. */
static int64_t find_kinds(const Slices *s, bool sorted, int64_t *first, int64_t *kind)
{
    int64_t kinds = 0;
    for (int64_t i = 0; i < s->count; i++) {
        int64_t at = 0;
        while (at < kinds && compare_parts(s, first[at], i) != 0)
            at++;
        if (at == kinds)
            first[kinds++] = i;
    }
    for (int64_t i = 1; i < kinds && sorted; i++)
        for (int64_t k = i; k > 0 && compare_parts(s, first[k - 1], first[k]) > 0; k--) {
            int64_t swap = first[k];
            first[k] = first[k - 1];
            first[k - 1] = swap;
        }
    for (int64_t i = 0; i < s->count; i++)
        for (int64_t k = 0; k < kinds; k++)
            if (compare_parts(s, first[k], i) == 0)
                kind[i] = k;
    return kinds;
}

/* Its other results: where the kinds are first, which kind each part is, how many there are. */
static void other_results(Import *im, const Slices *s, int64_t kinds, const int64_t *first,
                          const int64_t *kind)
{
    Ngc *ngc = im->ngc;
    Known *places = known_new(ngc, EL_INT64, 1, &kinds);
    Known *inverse = known_new(ngc, EL_INT64, 1, &s->count);
    Known *counts = known_new(ngc, EL_INT64, 1, &kinds);
    for (int64_t k = 0; k < kinds; k++)
        places->number[k] = (double)first[k];
    for (int64_t i = 0; i < s->count; i++) {
        inverse->number[i] = (double)kind[i];
        counts->number[kind[i]]++;
    }
    result_known(im, 1, places);
    result_known(im, 2, inverse);
    result_known(im, 3, counts);
}

Known *fold_unique(Import *im)
{
    Ngc *ngc = im->ngc;
    const Known *x = known_numbers(im, 0);
    int64_t dim[MAX_RANK], axis = 0;
    int rank = 1;
    if (!x || x->count > 1 << 12)
        return NULL;

    /* slices along an axis, or all elements in one row */
    Slices s = {.x = x, .outer = 1, .count = x->count, .inner = 1};
    if (attribute(im, "axis")) {
        axis = axis_of(im, attribute_int(im, "axis", 0), x->rank);
        if (axis < 0)
            return NULL;
        rank = x->rank;
        s.count = x->dim[axis];
        for (int a = 0; a < rank; a++) {
            if (a < axis)
                s.outer *= x->dim[a];
            if (a > axis)
                s.inner *= x->dim[a];
            dim[a] = x->dim[a];
        }
    }

    /* which slices are equal */
    int64_t *first = arena_array(ngc, s.count + 1, sizeof *first);
    int64_t *kind = arena_array(ngc, s.count + 1, sizeof *kind);
    int64_t kinds = find_kinds(&s, attribute_int(im, "sorted", 1), first, kind);
    other_results(im, &s, kinds, first, kind);

    /* one of each kind */
    dim[axis] = kinds;
    Known *y = known_new(ngc, x->element, rank, dim);
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t k = 0; k < kinds; k++)
            for (int64_t i = 0; i < s.inner; i++)
                y->number[(o * kinds + k) * s.inner + i] = part(&s, first[k], o * s.inner + i);
    return y;
}

/* ---- NonMaxSuppression ---- */

typedef struct Box {
    double low[2], high[2];
} Box;

static Box box_at(const Known *boxes, int64_t at, bool by_centre)
{
    double v[4];
    Box b;
    for (int i = 0; i < 4; i++)
        v[i] = element(boxes, 4 * at + i);
    for (int i = 0; i < 2; i++) {
        double from = by_centre ? v[i] - v[2 + i] / 2 : v[i];
        double to = by_centre ? v[i] + v[2 + i] / 2 : v[2 + i];
        b.low[i] = fmin(from, to);
        b.high[i] = fmax(from, to);
    }
    return b;
}

/* The common part of two boxes, as a share of what they cover together. */
static double overlap(Box a, Box b)
{
    double common = 1, x = 1, y = 1;
    for (int i = 0; i < 2; i++) {
        common *= fmax(0, fmin(a.high[i], b.high[i]) - fmax(a.low[i], b.low[i]));
        x *= a.high[i] - a.low[i];
        y *= b.high[i] - b.low[i];
    }
    double all = x + y - common;
    if (all > 0)
        return common / all;
    return 0;
}

/* The best of the boxes from `from` on that are not taken yet; -1: none is above the limit. */
static int64_t best_box(const Known *scores, int64_t from, int64_t count, const bool *done,
                        double limit)
{
    int64_t best = -1;
    for (int64_t i = 0; i < count; i++) {
        double v = element(scores, from + i);
        if (!done[i] && v > limit && (best < 0 || v > element(scores, from + best)))
            best = i;
    }
    return best;
}

static double number_at(Import *im, int i, double otherwise)
{
    const Known *k = NULL;
    if (has_input(im->at, i))
        k = known_numbers(im, i);
    if (k && k->count == 1)
        return element(k, 0);
    return otherwise;
}

/* The boxes that remain: no two of a class overlap by more than a share of their area. */
typedef struct Suppression {
    const Known *boxes;
    bool by_centre; /* how a box is given: by its centre, or by two corners */
    double share;
    int64_t most;  /* boxes of a class that are kept */
    double limit;  /* of the score: boxes above it are kept */
    int64_t *kept; /* for each box that remains: batch, class, box */
    int64_t count; /* of these */
} Suppression;

/* Is a box of a batch, whose boxes begin at `first`, apart from those kept since `start`? */
static bool is_apart(const Suppression *s, int64_t first, int64_t at, int64_t start)
{
    Box b = box_at(s->boxes, first + at, s->by_centre);

    for (int64_t k = start; k < s->count; k++) {
        Box other = box_at(s->boxes, first + s->kept[3 * k + 2], s->by_centre);
        if (!(overlap(b, other) <= s->share))
            return false;
    }
    return true;
}

/* Keeps boxes of one batch and class, from the best to the worst, if they are apart from those that
 * are kept already. done: room to mark the boxes that were looked at. */
static void keep_best(Suppression *s, const Known *scores, int64_t batch, int64_t label, bool *done)
{
    int64_t classes = scores->dim[1];
    int64_t n = scores->dim[2];
    int64_t row = batch * classes + label;
    int64_t start = s->count;

    memset(done, 0, (size_t)n);
    while (s->count - start < s->most) {
        int64_t at = best_box(scores, row * n, n, done, s->limit);
        if (at < 0)
            return;
        done[at] = true;
        if (is_apart(s, batch * n, at, start)) {
            int64_t *to = &s->kept[3 * s->count++];
            to[0] = batch;
            to[1] = label;
            to[2] = at;
        }
    }
}

Known *fold_suppression(Import *im)
{
    enum { MOST_BOXES = 4096, MOST_COMPARED = 1 << 26 }; /* so that it does not take long */
    Ngc *ngc = im->ngc;

    /* boxes [batch, n, 4], scores [batch, classes, n] */
    const Known *boxes = known_numbers(im, 0);
    const Known *scores = known_numbers(im, 1);
    if (!boxes || !scores || boxes->rank != 3 || scores->rank != 3)
        return NULL;
    int64_t batches = boxes->dim[0];
    int64_t n = boxes->dim[1];
    int64_t classes = scores->dim[1];
    if (boxes->dim[2] != 4 || scores->dim[0] != batches || scores->dim[2] != n)
        return NULL;
    if (n > MOST_BOXES || scores->count * n > MOST_COMPARED)
        return NULL;

    Suppression s = {.boxes = boxes,
                     .by_centre = attribute_int(im, "center_point_box", 0),
                     .share = number_at(im, 3, 0),
                     .most = (int64_t)number_at(im, 2, 0),
                     .limit = number_at(im, 4, -INFINITY),
                     .kept = arena_array(ngc, 3 * (scores->count + 1), sizeof *s.kept)};
    bool *done = arena_array(ngc, n + 1, sizeof *done);
    for (int64_t batch = 0; batch < batches; batch++)
        for (int64_t label = 0; label < classes; label++)
            keep_best(&s, scores, batch, label, done);

    Known *y = known_new(ngc, EL_INT64, 2, (int64_t[]){s.count, 3});
    for (int64_t i = 0; i < y->count; i++)
        y->number[i] = (double)s.kept[i];
    return y;
}

/* ---- where they are not known ---- */

static void take_by_data(Import *im)
{
    const Pb__Node *n = im->at;
    const char *name = "";
    if (n->n_input)
        name = n->input[0];
    problem(im,
            "the size of its result depends on '%s', which is not known; an input of the model "
            "can be given: %s=[...]",
            name, name);
}

const OnnxOp onnx_data[] = {
    {"NonMaxSuppression", .take = take_by_data, .operands = 5, .attributes = "center_point_box",
     .says = "numbers: its operands must be known"},
    {"NonZero", .take = take_by_data, .says = "numbers: its operand must be known"},
    {"Unique", .take = take_by_data, .attributes = "axis sorted",
     .says = "numbers: its operand must be known"},
    {NULL},
};
