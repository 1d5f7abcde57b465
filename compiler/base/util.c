/* util.c - memory that lives as long as the compilation, names that are equal when their pointers
 * are, and text that grows. */
#include "base/ngc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16, ALIGN = 16 };

/* Under the address sanitizer, only what was handed out may be read and written: there is a gap
 * after each piece. */
#ifdef __SANITIZE_ADDRESS__
#define WATCHED
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define WATCHED
#endif
#endif
#ifdef WATCHED
#include <sanitizer/asan_interface.h>
enum { GAP = ALIGN };
#else
enum { GAP = 0 };
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

/* From calloc, so all memory that is handed out is zero. */
typedef struct Chunk {
    struct Chunk *older;
    char *at, *end; /* of what is free */
} Chunk;

struct Arena {
    Chunk *last; /* the one being filled */
};

/* Open addressing; never more than half full. */
struct Intern {
    struct Slot {
        const char *text; /* NULL: empty */
        size_t size;
        uint64_t hash;
    } * slot;
    size_t room; /* slots, a power of two */
    size_t count;
};

/* ---- the end ---- */

/* How the last message of an ngc that cannot continue is written. It may be needed where no Ngc is
 * known, so it is kept in the environment. */
static const char LAST_WORDS[] = "NGC_LAST_WORDS";

void last_words_are_json(bool json)
{
    if (json)
        setenv(LAST_WORDS, "json", 1);
    else
        unsetenv(LAST_WORDS);
}

/* Takes no memory: there may be none. */
static void print_escaped(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c >= 0x7f)
            fprintf(stderr, "\\u%04x", *c);
        else
            fprintf(stderr, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
}

/* kind: "error" or "internal error" */
static _Noreturn void end_broken(const char *kind, const char *text)
{
    fflush(stdout);
    if (getenv(LAST_WORDS)) {
        fprintf(stderr, "{\"severity\": \"error\", \"message\": \"");
        print_escaped(same_text(kind, "error") ? "" : "internal error: ");
        print_escaped(text);
        fprintf(stderr, "\"}\n");
    } else {
        fprintf(stderr, "ngc: %s: %s\n", kind, text);
    }
    exit(4);
}

