/* picture.c - a drawing of lines, boxes, dots and words, as SVG or, for a path that ends in .png,
 * as pixels. A failure is reported when it is written. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef NGRT_ZLIB
#include <zlib.h>
#endif

#include "trainer.h"

static void add(Picture *p, int good)
{
    p->good = p->good && good;
}

void ngrt_picture_start(Picture *p, int width, int height, const char *path)
{
    memset(p, 0, sizeof *p);
    p->good = 1;
    p->width = width;
    p->height = height;
    if (ngrt_path_ends(path, ".png")) {
        p->pixel = ngrt_trainer_allocate((size_t)width * (size_t)height, 3);
        p->good = p->pixel != NULL;
        if (p->pixel)
            memset(p->pixel, 255, (size_t)width * (size_t)height * 3);
        return;
    }
    add(p, ngrt_bytes_print(&p->svg,
                            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                            "font-family=\"sans-serif\" font-size=\"13\">\n"
                            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                            width, height));
}

/* ---- pixels ---- */

/* Mixes a colour, 0xRRGGBB, into a pixel. */
static void mix(Picture *p, int x, int y, unsigned colour, double share)
{
    unsigned char *at = p->pixel + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
    int i;

    for (i = 0; i < 3; i++) {
        double to = colour >> (16 - 8 * i) & 255;
        at[i] = (unsigned char)(at[i] + (to - at[i]) * share + 0.5);
    }
}

/* The distance of a point from a piece of a line. */
static double distance(double x, double y, const double *from, const double *to)
{
    double dx = to[0] - from[0];
    double dy = to[1] - from[1];
    double length = dx * dx + dy * dy;
    double along = 0;
    if (length > 0)
        along = ((x - from[0]) * dx + (y - from[1]) * dy) / length;

    /* the foot of the perpendicular, or the nearer end */
    along = fmin(fmax(along, 0), 1);
    return hypot(x - from[0] - along * dx, y - from[1] - along * dy);
}

/* Colours all pixels that are within half a width of a piece of a line; at its edge, partly. */
static void draw_piece(Picture *p, const double *from, const double *to, unsigned colour,
                       double width)
{
    /* the pixels that it may reach */
    double half = width / 2 + 1;
    int left = (int)fmax(0, fmin(from[0], to[0]) - half);
    int right = (int)fmin(p->width - 1, fmax(from[0], to[0]) + half);
    int top = (int)fmax(0, fmin(from[1], to[1]) - half);
    int bottom = (int)fmin(p->height - 1, fmax(from[1], to[1]) + half);
    int x, y;

    for (y = top; y <= bottom; y++)
        for (x = left; x <= right; x++) {
            /* a pixel at the edge is covered by a part of 1 */
            double share = width / 2 + 0.5 - distance(x + 0.5, y + 0.5, from, to);
            if (share > 0)
                mix(p, x, y, colour, fmin(share, 1));
        }
}

/* ---- words in pixels ---- */

/* The strokes of a character: points of two digits, how far right (0 to 4) and how far down (the
 * line on which letters stand is at 6), and a blank where the pen is lifted. */
static const char *strokes_of(int c)
{
    static const char *const digit[] = {
        "103041453616050110",          "112026 1636", "01103041420646",
        "0110304142334445361605 1333", "300444 3036", "4000033344453606",
        "30100105163645443303",        "004016",      "103041423313020110 1304051636454433",
        "43130201103041453616"};
    static const char *const letter[] = {"12324346 441405163645",
                                         "00063645433202",
                                         "4332120305163645",
                                         "40461605031242",
                                         "044443321203051636",
                                         "30201116 0232",
                                         "461605031242473818",
                                         "0006 0312324346",
                                         "2226 2020",
                                         "22271808",
                                         "0006 320436",
                                         "101526",
                                         "0602122326 23324346",
                                         "0602 0312324346",
                                         "123243453616050312",
                                         "08023243453606",
                                         "48421203051646",
                                         "0602 031232",
                                         "4212031434453606",
                                         "10152636 0232",
                                         "0205163645 4246",
                                         "022642",
                                         "0216233642",
                                         "0246 4206",
                                         "02051646 42473818",
                                         "02420646"};
    static const char mark[] = ".-+_():%,/=[]";
    static const char *const marks[] = {"1616",     "1434",     "0444 2226", "0747",
                                        "30212536", "10212516", "2323 2626", "4006 0101 4545",
                                        "2617",     "4006",     "0343 0545", "30101636",
                                        "10303616"};

    if (c >= '0' && c <= '9')
        return digit[c - '0'];
    if (c >= 'A' && c <= 'Z')
        c += 'a' - 'A';
    if (c >= 'a' && c <= 'z')
        return letter[c - 'a'];
    if (c && strchr(mark, c))
        return marks[strchr(mark, c) - mark];
    return "";
}

