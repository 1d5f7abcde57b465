/* source.c - source files, places in them, and messages drawn under their lines. */
#include "base/ngc.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SOURCE_MAX = 1 << 28, /* bytes of a source file */
    ERRORS_SHOWN = 20,
    WARNINGS_SHOWN = 100,
    WINDOW = 100,     /* characters of a source line that are drawn */
    TEXT_MAX = 40,    /* characters of a piece of source within a message */
    SUGGEST_MAX = 48, /* longer words get no suggestion */
};

/* ---- characters ---- */

/* The length of the UTF-8 character at c, or 0 if there is none. */
static int char_size(const char *c, const char *end)
{
    unsigned char b = (unsigned char)c[0];
    if (b < 0x80)
        return 1;

    int size = 2;
    if (b >= 0xf0)
        size = 4;
    else if (b >= 0xe0)
        size = 3;
    /* 0xc0 and 0xc1 would only begin overlong forms of ASCII; above 0xf4 is beyond U+10FFFF */
    if (b < 0xc2 || b > 0xf4 || end - c < size)
        return 0;
    for (int i = 1; i < size; i++)
        if (((unsigned char)c[i] & 0xc0) != 0x80)
            return 0;

    unsigned char second = (unsigned char)c[1];
    bool overlong = (b == 0xe0 && second < 0xa0) || (b == 0xf0 && second < 0x90);
    bool outside = (b == 0xed && second > 0x9f) || (b == 0xf4 && second > 0x8f);
    return overlong || outside ? 0 : size;
}

static bool starts_char(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* The number of characters from a to b. */
static int count_chars(const char *a, const char *b)
{
    int n = 0;
    for (; a < b; a++)
        n += starts_char(*a);
    return n;
}

void text_clean(Text *t, const char *text, size_t size)
{
    const char *end = text + size;
    while (text < end) {
        unsigned char b = (unsigned char)*text;
        int n = char_size(text, end);
        bool control =
            b < 0x20 || b == 0x7f || (b == 0xc2 && n == 2 && (unsigned char)text[1] < 0xa0);
        /* control characters could move the cursor of a terminal, or colour it */
        if (b == '\t')
            text_put(t, " ", 1);
        else if (n == 0 || control)
            text_put(t, "?", 1);
        else
            text_put(t, text, (size_t)n);
        text += n == 0 ? 1 : n;
    }
}

/* ---- files ---- */

static void find_lines(Ngc *ngc, Source *s)
{
    int room = 0;
    for (int at = 0;;) {
        LIST_GROW(ngc, s->line, s->lines, &room);
        s->line[s->lines++] = at;
        const char *newline = memchr(s->text + at, '\n', (size_t)(s->size - at));
        if (newline == NULL)
            return;
        at = (int)(newline - s->text) + 1;
    }
}

/* The number of bytes before the first that is not text. */
static int measure_text(const char *text, int size)
{
    int at = 0;
    while (at < size && text[at] != '\0') {
        int n = char_size(text + at, text + size);
        if (n == 0)
            break;
        at += n;
    }
    return at;
}

/* Does the text begin as one in UTF-16: with its byte order mark, or with a character of ASCII? */
static bool is_utf16(const char *text, size_t size)
{
    if (size < 2)
        return false;
    if (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)
        return true;
    return (text[0] == '\0') != (text[1] == '\0');
}

/* Reports the byte at which the text of the file was cut. */
static void report_byte(Ngc *ngc, int file, const char *text, size_t size)
{
    unsigned char byte = (unsigned char)text[ngc->file[file]->size];
    Loc loc = {file, ngc->file[file]->size, ngc->file[file]->size};
    const char *end = strrchr(ngc->file[file]->name, '.');
    Diag *d;
    if (is_utf16(text, size))
        d = diag(ngc, SEV_ERROR, ERR_NOT_TEXT, loc, "a text in UTF-16: save it in UTF-8");
    else if (byte == 0)
        d = diag(ngc, SEV_ERROR, ERR_NOT_TEXT, loc, "not a text file: a NUL byte");
    else
        d = diag(ngc, SEV_ERROR, ERR_NOT_TEXT, loc, "not a text file in UTF-8: byte 0x%02x",
                 (unsigned)byte);

    if (end && same_text(end, ".onnx"))
        diag_note(ngc, d, (Loc){-1, 0, 0},
                  "'ngc import' makes a text of a model in the ONNX format");
}

/* The text is cut before what is not text, so that the message has a place to show. */
static void copy_text(Ngc *ngc, Source *s, const char *text, int size)
{
    s->size = measure_text(text, size);
    char *copy = arena_alloc(ngc, (size_t)s->size + 1);
    if (s->size > 0)
        memcpy(copy, text, (size_t)s->size);
    s->text = copy;
}

int source_add(Ngc *ngc, const char *name, const char *text, size_t size, bool library)
{
    if (size > SOURCE_MAX) {
        diag(ngc, SEV_ERROR, ERR_FILE_SIZE, (Loc){-1, 0, 0}, "%s: a source file has at most %d MB",
             name, SOURCE_MAX >> 20);
        return -1;
    }

    /* A byte order mark is skipped. */
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }

    Source *s = arena_alloc(ngc, sizeof *s);
    s->name = name;
    s->library = library;
    if (library) { /* it is a constant, and longer than most models */
        s->text = text;
        s->size = (int)size;
    } else
        copy_text(ngc, s, text, (int)size);
    find_lines(ngc, s);

    /* an import makes a file of each line */
    ngc->file = arena_grow(ngc, ngc->file, ngc->files, &ngc->file_room, sizeof *ngc->file);
    ngc->file[ngc->files++] = s;

    if (s->size == (int)size)
        return ngc->files - 1;
    report_byte(ngc, ngc->files - 1, text, size);
    return -1;
}

