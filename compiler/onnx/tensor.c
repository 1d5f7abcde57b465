/* tensor.c - tensors whose elements are known when a model is imported. Every size is checked
 * against the bytes that there are before it is trusted. */
#include "onnx/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool element_is_int(int element)
{
    return element != EL_FLOAT && element != EL_DOUBLE && element != EL_FLOAT16 &&
           element != EL_BFLOAT16 && element != EL_BOOL;
}

bool element_is_short(int element, double *lo, double *hi)
{
    static const double bounds[][2] = {[EL_UINT8] = {0, UINT8_MAX},
                                       [EL_INT8] = {INT8_MIN, INT8_MAX},
                                       [EL_UINT16] = {0, UINT16_MAX},
                                       [EL_INT16] = {INT16_MIN, INT16_MAX}};
    if (element < EL_UINT8 || element > EL_INT16)
        return false;
    *lo = bounds[element][0];
    *hi = bounds[element][1];
    return true;
}

/* ---- where the elements are ---- */

/* How elements of a type are kept in a file, and the enum ngrt_element of that. */
static bool element_kind(int element, int *kind)
{
    static const int kinds[] = {
        [EL_FLOAT] = NGRT_DATA_F32,     [EL_UINT8] = NGRT_DATA_U8,   [EL_INT8] = NGRT_DATA_I8,
        [EL_UINT16] = NGRT_DATA_U16,    [EL_INT16] = NGRT_DATA_I16,  [EL_INT32] = NGRT_DATA_I32,
        [EL_INT64] = NGRT_DATA_I64,     [EL_BOOL] = NGRT_DATA_U8,    [EL_FLOAT16] = NGRT_DATA_F16,
        [EL_DOUBLE] = NGRT_DATA_F64,    [EL_UINT32] = NGRT_DATA_U32, [EL_UINT64] = NGRT_DATA_U64,
        [EL_BFLOAT16] = NGRT_DATA_BF16,
    };
    if (element < EL_FLOAT || element > EL_BFLOAT16 || element == EL_STRING || element == 14 ||
        element == 15)
        return false;
    *kind = kinds[element];
    return true;
}

bool element_is_number(int element)
{
    int kind;
    return element_kind(element, &kind);
}

/* Bytes of an element, by enum ngrt_element. */
static size_t kind_size(int kind)
{
    return ngrt_element_size(kind);
}

/* Elements of 16 and fewer bits are in the field of 32 bits, each as a number. */
static void *narrow(Ngc *ngc, const int32_t *from, size_t count, size_t size)
{
    unsigned char *to = arena_alloc(ngc, count * size + 1);
    for (size_t i = 0; i < count; i++) {
        uint16_t two = (uint16_t)from[i];
        if (size == 1)
            to[i] = (unsigned char)from[i];
        else if (size == 2)
            memcpy(to + 2 * i, &two, 2);
        else
            memcpy(to + 4 * i, &from[i], 4);
    }
    return to;
}

/* The elements that a tensor has in a field of its own type. */
static const void *typed_elements(Ngc *ngc, const Pb__Tensor *t, size_t *bytes)
{
    int kind = 0;
    element_kind(t->type, &kind);
    size_t size = kind_size(kind);
    switch (t->type) {
    case EL_FLOAT: *bytes = t->n_floats * size; return t->floats;
    case EL_DOUBLE: *bytes = t->n_doubles * size; return t->doubles;
    case EL_INT64: *bytes = t->n_int64s * size; return t->int64s;
    case EL_UINT64: *bytes = t->n_uint64s * size; return t->uint64s;
    case EL_UINT32: { /* in the field of 64 bits */
        uint32_t *to = arena_alloc(ngc, t->n_uint64s * size + 1);
        for (size_t i = 0; i < t->n_uint64s; i++)
            to[i] = (uint32_t)t->uint64s[i];
        *bytes = t->n_uint64s * size;
        return to;
    }
    default: *bytes = t->n_int32s * size; return narrow(ngc, t->int32s, t->n_int32s, size);
    }
}

/* Is it a path inside of the model's folder? */
static bool is_inside(const char *path)
{
    if (!*path || *path == '/')
        return false;
    for (const char *at = path; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (begins(at, "..") && (at[2] == '/' || at[2] == 0))
            return false;
    }
    return true;
}

