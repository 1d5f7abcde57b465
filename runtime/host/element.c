/* element.c - tensors in memory as a file has them: sizes, values and bytes of elements, and lists
 * of named tensors. It knows no format. */
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "host.h"

size_t ngrt_element_size(int type)
{
    static const unsigned char size[] = {
        [NGRT_DATA_U8] = 1,  [NGRT_DATA_I8] = 1,  [NGRT_DATA_I16] = 2, [NGRT_DATA_I32] = 4,
        [NGRT_DATA_I64] = 8, [NGRT_DATA_F32] = 4, [NGRT_DATA_F64] = 8, [NGRT_DATA_U16] = 2,
        [NGRT_DATA_U32] = 4, [NGRT_DATA_U64] = 8, [NGRT_DATA_F16] = 2, [NGRT_DATA_BF16] = 2,
    };
    return size[type];
}

int ngrt_element_of(int type)
{
    static const unsigned char element[] = {
        [NGRT_F32] = NGRT_DATA_F32, [NGRT_F64] = NGRT_DATA_F64, [NGRT_I32] = NGRT_DATA_I32};
    return element[type];
}

size_t ngrt_type_size(int type)
{
    return ngrt_element_size(ngrt_element_of(type));
}

size_t ngrt_data_bytes(const ngrt_data *data)
{
    return data->rows * data->columns * ngrt_element_size(data->type);
}

int ngrt_little_endian(void)
{
    const uint16_t one = 1;
    unsigned char first;

    memcpy(&first, &one, 1);
    return first == 1;
}

uint64_t ngrt_get_little(const char *at, int bytes)
{
    uint64_t number = 0;
    while (bytes-- > 0)
        number = number << 8 | (unsigned char)at[bytes];
    return number;
}

void ngrt_put_little(char *at, uint64_t number, int bytes)
{
    for (; bytes > 0; bytes--, number >>= 8)
        *at++ = (char)(number & 255);
}

void ngrt_swap_bytes(void *bytes, size_t count, size_t size)
{
    unsigned char *at = bytes;
    size_t i, j;

    for (i = 0; i < count; i++, at += size)
        for (j = 0; j < size / 2; j++) {
            unsigned char keep = at[j];
            at[j] = at[size - 1 - j];
            at[size - 1 - j] = keep;
        }
}

int ngrt_data_fit(ngrt_data *data, size_t have, const char *what, ngrt_message *message)
{
    size_t size = ngrt_element_size(data->type);
    size_t count = 1;
    int i;
    int fits = have % size == 0;

    for (i = 0; i < data->rank; i++)
        if (data->shape[i] == 0)
            return ngrt_fail(message, NGRT_EFORMAT, "%s: holds no elements: axis %d has size 0",
                             what, i);
    for (i = 0; i < data->rank && fits; i++) {
        fits = data->shape[i] <= have / size / count; /* so that the product cannot overflow */
        count *= data->shape[i];
    }
    if (!fits || count != have / size)
        return ngrt_fail(message, NGRT_EFORMAT,
                         "%s: the sizes in the header do not match the %zu bytes after it", what,
                         have);

    if (data->rank)
        data->rows = data->shape[0];
    else
        data->rows = 1;
    data->columns = count / data->rows;
    return NGRT_OK;
}

/* ---- values ---- */

/* IEEE's half precision: 1 bit of sign, 5 of exponent, 10 of fraction. The value is
 * (1024 + fraction) 2^(exponent - 25); with an exponent of 0 it is fraction 2^-24. */
static double half_value(uint16_t bits)
{
    int exponent = bits >> 10 & 31;
    uint32_t sign = (uint32_t)(bits & 0x8000u) << 16;
    uint32_t fraction = bits & 1023u;
    double value;

    if (exponent == 31) { /* infinity and NaN: a float keeps their fraction */
        uint32_t wide = sign | 0x7F800000u | fraction << 13;
        float single;
        memcpy(&single, &wide, sizeof single);
        return (double)single;
    }

    /* subnormal: the same scale as exponent 1, without the leading one */
    if (exponent == 0)
        exponent = 1;
    else
        fraction += 1024;
    value = fraction;
    for (; exponent < 25; exponent++)
        value /= 2.0;
    for (; exponent > 25; exponent--)
        value *= 2.0;
    return sign ? -value : value;
}

