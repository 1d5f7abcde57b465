/* trainer.c - what all parts of the trainer use: messages, memory, the clock, interrupts, and the
 * inputs by their names. It calls no other part. */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trainer.h"

/* ---- messages ---- */

/* The bytes of the UTF-8 character that text begins with; 0: it begins with none. */
static size_t character_size(const unsigned char *text, size_t size)
{
    size_t length = 4, i;

    if (text[0] < 0x80)
        return 1;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;

    if (text[0] < 0xe0)
        length = 2;
    else if (text[0] < 0xf0)
        length = 3;
    if (length > size)
        return 0;

    for (i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* A string of JSON. Bytes that a file's name may have and UTF-8 may not become '?'. */
static void put_json(FILE *to, const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + size;

    fputc('"', to);
    while (at < end) {
        size_t length = character_size(at, (size_t)(end - at));

        if (length == 0)
            fputc('?', to);
        else if (*at == '"' || *at == '\\')
            fprintf(to, "\\%c", *at);
        else if (*at < 0x20 || *at == 0x7f)
            fprintf(to, "\\u%04x", *at);
        else
            fwrite(at, 1, length, to);
        at += length > 0 ? length : 1;
    }
    fputc('"', to);
}

typedef struct Origin { /* the file that a message is about: "iris.csv:12:7: ..." */
    size_t name;        /* bytes of its name */
    int numbers;        /* how many follow the name */
    long number[2];     /* line, column */
    const char *text;   /* the message without them */
} Origin;

/* Reads the line and the column at the start of a message. Without them there is no origin, as a
 * name alone cannot be told from other words. */
static Origin find_origin(const char *text)
{
    Origin o = {0, 0, {0, 0}, text};
    const char *end = strstr(text, ": ");
    const char *at = end;

    /* back from the end, over each :NUMBER */
    while (at && o.numbers < 2 && at > text) {
        const char *digits = at;
        while (digits > text && digits[-1] >= '0' && digits[-1] <= '9')
            digits--;
        if (digits == at || digits == text || digits[-1] != ':')
            break;
        at = digits - 1;
        o.numbers++;
    }
    if (o.numbers == 0)
        return o;

    o.name = (size_t)(at - text);
    o.number[0] = strtol(at + 1, NULL, 10);
    if (o.numbers > 1)
        o.number[1] = strtol(strchr(at + 1, ':') + 1, NULL, 10);
    o.text = end + 2;
    return o;
}

/* A message as ngc's own are with --diagnostics=json: an object on a line. */
static void print_json(FILE *to, const char *kind, const char *text, const char *note)
{
    static const char *const key[] = {"line", "column"};
    Origin o = find_origin(text);
    int i;

    fprintf(to, "{\"severity\": \"%s\", \"message\": ", kind);
    put_json(to, o.text, strlen(o.text));
    if (o.numbers > 0) {
        fprintf(to, ", \"file\": ");
        put_json(to, text, o.name);
    }
    for (i = 0; i < o.numbers; i++)
        fprintf(to, ", \"%s\": %ld", key[i], o.number[i]);
    if (note)
        fprintf(to, ", \"notes\": [{\"severity\": \"note\", \"message\": \"%s\"}]", note);
    fprintf(to, "}\n");
}

/* Is it a control character, which a terminal would obey? */
static int is_control(const unsigned char *at, size_t length)
{
    if (length == 2)
        return at[0] == 0xc2 && at[1] < 0xa0;
    return length == 1 && (*at < 0x20 || *at == 0x7f);
}

/* A message's line. Words of data and names of files may have any bytes: what is not a character
 * of a text becomes '?'. */
static void put_line(FILE *to, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + strlen(text);

    while (at < end) {
        size_t length = character_size(at, (size_t)(end - at));

        if (length == 0 || is_control(at, length))
            fputc('?', to);
        else
            fwrite(at, 1, length, to);
        at += length > 0 ? length : 1;
    }
    fputc('\n', to);
}

static void print_message(const Trainer *t, const char *kind, const char *note, const char *format,
                          va_list arguments)
{
    char text[1024];
    FILE *to = t->errors ? t->errors : stderr;

    vsnprintf(text, sizeof text, format, arguments);
    if (t->json) {
        print_json(to, kind, text, note);
        return;
    }
    if (t->errors)
        fprintf(to, "rank %d: ", t->group->of.rank);
    fprintf(to, "%s: %s: ", t->program, kind);
    put_line(to, text);
    if (note)
        fprintf(to, "%s: %s\n", t->program, note);
}

int ngrt_trainer_fail(const Trainer *t, int status, const char *format, ...)
{
    const char *note = status == USAGE ? "--help shows the options" : NULL;
    va_list arguments;

    if (t->errors) {
        if (t->grids > 0)
            return status; /* all ranks have tried what failed, and go on */
        signal(SIGTERM, SIG_DFL);
        sleep(2); /* what all ranks find, rank 0 says, and ends all */
    }
    va_start(arguments, format);
    print_message(t, "error", note, format, arguments);
    if (t->errors)
        fflush(t->errors);
    va_end(arguments);
    return status;
}

void ngrt_trainer_note(const Trainer *t, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (!t->quiet && !t->errors)
        print_message(t, "note", NULL, format, arguments);
    va_end(arguments);
}

/* ---- memory and time ---- */

int ngrt_trainer_no_memory(const Trainer *t)
{
    return ngrt_trainer_fail(t, FAILED, "out of memory");
}

void *ngrt_trainer_allocate(size_t count, size_t size)
{
    if (count == 0 || size == 0) /* calloc may return NULL for these */
        count = size = 1;
    return calloc(count, size);
}

/* Where the state begins in the kept copy: after the params, aligned to 16 bytes. */
size_t ngrt_state_at(const Trainer *t)
{
    return (t->model->sizeof_params + 15) / 16 * 16;
}

double ngrt_trainer_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- interrupts ---- */

static volatile sig_atomic_t stopped; /* by this signal */

static void stop(int signal)
{
    stopped = signal;
}

int ngrt_trainer_signal(void)
{
    return stopped;
}

int ngrt_trainer_stopped(const Trainer *t)
{
    return t->group ? t->agreed_stop : stopped;
}

void ngrt_trainer_watch(const Trainer *t)
{
    struct sigaction action = {0};

    stopped = 0;
    if (!t->save_path)
        return;
    action.sa_handler = stop;
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void ngrt_draws_shift(Trainer *t, int64_t rows)
{
    int i;

    for (i = 0; i < t->model->tensors; i++) {
        const ngrt_tensor *x = &t->model->tensor[i];
        char *at = t->state + x->offset;
        uint32_t draws;

        if (x->role != NGRT_STATE || !(x->flags & NGRT_DRAWS))
            continue;
        memcpy(&draws, at, sizeof draws);
        draws += (uint32_t)rows;
        memcpy(at, &draws, sizeof draws);
    }
}

/* ---- names ---- */

static const ngrt_tensor *find_input(const ngrt_model *m, const char *text, size_t length)
{
    int i;

    for (i = 0; i < m->tensors; i++) {
        const ngrt_tensor *x = &m->tensor[i];
        if (x->role == NGRT_INPUT && strlen(x->name) == length &&
            strncmp(x->name, text, length) == 0)
            return x;
    }
    return NULL;
}

const ngrt_tensor *ngrt_find_input_name(const ngrt_model *m, const char *name)
{
    return find_input(m, name, strlen(name));
}

const ngrt_tensor *ngrt_find_input(const ngrt_model *m, const char *text)
{
    const char *end = strchr(text, '=');
    if (!end)
        return NULL;
    return find_input(m, text, (size_t)(end - text));
}