static bool read_count(const char *text, uint64_t *n)
{
    char *end;
    *n = strtoull(text, &end, 10);
    return is_digit(*text) && !*end;
}

static bool is_external(const Pb__Tensor *t)
{
    enum { EXTERNAL = 1 }; /* of DataLocation */
    return t->location == EXTERNAL;
}

/* Where a file beside the model has the elements of a tensor. */
typedef struct External {
    const char *location; /* of the file, in the folder of the model */
    uint64_t offset, length;
    bool to_the_end; /* the length is not given */
} External;

/* false: it is not a place within the folder. */
static bool read_external(const Pb__Tensor *t, External *x)
{
    bool good = true;

    *x = (External){.location = "", .to_the_end = true};
    for (size_t i = 0; i < t->n_external; i++) {
        const Pb__Pair *p = t->external[i];
        if (!p->key || !p->value)
            continue;
        if (same_text(p->key, "location")) {
            x->location = p->value;
        } else if (same_text(p->key, "offset")) {
            good &= read_count(p->value, &x->offset);
        } else if (same_text(p->key, "length")) {
            good &= read_count(p->value, &x->length);
            x->to_the_end = false;
        }
    }
    return good && is_inside(x->location);
}

/* The bytes of that file; NULL: it does not have them. Sets the length if it is not given. */
static const void *read_part(Ngc *ngc, const char *path, External *x)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f)
        return NULL;

    uint64_t size = 0;
    if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode))
        size = (uint64_t)st.st_size;
    if (x->to_the_end && x->offset <= size)
        x->length = size - x->offset;

    void *to = NULL;
    bool fits = x->offset <= size && x->length <= size - x->offset;
    if (fits && fseeko(f, (off_t)x->offset, SEEK_SET) == 0) {
        to = arena_alloc(ngc, (size_t)x->length + 1);
        if (fread(to, 1, (size_t)x->length, f) != x->length)
            to = NULL;
    }
    fclose(f);
    return to;
}

/* The elements that are in a file of their own. */
static const void *external_elements(Ngc *ngc, const Pb__Tensor *t, const char *folder,
                                     size_t *bytes, const char **why)
{
    External x;
    if (!read_external(t, &x)) {
        *why = text_format(ngc,
                           "its elements are said to be in '%.200s', "
                           "which is not a file in the folder of the model",
                           x.location);
        return NULL;
    }

    const char *path = text_format(ngc, "%s%s", folder, x.location);
    output_keep(ngc, path);
    const void *at = read_part(ngc, path, &x);
    *why = text_format(ngc, "'%.200s' does not have its elements", path);
    *bytes = (size_t)x.length;
    return at;
}

/* The number of elements, or -1: it is too large. */
static int64_t count_elements(const Pb__Tensor *t)
{
    int64_t count = 1;
    for (size_t i = 0; i < t->n_dims; i++)
        if (t->dims[i] < 0 || __builtin_mul_overflow(count, t->dims[i], &count) ||
            count > (int64_t)1 << 40)
            return -1;
    return count;
}

/* The elements of a tensor, wherever the file has them, and their bytes. NULL: *why, or there are
 * none. */
static const void *elements_of(Ngc *ngc, const Pb__Tensor *t, const char *folder, size_t *bytes,
                               const char **why)
{
    if (is_external(t))
        return external_elements(ngc, t, folder, bytes, why);

    *why = "it has no elements";
    *bytes = t->raw.len;
    if (t->has_raw)
        return t->raw.data;
    return typed_elements(ngc, t, bytes);
}

static bool has_two_places(const Pb__Tensor *t)
{
    int places = is_external(t) + (t->has_raw != 0) + (t->n_floats > 0) + (t->n_int32s > 0) +
                 (t->n_int64s > 0) + (t->n_doubles > 0) + (t->n_uint64s > 0);

    return places > 1;
}

