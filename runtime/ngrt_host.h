/* ngrt_host.h - the host part of the runtime: threads, data files, and a trainer for any model by
 * its descriptor.
 *
 * It allocates, reads files and prints, which emitted code never does; a program that brings its
 * own data and loop does not link it. C11 and POSIX; zlib where it was built with NGRT_ZLIB.
 */
#ifndef NGRT_HOST_H
#define NGRT_HOST_H

#include "ngrt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- threads ---- */

enum { NGRT_POOL_MAX = 256 };

/* Starts threads, the caller's among them, that share the work of the functions whose work block
 * points to them. Returns NULL if the number is not 1 to NGRT_POOL_MAX, or if there is no memory or
 * no thread left; a work block may hold NULL, too. Threads without work sleep. One pool serves one
 * call at a time: calls on several threads take turns. */
ngrt_pool *ngrt_pool_create(int threads);

/* Ends the threads of a pool that no call uses. NULL is ignored. */
void ngrt_pool_destroy(ngrt_pool *pool);

/* ---- data files ---- */

enum ngrt_element {
    NGRT_DATA_U8,
    NGRT_DATA_I8,
    NGRT_DATA_I16,
    NGRT_DATA_I32,
    NGRT_DATA_I64,
    NGRT_DATA_F32,
    NGRT_DATA_F64,
    NGRT_DATA_U16,
    NGRT_DATA_U32,
    NGRT_DATA_U64,
    NGRT_DATA_F16, /* IEEE's half precision */
    NGRT_DATA_BF16 /* bfloat16 */
};

/* A tensor as a file holds it, row-major, in the file's own element type and this machine's byte
 * order. The first axis counts rows. All sizes are at least 1. */
typedef struct ngrt_data {
    int type; /* enum ngrt_element */
    int rank; /* 1 to 8; CSV: 2 */
    size_t shape[8];
    size_t rows, columns; /* shape[0], and the product of the others */
    const void *at;       /* the elements */
    void *block;          /* the allocation they lie in */
    size_t *line;         /* CSV: the line of each row, from 1; otherwise NULL */
} ngrt_data;

typedef struct ngrt_message {
    char text[512]; /* what went wrong, with its place: "iris.csv:12:7: 'x' is not a number" */
} ngrt_message;

/* Reads a file of one of these formats, which its content says; each also compressed by gzip:
 *
 *   CSV     numbers separated by comma, semicolon, tab or blanks, quoted or not. Blank lines are
 *           skipped, and so is a first line without a number in it, which names the columns.
 *   IDX     as of MNIST: bytes, 16- and 32-bit integers, floats.
 *   NumPy   .npy of version 1 to 3, in C's or Fortran's order; .npz with one array.
 *
 * Every size is checked against the file before it is trusted. Returns NGRT_OK; the message is then
 * empty, or says which line was skipped. Or returns NGRT_EIO, NGRT_EFORMAT or NGRT_ENOMEM; then
 * *data is empty and the message says why. Numbers are read by strtod: LC_NUMERIC must be "C", as
 * it is unless the program calls setlocale. */
int ngrt_data_read(ngrt_data *data, const char *path, ngrt_message *message);

/* The same; of an .npz archive of several arrays, the one of this name. NGRT_EMODEL: it has none.
 */
int ngrt_data_read_named(ngrt_data *data, const char *path, const char *name,
                         ngrt_message *message);

/* Writes a tensor as a .npy file, whole or not at all: under another name first, which is then
 * changed. type, rank, shape, rows, columns and at must be set; the type is not BF16. Returns
 * NGRT_OK, NGRT_EIO or NGRT_ENOMEM. */
int ngrt_data_write(const ngrt_data *data, const char *path, ngrt_message *message);

/* Element i, counted row-major over the whole tensor. */
double ngrt_data_value(const ngrt_data *data, size_t i);

/* Converts elements [first, first + count) to `type`, an enum ngrt_type. For NGRT_I32 they must be
 * whole and within 32 bits. */
void ngrt_data_copy(const ngrt_data *data, size_t first, size_t count, int type, void *out);

void ngrt_data_free(ngrt_data *data);

/* ---- weights ---- */

/* What a file says beside the weights. All is 0 if another program wrote the file. */
typedef struct ngrt_about {
    uint64_t hash; /* ngrt_model_hash of the model that saved it */
    uint64_t seed; /* that its training was started with */
    int64_t epoch; /* whole passes over the data */
    int64_t step;  /* steps in all */
    int64_t row;   /* rows of the next pass that are done */
} ngrt_about;

/* A hash of the names, kinds and shapes of the params. Models whose weights do not fit each other
 * have different hashes. It is the same for float and double, for any optimizer, on every machine.
 */
uint64_t ngrt_model_hash(const ngrt_model *model);

