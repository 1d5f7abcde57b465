/* host.h - what the files of the host part share: the bytes of a file, files written whole or not
 * at all, named tensors. Not installed: programs see only ngrt_host.h.
 *
 * The files are a ladder, each calls only those below it: weights.c and data.c; archive.c; table.c;
 * csv.c, numpy.c, safetensors.c; element.c; prep.c; stream.c; file.c. Functions with a message
 * return NGRT_OK, or an error after they have set the message. */
#ifndef HOST_H
#define HOST_H

#include "../ngrt_host.h"

/* Bytes of a file that are read or unpacked at a time. The fuzzers make it small, so that small
 * files have many pieces. */
#ifndef NGRT_PIECE
#define NGRT_PIECE 65536
#endif

/* ---- file.c: bytes ---- */

typedef struct Bytes { /* bytes in memory, as of a file; a NUL follows them */
    char *at;
    size_t size, room;
} Bytes;

typedef struct Writer { /* a file that is being written, under another name until it is whole */
    const char *path;
    char *target; /* where path leads */
    char *temp;   /* the other name; NULL: path is not a regular file, and is written directly */
    int fd;
    int error; /* errno of the first failure */
} Writer;

int ngrt_fail(ngrt_message *message, int error, const char *format, ...); /* returns the error */

/* These return false without memory. */
int ngrt_bytes_reserve(Bytes *b, size_t more); /* room for more bytes and a NUL */
int ngrt_bytes_add(Bytes *b, const void *at, size_t size);
int ngrt_bytes_print(Bytes *b, const char *format, ...); /* a text of at most 511 bytes */
void ngrt_bytes_free(Bytes *b);
char *ngrt_text_copy(const char *text); /* NULL without memory */

/* For the start of a program: a standard stream that is closed would become the next file that is
 * opened, such as a log. Its number is taken; to write there still fails. */
void ngrt_streams_hold(void);
int ngrt_file_read(Bytes *b, const char *path, ngrt_message *message); /* the whole file */
/* The same, but only the first 64 KB where `known` (NULL: all are) does not know these. */
int ngrt_file_read_known(Bytes *b, const char *path, int (*known)(const Bytes *),
                         ngrt_message *message);
int ngrt_path_ends(const char *path, const char *end); /* NULL ends in nothing */

/* Starts to write the file at path. What is there stays until the end; a link stays a link. */
int ngrt_file_begin(Writer *out, const char *path, ngrt_message *message);
void ngrt_file_put(Writer *out, const void *at, size_t size); /* failures are kept for the end */
/* Gives the written file its name when all is on the disk, or removes what there is of it. Frees
 * out in any case. */
int ngrt_file_end(Writer *out, ngrt_message *message);
/* Can there be a file of this name? It is not touched. */
int ngrt_file_probe(const char *path, ngrt_message *message);

/* Are both names of one regular file, which is there? */
int ngrt_file_is_same(const char *a, const char *b);

/* Replaces b, where it is in gzip format, by what it holds. */
int ngrt_gunzip(Bytes *b, const char *path, ngrt_message *message);
/* Inflates a member of a zip file into room bytes, which is its size. */
int ngrt_inflate(const char *from, size_t size, char *to, size_t room, const char *what,
                 ngrt_message *message);

/* ---- prep.c: how columns become elements of inputs ---- */

enum { /* kinds of columns */
       PREP_NUMBER,
       PREP_CLASS, /* words: an element is the index of its word */
       PREP_FLAG,  /* the same of two words, for an input of floats */
       PREP_ONEHOT /* words: an element for each, 1 for the one that is there */
};

typedef struct PrepColumn {
    char *name; /* that the header gave it, or "" */
    int kind;
    double fill; /* of PREP_NUMBER: the value of a missing cell; NaN: it may not be missing */
    size_t words;
    char **word;
} PrepColumn;

typedef struct PrepInput {
    char *name; /* of the input */
    size_t columns;
    PrepColumn *column;
    size_t elements;   /* of sub and mul; 0: nothing is done to them */
    int same;          /* sub[0] and mul[0] are for all elements */
    double *sub, *mul; /* an element e becomes (e - sub)*mul */
} PrepInput;

typedef struct Prep {
    int inputs;
    PrepInput *input;
} Prep;

PrepInput *ngrt_prep_add(Prep *p, const char *input); /* these return NULL or 0 without memory */
PrepColumn *ngrt_prep_column(PrepInput *x, int kind, const char *name);
int ngrt_prep_word(PrepColumn *c, const char *word);
int ngrt_prep_elements(PrepInput *x, size_t elements); /* sub 0 and mul 1 */
void ngrt_prep_drop(Prep *p, const char *input);
PrepInput *ngrt_prep_find(const Prep *p, const char *input); /* NULL: there is none */
void ngrt_prep_element(const PrepInput *x, size_t i, double *sub, double *mul);
int ngrt_prep_is_fine(const PrepInput *x); /* would floats lose digits that matter? */
int ngrt_prep_write(const Prep *p, Bytes *b);
int ngrt_prep_read(Prep *p, const char *text); /* false if it is damaged */
void ngrt_prep_free(Prep *p);

/* ---- element.c: tensors in memory ---- */

typedef struct Stored { /* a tensor of a file, or one to be written */
    char *name;
    ngrt_data data; /* may have rank 0; data.at may have any alignment */
} Stored;

typedef struct Notes { /* texts by their keys, which a file has beside its tensors */
    int count;
    struct {
        char *key, *text;
    } * note;
} Notes;