_Noreturn void ngc_bug(const char *format, ...)
{
    char text[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    end_broken("internal error", text);
}

/* ---- memory ---- */

/* calloc that ends ngc where there is no memory: no phase could do anything else. */
static void *take_memory(const Ngc *ngc, size_t size)
{
    void *p = calloc(1, size);
    if (p == NULL) {
        if (ngc->clean_up != NULL)
            ngc->clean_up(ngc);
        end_broken("error", "out of memory");
    }
    return p;
}

/* A size in whole units of ALIGN; at least one. */
static size_t aligned(size_t size)
{
    if (size == 0)
        size = 1;
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

/* A piece larger than a quarter of a chunk gets a chunk of its own, after the one being filled in
 * the list, which is filled further. */
static Chunk *add_chunk(const Ngc *ngc, size_t size)
{
    struct Arena *arena = ngc->arena;
    bool own = size > CHUNK / 4;
    size_t header = aligned(sizeof(Chunk));
    size_t room = own ? size : CHUNK;

    Chunk *chunk = take_memory(ngc, header + room);
    chunk->at = (char *)chunk + header;
    chunk->end = chunk->at + room;
    ASAN_POISON_MEMORY_REGION(chunk->at, room);

    /* before the last in the list: what is free of the last is still used */
    if (own && arena->last != NULL) {
        chunk->older = arena->last->older;
        arena->last->older = chunk;
    } else {
        chunk->older = arena->last;
        arena->last = chunk;
    }
    return chunk;
}

void *arena_alloc(Ngc *ngc, size_t size)
{
    if (ngc->arena == NULL)
        ngc->arena = take_memory(ngc, sizeof *ngc->arena);
    if (size > SIZE_MAX / 2)
        size = SIZE_MAX / 2; /* calloc refuses that */
    /* with a sanitizer, poisoned bytes follow each piece */
    size_t room = aligned(size) + GAP;

    Chunk *chunk = ngc->arena->last;
    if (chunk == NULL || (size_t)(chunk->end - chunk->at) < room)
        chunk = add_chunk(ngc, room);
    void *p = chunk->at;
    chunk->at += room;
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    return p;
}

void *arena_array(Ngc *ngc, int64_t count, size_t item)
{
    bool fits = count >= 0 && (uint64_t)count <= SIZE_MAX / item;
    return arena_alloc(ngc, fits ? (size_t)count * item : SIZE_MAX);
}

void *arena_copy(Ngc *ngc, const void *from, size_t size)
{
    void *p = arena_alloc(ngc, size);
    if (size > 0)
        memcpy(p, from, size);
    return p;
}

/* Makes a piece larger in place, if it is the last of its chunk and there is room. */
static bool stretch(Ngc *ngc, void *piece, size_t old, size_t size)
{
    Chunk *chunk = ngc->arena ? ngc->arena->last : NULL;
    if (chunk == NULL || piece == NULL)
        return false;

    old = aligned(old);
    size = aligned(size);
    /* lists that grow are mostly the latest piece */
    bool is_last = (char *)piece + old == chunk->at;
    if (!is_last || (size_t)(chunk->end - chunk->at) < size - old)
        return false;
    chunk->at += size - old;
    return true;
}

/* Doubles the room, so that adding n items one by one copies fewer than 2n. */
void *arena_grow(Ngc *ngc, void *old, int count, int *room, size_t item)
{
    if (count < *room)
        return old;
    if (count > INT32_MAX / 2 - 8)
        ngc_bug("a list of %d items cannot grow", count);

    size_t had = (size_t)*room * item;
    if (count < 8)
        *room = 8;
    else
        *room = 2 * count;
    if (had > 0 && stretch(ngc, old, had, (size_t)*room * item))
        return old;

    void *p = arena_alloc(ngc, (size_t)*room * item);
    if (count > 0)
        memcpy(p, old, (size_t)count * item);
    return p;
}

void arena_free(Ngc *ngc)
{
    if (ngc->arena != NULL) {
        Chunk *chunk = ngc->arena->last;
        while (chunk != NULL) {
            Chunk *older = chunk->older;
            free(chunk);
            chunk = older;
        }
    }
    free(ngc->arena);
    *ngc = (Ngc){0};
}

/* ---- names ---- */

/* FNV-1a */
static uint64_t hash_bytes(const char *text, size_t size)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h;
}

/* The slot that holds the text, or the empty one where it belongs. */
static struct Slot *find_slot(const struct Intern *names, const char *text, size_t size,
                              uint64_t hash)
{
    size_t i = (size_t)hash & (names->room - 1);
    for (;; i = (i + 1) & (names->room - 1)) {
        struct Slot *s = &names->slot[i];
        if (s->text == NULL ||
            (s->hash == hash && s->size == size && memcmp(s->text, text, size) == 0))
            return s;
    }
}

static void grow_names(Ngc *ngc, struct Intern *names)
{
    struct Intern old = *names;
    if (old.room == 0)
        names->room = 256;
    else
        names->room = 2 * old.room;
    names->slot = arena_array(ngc, names->room, sizeof *names->slot);
    for (size_t i = 0; i < old.room; i++)
        if (old.slot[i].text != NULL)
            *find_slot(names, old.slot[i].text, old.slot[i].size, old.slot[i].hash) = old.slot[i];
}

const char *intern(Ngc *ngc, const char *text, size_t size)
{
    if (ngc->names == NULL)
        ngc->names = arena_alloc(ngc, sizeof *ngc->names);

    struct Intern *names = ngc->names;
    /* at most half full, so a search ends after few slots */
    if (2 * (names->count + 1) > names->room)
        grow_names(ngc, names);

    uint64_t hash = hash_bytes(text, size);
    struct Slot *s = find_slot(names, text, size, hash);
    if (s->text == NULL) {
        char *copy = arena_alloc(ngc, size + 1);
        if (size > 0)
            memcpy(copy, text, size);
        *s = (struct Slot){copy, size, hash};
        names->count++;
    }
    return s->text;
}

const char *intern_str(Ngc *ngc, const char *text)
{
    return intern(ngc, text, strlen(text));
}

/* ---- maps ---- */

/* The slot that holds the key, or the empty one where it belongs. */
static struct TableSlot *find_key(const Table *m, const void *key)
{
    uint64_t hash = (uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u;
    /* addresses are multiples of ALIGN: the product's upper bits differ */
    size_t i = (size_t)(hash >> 20) & (size_t)(m->room - 1);
    while (m->slot[i].key && m->slot[i].key != key)
        i = (i + 1) & (size_t)(m->room - 1);
    return &m->slot[i];
}

static void grow_table(Ngc *ngc, Table *m)
{
    Table old = *m;
    if (old.room)
        m->room = 2 * old.room;
    else
        m->room = 64;
    m->slot = arena_array(ngc, m->room, sizeof *m->slot);
    for (int i = 0; i < old.room; i++)
        if (old.slot[i].key)
            *find_key(m, old.slot[i].key) = old.slot[i];
}

int *table_at(Ngc *ngc, Table *m, const void *key)
{
    if (2 * (m->count + 1) > m->room) /* never more than half full */
        grow_table(ngc, m);

    struct TableSlot *s = find_key(m, key);
    m->count += s->key == NULL;
    s->key = key;
    return &s->value;
}

/* ---- text ---- */

/* Makes room for `size` bytes more and the NUL. */
static void reserve_text(Text *t, size_t size)
{
    if (t->at != NULL && size < t->room - t->size)
        return;

    size_t need = t->size + size + 1;
    size_t room = 64;
    if (need >= 64)
        room = 2 * need;
    if (t->room > 0 && stretch(t->ngc, t->at, t->room, room)) {
        t->room = room;
        return;
    }

    char *at = arena_alloc(t->ngc, room);
    if (t->size > 0)
        memcpy(at, t->at, t->size);
    t->at = at;
    t->room = room;
}

/* The number of bytes that the format makes. */
static size_t measure_format(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size < 0)
        ngc_bug("cannot format \"%s\"", format);
    return (size_t)size;
}

const char *text_vformat(Ngc *ngc, const char *format, va_list args)
{
    size_t size = measure_format(format, args);
    char *p = arena_alloc(ngc, size + 1);
    vsnprintf(p, size + 1, format, args);
    return p;
}

const char *text_format(Ngc *ngc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = text_vformat(ngc, format, args);
    va_end(args);
    return text;
}

const char *text_number(Ngc *ngc, double v, bool single)
{
    char text[40];
    bool whole = v == floor(v) && fabs(v) < 1e7; /* 160, not 1.6e+02 */
    if (single)
        v = (double)(float)v;

    for (int digits = whole ? 0 : 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, whole ? "%.*f" : "%.*g", digits, v);
        double back = strtod(text, NULL);
        if (single ? (float)back == (float)v : back == v)
            break;
    }
    return text_format(ngc, "%s%s", text, text_if(!strpbrk(text, ".e"), ".0"));
}

