/* columns.c - columns of a table -> elements of inputs: numbers as they are, words by their index,
 * or as an element for each word.
 *
 * Which it is depends on the input. For one of whole numbers a word is its index, in the order of
 * the alphabet. For one of floats it is an element for each word. A column of two words is one
 * element, 0 or 1, if the number of elements fits the input only then. What was chosen in training
 * is saved with the weights and used again. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

/* ---- a column of a source ---- */

static size_t column_of(const Source *s, size_t i)
{
    if (s->pick)
        return s->pick[i];
    return i;
}

static const Names *names_of(const Source *s, size_t column)
{
    if (s->table)
        return &s->table->column[column].names;
    return NULL;
}

static int has_words(const Source *s, size_t column)
{
    const Names *names = names_of(s, column);
    return names && names->count > 0;
}

static const char *name_of(const Source *s, size_t column)
{
    if (s->table)
        return s->table->column[column].name;
    return NULL;
}

/* What a column of words is for an input, if two words are one element (`flags`) or two. */
static int kind_of_words(const ngrt_tensor *x, const Names *names, int flags)
{
    if (x->type == NGRT_I32)
        return PREP_CLASS;
    return flags && names->count == 2 ? PREP_FLAG : PREP_ONEHOT;
}

/* ---- how many columns a feed takes ---- */

/* Counts columns until they give the elements of a row. False if no number of them does. */
static int count_columns(Feed *f, int flags)
{
    const Source *s = f->source;
    size_t width = 0;

    for (f->taken = 0; width < f->width && f->first + f->taken < s->picks; f->taken++) {
        size_t column = column_of(s, f->first + f->taken);
        const Names *names = names_of(s, column);
        size_t each = 1;

        if (has_words(s, column) && kind_of_words(f->input, names, flags) == PREP_ONEHOT)
            each = names->count;
        width += each;
    }
    return width == f->width;
}

int ngrt_columns_match(const Trainer *t, Feed *f, int *fits)
{
    const PrepInput *saved = ngrt_prep_find(&t->prep, f->input->name);

    /* as in training: the file may have fewer different words than it had */
    if (saved && saved->columns > 0) {
        f->taken = saved->columns;
        *fits = f->first + f->taken <= f->source->picks;
        return 0;
    }
    /* two words are two elements where that fits, and one only where it does not */
    *fits = count_columns(f, 0);
    if (!*fits && count_columns(f, 1)) {
        *fits = 1;
        return 1;
    }
    return 0;
}

/* ---- words ---- */

static int compare_words(const void *a, const void *b)
{
    return strcmp((*(const Name *const *)a)->text, (*(const Name *const *)b)->text);
}

/* Adds the words of the file to a column of the preparation, in the order of the alphabet. */
static int add_words(const Trainer *t, PrepColumn *c, const Names *names)
{
    const Name **sorted = ngrt_trainer_allocate(names->count, sizeof *sorted);
    size_t i;
    int good = sorted != NULL;

    for (i = 0; i < names->count && good; i++)
        sorted[i] = &names->name[i];
    if (good)
        qsort(sorted, names->count, sizeof *sorted, compare_words);
    for (i = 0; i < names->count && good; i++)
        good = ngrt_prep_word(c, sorted[i]->text);
    free(sorted);
    if (good)
        return DONE;
    return ngrt_trainer_no_memory(t);
}

static int find_word(const void *key, const void *word)
{
    return strcmp(key, *(char *const *)word);
}

/* Finds the index of each word of the file among those that are known. */
static int map_words(const Trainer *t, const Feed *f, Piece *p, const PrepColumn *c)
{
    const Names *names = names_of(f->source, p->column);
    size_t i;

    p->index = ngrt_trainer_allocate(names->count, sizeof *p->index);
    if (!p->index)
        return ngrt_trainer_no_memory(t);
    for (i = 0; i < names->count; i++) {
        const Name *name = &names->name[i];
        char **known = bsearch(name->text, c->word, c->words, sizeof *c->word, find_word);

        if (!known)
            return ngrt_trainer_fail(
                t, FILES, "%s:%zu:%zu: '%.40s' is none of the %zu words that training knew for %s",
                f->source->path, name->line, name->at, name->text, c->words, f->input->name);
        p->index[i] = (uint32_t)(known - c->word);
    }
    return DONE;
}

/* Are there more words than the input has classes? */
static int check_classes(const Trainer *t, const Feed *f, const PrepColumn *c)
{
    int limit = f->input->limit;

    if (c->kind == PREP_CLASS && limit > 0 && c->words > (size_t)limit)
        return ngrt_trainer_fail(
            t, FILES, "%s: %zu different words, but %s has %d classes: '%.40s', '%.40s', ...",
            f->source->path, c->words, f->input->name, limit, c->word[0], c->word[1]);
    return DONE;
}

/* ---- pieces ---- */

static size_t width_of(const PrepColumn *c)
{
    return c->kind == PREP_ONEHOT ? c->words : 1;
}