/* Draws a character with its left end at x, on the line y. */
static void draw_character(Picture *p, int c, double x, double y, unsigned colour)
{
    enum { UNIT = 3 }; /* halves of a pixel */
    const char *s;
    double last[2] = {0, 0};
    int down = 0;

    for (s = strokes_of(c); *s; s++) {
        double point[2];

        if (*s == ' ') {
            down = 0;
            continue;
        }
        point[0] = x + (s[0] - '0') * UNIT / 2.0;
        point[1] = y + (s[1] - '6') * UNIT / 2.0;
        /* the pen is down: a stroke from the last point to this */
        if (down)
            draw_piece(p, last, point, colour, 1);
        memcpy(last, point, sizeof last);
        down = 1;
        s++;
    }
}

/* ---- what is drawn ---- */

void ngrt_picture_text(Picture *p, double x, double y, int right, unsigned colour, const char *text)
{
    enum { ADVANCE = 8 };
    size_t i;
    size_t size = strlen(text);

    if (!p->good)
        return;
    if (p->pixel) {
        /* x is the right end of the text */
        if (right)
            x -= (double)(ADVANCE * size);
        for (i = 0; i < size; i++)
            draw_character(p, text[i], x + (double)(ADVANCE * i), y, colour);
        return;
    }
    add(p, ngrt_bytes_print(&p->svg, "<text x=\"%.1f\" y=\"%.1f\"%s fill=\"#%06x\">", x, y,
                            right ? " text-anchor=\"end\"" : "", colour));
    for (i = 0; i < size; i++)
        if (strchr("<>&", text[i]))
            add(p, ngrt_bytes_print(&p->svg, "&#%d;", text[i]));
        else
            add(p, ngrt_bytes_add(&p->svg, text + i, 1));
    add(p, ngrt_bytes_print(&p->svg, "</text>\n"));
}

void ngrt_picture_line(Picture *p, const double *point, size_t points, unsigned colour,
                       double width)
{
    size_t i;

    if (!p->good || points == 0)
        return;
    for (i = 0; i + 1 < points && p->pixel; i++)
        draw_piece(p, point + 2 * i, point + 2 * i + 2, colour, width);
    if (p->pixel)
        return;
    add(p,
        ngrt_bytes_print(&p->svg, "<path fill=\"none\" stroke=\"#%06x\" stroke-width=\"%g\" d=\"",
                         colour, width));
    for (i = 0; i < points; i++)
        add(p, ngrt_bytes_print(&p->svg, "%s%.1f %.1f", i ? "L" : "M", point[2 * i],
                                point[2 * i + 1]));
    add(p, ngrt_bytes_print(&p->svg, "\"/>\n"));
}

void ngrt_picture_box(Picture *p, double x, double y, double width, double height, unsigned colour)
{
    int i, k;

    if (!p->good)
        return;
    if (!p->pixel) {
        add(p, ngrt_bytes_print(
                   &p->svg,
                   "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#%06x\"/>\n",
                   x, y, width, height, colour));
        return;
    }
    for (k = (int)fmax(0, y); k < (int)fmin(p->height, y + height); k++)
        for (i = (int)fmax(0, x); i < (int)fmin(p->width, x + width); i++)
            mix(p, i, k, colour, 1);
}

void ngrt_picture_dot(Picture *p, double x, double y, double radius, unsigned colour)
{
    double at[2] = {x, y};

    if (!p->good)
        return;
    /* a line without length is a disc */
    if (p->pixel)
        draw_piece(p, at, at, colour, 2 * radius);
    else
        add(p,
            ngrt_bytes_print(&p->svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\" fill=\"#%06x\"/>\n",
                             x, y, radius, colour));
}

/* ---- PNG: chunks, each with its length, type and checksum ---- */