Text text_empty(Ngc *ngc)
{
    Text t = {.ngc = ngc};
    text_put(&t, "", 0);
    return t;
}

const char *text_or(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

const char *true_or_false(bool v)
{
    return v ? "true" : "false";
}

const char *text_if(bool wanted, const char *text)
{
    return wanted ? text : "";
}

const char *comma_before(int64_t item)
{
    return text_if(item > 0, ", ");
}

const char *plural(int count)
{
    return text_if(count != 1, "s");
}

void text_add(Text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t size = measure_format(format, args);
    reserve_text(t, size);
    vsnprintf(t->at + t->size, size + 1, format, args);
    t->size += size;
    va_end(args);
}

void text_put(Text *t, const char *bytes, size_t size)
{
    reserve_text(t, size);
    if (size > 0)
        memcpy(t->at + t->size, bytes, size);
    t->size += size;
    t->at[t->size] = '\0';
}

/* ---- options ---- */

/* Of a pass that is needed the bit is never set. */
bool pass_runs(const Ngc *ngc, Pass pass)
{
    return !(ngc->opt.without >> pass & 1);
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Does the pattern mean the name, or what is before one of its points? * in it is any text. */
bool name_matches(const char *name, const char *pattern)
{
    const char *star = NULL, *from = NULL; /* the last *, and what comes after the text it is now */

    for (;;) {
        if (*pattern == '*') {
            star = ++pattern;
            from = name;
        } else if (!*pattern && (!*name || *name == '.')) {
            return true;
        } else if (*pattern && *pattern == *name) {
            pattern++;
            name++;
        } else if (star && *from) {
            pattern = star;
            name = ++from;
        } else {
            return false;
        }
    }
}

bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool is_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && begins(text, word);
}

size_t word_size(const char *text)
{
    size_t n = 0;
    while (is_word_char(text[n]))
        n++;
    return n;
}

size_t count_digits(const char *text)
{
    size_t n = 0;
    while (is_digit(text[n]))
        n++;
    return n;
}

bool is_whole_number(const char *text)
{
    return *text && text[count_digits(text)] == '\0';
}

bool is_int32(double x)
{
    return x == floor(x) && x >= INT32_MIN && x <= INT32_MAX;
}

const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    if (end)
        return end + 1;
    return line + strlen(line);
}

const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash)
        return slash + 1;
    return path;
}

int ascii_lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 'a';
    return c;
}
