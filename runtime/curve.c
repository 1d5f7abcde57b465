/* curve.c - how a training went, epoch by epoch: a curve in characters, and a picture as SVG. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

enum { COLUMNS = 60, LINES = 12 };                         /* of the curve in characters */
enum { LEFT = 70, WIDTH = 540, HEIGHT = 150, STEP = 200 }; /* of a panel of the picture */

/* Keeps the values of an epoch: for each value, that of training and that of validation. */
int ngrt_curve_add(Trainer *t)
{
    size_t row = 2 * (size_t)t->values, i;
    double *grown = realloc(t->history, (t->epochs_kept + 1) * row * sizeof *grown + 1);
    if (!grown)
        return ngrt_trainer_no_memory(t);
    t->history = grown;
    for (i = 0; i < (size_t)t->values; i++) {
        grown[t->epochs_kept * row + 2 * i] = t->value[i].train;
        grown[t->epochs_kept * row + 2 * i + 1] = t->value[i].val;
    }
    t->epochs_kept++;
    return DONE;
}

typedef struct Range {
    double low, high;
    int log; /* the scale is logarithmic */
} Range;

static double kept(const Trainer *t, size_t epoch, int value, int val)
{
    return t->history[epoch * 2 * (size_t)t->values + 2 * (size_t)value + (size_t)val];
}

/* What the finite values lie between. Of a loss that comes down to a small part of itself, the
 * scale is logarithmic. */
static Range find_range(const Trainer *t, int value)
{
    Range r = {INFINITY, -INFINITY, 0};
    size_t epoch;
    int val;
    for (epoch = 0; epoch < t->epochs_kept; epoch++)
        for (val = 0; val <= (t->val.sources > 0); val++) {
            double v = kept(t, epoch, value, val);
            if (!isfinite(v))
                continue;
            r.low = v < r.low ? v : r.low;
            r.high = v > r.high ? v : r.high;
        }
    r.log = t->value[value].tensor->role == NGRT_LOSS && r.low > 0 && r.high > 20 * r.low;
    return r;
}

/* Where a value lies, from 0 at the bottom to 1. */
static double height(const Range *r, double v)
{
    if (!(r->high > r->low))
        return 0.5;
    return r->log ? log(v / r->low) / log(r->high / r->low) : (v - r->low) / (r->high - r->low);
}

/* The first loss, or the first metric that is a scalar, in characters, to stderr: * of training, o
 * of validation. */
static void print_curve(const Trainer *t)
{
    char plot[LINES][COLUMNS + 1];
    Range r;
    int line, column, val, value = 0;
    while (value < t->values && t->value[value].tensor->rank > 0)
        value++;
    if (value == t->values)
        return;
    r = find_range(t, value);
    if (!(r.high >= r.low))
        return;
    memset(plot, ' ', sizeof plot);
    for (val = t->val.sources > 0; val >= 0; val--)
        for (column = 0; column < COLUMNS; column++) {
            double epoch = (double)column * (double)(t->epochs_kept - 1) / (COLUMNS - 1),
                   v = kept(t, (size_t)(epoch + 0.5), value, val);
            if (isfinite(v))
                plot[LINES - 1 - (int)(height(&r, v) * (LINES - 1) + 0.5)][column] =
                    val ? 'o' : '*';
        }
    fprintf(stderr, "\n%s%s%s\n", t->value[value].tensor->name,
            t->val.sources ? " (*), validation (o)" : "", r.log ? ", logarithmic" : "");
    for (line = 0; line < LINES; line++) {
        char label[16] = "";
        if (line == 0 || line == LINES - 1)
            snprintf(label, sizeof label, "%.4g", line ? r.low : r.high);
        for (column = COLUMNS; column > 0 && plot[line][column - 1] == ' '; column--)
            ;
        fprintf(stderr, "%10s |%.*s\n", label, column, plot[line]);
    }
    fprintf(stderr, "%10s +", "");
    for (column = 0; column < COLUMNS; column++)
        fputc('-', stderr);
    fprintf(stderr, "\n%12sepoch %lld to %lld\n", "",
            (long long)t->about.epoch - (long long)t->epochs_kept + 1, (long long)t->about.epoch);
}

