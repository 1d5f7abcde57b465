/* rows.c - the rows of a set, in the order of a pass -> batches in the memory that a model's inputs
 * point to.
 *
 * What is in memory is shuffled as a whole. What is not, is read in windows of consecutive places
 * of the pass: the blocks of rows are shuffled, a window holds several blocks, and its rows are
 * shuffled again. So a file is read in long pieces, once in each pass. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trainer.h"

enum {
    SHUFFLE_STREAM = 0x40000000, /* plus the epoch; the streams of initializers are below */
    AHEAD = 4,                   /* rows that are expected before they are read */
    BLOCK_BYTES = 1 << 16,       /* of rows that stay together until they are in a window */
};

/* ---- the order ---- */

/* Fisher and Yates's shuffle. (The remainder's bias is below count/2^64.) */
static void shuffle(uint32_t *order, size_t count, const Pass *p, uint64_t counter)
{
    size_t i;

    for (i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (i = count; i-- > 1;) {
        uint64_t bits = ngrt_random_bits(p->seed, p->stream, counter + i);
        size_t j = (size_t)(bits % (i + 1));
        uint32_t keep = order[i];

        order[i] = order[j];
        order[j] = keep;
    }
}

/* Bytes that a row has in the files that are not in memory. */
static size_t disk_bytes(const Trainer *t, const Set *set)
{
    size_t bytes = 0;
    int i;

    for (i = 0; i < set->sources; i++)
        if (ngrt_source_on_disk(&set->source[i]))
            bytes += ngrt_source_row_bytes(t, &set->source[i]);
    return bytes;
}

static size_t block_rows(const Trainer *t, const Set *set)
{
    size_t bytes = disk_bytes(t, set);
    if (bytes < BLOCK_BYTES)
        return BLOCK_BYTES / bytes;
    return 1;
}

/* The rows of a window: whole blocks, in a quarter of what may be in memory. */
static size_t window_rows(const Trainer *t, const Set *set)
{
    size_t bytes = disk_bytes(t, set);
    size_t block;
    size_t rows;

    if (bytes == 0)
        return set->rows;
    block = block_rows(t, set);
    rows = (size_t)(t->form.limit / 4) / bytes / block * block;
    return rows > 0 ? rows : block;
}

/* Allocates a window. */
static int allocate(const Trainer *t, Set *set)
{
    Pass *p = &set->pass;
    int i;

    p->window = window_rows(t, set);
    p->order = ngrt_trainer_allocate(p->window, sizeof *p->order);
    if (!p->order)
        return ngrt_trainer_no_memory(t);
    if (disk_bytes(t, set) == 0)
        return DONE;

    p->row = ngrt_trainer_allocate(p->window, sizeof *p->row);
    p->block = ngrt_trainer_allocate(set->rows / block_rows(t, set) + 1, sizeof *p->block);
    p->buffer = ngrt_trainer_allocate((size_t)set->sources, sizeof *p->buffer);
    if (!p->row || !p->block || !p->buffer)
        return ngrt_trainer_no_memory(t);
    for (i = 0; i < set->sources; i++) {
        if (!ngrt_source_on_disk(&set->source[i]))
            continue;
        p->buffer[i] = ngrt_trainer_allocate(p->window, ngrt_source_row_bytes(t, &set->source[i]));
        if (!p->buffer[i])
            return ngrt_trainer_no_memory(t);
    }
    if (p->window < set->rows)
        ngrt_trainer_note(t,
                          "%s: the data is not kept in memory; it is shuffled by blocks of %zu "
                          "rows, and then in windows of %zu rows",
                          set->option, block_rows(t, set), p->window);
    return DONE;
}

int ngrt_rows_begin(const Trainer *t, Set *set, int shuffled, long epoch)
{
    enum { BLOCKS_AT = 1 << 30 }; /* of the counter, so that blocks have bits of their own */
    Pass *p = &set->pass;
    int status = DONE;
    if (!p->order)
        status = allocate(t, set);

    if (status)
        return status;
    p->shuffled = shuffled && set->batch < set->rows;
    p->seed = t->seed;
    p->stream = SHUFFLE_STREAM + (uint32_t)epoch;
    p->loaded = SIZE_MAX;
    if (p->block && p->shuffled)
        shuffle(p->block, set->rows / block_rows(t, set), p, (uint64_t)BLOCKS_AT << 20);
    return DONE;
}

/* ---- windows ---- */

/* The row of the set at a place of the pass, before the rows within the window are shuffled. The
 * last block is short, and stays the last. */
static size_t row_at(const Trainer *t, const Set *set, size_t place)
{
    size_t size, block;

    if (!set->pass.block || !set->pass.shuffled)
        return place;
    size = block_rows(t, set);
    block = place / size;
    if (block < set->rows / size)
        block = set->pass.block[block];
    return block * size + place % size;
}

/* Where the rows of a source are that is not in memory. */
static const Store *file_of(const Source *s)
{
    if (s->table)
        return &s->table->store;
    return &s->file;
}

static int cannot_read(const Trainer *t, const Source *s)
{
    const char *why = "cannot be read";

    if (ngrt_store_changed(file_of(s)))
        why = "another program has changed it while it is read";
    return ngrt_trainer_fail(t, FILES, "%s: %s", s->path, why);
}

/* Reads the rows of a window of a file that is not in memory; rows that follow each other at
 * once. */
static int load_source(const Trainer *t, const Set *set, const Source *s, size_t count)
{
    const Pass *p = &set->pass;
    size_t bytes = ngrt_source_row_bytes(t, s);
    size_t i = 0;
    const Store *file = file_of(s);
    char *to = p->buffer[s->in_order];

    while (i < count) {
        size_t run = 1;

        while (i + run < count && p->row[i + run] == p->row[i] + run)
            run++;
        if (ngrt_store_read(file, (uint64_t)p->row[i] * bytes, to + i * bytes, run * bytes))
            return cannot_read(t, s);
        i += run;
    }
    if (ngrt_store_changed(file))
        return cannot_read(t, s);
    if (s->swapped)
        ngrt_swap_bytes(to, count * s->data.columns, ngrt_element_size(s->data.type));
    return DONE;
}

/* Loads the window of this number. */
static int load_window(const Trainer *t, Set *set, size_t number)
{
    Pass *p = &set->pass;
    size_t first = number * p->window;
    size_t count = set->rows - first;
    size_t i;
    int k;
    int status = DONE;

    if (count > p->window)
        count = p->window;
    /* rows of a block follow each other, so that runs of them are read at once */
    for (i = 0; i < count && p->row; i++) {
        size_t row = row_at(t, set, first + i);
        p->row[i] = (uint32_t)ngrt_set_row(set, row);
    }
    for (k = 0; k < set->sources && p->buffer && !status; k++)
        if (p->buffer[k])
            status = load_source(t, set, &set->source[k], count);
    /* the order within the window decides which of its rows comes next */
    if (p->shuffled)
        shuffle(p->order, count, p, (uint64_t)first);
    p->loaded = number;
    return status;
}

/* Where a place of the pass is: in the window, and in the files. */
static int find_row(const Trainer *t, Set *set, size_t place, size_t *slot, size_t *row)
{
    Pass *p = &set->pass;
    size_t number = place / p->window;
    int status = number == p->loaded ? DONE : load_window(t, set, number);

    /* without a file on disk the window is the whole set */
    *slot = place - number * p->window;
    if (p->shuffled)
        *slot = p->order[*slot];
    if (p->row)
        *row = p->row[*slot];
    else
        *row = ngrt_set_row(set, *slot);
    return status;
}

/* ---- elements ---- */

/* The row of a source as it is stored. */
typedef struct Raw {
    ngrt_data data;  /* at: the row */
    double room[64]; /* for one that is in memory in two pieces */
    char *large;
} Raw;

/* The bytes of a row that is in memory. */
static const void *row_in_memory(const Trainer *t, const Source *s, size_t row, Raw *raw)
{
    size_t bytes = ngrt_source_row_bytes(t, s);
    const Store *store;
    const void *at;

    if (!s->table)
        return (const char *)s->data.at + row * bytes;
    /* a row of a table may lie across the border of two pieces: then it is copied */
    store = &s->table->store;
    at = ngrt_store_at(store, (uint64_t)row * bytes, bytes);
    if (at)
        return at;

    if (bytes > sizeof raw->room && !raw->large)
        raw->large = ngrt_trainer_allocate(1, bytes);
    if (bytes > sizeof raw->room)
        at = (void *)raw->large;
    else
        at = (void *)raw->room;
    if (at && ngrt_store_read(store, (uint64_t)row * bytes, (void *)at, bytes))
        at = NULL;
    return at;
}

static int stored_type(const Trainer *t, const Source *s)
{
    if (!s->table)
        return s->data.type;
    return t->form.wide ? NGRT_DATA_F64 : NGRT_DATA_F32;
}

static void put(void *out, int type, size_t i, double value)
{
    if (type == NGRT_F32)
        ((float *)out)[i] = (float)value;
    else if (type == NGRT_F64)
        ((double *)out)[i] = value;
    else
        ((int32_t *)out)[i] = (int32_t)value;
}

/* Puts what a column gives from element `to` of the row on. Of a word that is missing, all
 * elements are 0. */
static void put_piece(const Piece *p, double value, void *out, int type, size_t to)
{
    size_t i;

    if (p->kind == PREP_NUMBER) {
        put(out, type, to, isnan(value) ? p->fill : value);
        return;
    }
    /* one-hot: a 1 at the word's index, or none */
    for (i = 0; i < p->width; i++)
        put(out, type, to + i, 0.0);
    if (isnan(value) && p->kind == PREP_ONEHOT)
        return;
    if (p->kind == PREP_ONEHOT)
        put(out, type, to + p->index[(size_t)value], 1.0);
    else
        put(out, type, to, (double)p->index[(size_t)value]);
}

/* Converts a row to the input's type. */
static void convert(const Feed *f, const ngrt_data *raw, int type, void *out)
{
    size_t i, to = 0;

    /* columns that follow each other, as they are: one copy */
    if (!f->piece || f->plain) {
        size_t first = f->piece ? f->piece[0].at : f->first;
        ngrt_data_copy(raw, first, f->width, type, out);
        return;
    }
    for (i = 0; i < f->taken; i++) {
        put_piece(&f->piece[i], ngrt_data_value(raw, f->piece[i].at), out, type, to);
        to += f->piece[i].width;
    }
}

/* Subtracts and multiplies; eight at a time where the compiler has vectors. */
static void change_floats(float *to, const float *sub, const float *mul, size_t count)
{
    size_t i = 0;

#if defined __GNUC__
    typedef float Eight __attribute__((vector_size(32)));

    for (; i + 8 <= count; i += 8) {
        Eight v, s, m;

        memcpy(&v, to + i, sizeof v);
        memcpy(&s, sub + i, sizeof s);
        memcpy(&m, mul + i, sizeof m);
        v = (v - s) * m;
        memcpy(to + i, &v, sizeof v);
    }
#endif
    for (; i < count; i++)
        to[i] = (to[i] - sub[i]) * mul[i];
}

/* The same in double: elements [first, first + count) of a row, into the type of the input. */
static void change_doubles(const Feed *f, const double *row, size_t first, size_t count, void *out)
{
    const double *sub = f->sub;
    const double *mul = f->mul;
    size_t i;

    for (i = 0; i < count; i++)
        put(out, f->input->type, i, (row[first + i] - sub[first + i]) * mul[first + i]);
}

int ngrt_rows_read(const Trainer *t, const Feed *f, size_t row, double *value)
{
    const Source *s = f->source;
    size_t bytes = ngrt_source_row_bytes(t, s);
    Raw raw = {.data = {.type = stored_type(t, s)}};
    char *room = NULL;

    if (ngrt_source_on_disk(s)) {
        const Store *file = file_of(s);

        room = ngrt_trainer_allocate(1, bytes);
        raw.data.at = room;
        if (!room)
            return ngrt_trainer_no_memory(t);
        if (ngrt_store_read(file, (uint64_t)row * bytes, room, bytes) || ngrt_store_changed(file)) {
            free(room);
            return cannot_read(t, s);
        }
        if (s->swapped)
            ngrt_swap_bytes(room, s->data.columns, ngrt_element_size(s->data.type));
    } else {
        raw.data.at = row_in_memory(t, s, row, &raw);
    }
    if (raw.data.at)
        convert(f, &raw.data, NGRT_F64, value);
    free(raw.large);
    free(room);
    if (raw.data.at)
        return DONE;
    return ngrt_trainer_no_memory(t);
}

/* ---- batches ---- */

size_t ngrt_set_batch(const Set *set, size_t first)
{
    size_t left = set->rows - first;
    return left < set->batch ? left : set->batch;
}

/* Puts a row into the buffer of a feed, as row r of count. A row is `outer` pieces; in the buffer,
 * piece o of all rows is one block: [outer][count][piece]. */
static void put_row(const Feed *f, const ngrt_data *raw, size_t r, size_t count, void *buffer)
{
    size_t piece = f->width / f->outer;
    size_t bytes = piece * ngrt_type_size(f->input->type);
    size_t o;
    char *to = (char *)buffer + r * bytes;
    /* with axes before that of the rows, the pieces are not in one place */
    void *row = f->outer == 1 ? to : f->row;

    /* the row as doubles, of which each piece is changed on its way */
    if (f->fine) {
        convert(f, raw, NGRT_F64, f->row);
        for (o = 0; o < f->outer; o++)
            change_doubles(f, f->row, o * piece, piece, to + o * count * bytes);
        return;
    }

    convert(f, raw, f->input->type, row);
    if (f->sub)
        change_floats(row, f->sub, f->mul, f->width);
    for (o = 0; o < f->outer && f->outer > 1; o++)
        memcpy(to + o * count * bytes, (char *)row + o * bytes, bytes);
}

/* Asks for a row that is soon read, of an array that is in memory: rows in a random order are in no
 * cache. */
static void expect_row(const Trainer *t, const Set *set, size_t place)
{
#ifdef __GNUC__
    const Pass *p = &set->pass;
    size_t slot, row, at;
    int i;

    /* rows in a window, or in the file's order, are read in sequence */
    if (p->row || !p->shuffled || place >= set->rows || p->loaded != 0)
        return;
    slot = p->order[place];
    row = ngrt_set_row(set, slot);
    for (i = 0; i < set->feeds; i++) {
        const Source *s = set->feed[i].source;
        size_t bytes = ngrt_source_row_bytes(t, s);
        const char *from = s->data.at;

        for (at = 0; at < bytes && from && set->feed[i].batched; at += 64)
            __builtin_prefetch(from + row * bytes + at);
    }
#else
    (void)t;
    (void)set;
    (void)place;
#endif
}

typedef struct Batch { /* that is being gathered */
    size_t first, count;
    void *const *to; /* buffers for the feeds; NULL: their own */
    Raw raw;
} Batch;

/* Gathers row r of a batch into the buffers of all feeds. */
static int fill_row(const Trainer *t, Set *set, Batch *b, size_t r)
{
    Raw *raw = &b->raw;
    size_t slot, row;
    int i;
    int status = find_row(t, set, b->first + r, &slot, &row);

    for (i = 0; i < set->feeds && !status; i++) {
        const Feed *f = &set->feed[i];
        const Source *s = f->source;

        if (!f->batched)
            continue;
        raw->data.type = stored_type(t, s);
        /* a set may mix files on disk, read into a window, with files in memory */
        if (set->pass.buffer && set->pass.buffer[s->in_order])
            raw->data.at = set->pass.buffer[s->in_order] + slot * ngrt_source_row_bytes(t, s);
        else
            raw->data.at = row_in_memory(t, s, row, raw);
        if (!raw->data.at)
            return ngrt_trainer_no_memory(t);
        put_row(f, &raw->data, r, b->count, b->to ? b->to[i] : f->buffer);
    }
    return status;
}

void ngrt_rows_put(const Feed *f, const double *element, size_t r)
{
    ngrt_data data = {.type = NGRT_DATA_F64, .at = element};
    char *to = (char *)f->buffer + r * f->width * ngrt_type_size(f->input->type);

    if (f->fine) {
        change_doubles(f, element, 0, f->width, to);
        return;
    }
    ngrt_data_copy(&data, 0, f->width, f->input->type, to);
    if (f->sub)
        change_floats((float *)(void *)to, f->sub, f->mul, f->width);
}

int ngrt_rows_gather(const Trainer *t, Set *set, size_t first, size_t count, void *const *to)
{
    Batch b = {.first = first, .count = count, .to = to};
    int status = DONE;
    size_t r;

    for (r = 0; r < count && set->feeds > 0 && !status; r++) {
        expect_row(t, set, first + r + AHEAD);
        status = fill_row(t, set, &b, r);
    }
    free(b.raw.large);
    return status;
}

void ngrt_rows_free(Set *set)
{
    Pass *p = &set->pass;
    int i;

    for (i = 0; i < set->sources && p->buffer; i++)
        free(p->buffer[i]);
    free(p->buffer);
    free(p->block);
    free(p->order);
    free(p->row);
    memset(p, 0, sizeof *p);
}