/* Is a value missing that cannot be replaced by a mean? */
static int check_missing(const Trainer *t, const Feed *f, const Piece *p)
{
    const Column *c = NULL;
    if (f->source->table)
        c = &f->source->table->column[p->column];
    int has_mean = p->kind == PREP_ONEHOT || (p->kind == PREP_NUMBER && f->input->type != NGRT_I32);

    if (!c || c->missing == 0 || has_mean)
        return DONE;
    return ngrt_trainer_fail(t, FILES,
                             "%s:%zu:%zu: a value of %s is missing, and labels have no mean; "
                             "--missing=drop leaves out its row",
                             f->source->path, c->missing_line, c->missing_at, f->input->name);
}

/* Says that a column has another name than in training: they may be in another order. */
static void compare_names(const Trainer *t, const Feed *f, const Piece *p, const PrepColumn *c)
{
    const char *name = name_of(f->source, p->column);

    if (name && *c->name && strcmp(name, c->name) != 0)
        ngrt_trainer_note(t, "%s: column %zu is '%.60s', but that of training was '%.60s'",
                          f->source->path, p->column, name, c->name);
}

/* Makes the piece of a column as the preparation has it. */
static int make_piece(const Trainer *t, const Feed *f, Piece *p, const PrepColumn *c)
{
    const Source *s = f->source;
    int status;

    if (s->table)
        p->at = s->table->column[p->column].place;
    else
        p->at = p->column;
    p->kind = c->kind;
    p->width = width_of(c);
    p->fill = c->fill;
    status = check_missing(t, f, p);
    if (status)
        return status;
    /* the file must have words where training had words, and numbers where it had numbers */
    compare_names(t, f, p, c);
    if (c->kind == PREP_NUMBER && !has_words(s, p->column))
        return DONE;
    if (c->kind == PREP_NUMBER) {
        const Name *word = &names_of(s, p->column)->name[0];
        return ngrt_trainer_fail(t, FILES, "%s:%zu:%zu: '%.40s' is not a finite number", s->path,
                                 word->line, word->at, word->text);
    }
    if (!has_words(s, p->column))
        return ngrt_trainer_fail(
            t, FILES, "%s: column %zu has numbers, but had words in training, as '%.40s'", s->path,
            p->column, c->words > 0 ? c->word[0] : "");
    status = check_classes(t, f, c);
    if (status)
        return status;
    return map_words(t, f, p, c);
}

/* Adds the columns that a feed takes to the preparation. */
static int learn_columns(const Trainer *t, Feed *f, PrepInput *x, int flags)
{
    size_t i;

    for (i = 0; i < f->taken; i++) {
        size_t column = column_of(f->source, f->first + i);
        const Names *names = names_of(f->source, column);
        int words = has_words(f->source, column);
        int status = DONE;
        PrepColumn *c =
            ngrt_prep_column(x, words ? kind_of_words(f->input, names, flags) : PREP_NUMBER,
                             name_of(f->source, column));

        if (!c)
            return ngrt_trainer_no_memory(t);
        if (words)
            status = add_words(t, c, names);
        if (status)
            return status;
    }
    return DONE;
}

/* Are the pieces numbers that follow each other in a row, none of them missing? */
static int is_plain(const Feed *f)
{
    size_t i;

    for (i = 0; i < f->taken; i++) {
        const Piece *p = &f->piece[i];

        if (p->kind != PREP_NUMBER || p->at != f->piece[0].at + i)
            return 0;
        if (f->source->table && f->source->table->column[p->column].missing > 0)
            return 0;
    }
    return 1;
}

int ngrt_columns_bind(Trainer *t, Feed *f)
{
    int fits;
    int flags = ngrt_columns_match(t, f, &fits);
    int status = DONE;
    PrepInput *x = ngrt_prep_find(&t->prep, f->input->name);
    size_t i;

    if (!x)
        x = ngrt_prep_add(&t->prep, f->input->name);
    if (!x)
        return ngrt_trainer_no_memory(t);
    if (x->columns == 0)
        status = learn_columns(t, f, x, flags);
    if (status)
        return status;

    f->piece = ngrt_trainer_allocate(f->taken, sizeof *f->piece);
    if (!f->piece)
        return ngrt_trainer_no_memory(t);
    for (i = 0; i < f->taken && !status; i++) {
        f->piece[i].column = column_of(f->source, f->first + i);
        status = make_piece(t, f, &f->piece[i], &x->column[i]);
    }
    f->plain = is_plain(f);
    return status;
}

/* ---- messages ---- */

/* The column of the file that gives an element of a row. */
static size_t column_of_element(const Feed *f, size_t element)
{
    size_t i = 0;

    if (!f->piece)
        return f->first + element;
    while (i + 1 < f->taken && element >= f->piece[i].width)
        element -= f->piece[i++].width;
    return f->piece[i].column;
}

int ngrt_columns_fail(const Trainer *t, const Feed *f, size_t row, size_t element,
                      const char *format, ...)
{
    const Source *s = f->source;
    char text[300], place[60];
    size_t column = column_of_element(f, element);
    size_t at = 0;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    if (s->table)
        at = ngrt_table_place(s->table, row, column);
    if (at > 0)
        snprintf(place, sizeof place, "%zu:%zu", ngrt_table_line(s->table, row), at);
    else if (s->table)
        snprintf(place, sizeof place, "%zu", ngrt_table_line(s->table, row));
    else
        snprintf(place, sizeof place, " row %zu", row + 1);
    return ngrt_trainer_fail(t, FILES, "%s:%s: %s", s->path, place, text);
}
