/* prep.c - how columns of data become the elements of a model's inputs, as a text that is saved
 * with the weights:
 *
 *     input x
 *     number "length" 5.84
 *     onehot "colour" "blue" "green" "red"
 *     all 0 0.00392156862745098
 *
 * A line for each column: its kind, its name, then the value of a missing cell, or the words in the
 * order of their indices. `all` and, for each element, `each` say what is subtracted, and what the
 * difference is multiplied by. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

static const char *const kind_name[] = {
    [PREP_NUMBER] = "number",
    [PREP_CLASS] = "class",
    [PREP_FLAG] = "flag",
    [PREP_ONEHOT] = "onehot",
};
enum { KINDS = sizeof kind_name / sizeof *kind_name };

/* ---- building; these return NULL or false without memory ---- */

PrepInput *ngrt_prep_add(Prep *p, const char *input)
{
    PrepInput *grown = realloc(p->input, (size_t)(p->inputs + 1) * sizeof *grown);

    if (!grown)
        return NULL;
    p->input = grown;
    grown += p->inputs;
    memset(grown, 0, sizeof *grown);
    grown->name = ngrt_text_copy(input);
    if (!grown->name)
        return NULL;
    p->inputs++;
    return grown;
}

PrepColumn *ngrt_prep_column(PrepInput *x, int kind, const char *name)
{
    PrepColumn *grown = realloc(x->column, (x->columns + 1) * sizeof *grown);

    if (!grown)
        return NULL;
    x->column = grown;
    grown += x->columns;
    memset(grown, 0, sizeof *grown);
    grown->kind = kind;
    grown->fill = (double)NAN;
    grown->name = ngrt_text_copy(name ? name : "");
    if (!grown->name)
        return NULL;
    x->columns++;
    return grown;
}

int ngrt_prep_word(PrepColumn *c, const char *word)
{
    char **grown = realloc(c->word, (c->words + 1) * sizeof *grown);

    if (!grown)
        return 0;
    c->word = grown;
    grown[c->words] = ngrt_text_copy(word);
    if (!grown[c->words])
        return 0;
    c->words++;
    return 1;
}

int ngrt_prep_elements(PrepInput *x, size_t elements)
{
    size_t i;

    free(x->sub);
    free(x->mul);
    x->elements = elements;
    x->sub = malloc((elements + 1) * sizeof *x->sub);
    x->mul = malloc((elements + 1) * sizeof *x->mul);
    if (!x->sub || !x->mul)
        return 0;
    for (i = 0; i < elements; i++) {
        x->sub[i] = 0;
        x->mul[i] = 1;
    }
    return 1;
}

static void free_input(PrepInput *x)
{
    size_t i, k;

    for (i = 0; i < x->columns; i++) {
        for (k = 0; k < x->column[i].words; k++)
            free(x->column[i].word[k]);
        free(x->column[i].word);
        free(x->column[i].name);
    }
    free(x->column);
    free(x->name);
    free(x->sub);
    free(x->mul);
}

void ngrt_prep_free(Prep *p)
{
    int i;

    for (i = 0; i < p->inputs; i++)
        free_input(&p->input[i]);
    free(p->input);
    memset(p, 0, sizeof *p);
}

void ngrt_prep_drop(Prep *p, const char *input)
{
    PrepInput *x = ngrt_prep_find(p, input);

    if (!x)
        return;
    free_input(x);
    /* their order does not count */
    *x = p->input[--p->inputs];
}

PrepInput *ngrt_prep_find(const Prep *p, const char *input)
{
    int i;

    for (i = 0; i < p->inputs; i++)
        if (strcmp(p->input[i].name, input) == 0)
            return &p->input[i];
    return NULL;
}

/* ---- to text ---- */

static int add_quoted(Bytes *b, const char *text)
{
    int good = ngrt_bytes_add(b, " \"", 2);

    for (; *text && good; text++) {
        /* a line of the text ends only where a column ends */
        if (*text == '"' || *text == '\\' || *text == '\n')
            good = ngrt_bytes_add(b, "\\", 1);
        good = good && ngrt_bytes_add(b, *text == '\n' ? "n" : text, 1);
    }
    return good && ngrt_bytes_add(b, "\"", 1);
}

static int add_column(Bytes *b, const PrepColumn *c)
{
    size_t i;
    int good = ngrt_bytes_print(b, "%s", kind_name[c->kind]) && add_quoted(b, c->name);

    if (good && c->kind == PREP_NUMBER && !isnan(c->fill))
        good = ngrt_bytes_print(b, " %.17g", c->fill);
    for (i = 0; i < c->words && good; i++)
        good = add_quoted(b, c->word[i]);
    return good && ngrt_bytes_add(b, "\n", 1);
}

/* Adds what is done to the elements: one line if it is the same for all. */
static int add_elements(Bytes *b, const PrepInput *x)
{
    size_t i;
    int good = 1, same = 1;

    for (i = 1; i < x->elements && x->sub; i++)
        same = same && x->sub[i] == x->sub[0] && x->mul[i] == x->mul[0];
    if (!x->sub || x->elements == 0)
        return 1;
    if (same)
        return ngrt_bytes_print(b, "all %.17g %.17g\n", x->sub[0], x->mul[0]);
    for (i = 0; i < x->elements && good; i++)
        good = ngrt_bytes_print(b, "each %.17g %.17g\n", x->sub[i], x->mul[i]);
    return good;
}

