/* curve.c - how a training went, epoch by epoch: a curve in characters, and a picture as SVG; and
 * within an epoch the bar. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

enum { COLUMNS = 60, LINES = 12 }; /* of the curve in characters */
enum {
    LEFT = 70,
    WIDTH = 540,
    HEIGHT = 150,
    STEP = 200
}; /* of a panel of the picture, in pixels */

/* ---- the history: [epochs_kept][values][training, validation] ---- */

int ngrt_curve_add(Trainer *t)
{
    size_t row = 2 * (size_t)t->values;
    size_t i;
    double *grown = realloc(t->history, (t->epochs_kept + 1) * row * sizeof *grown + 1);

    if (!grown)
        return ngrt_trainer_no_memory(t);
    t->history = grown;

    grown += t->epochs_kept++ * row;
    for (i = 0; i < (size_t)t->values; i++) {
        grown[2 * i] = t->value[i].of[TRAINING];
        grown[2 * i + 1] = t->value[i].of[VALIDATION];
    }
    return DONE;
}

int ngrt_curve_write(const Trainer *t, Bytes *b)
{
    size_t row = 2 * (size_t)t->values;
    size_t i;
    int good = 1;

    for (i = 0; i < t->epochs_kept * row && good; i++)
        good = ngrt_bytes_print(b, "%.9g%s", t->history[i], (i + 1) % row ? " " : "\n");
    return good;
}

/* Takes the history of the epochs before; of a model with other values, none. */
int ngrt_curve_read(Trainer *t, const char *text)
{
    size_t row = 2 * (size_t)t->values;
    size_t have = 0, room = 0;
    double *at = NULL;
    char *end;

    t->epochs_kept = 0;
    while (text && row > 0) {
        double v = strtod(text, &end);

        if (end == text)
            break;
        text = end;
        if (have == room) {
            double *grown = realloc(at, (room = 2 * room + row) * sizeof *at);

            if (!grown) {
                free(at);
                return ngrt_trainer_no_memory(t);
            }
            at = grown;
        }
        at[have++] = v;
    }
    free(t->history);
    t->history = at;
    /* a length that does not divide is of a model with other values */
    if (row > 0 && have % row == 0 && have / row <= (uint64_t)t->about.epoch)
        t->epochs_kept = have / row;
    return DONE;
}

static double kept(const Trainer *t, size_t epoch, int value, int val)
{
    return t->history[(epoch * (size_t)t->values + (size_t)value) * 2 + (size_t)val];
}

static int has_validation(const Trainer *t)
{
    return ngrt_has_part(t, VALIDATION);
}

/* The first and the last epoch of the history. */
static long long last_epoch(const Trainer *t)
{
    return (long long)t->about.epoch;
}

static long long first_epoch(const Trainer *t)
{
    return last_epoch(t) - (long long)t->epochs_kept + 1;
}

/* ---- scales ---- */

typedef struct Range { /* what the finite values of a number lie between; low > high: there is none
                        */
    double low, high;
    int log; /* the scale is logarithmic */
} Range;

static Range find_range(const Trainer *t, int value)
{
    Range r = {INFINITY, -INFINITY, 0};
    size_t epoch;
    int val;

    for (epoch = 0; epoch < t->epochs_kept; epoch++)
        /* one scale for both curves, so that they can be compared */
        for (val = 0; val <= has_validation(t); val++) {
            double v = kept(t, epoch, value, val);

            if (!isfinite(v))
                continue;
            r.low = fmin(r.low, v);
            r.high = fmax(r.high, v);
        }

    /* a loss that comes down to a small part of itself */
    r.log = t->value[value].tensor->role == NGRT_LOSS && r.low > 0 && r.high > 20 * r.low;
    return r;
}

static int is_empty(const Range *r)
{
    return !(r->high >= r->low);
}

/* Where a value lies, from 0 at the bottom to 1. */
static double height(const Range *r, double v)
{
    if (!(r->high > r->low))
        return 0.5;
    if (r->log)
        return log(v / r->low) / log(r->high / r->low);
    return (v - r->low) / (r->high - r->low);
}

/* ---- in characters ---- */

typedef char Plot[LINES][COLUMNS];

