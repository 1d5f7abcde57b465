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
    size_t row = 2 * (size_t)t->values, i;
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
    const char *legend = has_validation(t) ? " (*), validation (o)" : "";
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
    if (has_validation(t))
        draw(plot, t, value, 1, &r);
    draw(plot, t, value, 0, &r);

    fprintf(stderr, "\n%s%s%s\n", t->value[value].tensor->name, legend,
            r.log ? ", logarithmic" : "");
    print_plot(plot, &r);
    fprintf(stderr, "%12sepoch %lld to %lld\n", "", first_epoch(t), last_epoch(t));
}

/* ---- the picture; all functions return false without memory ---- */

/* Adds a line through the values; it is interrupted where one is not finite. */
static int add_line(Bytes *b, const Trainer *t, int value, int val, const Range *r, int top)
{
    double last = t->epochs_kept > 1 ? (double)(t->epochs_kept - 1) : 1;
    size_t epoch;
    int good = 1, open = 0;

    for (epoch = 0; epoch < t->epochs_kept && good; epoch++) {
        double v = kept(t, epoch, value, val);
        double x = LEFT + WIDTH * (double)epoch / last, y = top + HEIGHT * (1 - height(r, v));

        if (!isfinite(v)) {
            open = 0;
            continue;
        }
        if (open)
            good = ngrt_bytes_print(b, "L%.1f %.1f", x, y);
        else
            good = ngrt_bytes_print(b, "%sM%.1f %.1f", epoch ? " " : "", x, y);
        open = 1;
    }
    return good;
}

/* Adds the line of training or validation, and its name above the panel. */
static int add_curve(Bytes *b, const Trainer *t, int value, int val, const Range *r, int top)
{
    const char *colour = val ? "#d9730d" : "#1f5fbf";
    const char *name = val ? "validation" : "training";

    return ngrt_bytes_print(b, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"",
                            colour) &&
           add_line(b, t, value, val, r, top) &&
           ngrt_bytes_print(
               b, "\"/>\n<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"%s\">%s</text>\n",
               LEFT + WIDTH - val * 90, top - 10, colour, name);
}

/* Adds an end of the scale, left of the axis. */
static int add_label(Bytes *b, int y, double value)
{
    return ngrt_bytes_print(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g</text>\n",
                            LEFT - 6, y, value);
}

/* Adds a panel for one value: its name, axes with the ends of its range, and its lines. Names are
 * identifiers: nothing is to be escaped. */
static int add_panel(Bytes *b, const Trainer *t, int value, int top)
{
    Range r = find_range(t, value);
    int good =
        ngrt_bytes_print(b, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%.100s%s</text>\n", LEFT,
                         top - 10, t->value[value].tensor->name, r.log ? " (logarithmic)" : "");

    good = good && ngrt_bytes_print(b, "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#888\"/>\n",
                                    LEFT, top, top + HEIGHT, LEFT + WIDTH);
    if (is_empty(&r))
        return good;

    good = good && add_label(b, top + 5, r.high) && add_label(b, top + HEIGHT, r.low);
    good = good && add_curve(b, t, value, 0, &r, top);
    if (has_validation(t))
        good = good && add_curve(b, t, value, 1, &r, top);
    return good;
}

/* Adds a panel for each value that is a scalar; the elements of a tensor are in the log. */
static int add_picture(Bytes *b, const Trainer *t)
{
    int i, panels = 0, good;

    for (i = 0; i < t->values; i++)
        if (t->value[i].tensor->rank == 0)
            panels++;
    good = ngrt_bytes_print(b,
                            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                            "font-family=\"sans-serif\" font-size=\"13\">\n"
                            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                            LEFT + WIDTH + 30, STEP * panels + 50);

    panels = 0;
    for (i = 0; i < t->values && good; i++)
        if (t->value[i].tensor->rank == 0)
            good = add_panel(b, t, i, 40 + STEP * panels++);
    return good &&
           ngrt_bytes_print(b, "<text x=\"%d\" y=\"%d\">epoch %lld to %lld</text>\n</svg>\n", LEFT,
                            STEP * panels + 20, first_epoch(t), last_epoch(t));
}

static int write_picture(const Trainer *t)
{
    Bytes b = {0};
    Writer out;
    ngrt_message message = {"out of memory"};
    int error = NGRT_ENOMEM;

    if (add_picture(&b, t))
        error = ngrt_file_begin(&out, t->curve_path, &message);
    if (!error) {
        ngrt_file_put(&out, b.at, b.size);
        error = ngrt_file_end(&out, &message);
    }
    ngrt_bytes_free(&b);
    return error ? ngrt_trainer_fail(t, FILES, "%s", message.text) : DONE;
}

int ngrt_curve_show(const Trainer *t)
{
    if (t->epochs_kept == 0 || t->values == 0)
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
    int i, part = has_validation(t) ? VALIDATION : TRAINING;

    text[0] = 0;
    for (i = 0; i < t->values && used + 60 < room; i++) {
        const Value *v = &t->value[i];
        int loss = v->tensor->role == NGRT_LOSS;
        double value = v->of[loss ? TRAINING : part];

        if (v->tensor->rank > 0 || !v->known[loss ? TRAINING : part])
            continue;
        if (loss && !(v->tensor->flags & NGRT_SUM))
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
    double left = (double)(rows - done) + (double)(t->epochs - epoch) * (double)rows;

    memset(bar, '.', CELLS);
    memset(bar, '=', full);
    bar[CELLS] = 0;
    if (full < CELLS)
        bar[full] = '>';
    bar_values(t, (double)done / (double)rows, rest, sizeof rest);
    left = rate > 0 ? left / rate : 0;
    snprintf(text, sizeof text, "Epoch %ld/%ld [%s] %3d%% %.4g rows/s %02d:%02d left%s", epoch,
             t->epochs, bar, percent, rate, (int)(left / 60), (int)left % 60, rest);
    fprintf(stderr, "\r%-*.*s", WIDTH_OF_LINE, WIDTH_OF_LINE, text);
    fflush(stderr);
}

void ngrt_bar_clear(void)
{
    fprintf(stderr, "\r%79s\r", "");
}