/* Writes params, and state unless it is NULL, by the names of the model. The end of path chooses
 * the format:
 *
 *   .npz    named arrays, and __hash__, __seed__, __epoch__, __step__, __row__
 *   .npy    a model of one tensor
 *   else    safetensors, with hash, seed and so on in the metadata
 *
 * The file is written under another name, synced to the disk, and renamed: at any time there is the
 * old one or the new one, whole. about may be NULL; its hash is set here.
 *
 * map (NULL: none) gives other names: "theirs=ours,...", or a file of such pairs, one a line, '#'
 * for comments. ours is a name, or the start of names up to a point. With a map, names that end in
 * .W or .gain and .b are written as PyTorch's .weight and .bias, unless a pair is for just that
 * name.
 *
 * Returns NGRT_OK, NGRT_EIO, NGRT_ENOMEM, NGRT_EFORMAT (the map, or too much for .npz) or
 * NGRT_EMODEL (names of the map, or too many tensors for .npy). */
int ngrt_weights_save(const ngrt_model *model, const void *params, const void *state,
                      const ngrt_about *about, const char *path, const char *map,
                      ngrt_message *message);

/* Reads weights: safetensors, .npz or .npy (a model of one param), as the content says, of any
 * float or integer type. A tensor is looked for as the map says, then by its own name, then by
 * PyTorch's. state may be NULL. about, unless NULL, is set from the file.
 *
 * Every size is checked against the file, every shape against the model, and nothing is changed
 * unless all fits. Returns NGRT_OK, NGRT_EIO, NGRT_ENOMEM, NGRT_EFORMAT (the file is damaged) or
 * NGRT_EMODEL (it is of another model).
 *
 * A state that is not in the file stays as it is, and tensors that the model does not have are
 * ignored; the message then says so, and NGRT_OK is returned. Otherwise the message is empty. */
int ngrt_weights_load(const ngrt_model *model, void *params, void *state, ngrt_about *about,
                      const char *path, const char *map, ngrt_message *message);

/* ---- training ---- */

/* A program that trains a model on data files: `return ngrt_train_main(&mlp_model, argc, argv);`.
 * `--help` lists the options.
 *
 * The model's first run-time size is the batch. Inputs with that axis get rows of the data (a row
 * holds the elements of their other axes), others get a whole file; other run-time sizes are at
 * their bound unless NAME=value sets them. A model without run-time sizes takes all rows in each
 * step.
 *
 * After each epoch a line goes to stderr. A loss there that is a mean or a sum over rows is that of
 * the steps, each from before its update; other losses, and metrics, are those of the whole
 * training data after the epoch (eval). val_ marks both for the validation data after the epoch. At
 * the end losses and metrics of the validation data, or else of the training data, go to stdout,
 * one `name: value` a line. What eval computes is of all rows, never an average of batches.
 *
 * While it runs, LC_NUMERIC is "C".
 *
 * Returns the exit status: 0; 1 training failed (a loss is not finite); 2 usage; 3 a file cannot be
 * read or written, is damaged, or does not fit the model. */
int ngrt_train_main(const ngrt_model *model, int argc, char **argv);

/* The same for eval, which prints losses and metrics of the model on its --data. */
int ngrt_eval_main(const ngrt_model *model, int argc, char **argv);

/* The same for predict, which prints the model's outputs: a line for each row, the outputs side by
 * side (or to -o FILE: .npy, .npz, else CSV). It does not need inputs that only losses and metrics
 * read. */
int ngrt_predict_main(const ngrt_model *model, int argc, char **argv);

/* ---- several processes ---- */

/* Ranks that train one model: each calls ngrt_train_on_ranks with the same arguments. */
typedef struct ngrt_group {
    ngrt_ranks of; /* what the C of the model calls; `rows` is set by the trainer */
    int ranks;     /* how many there are */
    /* Puts the bytes of all ranks, in their order, into all, on each of them. */
    void (*gather)(struct ngrt_group *group, const void *own, size_t bytes, void *all);
    /* The model's metrics_merge; NULL: it has no metrics_add. */
    int (*merge)(void *totals, const void *other);
} ngrt_group;

/* ngrt_train_main on several ranks, of a model that was compiled with --ranks. Each rank reads the
 * rows of each batch that are its own. Rank 0 prints and writes files. If the status is neither 0
 * nor above 128, the caller ends all other ranks. */
int ngrt_train_on_ranks(const ngrt_model *model, ngrt_group *group, int argc, char **argv);

/* The group of the processes that mpirun has started (libngrt_mpi.a, where there is MPI); NULL
 * where they do not get on. finish ends it: a status that is an error ends all processes. */
ngrt_group *ngrt_mpi_start(void);
void ngrt_mpi_finish(ngrt_group *group, int status);

/* All three: the first argument is train, eval or predict. */
int ngrt_model_main(const ngrt_model *model, int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