/* Marks the epochs of one curve, those that are nearest to the columns. */
static void draw(Plot plot, const Trainer *t, int value, int val, const Range *r)
{
    double last = (double)(t->epochs_kept - 1);
    int column;

    for (column = 0; column < COLUMNS; column++) {
        double epoch = (double)column * last / (COLUMNS - 1);
        double v = kept(t, (size_t)(epoch + 0.5), value, val);
        int line;

        if (!isfinite(v))
            continue;
        line = LINES - 1 - (int)(height(r, v) * (LINES - 1) + 0.5);
        plot[line][column] = val ? 'o' : '*';
    }
}

/* Prints the lines of a plot, the ends of the scale beside the first and the last. */
static void print_plot(Plot plot, const Range *r)
{
    int line, column;

    for (line = 0; line < LINES; line++) {
        char label[16] = "";

        if (line == 0)
            snprintf(label, sizeof label, "%.4g", r->high);
        else if (line == LINES - 1)
            snprintf(label, sizeof label, "%.4g", r->low);

        column = COLUMNS; /* without the blanks at the end */
        while (column > 0 && plot[line][column - 1] == ' ')
            column--;
        fprintf(stderr, "%10s |%.*s\n", label, column, plot[line]);
    }
    fprintf(stderr, "%10s +", "");
    for (column = 0; column < COLUMNS; column++)
        fputc('-', stderr);
    fputc('\n', stderr);
}

/* Prints the first loss, or the first metric that is a scalar, to stderr: * of training, o of
 * validation. */
static void print_curve(const Trainer *t)
{
    const char *legend = "";
    if (has_validation(t))
        legend = " (*), validation (o)";
    Plot plot;
    Range r;
    int value = 0;

    while (value < t->values && t->value[value].tensor->rank > 0)
        value++;
    if (value == t->values)
        return;
    r = find_range(t, value);
    if (is_empty(&r))
        return;

    memset(plot, ' ', sizeof plot);
    /* training is drawn last, over validation */
    if (has_validation(t))
        draw(plot, t, value, 1, &r);
    draw(plot, t, value, 0, &r);

    fprintf(stderr, "\n%s%s%s\n", t->value[value].tensor->name, legend,
            r.log ? ", logarithmic" : "");
    print_plot(plot, &r);
    fprintf(stderr, "%12sepoch %lld to %lld\n", "", first_epoch(t), last_epoch(t));
}

/* ---- the picture ---- */

/* Draws a line through the values; it is interrupted where one is not finite. */
static int draw_line(Picture *p, const Trainer *t, int value, int val, const Range *r, int top)
{
    double last = 1;
    if (t->epochs_kept > 1)
        last = (double)(t->epochs_kept - 1);
    double *point = ngrt_trainer_allocate(t->epochs_kept, 2 * sizeof *point);
    size_t epoch, points = 0;

    for (epoch = 0; epoch < t->epochs_kept && point; epoch++) {
        double v = kept(t, epoch, value, val);

        if (isfinite(v)) {
            point[2 * points] = LEFT + WIDTH * (double)epoch / last;
            point[2 * points++ + 1] = top + HEIGHT * (1 - height(r, v));
        }
        if (!isfinite(v) || epoch + 1 == t->epochs_kept) {
            ngrt_picture_line(p, point, points, val ? 0xd9730d : 0x1f5fbf, 2);
            points = 0;
        }
    }
    free(point);
    return point != NULL;
}

/* Draws an end of the scale, left of the axis. */
static void draw_label(Picture *p, int y, double value)
{
    char text[40];

    snprintf(text, sizeof text, "%.4g", value);
    ngrt_picture_text(p, LEFT - 6, y, 1, 0, text);
}

