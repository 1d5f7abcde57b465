/* scatter.c - what is predicted against what is true, drawn: a point for each row, or for classes
 * the confusion matrix as squares that are darker where there are more rows. */
#include <math.h>
#include <stdlib.h>

#include "trainer.h"

enum {
    EDGE = 110, /* left of the plane and below it */
    TOP = 40,
    SIDE = 400,         /* of the plane, in pixels */
    MOST_POINTS = 5000, /* evenly chosen where there are more */
    INK = 0x1f5fbf,
    GREY = 0x888888,
};

static void draw_frame(Picture *p, const char *title)
{
    double frame[] = {EDGE,       TOP,  EDGE + SIDE, TOP,  EDGE + SIDE,
                      TOP + SIDE, EDGE, TOP + SIDE,  EDGE, TOP};

    ngrt_picture_line(p, frame, 5, GREY, 1);
    ngrt_picture_text(p, EDGE, TOP - 14, 0, 0, title);
}

static void draw_number(Picture *p, double x, double y, int right, double value)
{
    char text[40];

    snprintf(text, sizeof text, "%.4g", value);
    ngrt_picture_text(p, x, y, right, 0, text);
}

int ngrt_scatter_numbers(const Trainer *t, const char *name, const double *is, const double *said,
                         size_t rows)
{
    double low = INFINITY;
    double high = -INFINITY;
    double scale = 0;
    double diagonal[] = {EDGE, TOP + SIDE, EDGE + SIDE, TOP};
    char title[120];
    Picture p;
    size_t i;
    size_t step = rows / MOST_POINTS + 1;

    for (i = 0; i < rows; i++) {
        low = fmin(low, fmin(is[i], said[i]));
        high = fmax(high, fmax(is[i], said[i]));
    }
    if (high > low && isfinite(high - low))
        scale = SIDE / (high - low);

    ngrt_picture_start(&p, EDGE + SIDE + 30, TOP + SIDE + 50, t->assess_path);
    snprintf(title, sizeof title, "%.60s: prediction (upward) against truth", name);
    draw_frame(&p, title);
    ngrt_picture_line(&p, diagonal, 2, GREY, 1);
    for (i = 0; i < rows; i += step) {
        double right = (is[i] - low) * scale;
        double up = (said[i] - low) * scale;

        if (isfinite(is[i]) && isfinite(said[i]))
            ngrt_picture_dot(&p, EDGE + right, TOP + SIDE - up, 2.5, INK);
    }

    /* the ends of both axes */
    draw_number(&p, EDGE - 6, TOP + 5, 1, high);
    draw_number(&p, EDGE - 6, TOP + SIDE, 1, low);
    draw_number(&p, EDGE, TOP + SIDE + 18, 0, low);
    draw_number(&p, EDGE + SIDE, TOP + SIDE + 18, 1, high);
    return ngrt_picture_write(t, &p, t->assess_path);
}

/* Between white and the ink. */
static unsigned shade(double part)
{
    unsigned colour = 0;
    int k;

    for (k = 16; k >= 0; k -= 8) {
        double ink = (double)((unsigned)INK >> k & 255);
        colour |= (unsigned)(255 + (ink - 255) * part + 0.5) << k;
    }
    return colour;
}

int ngrt_scatter_classes(const Trainer *t, const size_t *count, const char *const *name,
                         size_t classes)
{
    double cell = (double)SIDE / (double)classes;
    char text[40];
    Picture p;
    size_t i, k;

    ngrt_picture_start(&p, EDGE + SIDE + 30, TOP + SIDE + 50, t->assess_path);
    for (i = 0; i < classes; i++) {
        size_t all = 0;

        for (k = 0; k < classes; k++)
            all += count[i * classes + k];
        for (k = 0; k < classes; k++) {
            size_t n = count[i * classes + k];
            double part = 0;
            if (all > 0)
                part = (double)n / (double)all;
            double x = EDGE + cell * (double)k;
            double y = TOP + cell * (double)i;

            ngrt_picture_box(&p, x, y, cell, cell, shade(part));
            snprintf(text, sizeof text, "%zu", n);
            if (n > 0 && cell >= 30)
                ngrt_picture_text(&p, x + 4, y + cell / 2 + 5, 0, part > 0.6 ? 0xffffff : 0, text);
        }
        if (cell >= 14)
            ngrt_picture_text(&p, EDGE - 6, TOP + cell * ((double)i + 0.5) + 5, 1, 0, name[i]);
    }
    draw_frame(&p, "rows: true class, columns: predicted class");
    return ngrt_picture_write(t, &p, t->assess_path);
}