int ngrt_notes_set(Notes *n, const char *key, const char *text); /* false without memory */
int ngrt_notes_add(Notes *n, const char *key, const char *text); /* the same for a new key */
const char *ngrt_notes_get(const Notes *n, const char *key);     /* NULL: there is none */
void ngrt_notes_free(Notes *n);

typedef struct Archive { /* named tensors */
    const char *path;
    Bytes file; /* its bytes, in which the tensors are */
    int count, room;
    Stored *tensor;
    ngrt_about about; /* hash 0: the file does not say */
    Notes notes;
} Archive;

size_t ngrt_element_size(int type); /* bytes of an element */
int ngrt_element_of(int type);      /* the enum ngrt_element of an enum ngrt_type */
size_t ngrt_type_size(int type);    /* bytes of an element of an enum ngrt_type */
size_t ngrt_data_bytes(const ngrt_data *data);
int ngrt_little_endian(void);
uint64_t ngrt_get_little(const char *at, int bytes); /* a number of some bytes, low byte first */
void ngrt_put_little(char *at, uint64_t number, int bytes);
void ngrt_swap_bytes(void *at, size_t count, size_t size); /* reverses the bytes of each element */

/* Type, rank and shape are set: checks that `have` bytes are just the elements, and sets rows and
 * columns. what: for the message. */
int ngrt_data_fit(ngrt_data *data, size_t have, const char *what, ngrt_message *message);

/* Adds a tensor that has its name and nothing else; NULL without memory. */
Stored *ngrt_archive_add(Archive *a, const char *name, size_t size);
/* Has each tensor, and each note, a name of its own? of: "file" or "archive" */
int ngrt_archive_check(const Archive *a, const char *of, ngrt_message *message);
void ngrt_archive_free(Archive *a);

/* ---- csv.c, numpy.c, safetensors.c: the formats ---- */

int ngrt_csv_parse(ngrt_data *data, const Bytes *b, const char *path, ngrt_message *message);

typedef struct Head { /* what the header of an array says beside type and shape */
    size_t offset;    /* where the elements begin */
    int swapped;      /* the order of bytes is not this machine's */
    int fortran;      /* the first axis runs fastest */
} Head;

int ngrt_is_npy(const Bytes *b);
int ngrt_npy_head(ngrt_data *data, Head *head, const Bytes *b, const char *what,
                  ngrt_message *message);
int ngrt_is_zip(const Bytes *b);
/* The array in b, whose memory it takes. */
int ngrt_npy_take(ngrt_data *data, Bytes *b, const char *what, ngrt_message *message);
/* The arrays of a->file; only: the one of this name, or NULL. */
int ngrt_npz_read(Archive *a, const char *only, ngrt_message *message);
int ngrt_npz_write(const Archive *a, ngrt_message *message); /* at a->path */
int ngrt_npy_write(const Archive *a, ngrt_message *message);

int ngrt_is_safetensors(const Bytes *b);
int ngrt_safetensors_read(Archive *a, ngrt_message *message);
int ngrt_safetensors_write(const Archive *a, ngrt_message *message);

/* ---- data.c: data files ---- */

int ngrt_is_idx(const Bytes *b);
int ngrt_idx_head(ngrt_data *data, Head *head, const Bytes *b, const char *path,
                  ngrt_message *message);
/* The tensor in the bytes of a file, which begins as zero. May take their memory. With exact, the
 * only array of an archive must have the name too. */
int ngrt_data_parse(ngrt_data *data, Bytes *b, const char *path, const char *name, int exact,
                    ngrt_message *message);
int ngrt_data_read_exactly(ngrt_data *data, const char *path, const char *name, int exact,
                           ngrt_message *message);

/* ---- weights.c: more than programs see ---- */

/* As ngrt_weights_save, with notes and more tensors. (The public one has none.) */
int ngrt_weights_write(const ngrt_model *model, const void *params, const void *state,
                       const ngrt_about *about, const Notes *notes, const Archive *more,
                       const char *path, const char *map, ngrt_message *message);
/* As ngrt_weights_load; whole, unless NULL, gets all that the file has, and is to be freed. */
int ngrt_weights_read(const ngrt_model *model, void *params, void *state, ngrt_about *about,
                      Archive *whole, const char *path, const char *map, ngrt_message *message);
/* Tensors of a model under other names, which begin with a prefix that ends in '/'. The model's own
 * have no such names. Adding returns false without memory. Filling returns false, and changes
 * nothing, unless the archive has them all. */
int ngrt_weights_add(Archive *a, const ngrt_model *model, const void *params, const void *state,
                     const char *prefix);
int ngrt_weights_fill(const Archive *a, const ngrt_model *model, void *params, void *state,
                      const char *prefix);

/* ---- archive.c: weights by their names ---- */

/* Reads a file of any of the formats. NGRT_EFORMAT: it has none of them. */
int ngrt_archive_known(const Bytes *b); /* does it begin as a file of a format that has tensors? */
int ngrt_archive_read(Archive *a, const char *path, ngrt_message *message);

typedef struct Map { /* pairs of names: theirs, in the file, and ours */
    int count;
    char **theirs, **ours; /* each a name, or the start of names up to a point */
    char *text;            /* in which they are */
} Map;

/* text: "theirs=ours,...", or a file of such pairs; NULL: none. */
int ngrt_map_read(Map *map, const char *text, ngrt_message *message);
void ngrt_map_free(Map *map);
/* The tensor that is called name here: by the map, by its name, or by PyTorch's name of the same;
 * NULL: there is none. */
const Stored *ngrt_archive_find(const Archive *a, const Map *map, const char *name);
/* What a file of this map calls our name, to be freed; NULL without memory. */
char *ngrt_map_name(const Map *map, const char *name);

#endif