/* All of a stream, in heap memory. NULL: it cannot be read, and errno says why. Reading stops after
 * the limit. */
static char *read_stream(FILE *f, size_t *size)
{
    size_t room = 1 << 16;
    char *text = malloc(room);
    *size = 0;
    while (text != NULL) {
        size_t n = fread(text + *size, 1, room - *size, f);
        *size += n;
        if (ferror(f)) {
            int why = errno;
            free(text);
            errno = why;
            return NULL;
        }
        /* what is over the limit is refused by its size, so the rest is not read */
        if (n == 0 || *size > SOURCE_MAX)
            return text;
        if (*size == room) {
            char *more = realloc(text, room *= 2);
            if (more == NULL)
                free(text);
            text = more;
        }
    }
    errno = ENOMEM;
    return NULL;
}

/* Is it a pipe or a device, which may never end? The user may name one as the model, but a text may
 * not. */
static bool is_endless(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int source_read(Ngc *ngc, const char *path, Loc from)
{
    if (from.file >= 0 && is_endless(path)) {
        diag(ngc, SEV_ERROR, ERR_FILE, from, "cannot read \"%s\": not a regular file", path);
        return -1;
    }

    bool standard = same_text(path, "-");
    FILE *f = stdin;
    if (!standard)
        f = fopen(path, "rb");
    size_t size = 0;
    char *text = NULL;
    if (f != NULL)
        text = read_stream(f, &size);
    int why = errno;
    if (f != NULL && !standard)
        fclose(f);
    if (text == NULL) {
        diag(ngc, SEV_ERROR, ERR_FILE, from, "cannot read \"%s\": %s", path, strerror(why));
        return -1;
    }

    const char *name = "<stdin>";
    if (!standard)
        name = text_format(ngc, "%s", path);
    else if (ngc->opt.stdin_name)
        name = ngc->opt.stdin_name;
    int file = source_add(ngc, name, text, size, false);
    free(text);
    return file;
}

/* ---- places ---- */

bool loc_of_library(const Ngc *ngc, Loc loc)
{
    return loc.file >= 0 && ngc->file[loc.file]->library;
}

bool loc_of_user(const Ngc *ngc, Loc loc)
{
    return loc.file >= 0 && !loc_of_library(ngc, loc);
}

int source_line(const Ngc *ngc, Loc loc, int *column)
{
    const Source *s = ngc->file[loc.file];
    int low = 0, high = s->lines; /* line[low] <= loc.at < line[high] */
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (s->line[middle] <= loc.at)
            low = middle;
        else
            high = middle;
    }
    if (column != NULL)
        *column = 1 + count_chars(s->text + s->line[low], s->text + loc.at);
    return low + 1;
}

