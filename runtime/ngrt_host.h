/* ngrt_host.h - the host part of the runtime: data files, and a trainer for any model by its descriptor.
 *
 * It allocates, reads files and prints, which emitted code never does; a program that brings its own data and loop does
 * not link it. C11 and POSIX; zlib where it was built with NGRT_ZLIB.
 */
#ifndef NGRT_HOST_H
#define NGRT_HOST_H

#include "ngrt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- data files ----------------------------------------------------------------------------------- */

enum ngrt_element {
    NGRT_DATA_U8, NGRT_DATA_I8, NGRT_DATA_I16, NGRT_DATA_I32, NGRT_DATA_I64, NGRT_DATA_F32, NGRT_DATA_F64
};

/* A tensor as a file holds it, row-major, in the file's own element type and this machine's byte order. The first axis
 * counts rows. All sizes are at least 1. */
typedef struct ngrt_data {
    int type;               /* enum ngrt_element */
    int rank;               /* 1 to 8; CSV: 2 */
    size_t shape[8];
    size_t rows, columns;   /* shape[0], and the product of the others */
    const void *at;         /* the elements */
    void *block;            /* the allocation they lie in */
    size_t *line;           /* CSV: the line, from 1, that each row stands on; otherwise NULL */
} ngrt_data;

typedef struct ngrt_message {
    char text[512];         /* what went wrong, with its place: "iris.csv:12:7: 'x' is not a number" */
} ngrt_message;

/* Reads a file of one of these formats, told apart by content:
 *   CSV     numbers separated by comma, semicolon, tab or blanks, quoted or not; a first line that holds anything but
 *           numbers, or another number of cells than the second, is a header and skipped; so are blank lines
 *   IDX     as of MNIST: bytes, 16- and 32-bit integers, floats
 *   NumPy   .npy of version 1 to 3, little-endian or bytes, C order
 * each also compressed by gzip. Every size is checked against the file before it is trusted. Returns NGRT_OK, NGRT_EIO,
 * NGRT_EFORMAT or NGRT_ENOMEM, and then *data is empty and the message is set. Numbers are read by strtod: LC_NUMERIC
 * must be "C", as it is unless the program calls setlocale. */
int ngrt_data_read(ngrt_data *data, const char *path, ngrt_message *message);

/* Element i, counted row-major over the whole tensor. */
double ngrt_data_value(const ngrt_data *data, size_t i);

/* Elements [first, first + count) converted to an enum ngrt_type; for NGRT_I32 they must be whole and within 32
 * bits. */
void ngrt_data_copy(const ngrt_data *data, size_t first, size_t count, int type, void *out);

void ngrt_data_free(ngrt_data *data);

/* ---- training --------------------------------------------------------------------------------------- */

/* A program that trains a model on data files: `return ngrt_train_main(&mlp_model, argc, argv);`. `--help` lists
 * the options.
 *
 * The model's first run-time size is the batch. Inputs with that axis get rows of the data (a row holds the
 * elements of their other axes), others get a whole file; other run-time sizes are at their bound unless NAME=value
 * sets them. A model without run-time sizes takes all rows in each step.
 *
 * After each epoch a line goes to stderr. A loss there is the mean of what the steps returned, each from before its
 * update, weighted by rows; metrics are those of the whole training data after the epoch (eval); val_ marks both
 * for the validation data after the epoch. At the end losses and metrics of the validation data, or else of the
 * training data, go to stdout, one `name: value` a line.
 *
 * Returns the exit status: 0; 1 training failed (a loss is not finite); 2 usage; 3 a file cannot be read or
 * written, is damaged, or does not fit the model. */
int ngrt_train_main(const ngrt_model *model, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