static void put_big(unsigned char *to, uint32_t v)
{
    int i;
    for (i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> (24 - 8 * i));
}

static uint32_t crc_of(const unsigned char *at, size_t size)
{
    uint32_t crc = ~0u;
    int i;

    while (size-- > 0) {
        crc ^= *at++;
        for (i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static int add_chunk(Bytes *b, const char *type, const void *at, size_t size)
{
    unsigned char number[4];
    size_t start;

    put_big(number, (uint32_t)size);
    if (!ngrt_bytes_add(b, number, 4))
        return 0;
    start = b->size;
    if (!ngrt_bytes_add(b, type, 4) || !ngrt_bytes_add(b, at, size))
        return 0;
    put_big(number, crc_of((unsigned char *)b->at + start, b->size - start));
    return ngrt_bytes_add(b, number, 4);
}

#ifdef NGRT_ZLIB

static int pack(const Bytes *rows, Bytes *packed)
{
    uLongf size = compressBound(rows->size);

    if (!ngrt_bytes_reserve(packed, size))
        return 0;
    if (compress((Bytef *)packed->at, &size, (const Bytef *)rows->at, rows->size) != Z_OK)
        return 0;
    packed->size = size;
    return 1;
}

#else

/* zlib's format without its library: blocks that are stored as they are, and Adler's checksum. */
static int pack(const Bytes *rows, Bytes *packed)
{
    enum { MOST = 65535 };
    uint32_t a = 1, b = 0;
    unsigned char sum[4];
    size_t at = 0, i;
    int good = ngrt_bytes_add(packed, "\x78\x01", 2);

    while (at < rows->size && good) {
        size_t size = MOST;
        if (rows->size - at < MOST)
            size = rows->size - at;
        unsigned char head[5] = {at + size == rows->size};

        head[1] = (unsigned char)(size & 255);
        head[2] = (unsigned char)(size >> 8);
        head[3] = (unsigned char)~head[1];
        head[4] = (unsigned char)~head[2];
        good = ngrt_bytes_add(packed, head, 5) && ngrt_bytes_add(packed, rows->at + at, size);
        at += size;
    }
    for (i = 0; i < rows->size; i++) {
        a = (a + (unsigned char)rows->at[i]) % 65521;
        b = (b + a) % 65521;
    }
    put_big(sum, b << 16 | a);
    return good && ngrt_bytes_add(packed, sum, 4);
}

#endif

/* The pixels as a PNG; each row begins with a 0, which says that it is not predicted. */
static int make_png(const Picture *p, Bytes *b)
{
    unsigned char head[13] = {0};
    Bytes rows = {0}, packed = {0};
    size_t line = 3 * (size_t)p->width;
    int y, good = 1;

    put_big(head, (uint32_t)p->width);
    put_big(head + 4, (uint32_t)p->height);
    head[8] = 8; /* bits */
    head[9] = 2; /* red, green and blue */
    for (y = 0; y < p->height && good; y++)
        good = ngrt_bytes_add(&rows, "", 1) &&
               ngrt_bytes_add(&rows, p->pixel + (size_t)y * line, line);

    /* signature, header, pixels, end */
    good = good && pack(&rows, &packed) && ngrt_bytes_add(b, "\x89PNG\r\n\x1a\n", 8) &&
           add_chunk(b, "IHDR", head, sizeof head) &&
           add_chunk(b, "IDAT", packed.at, packed.size) && add_chunk(b, "IEND", "", 0);
    ngrt_bytes_free(&rows);
    ngrt_bytes_free(&packed);
    return good;
}

int ngrt_picture_write(const Trainer *t, Picture *p, const char *path)
{
    ngrt_message message = {"out of memory"};
    Writer out;
    int error = NGRT_ENOMEM;

    if (p->good && p->pixel)
        p->good = make_png(p, &p->svg);
    else if (p->good)
        add(p, ngrt_bytes_print(&p->svg, "</svg>\n"));
    if (p->good)
        error = ngrt_file_begin(&out, path, &message);
    if (!error) {
        ngrt_file_put(&out, p->svg.at, p->svg.size);
        error = ngrt_file_end(&out, &message);
    }
    free(p->pixel);
    ngrt_bytes_free(&p->svg);
    if (error)
        return ngrt_trainer_fail(t, FILES, "%s", message.text);
    return DONE;
}
