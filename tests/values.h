/* values.h - reads what `ngc run` prints: lines `name = value`, where a value is a number or nested
 * lists of numbers that may go on over several lines. Included by the programs of tests/ that
 * compare numbers. */
#ifndef VALUES_H
#define VALUES_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_RANK = 8 };

typedef struct Value {
    char name[256];
    int rank;
    size_t shape[VALUE_RANK];
    size_t count;
    double *at; /* the elements, row-major; malloc */
    size_t room;
    double tolerance; /* of a wanted value */
    bool relative;    /* tolerance is a part of the largest wanted element, otherwise a distance */
} Value;

typedef struct Values {
    Value *at;
    size_t count, room;
} Values;

/* Room for one more than count items; no memory ends the test. */
static inline void *values_grow(void *old, size_t count, size_t *room, size_t item)
{
    if (count < *room)
        return old;
    *room = *room ? 2 * *room : 16;
    void *p = realloc(old, *room * item);
    if (!p) {
        fprintf(stderr, "no memory\n");
        exit(3);
    }
    return p;
}

static inline const char *values_blank(const char *s)
{
    while (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r')
        s++;
    return s;
}

/* Reads one element or list at this depth; NULL: it is neither, or its rows are uneven. */
static inline const char *value_element(Value *v, const char *s, int depth)
{
    s = values_blank(s);
    if (*s != '[') {
        char *end;
        double x = strtod(s, &end);
        if (end == s || depth != v->rank)
            return NULL;
        v->at = values_grow(v->at, v->count, &v->room, sizeof *v->at);
        v->at[v->count++] = x;
        return end;
    }
    if (depth == v->rank)
        return NULL;
    size_t n = 0;
    for (s = values_blank(s + 1); *s != ']'; n++) {
        s = value_element(v, s, depth + 1);
        if (!s)
            return NULL;
        s = values_blank(s);
        if (*s == ',')
            s = values_blank(s + 1);
        else if (*s != ']')
            return NULL;
    }
    if (v->shape[depth] != 0 && v->shape[depth] != n)
        return NULL;
    v->shape[depth] = n;
    return s + 1;
}

/* Reads `name = value` at s; gives what stands behind it, or NULL where there is no such line. */
static inline const char *value_read(Value *v, const char *s)
{
    const char *end = s + strcspn(s, "\n"), *eq = strstr(s, " = ");
    memset(v, 0, sizeof *v);
    if (!eq || eq > end || eq == s || (size_t)(eq - s) >= sizeof v->name)
        return NULL;
    memcpy(v->name, s, (size_t)(eq - s));
    s = values_blank(eq + 3);
    for (const char *b = s; *b == '[' && v->rank < VALUE_RANK; b = values_blank(b + 1))
        v->rank++;
    s = value_element(v, s, 0);
    if (!s)
        free(v->at);
    return s;
}

static inline void values_add(Values *all, Value v)
{
    all->at = values_grow(all->at, all->count, &all->room, sizeof *all->at);
    all->at[all->count++] = v;
}

/* Takes every line `name = value` of a text. */
static inline Values values_of(const char *text)
{
    Values all = {NULL, 0, 0};
    while (*text) {
        Value v;
        const char *end = value_read(&v, text);
        if (end)
            values_add(&all, v);
        else
            end = text + strcspn(text, "\n");
        text = *end ? end + 1 : end;
    }
    return all;
}

static inline const Value *values_find(const Values *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->at[i].name, name) == 0)
            return &all->at[i];
    return NULL;
}

static inline void values_free(Values *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->at[i].at);
    free(all->at);
    *all = (Values){NULL, 0, 0};
}

/* How far an element may be from the wanted one. */
static inline double value_bound(const Value *want)
{
    double largest = 0;
    for (size_t i = 0; i < want->count && want->relative; i++)
        if (isfinite(want->at[i]))
            largest = fmax(largest, fabs(want->at[i]));
    return want->relative ? want->tolerance * largest : want->tolerance;
}

/* NaN and infinities must be met exactly. */
static inline bool value_near(double got, double want, double bound)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got);
    return got == want || fabs(got - want) <= bound;
}

/* Reads a whole file, ended by NUL; NULL with a message where it cannot be read. */
static inline char *values_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0, room = 0;
    if (!f) {
        perror(path);
        return NULL;
    }
    for (int c = getc(f); c != EOF; c = getc(f)) {
        text = values_grow(text, size, &room, 1);
        text[size++] = (char)c;
    }
    fclose(f);
    text = values_grow(text, size, &room, 1);
    text[size] = '\0';
    return text;
}

#endif