/* The upper half of a float. */
static double bfloat_value(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, 4);
    return (double)value;
}

/* Returns element i of data, which may be at any address. */
#define LOAD(type, convert)                                                      \
    do {                                                                         \
        type value;                                                              \
        memcpy(&value, (const char *)data->at + i * sizeof value, sizeof value); \
        return convert(value);                                                   \
    } while (0)

double ngrt_data_value(const ngrt_data *data, size_t i)
{
    switch (data->type) {
    case NGRT_DATA_U8: LOAD(uint8_t, (double));
    case NGRT_DATA_I8: LOAD(int8_t, (double));
    case NGRT_DATA_I16: LOAD(int16_t, (double));
    case NGRT_DATA_I32: LOAD(int32_t, (double));
    case NGRT_DATA_I64: LOAD(int64_t, (double));
    case NGRT_DATA_U16: LOAD(uint16_t, (double));
    case NGRT_DATA_U32: LOAD(uint32_t, (double));
    case NGRT_DATA_U64: LOAD(uint64_t, (double));
    case NGRT_DATA_F16: LOAD(uint16_t, half_value);
    case NGRT_DATA_BF16: LOAD(uint16_t, bfloat_value);
    case NGRT_DATA_F32: LOAD(float, (double));
    default: LOAD(double, );
    }
}

/* Bytes to floats, sixteen at a time where the processor can. Images are read in each step of a
 * training. */
static void copy_bytes(const uint8_t *from, size_t count, float *out)
{
    size_t i = 0;

#ifdef __SSE2__
    const __m128i zero = _mm_setzero_si128();

    for (; i + 16 <= count; i += 16) {
        /* 16 bytes -> two of 8 words -> four of 4 words of 32 bits -> floats */
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(from + i));
        __m128i low = _mm_unpacklo_epi8(bytes, zero);
        __m128i high = _mm_unpackhi_epi8(bytes, zero);

        _mm_storeu_ps(out + i, _mm_cvtepi32_ps(_mm_unpacklo_epi16(low, zero)));
        _mm_storeu_ps(out + i + 4, _mm_cvtepi32_ps(_mm_unpackhi_epi16(low, zero)));
        _mm_storeu_ps(out + i + 8, _mm_cvtepi32_ps(_mm_unpacklo_epi16(high, zero)));
        _mm_storeu_ps(out + i + 12, _mm_cvtepi32_ps(_mm_unpackhi_epi16(high, zero)));
    }
#endif
    for (; i < count; i++)
        out[i] = (float)from[i];
}

/* Copies elements to floats; those of images and of other floats in loops of their own. */
static void copy_floats(const ngrt_data *data, size_t first, size_t count, float *out)
{
    size_t i;

    if (data->type == NGRT_DATA_U8) {
        copy_bytes((const uint8_t *)data->at + first, count, out);
    } else if (data->type == NGRT_DATA_F32) {
        memcpy(out, (const char *)data->at + first * sizeof *out, count * sizeof *out);
    } else {
        for (i = 0; i < count; i++)
            out[i] = (float)ngrt_data_value(data, first + i);
    }
}

void ngrt_data_copy(const ngrt_data *data, size_t first, size_t count, int type, void *out)
{
    size_t i;

    if (type == NGRT_F32) {
        copy_floats(data, first, count, out);
    } else if (type == NGRT_F64) {
        double *to = out;
        for (i = 0; i < count; i++)
            to[i] = ngrt_data_value(data, first + i);
    } else {
        int32_t *to = out;
        for (i = 0; i < count; i++)
            to[i] = (int32_t)ngrt_data_value(data, first + i);
    }
}

void ngrt_data_free(ngrt_data *data)
{
    free(data->block);
    free(data->line);
    memset(data, 0, sizeof *data);
}

