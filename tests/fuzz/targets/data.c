/* data.c - bytes are read as a file of data, whatever their format is: CSV, IDX, npy, npz, each
 * also by gzip; as an array that stays in its file; as a table with columns of words; as a file of
 * weights, and as what such a file says of its data. What was read of weights is written and read
 * again. A fuzzer takes one of these ways for each input, as most of the time is that of files.
 *
 * With DATA_FORMAT=npy in the environment, files of other formats are of no use. With
 * FUZZ_COUNTS=FILE, the number of inputs of each format is added to that file at the end. */
#include "../../../runtime/host/table.h"
#include "target.h"

#include <string.h>

#ifdef REPLAY
enum { EVERY_WAY = 1 };
#else
enum { EVERY_WAY = 0 };
#endif

static ngrt_message message;

// clang-format off
static const struct {
    const char *name, *at; /* what such a file has at `offset` */
    size_t offset, length;
} formats[] = {
    {"npy",         "\x93NUMPY",        0, 6},
    {"npz",         "PK\3\4",           0, 4},
    {"gzip",        "\x1f\x8b",         0, 2},
    {"safetensors", "\0\0\0\0\0\0{",   2, 7},
    {"idx",         "\0\0",             0, 2},
    {"csv",         "",                 0, 0},
};
// clang-format on
enum { FORMATS = sizeof formats / sizeof *formats };

static unsigned long counts[FORMATS];

static void write_counts(void)
{
    FILE *file = fopen(getenv("FUZZ_COUNTS"), "a");

    for (int i = 0; file && i < FORMATS; i++)
        if (counts[i] > 0)
            fprintf(file, "%s %lu\n", formats[i].name, counts[i]);
    if (file)
        fclose(file);
}

/* Which of `formats` the bytes are taken for. */
static int format_of(const uint8_t *data, size_t size)
{
    int i = 0;

    while (size < formats[i].offset + formats[i].length ||
           memcmp(data + formats[i].offset, formats[i].at, formats[i].length) != 0)
        i++;
    return i;
}

/* Counts the input; 0: this is not its campaign. */
static int is_wanted(const uint8_t *data, size_t size)
{
    static const char *wanted;
    static int begun;
    int format = format_of(data, size);

    if (!begun++) {
        wanted = getenv("DATA_FORMAT");
        if (getenv("FUZZ_COUNTS"))
            atexit(write_counts);
    }
    if (wanted && strcmp(wanted, formats[format].name) != 0)
        return 0;
    counts[format]++;
    return 1;
}

static Bytes copy_bytes(const uint8_t *data, size_t size)
{
    Bytes b = {0};

    if (!ngrt_bytes_add(&b, data, size))
        abort();
    return b;
}

/* Reads all elements. */
static double sum_of(const ngrt_data *d)
{
    double sum = 0;

    for (size_t i = 0; i < d->rows * d->columns; i++)
        sum += ngrt_data_value(d, i);
    return sum;
}

static void read_data(const uint8_t *data, size_t size)
{
    static volatile double all;
    ngrt_data d = {0};
    Bytes b = copy_bytes(data, size);

    if (ngrt_gunzip(&b, "file", &message) == NGRT_OK &&
        ngrt_data_parse(&d, &b, "file", NULL, 0, &message) == NGRT_OK)
        all = sum_of(&d);
    ngrt_data_free(&d);
    ngrt_bytes_free(&b);
}

/* Above the limit, an array stays in its file. It has the shape that it has in memory. */
static void read_large(const uint8_t *data, size_t size)
{
    ngrt_data d = {0}, whole = {0};
    Bytes b = copy_bytes(data, size);
    Store store;
    int swapped;

    if (ngrt_data_read_large(&d, &store, &swapped, "file", NULL, 0, choose(data, size) % 64,
                             &message) == NGRT_OK) {
        if (ngrt_gunzip(&b, "file", &message) != NGRT_OK ||
            ngrt_data_parse(&whole, &b, "file", NULL, 0, &message) != NGRT_OK ||
            whole.rows != d.rows || whole.columns != d.columns)
            abort(); /* it is not the same array */
    }
    ngrt_data_free(&whole);
    ngrt_bytes_free(&b);
    ngrt_data_free(&d);
    ngrt_store_free(&store);
}

static void read_table(unsigned choice)
{
    static const char separator[] = {0, ',', ';', '\t', ' ', '|', 0, 0};
    static const char *const chosen[] = {NULL, "0", "0-1", "1,0", "a,b", "kind"};
    Form form = {.skip = choice & 1,
                 .separator = separator[choice >> 1 & 7],
                 .no_header = choice >> 4 & 1,
                 .missing = (int)(choice >> 5 & 3) % 3,
                 .wide = choice >> 7 & 1,
                 .limit = choice >> 8 & 1 ? 0 : 1000};
    Table t = {0};
    size_t *list = NULL, count;

    if (ngrt_table_open(&t, "file", &form, &message) == NGRT_OK &&
        ngrt_table_choose(&t, chosen[(choice >> 9) % 6], &list, &count, &message) == NGRT_OK &&
        ngrt_table_read(&t, &message) == NGRT_OK)
        for (size_t i = 0; i < t.rows && i < 20; i++)
            ngrt_table_place(&t, i, i % t.columns);
    free(list);
    ngrt_table_free(&t);
}

static void read_weights(const uint8_t *data, size_t size)
{
    Archive a = {0}, again = {0};
    Prep prep = {0};
    Bytes b = {0};

    if (ngrt_archive_read(&a, "file", &message) == NGRT_OK) {
        for (int i = 0; i < a.count; i++)
            sum_of(&a.tensor[i].data);
        a.path = "again";
        if (ngrt_safetensors_write(&a, &message) == NGRT_OK &&
            ngrt_archive_read(&again, "again", &message) != NGRT_OK)
            abort(); /* what was written cannot be read */
    }
    ngrt_archive_free(&again);
    ngrt_archive_free(&a);

    char *text = strndup((const char *)data, size);
    if (ngrt_prep_read(&prep, text))
        ngrt_prep_write(&prep, &b);
    ngrt_prep_free(&prep);
    ngrt_bytes_free(&b);
    free(text);
}

static void read_file(unsigned way, unsigned choice, const uint8_t *data, size_t size)
{
    switch (way) {
    case 0: read_large(data, size); break;
    case 1: read_table(choice); break;
    default: read_weights(data, size); break;
    }
}

int target(const uint8_t *data, size_t size)
{
    if (!is_wanted(data, size))
        return -1;
    enter_directory();
    write_file("file", data, size);
    read_data(data, size);
    unsigned way = choose(data, size) / 64;
    for (unsigned i = 0; i < 3; i++)
        if (EVERY_WAY || i == way % 3)
            read_file(i, way / 3, data, size);
    return 0;
}