Known *known_of_tensor(Ngc *ngc, const Pb__Tensor *t, const char *folder, const char **why)
{
    int kind;
    int64_t count = count_elements(t);
    *why = "its shape is not possible";
    if (t->n_dims > MAX_RANK || count < 0)
        return NULL;
    *why = text_format(ngc, "its elements are of type %d, which ngc does not have", t->type);
    if (!element_kind(t->type, &kind))
        return NULL;

    Known *k = arena_alloc(ngc, sizeof *k);
    *k = (Known){.element = t->type, .rank = (int)t->n_dims, .count = count};
    for (size_t i = 0; i < t->n_dims; i++)
        k->dim[i] = t->dims[i];
    if (t->name && *t->name)
        k->name = t->name;

    *why = "it has its elements in two places";
    if (has_two_places(t))
        return NULL;
    size_t bytes = 0;
    const void *at = elements_of(ngc, t, folder, &bytes, why);
    if (!at && (is_external(t) || count > 0))
        return NULL;

    size_t size = kind_size(kind);
    *why = text_format(ngc, "its shape has %lld elements, and the file %zu bytes of them",
                       (long long)count, bytes);
    if ((uint64_t)count > SIZE_MAX / size || bytes != (size_t)count * size)
        return NULL;

    /* bytes of a file have the low byte first */
    if (!ngrt_little_endian() && (t->has_raw || is_external(t))) {
        at = arena_copy(ngc, at, bytes);
        ngrt_swap_bytes((void *)at, (size_t)count, size);
    }
    k->data = (ngrt_data){.type = kind, .rank = 1, .shape = {(size_t)count}, .at = at};
    k->data.rows = (size_t)count;
    k->data.columns = 1;
    *why = NULL;
    return k;
}

/* ---- others ---- */

static Known *new_known(Ngc *ngc, int element, int rank, const int64_t *dim)
{
    Known *k = arena_alloc(ngc, sizeof *k);
    *k = (Known){.element = element, .rank = rank, .count = 1};
    for (int i = 0; i < rank; i++) {
        k->dim[i] = dim[i];
        k->count *= dim[i];
    }
    return k;
}

Known *known_new(Ngc *ngc, int element, int rank, const int64_t *dim)
{
    Known *k = new_known(ngc, element, rank, dim);
    k->number = arena_array(ngc, k->count + 1, sizeof *k->number);
    return k;
}

Known *known_sizes(Ngc *ngc, int rank, const int64_t *dim)
{
    Known *k = new_known(ngc, EL_INT64, rank, dim);
    k->size = arena_array(ngc, k->count + 1, sizeof *k->size);
    return k;
}

Size size_of_number(Graph *g, int64_t n)
{
    if (n < 0)
        return size_sub(g, 0, -n);
    return n;
}

bool known_number(const Graph *g, const Known *k, int64_t i, double *v)
{
    int64_t n;
    if (k->size) {
        if (!size_number(g, k->size[i], &n))
            return false;
        *v = (double)n;
        return true;
    }
    if (k->number)
        *v = k->number[i];
    else
        *v = ngrt_data_value(&k->data, (size_t)i);
    return true;
}

/* The largest numbers stand for the end of an axis. */
static int64_t clamped(double v)
{
    if (v > 4e18)
        return INT64_MAX / 2;
    if (v < -4e18)
        return -INT64_MAX / 2;
    return (int64_t)v;
}

Size known_size(Graph *g, const Known *k, int64_t i)
{
    double v;
    if (k->size)
        return k->size[i];
    if (!known_number(g, k, i, &v) || isnan(v))
        return 0;
    return size_of_number(g, clamped(v));
}

bool known_whole(const Graph *g, const Known *k, int64_t i, int64_t *n)
{
    double v;
    if (!known_number(g, k, i, &v) || v != floor(v))
        return false;
    *n = clamped(v);
    return true;
}

static bool same_element(const Graph *g, const Known *a, int64_t i, const Known *b, int64_t k)
{
    double x, y;
    return known_number(g, a, i, &x) && known_number(g, b, k, &y) && x == y;
}

bool known_same(const Graph *g, const Known *a, const Known *b)
{
    if (a->rank != b->rank || a->count != b->count)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    if (a->data.at && b->data.at && a->data.type == b->data.type)
        return memcmp(a->data.at, b->data.at, (size_t)a->count * kind_size(a->data.type)) == 0;
    for (int64_t i = 0; i < a->count; i++)
        if (!same_element(g, a, i, b, i))
            return false;
    return true;
}

bool known_even(const Graph *g, const Known *k, double *v)
{
    if (k->count == 0 || !known_number(g, k, 0, v))
        return false;
    for (int64_t i = 1; i < k->count; i++)
        if (!same_element(g, k, 0, k, i))
            return false;
    return true;
}