/* ---- lists of named tensors ---- */

/* Makes room for one more tensor; false without memory. */
static int grow(Archive *a)
{
    int room = 16;
    if (a->room)
        room = 2 * a->room;
    Stored *grown;

    if (a->count < a->room)
        return 1;
    grown = realloc(a->tensor, (size_t)room * sizeof *grown);
    if (!grown)
        return 0;
    a->tensor = grown;
    a->room = room;
    return 1;
}

Stored *ngrt_archive_add(Archive *a, const char *name, size_t size)
{
    Stored *s;
    char *copy;

    if (!grow(a))
        return NULL;
    copy = malloc(size + 1);
    if (!copy)
        return NULL;
    memcpy(copy, name, size);
    copy[size] = 0;

    s = &a->tensor[a->count++];
    memset(s, 0, sizeof *s);
    s->name = copy;
    return s;
}

/* ---- notes ---- */

int ngrt_notes_add(Notes *n, const char *key, const char *text)
{
    char *copy = ngrt_text_copy(text);
    char *name = ngrt_text_copy(key);
    void *grown = NULL;

    if (copy && name)
        grown = realloc(n->note, (size_t)(n->count + 1) * sizeof *n->note);
    if (!grown) {
        free(copy);
        free(name);
        return 0;
    }
    n->note = grown;
    n->note[n->count].key = name;
    n->note[n->count].text = copy;
    n->count++;
    return 1;
}

int ngrt_notes_set(Notes *n, const char *key, const char *text)
{
    char *copy;
    int i = 0;

    while (i < n->count && strcmp(n->note[i].key, key) != 0)
        i++;
    if (i == n->count)
        return ngrt_notes_add(n, key, text);
    copy = ngrt_text_copy(text);
    if (!copy)
        return 0;
    free(n->note[i].text);
    n->note[i].text = copy;
    return 1;
}

const char *ngrt_notes_get(const Notes *n, const char *key)
{
    int i;

    for (i = 0; i < n->count; i++)
        if (strcmp(n->note[i].key, key) == 0)
            return n->note[i].text;
    return NULL;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A name that is there twice, or NULL. Sorts them. */
static const char *find_twice(const char **name, int count)
{
    int i;

    qsort(name, (size_t)count, sizeof *name, compare_texts);
    for (i = 1; i < count; i++)
        if (strcmp(name[i - 1], name[i]) == 0)
            return name[i];
    return NULL;
}

int ngrt_archive_check(const Archive *a, const char *of, ngrt_message *message)
{
    int i;
    int most = a->count > a->notes.count ? a->count : a->notes.count;
    const char **name, *twice;

    if (most < 2)
        return NGRT_OK;
    name = malloc((size_t)most * sizeof *name);
    if (!name)
        return ngrt_fail(message, NGRT_ENOMEM, "%s: out of memory", a->path);
    for (i = 0; i < a->count; i++)
        name[i] = a->tensor[i].name;
    twice = find_twice(name, a->count);
    for (i = 0; i < a->notes.count; i++)
        name[i] = a->notes.note[i].key;
    if (!twice)
        twice = find_twice(name, a->notes.count);
    free((void *)name);
    if (twice)
        return ngrt_fail(message, NGRT_EFORMAT, "%s: %.200s: is in the %s twice", a->path, twice,
                         of);
    return NGRT_OK;
}

void ngrt_notes_free(Notes *n)
{
    int i;

    for (i = 0; i < n->count; i++) {
        free(n->note[i].key);
        free(n->note[i].text);
    }
    free(n->note);
    memset(n, 0, sizeof *n);
}

void ngrt_archive_free(Archive *a)
{
    int i;
    for (i = 0; i < a->count; i++) {
        free(a->tensor[i].name);
        ngrt_data_free(&a->tensor[i].data);
    }
    free(a->tensor);
    ngrt_bytes_free(&a->file);
    ngrt_notes_free(&a->notes);
    memset(a, 0, sizeof *a);
}