/* ---- the picture ---- */

/* A line through the values; where one is not finite it is interrupted. */
static int add_line(Bytes *b, const Trainer *t, int value, int val, const Range *r, int top)
{
    size_t epoch;
    int good = 1, open = 0;
    for (epoch = 0; epoch < t->epochs_kept && good; epoch++) {
        double v = kept(t, epoch, value, val),
               last = t->epochs_kept > 1 ? (double)(t->epochs_kept - 1) : 1;
        if (!isfinite(v)) {
            open = 0;
            continue;
        }
        good = ngrt_bytes_print(b, "%s%c%.1f %.1f", epoch == 0 || open ? "" : " ", open ? 'L' : 'M',
                                LEFT + WIDTH * (double)epoch / last,
                                top + HEIGHT * (1 - height(r, v)));
        open = 1;
    }
    return good;
}

/* A panel for one value: axes with the ends of its range, and its lines. Names are identifiers:
 * nothing is to be escaped. */
static int add_panel(Bytes *b, const Trainer *t, int value, int top)
{
    static const char *const colour[] = {"#1f5fbf", "#d9730d"};
    Range r = find_range(t, value);
    int val,
        good =
            ngrt_bytes_print(b,
                             "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%.100s%s</text>\n"
                             "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#888\"/>\n",
                             LEFT, top - 10, t->value[value].tensor->name,
                             r.log ? " (logarithmic)" : "", LEFT, top, top + HEIGHT, LEFT + WIDTH);
    if (!(r.high >= r.low))
        return good;
    good =
        good &&
        ngrt_bytes_print(
            b,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g</text>\n<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g</text>\n",
            LEFT - 6, top + 5, r.high, LEFT - 6, top + HEIGHT, r.low);
    for (val = 0; val <= (t->val.sources > 0) && good; val++)
        good = ngrt_bytes_print(b, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"",
                                colour[val]) &&
               add_line(b, t, value, val, &r, top) &&
               ngrt_bytes_print(
                   b, "\"/>\n<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"%s\">%s</text>\n",
                   LEFT + WIDTH - val * 90, top - 10, colour[val], val ? "validation" : "training");
    return good;
}

static int write_picture(const Trainer *t)
{
    Bytes b = {0};
    Writer out;
    ngrt_message message = {"out of memory"};
    int i, panels = 0, error = NGRT_ENOMEM, rows;
    int good;
    for (i = 0; i < t->values; i++) /* a tensor's elements are in the log */
        panels += t->value[i].tensor->rank == 0;
    rows = STEP * panels;
    good = ngrt_bytes_print(
        &b,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
        LEFT + WIDTH + 30, rows + 50);
    for (i = panels = 0; i < t->values && good; i++)
        if (t->value[i].tensor->rank == 0)
            good = add_panel(&b, t, i, 40 + STEP * panels++);
    good = good &&
           ngrt_bytes_print(&b, "<text x=\"%d\" y=\"%d\">epoch %lld to %lld</text>\n</svg>\n", LEFT,
                            rows + 20, (long long)t->about.epoch - (long long)t->epochs_kept + 1,
                            (long long)t->about.epoch);
    if (good && (error = ngrt_file_begin(&out, t->curve_path, &message)) == NGRT_OK) {
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

/* Where the epoch is, in place of what is on the line. */
void ngrt_bar_show(const Trainer *t, long epoch, size_t done, size_t rows)
{
    enum { CELLS = 30 };
    char bar[CELLS + 1];
    size_t full = done * CELLS / rows;
    int percent = (int)((double)done * 100 / (double)rows);

    memset(bar, '.', CELLS);
    memset(bar, '=', full);
    bar[CELLS] = 0;
    if (full < CELLS)
        bar[full] = '>';
    fprintf(stderr, "\rEpoch %ld/%ld [%s] %3d%% of %zu rows", epoch, t->epochs, bar, percent, rows);
    fflush(stderr);
}

void ngrt_bar_clear(void)
{
    fprintf(stderr, "\r%78s\r", "");
}