const char *source_text(Ngc *ngc, Loc loc)
{
    if (loc.file < 0)
        return "";
    Text piece = text_empty(ngc);
    const char *at = ngc->file[loc.file]->text + loc.at;
    const char *end = ngc->file[loc.file]->text + loc.end;
    for (int chars = 0; at < end && chars <= TEXT_MAX; chars++) {
        int n = char_size(at, end);
        text_clean(&piece, at, (size_t)(n == 0 ? 1 : n));
        at += n == 0 ? 1 : n;
        /* a piece over several lines becomes one line, without comments */
        bool comment = at < end && *at == '#';
        if (at < end && (*at == '\n' || *at == '\r' || comment)) {
            while (at < end && (strchr(" \t\r\n", *at) != NULL || (comment && *at != '\n')))
                at++;
            text_put(&piece, " ", 1);
        }
    }
    if (at < end)
        text_put(&piece, "...", 3);
    return piece.at;
}

/* ---- messages ---- */

static Diag *new_diag(Ngc *ngc, Severity severity, ErrorCode code, Loc loc, const char *format,
                      va_list args)
{
    Diag *d = arena_alloc(ngc, sizeof *d);
    d->severity = severity;
    d->code = code;
    d->loc = loc;
    d->text = text_vformat(ngc, format, args);
    return d;
}

static bool same_diag(const Diag *a, const Diag *b)
{
    return a->loc.at == b->loc.at && a->loc.file == b->loc.file && a->code == b->code &&
           same_text(a->text, b->text);
}

/* Counts the message and keeps it, unless the same one was kept before or there are too many. */
static void keep_diag(Ngc *ngc, Diag *d)
{
    bool warning = d->flag != NULL;
    bool error = d->severity == SEV_ERROR && !warning;
    /* if an attempt fails, the user made no mistake yet: its first error is kept for a later
     * message
     */
    if (ngc->trial) {
        ngc->errors += error;
        if (error && !ngc->trial->first)
            ngc->trial->first = d;
        return;
    }

    for (const Diag *old = ngc->diags; old != NULL; old = old->next)
        if (same_diag(old, d))
            return;

    ngc->errors += error;
    ngc->warnings += warning;
    if (warning && ngc->warnings > WARNINGS_SHOWN)
        return;
    if (error && ngc->errors > ERRORS_SHOWN)
        return;

    if (ngc->diags == NULL)
        ngc->diag_end = &ngc->diags;
    *ngc->diag_end = d;
    ngc->diag_end = &d->next;
}

void trial_begin(Ngc *ngc, Trial *t)
{
    *t = (Trial){.errors = ngc->errors, .warnings = ngc->warnings, .outer = ngc->trial};
    ngc->trial = t;
}

bool trial_end(Ngc *ngc, Trial *t)
{
    bool good = ngc->errors == t->errors;
    ngc->errors = t->errors;
    ngc->warnings = t->warnings;
    ngc->trial = t->outer;
    return good;
}

Diag *diag(Ngc *ngc, Severity severity, ErrorCode code, Loc loc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Diag *d = new_diag(ngc, severity, code, loc, format, args);
    va_end(args);
    keep_diag(ngc, d);
    return d;
}

Diag *complain(Ngc *ngc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Diag *d = new_diag(ngc, SEV_ERROR, NO_CODE, (Loc){-1, 0, 0}, format, args);
    va_end(args);
    keep_diag(ngc, d);
    return d;
}

static bool is_silent(const Ngc *ngc, const char *flag)
{
    for (int i = 0; i < ngc->opt.silents; i++)
        if (same_text(ngc->opt.silent[i], flag))
            return true;
    return false;
}

Diag *warn(Ngc *ngc, const char *flag, ErrorCode code, Loc loc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Diag *d = new_diag(ngc, ngc->opt.werror ? SEV_ERROR : SEV_WARNING, code, loc, format, args);
    va_end(args);
    d->flag = flag;
    if (!is_silent(ngc, flag))
        keep_diag(ngc, d);
    return d;
}

bool diag_failed(const Ngc *ngc)
{
    return ngc->errors > 0 || (ngc->opt.werror && ngc->warnings > 0);
}

/* Labels are kept from left to right. */
void diag_label(Ngc *ngc, Diag *d, Loc loc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Label *label = arena_alloc(ngc, sizeof *label);
    label->loc = loc;
    label->text = text_vformat(ngc, format, args);
    va_end(args);
    Label **place = &d->labels;
    /* sorted by place: draw_labels counts on it */
    while (*place != NULL && (*place)->loc.at <= loc.at)
        place = &(*place)->next;
    label->next = *place;
    *place = label;
}