/* Draws a panel for one value: its name, axes with the ends of its range, and its lines. */
static int draw_panel(Picture *p, const Trainer *t, int value, int top)
{
    Range r = find_range(t, value);
    double axes[] = {LEFT, top, LEFT, top + HEIGHT, LEFT + WIDTH, top + HEIGHT};
    char name[140];
    int val, good = 1;

    snprintf(name, sizeof name, "%.100s%s", t->value[value].tensor->name,
             r.log ? " (logarithmic)" : "");
    ngrt_picture_text(p, LEFT, top - 10, 0, 0, name);
    ngrt_picture_line(p, axes, 3, 0x888888, 1);
    if (is_empty(&r))
        return 1;

    draw_label(p, top + 5, r.high);
    draw_label(p, top + HEIGHT, r.low);
    for (val = 0; val <= has_validation(t) && good; val++) {
        good = draw_line(p, t, value, val, &r, top);
        ngrt_picture_text(p, LEFT + WIDTH - val * 90, top - 10, 1, val ? 0xd9730d : 0x1f5fbf,
                          val ? "validation" : "training");
    }
    return good;
}

/* Draws a panel for each value that is a scalar; the elements of a tensor are in the log. */
static int write_picture(const Trainer *t)
{
    Picture p;
    char epochs[80];
    int i, panels = 0;

    for (i = 0; i < t->values; i++)
        if (t->value[i].tensor->rank == 0)
            panels++;
    ngrt_picture_start(&p, LEFT + WIDTH + 30, STEP * panels + 50, t->curve_path);
    panels = 0;
    for (i = 0; i < t->values; i++)
        if (t->value[i].tensor->rank == 0)
            p.good = draw_panel(&p, t, i, 40 + STEP * panels++) && p.good;
    snprintf(epochs, sizeof epochs, "epoch %lld to %lld", first_epoch(t), last_epoch(t));
    ngrt_picture_text(&p, LEFT, STEP * panels + 20, 0, 0, epochs);
    return ngrt_picture_write(t, &p, t->curve_path);
}

int ngrt_curve_show(const Trainer *t)
{
    if (t->epochs_kept == 0 || t->values == 0 || ngrt_ranks_number(t) > 0)
        return DONE;
    if (t->curve_path)
        return write_picture(t);
    print_curve(t);
    return DONE;
}

/* ---- within an epoch ---- */

/* The losses of the rows that are done, and the metrics as they were after the last epoch. */
static void bar_values(const Trainer *t, double share, char *text, size_t room)
{
    size_t used = 0;
    int i;
    int watched = ngrt_watched_part(t);

    text[0] = 0;
    for (i = 0; i < t->values && used + 60 < room; i++) {
        const Value *v = &t->value[i];
        int loss = v->tensor->role == NGRT_LOSS;
        int part = loss ? TRAINING : watched;
        double value = v->of[part];

        if (v->tensor->rank > 0 || !v->known[part])
            continue;
        if (loss && !(v->tensor->flags & NGRT_SUM))
            /* a mean is summed by its rows' share of the epoch, of which only this part is done */
            value /= share;
        used += (size_t)snprintf(text + used, room - used, " %.20s %.4g", v->name, value);
    }
}

/* Where the epoch is, in place of what is on the line. */
void ngrt_bar_show(const Trainer *t, long epoch, size_t done, size_t rows)
{
    enum { CELLS = 20, WIDTH_OF_LINE = 79 };
    char bar[CELLS + 1], text[400], rest[300];
    size_t full = done * CELLS / rows;
    int percent = (int)((double)done * 100 / (double)rows);
    double seconds = ngrt_trainer_seconds() - t->epoch_at;
    double rate = (double)(done - t->epoch_row) / (seconds > 0 ? seconds : 1);
    double rows_left = (double)(rows - done) + (double)(t->epochs - epoch) * (double)rows;
    double left = 0;
    if (rate > 0)
        left = rows_left / rate;

    /* [====>.....] */
    memset(bar, '.', CELLS);
    memset(bar, '=', full);
    bar[CELLS] = 0;
    if (full < CELLS)
        bar[full] = '>';
    bar_values(t, (double)done / (double)rows, rest, sizeof rest);
    snprintf(text, sizeof text, "Epoch %ld/%ld [%s] %3d%% %.4g rows/s %02d:%02d left%s", epoch,
             t->epochs, bar, percent, rate, (int)(left / 60), (int)left % 60, rest);
    fprintf(stderr, "\r%-*.*s", WIDTH_OF_LINE, WIDTH_OF_LINE, text);
    fflush(stderr);
}

void ngrt_bar_clear(void)
{
    fprintf(stderr, "\r%79s\r", "");
}