/* Does anything happen to the input's columns? */
static int is_needed(const PrepInput *x)
{
    size_t i;

    for (i = 0; i < x->columns; i++)
        if (x->column[i].kind != PREP_NUMBER || !isnan(x->column[i].fill))
            return 1;
    return x->elements > 0;
}

/* Have its columns names? */
static int is_named(const PrepInput *x)
{
    return x->columns > 0 && *x->column[0].name;
}

int ngrt_prep_write(const Prep *p, Bytes *b)
{
    int i, good = 1, any = 0;
    size_t k;

    for (i = 0; i < p->inputs; i++)
        any = any || is_needed(&p->input[i]);

    for (i = 0; i < p->inputs && good; i++) {
        const PrepInput *x = &p->input[i];

        /* names alone are written only with others: predict compares them */
        if (!is_needed(x) && !(any && is_named(x)))
            continue;
        good = ngrt_bytes_print(b, "input %s\n", x->name);
        for (k = 0; k < x->columns && good; k++)
            good = add_column(b, &x->column[k]);
        good = good && add_elements(b, x);
    }
    return good;
}

/* ---- from text ---- */

/* Takes a word in quotes off a line, into memory of its own. */
static char *take_quoted(const char **at)
{
    char *text, *to;
    const char *end;

    *at += strspn(*at, " ");
    if (**at != '"')
        return NULL;
    end = *at + 1;
    /* the end is found first: what is taken is not longer */
    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    if (!*end)
        return NULL;

    text = to = malloc((size_t)(end - *at));
    if (!text)
        return NULL;
    for (++*at; *at < end; ++*at) {
        int escaped = **at == '\\';

        *at += escaped;
        *to++ = (char)(escaped && **at == 'n' ? '\n' : **at);
    }
    *to = 0;
    *at = end + 1;
    return text;
}

static int take_double(const char **at, double *value)
{
    char *end;
    double v = strtod(*at, &end);

    if (end == *at)
        return 0;
    *value = v;
    *at = end;
    return 1;
}

/* Takes the rest of a line about a column. */
static int take_column(PrepInput *x, int kind, const char *at)
{
    char *text = take_quoted(&at);
    PrepColumn *c = NULL;
    if (text)
        c = ngrt_prep_column(x, kind, text);
    int good = c != NULL;

    free(text);
    if (good && kind == PREP_NUMBER)
        take_double(&at, &c->fill);
    while (good && kind != PREP_NUMBER && (text = take_quoted(&at))) {
        good = ngrt_prep_word(c, text);
        free(text);
    }
    return good && at[strspn(at, " ")] == 0;
}

/* Takes what is done to an element, the next one or all. */
static int take_element(PrepInput *x, const char *at)
{
    double *grown = realloc(x->sub, (x->elements + 1) * sizeof *grown);

    if (!grown)
        return 0;
    x->sub = grown;
    grown = realloc(x->mul, (x->elements + 1) * sizeof *grown);
    if (!grown)
        return 0;
    x->mul = grown;
    if (!take_double(&at, &x->sub[x->elements]) || !take_double(&at, &x->mul[x->elements]))
        return 0;
    x->elements++;
    return isfinite(x->sub[x->elements - 1]) && isfinite(x->mul[x->elements - 1]);
}

/* Takes a line, which is not empty. */
static int take_line(Prep *p, const char *line)
{
    size_t size = strcspn(line, " ");
    PrepInput *x = NULL;
    if (p->inputs)
        x = &p->input[p->inputs - 1];
    int kind;

    if (size == 5 && strncmp(line, "input", size) == 0 && line[size])
        return ngrt_prep_add(p, line + size + 1) != NULL;
    if (!x)
        return 0;
    if ((size == 3 && strncmp(line, "all", size) == 0) ||
        (size == 4 && strncmp(line, "each", size) == 0)) {
        x->same = size == 3;
        return take_element(x, line + size);
    }
    for (kind = 0; kind < KINDS; kind++)
        if (strlen(kind_name[kind]) == size && strncmp(line, kind_name[kind], size) == 0)
            return take_column(x, kind, line + size);
    return 0;
}

int ngrt_prep_read(Prep *p, const char *text)
{
    char *copy = ngrt_text_copy(text);
    char *line = copy;
    int good = copy != NULL;

    memset(p, 0, sizeof *p);
    while (good && *line) {
        char *end = line + strcspn(line, "\n");
        int last = *end == 0;

        *end = 0;
        if (*line)
            good = take_line(p, line);
        if (last)
            line = end;
        else
            line = end + 1;
    }
    free(copy);
    if (!good)
        ngrt_prep_free(p);
    return good;
}

/* What is subtracted from an element and what the difference is multiplied by. */
void ngrt_prep_element(const PrepInput *x, size_t i, double *sub, double *mul)
{
    *sub = 0;
    *mul = 1;
    if (x->elements == 0)
        return;
    if (x->same)
        i = 0;
    *sub = x->sub[i];
    *mul = x->mul[i];
}

/* Floats near the mean of a column are up to |mean|*2^-23 apart. This is little, as long as the
 * mean is at most 64 deviations away from 0. */
int ngrt_prep_is_fine(const PrepInput *x)
{
    size_t i, count = x->same ? 1 : x->elements;

    for (i = 0; i < count && x->elements > 0; i++)
        if (fabs(x->sub[i] * x->mul[i]) > 64)
            return 1;
    return 0;
}