void diag_note(Ngc *ngc, Diag *d, Loc loc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Diag **end = &d->notes;
    while (*end != NULL)
        end = &(*end)->next;
    *end = new_diag(ngc, SEV_NOTE, NO_CODE, loc, format, args);
    va_end(args);
}

void diag_fix(Diag *d, Loc loc, const char *text)
{
    d->fix = text;
    d->fix_at = loc;
}

/* ---- drawing ---- */

static const char *const severity_name[] = {
    [SEV_ERROR] = "error", [SEV_WARNING] = "warning", [SEV_NOTE] = "note"};
static const char *const severity_color[] = {
    [SEV_ERROR] = "\033[1;31m",
    [SEV_WARNING] = "\033[1;35m",
    [SEV_NOTE] = "\033[1;36m",
};

/* The part of a source line that is drawn, with what is under it. */
typedef struct Canvas {
    Text *out;
    int file, from, to; /* bytes of the source */
    bool cut_left, cut_right;
    const char *text; /* of the source */
} Canvas;

static const char *color(const Ngc *ngc, const char *code)
{
    return ngc->opt.color ? code : "";
}

/* GNU's line: where, how bad, what. */
static void draw_head(Ngc *ngc, Text *out, const Diag *d)
{
    text_add(out, "%s", color(ngc, "\033[1m"));
    if (d->loc.file < 0) {
        text_add(out, "ngc: ");
    } else {
        const char *name = ngc->file[d->loc.file]->name;
        int column;
        int line = source_line(ngc, d->loc, &column);
        text_clean(out, name, strlen(name));
        text_add(out, ":%d:%d: ", line, column);
    }

    const char *paint = color(ngc, severity_color[d->severity]);
    const char *plain = color(ngc, "\033[0m");
    text_add(out, "%s%s: %s", paint, severity_name[d->severity], plain);
    text_clean(out, d->text, strlen(d->text));
    if (d->code > 0 && d->flag != NULL)
        text_add(out, " [NG%04d, -W%s]", d->code, d->flag);
    else if (d->code > 0)
        text_add(out, " [NG%04d]", d->code);
    text_add(out, "\n");
}

/* The line of the place. Of a long line only a window is drawn, a third of it before the place. */
static Canvas frame_line(const Ngc *ngc, Text *out, Loc loc)
{
    const Source *s = ngc->file[loc.file];
    int line = source_line(ngc, loc, NULL);
    int begin = s->line[line - 1];
    int end = s->size;
    if (line < s->lines)
        end = s->line[line] - 1;
    if (end > begin && s->text[end - 1] == '\r')
        end--;

    /* where the window begins */
    Canvas c = {.out = out, .file = loc.file, .from = begin, .to = end, .text = s->text};
    int at = min_int(loc.at, end);
    if (count_chars(s->text + begin, s->text + at) > WINDOW - WINDOW / 3) {
        c.from = at;
        for (int n = 0; n < WINDOW / 3 && c.from > begin; n += starts_char(s->text[c.from]))
            c.from--;
        /* not in the middle of a character */
        while (c.from > begin && !starts_char(s->text[c.from]))
            c.from--;
    }

    /* and where it ends */
    c.to = c.from;
    for (int n = 0; c.to < end; c.to++) {
        n += starts_char(s->text[c.to]);
        if (n > WINDOW)
            break;
    }
    c.cut_left = c.from > begin;
    c.cut_right = c.to < end;
    return c;
}

/* The column of the canvas where a byte of the source is. */
static int canvas_column(const Canvas *c, int at)
{
    if (at < c->from)
        at = c->from;
    if (at > c->to)
        at = c->to;
    return 3 * c->cut_left + count_chars(c->text + c->from, c->text + at);
}

static bool canvas_holds(const Canvas *c, Loc loc)
{
    return loc.file == c->file && loc.at >= c->from && loc.at <= c->to;
}

static void put_blanks(Text *out, int count)
{
    text_add(out, "%*s", count > 0 ? count : 0, "");
}

static void draw_source(const Canvas *c, int line)
{
    text_add(c->out, "%5d | %s", line, text_if(c->cut_left, "..."));
    text_clean(c->out, c->text + c->from, (size_t)(c->to - c->from));
    text_add(c->out, "%s\n", text_if(c->cut_right, "..."));
}

/* Puts from ~ to under the columns of a place, first under its first; always at least that one. */
static void draw_range(const Canvas *c, char *row, Loc loc, char first)
{
    int begin = canvas_column(c, loc.at);
    int end = canvas_column(c, loc.end);
    for (int i = begin; i < end; i++)
        if (row[i] == ' ')
            row[i] = '~';
    row[begin] = first;
}

/* One row of ranges with the caret among them. */
static void draw_carets(Ngc *ngc, const Canvas *c, const Diag *d)
{
    char row[WINDOW + 8];
    memset(row, ' ', sizeof row);
    for (const Label *label = d->labels; label != NULL; label = label->next)
        if (canvas_holds(c, label->loc))
            draw_range(c, row, label->loc, '~');
    draw_range(c, row, d->loc, '^');
    int size = (int)sizeof row;
    while (row[size - 1] == ' ')
        size--;
    text_add(c->out, "      | %s%.*s%s\n", color(ngc, severity_color[d->severity]), size, row,
             color(ngc, "\033[0m"));
}

/* The labels' texts under their places, the rightmost first, so that none crosses the bar of
 * another. */
static void draw_labels(const Canvas *c, const Diag *d)
{
    int left = 0;
    for (const Label *label = d->labels; label != NULL; label = label->next)
        left += canvas_holds(c, label->loc);
    for (; left > 0; left--) {
        const Label *label = d->labels;
        text_add(c->out, "      | ");
        for (int seen = 0, drawn = 0;; label = label->next) {
            if (!canvas_holds(c, label->loc))
                continue;
            int column = canvas_column(c, label->loc.at);
            if (++seen == left) {
                put_blanks(c->out, column - drawn);
                break;
            }
            /* two labels that begin at one place share a bar */
            if (column < drawn)
                continue;
            put_blanks(c->out, column - drawn);
            text_add(c->out, "|");
            drawn = column + 1;
        }
        text_clean(c->out, label->text, strlen(label->text));
        text_add(c->out, "\n");
    }
}

/* Draws a message: its line, the source, what the labels say of it, and the notes. A label that is
 * elsewhere becomes a note. */
static void draw_diag(Ngc *ngc, Text *out, const Diag *d)
{
    draw_head(ngc, out, d);
    Canvas c = {.file = -1};
    if (d->loc.file >= 0) {
        c = frame_line(ngc, out, d->loc);
        draw_source(&c, source_line(ngc, d->loc, NULL));
        draw_carets(ngc, &c, d);
        draw_labels(&c, d);
    }
    for (const Label *label = d->labels; label != NULL; label = label->next)
        if (c.file < 0 || !canvas_holds(&c, label->loc))
            draw_head(ngc, out,
                      &(Diag){.severity = SEV_NOTE, .loc = label->loc, .text = label->text});
    for (const Diag *note = d->notes; note != NULL; note = note->next)
        draw_head(ngc, out, note);
}

/* ---- messages as JSON: an object on a line for each, so that several runs read as one ---- */

/* The file and both ends of a place. Lines and columns count from 1, columns in characters; the end
 * is after the last character. A message without a place has no such members. */
static void put_place(Ngc *ngc, Text *t, Loc loc)
{
    int column, line;
    if (loc.file < 0)
        return;

    text_add(t, ", \"file\": ");
    json_string(t, ngc->file[loc.file]->name);

    line = source_line(ngc, loc, &column);
    text_add(t, ", \"line\": %d, \"column\": %d", line, column);
    line = source_line(ngc, (Loc){loc.file, loc.end, loc.end}, &column);
    text_add(t, ", \"end_line\": %d, \"end_column\": %d", line, column);
}

static void put_labels(Ngc *ngc, Text *t, const Label *labels)
{
    const char *before = ", \"labels\": [";

    for (const Label *l = labels; l; l = l->next) {
        text_add(t, "%s{\"text\": ", before);
        json_string(t, l->text);
        put_place(ngc, t, l->loc);
        text_add(t, "}");
        before = ", ";
    }
    if (labels)
        text_add(t, "]");
}

static void put_fix(Ngc *ngc, Text *t, const Diag *d)
{
    if (!d->fix)
        return;
    text_add(t, ", \"fix\": {\"text\": ");
    json_string(t, d->fix);
    put_place(ngc, t, d->fix_at);
    text_add(t, "}");
}

static void put_message(Ngc *ngc, Text *t, const Diag *d)
{
    static const char *const severity[] = {
        [SEV_ERROR] = "error", [SEV_WARNING] = "warning", [SEV_NOTE] = "note"};

    text_add(t, "{\"severity\": \"%s\"", severity[d->severity]);
    if (d->code > 0)
        text_add(t, ", \"code\": \"NG%04d\"", d->code);
    if (d->flag)
        text_add(t, ", \"flag\": \"%s\"", d->flag);

    text_add(t, ", \"message\": ");
    json_string(t, d->text);
    put_place(ngc, t, d->loc);
    put_labels(ngc, t, d->labels);
    put_fix(ngc, t, d);

    const char *before = ", \"notes\": [";
    for (const Diag *n = d->notes; n; n = n->next) {
        text_add(t, "%s", before);
        put_message(ngc, t, n);
        before = ", ";
    }
    text_add(t, d->notes ? "]}" : "}");
}

static void json_message(Ngc *ngc, Text *t, const Diag *d)
{
    put_message(ngc, t, d);
    text_add(t, "\n");
}

/* ---- all messages ---- */

void diag_flush(Ngc *ngc, FILE *f)
{
    Text out = text_empty(ngc);
    for (const Diag *d = ngc->diags; d != NULL; d = d->next)
        (ngc->opt.json ? json_message : draw_diag)(ngc, &out, d);
    if (ngc->diags != NULL && !ngc->opt.json && ngc->errors > ERRORS_SHOWN)
        text_add(&out, "ngc: error: too many errors: the first %d of %d are shown\n", ERRORS_SHOWN,
                 ngc->errors);
    if (ngc->diags != NULL && !ngc->opt.json && ngc->warnings > WARNINGS_SHOWN)
        text_add(&out, "ngc: warning: the first %d of %d warnings are shown\n", WARNINGS_SHOWN,
                 ngc->warnings);
    fwrite(out.at, 1, out.size, f);
    ngc->diags = NULL;
    ngc->diag_end = &ngc->diags;
}

void diag_json(Ngc *ngc, Text *t)
{
    text_add(t, "[");
    for (const Diag *d = ngc->diags; d; d = d->next) {
        put_message(ngc, t, d);
        if (d->next)
            text_add(t, ",\n");
    }
    text_add(t, "]");
    ngc->diags = NULL;
    ngc->diag_end = &ngc->diags;
}

/* ---- did you mean ---- */

static bool same_but_case(const char *a, const char *b)
{
    while (*a != '\0' && ascii_lower(*a) == ascii_lower(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

/* The number of insertions, deletions, changes and exchanges of neighbours that turn a into b
 * (optimal string alignment). row[i][j] is the distance of the first i characters of a from the
 * first j of b. Both have at most SUGGEST_MAX characters. */
static int edit_distance(const char *a, int na, const char *b, int nb)
{
    int row[SUGGEST_MAX + 1][SUGGEST_MAX + 1];
    for (int i = 0; i <= na; i++)
        for (int j = 0; j <= nb; j++) {
            if (i == 0 || j == 0) {
                row[i][j] = i + j;
                continue;
            }

            int change = row[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            int shift = 1 + min_int(row[i - 1][j], row[i][j - 1]);
            row[i][j] = min_int(change, shift);

            bool exchanged = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (exchanged)
                row[i][j] = min_int(row[i][j], row[i - 2][j - 2] + 1);
        }
    return row[na][nb];
}

const char *suggest(Ngc *ngc, const char *word, const char *const *among, int count)
{
    (void)ngc;
    size_t size = strlen(word);
    const char *best = NULL;
    int limit = (int)(size < SUGGEST_MAX ? size : 0) / 3 + 1; /* the distance must be less */
    for (int i = 0; i < count; i++) {
        if (same_but_case(word, among[i]) && !same_text(word, among[i]))
            return among[i];
        size_t other = strlen(among[i]);
        if (size > SUGGEST_MAX || other > SUGGEST_MAX)
            continue;
        int distance = edit_distance(word, (int)size, among[i], (int)other);
        if (distance > 0 && distance < limit) {
            best = among[i];
            limit = distance;
        }
    }
    return best;
}
