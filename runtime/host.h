/* host.h - what the files of the host part share: the bytes of a file, files written whole or not
 * at all, named tensors. Not installed: programs see ngrt_host.h alone. */
#ifndef HOST_H
#define HOST_H

#include "ngrt_host.h"

typedef struct Bytes { /* a file's content; a NUL follows it */
    char *at;
    size_t size, room;
} Bytes;

typedef struct Writer { /* a file being written, under another name until it is whole */
    const char *path;
    char *target; /* where path leads */
    char *temp;   /* NULL: path is no regular file, and is written directly */
    int fd;       /* -1 after a failure */
    int error;    /* errno of the first failure */
} Writer;

typedef struct Stored { /* a tensor of a file, or one to be written. It may have rank 0, and data.at
                           any alignment. */
    char *name;
    ngrt_data data;
} Stored;

typedef struct Archive { /* named tensors */
    const char *path;
    Bytes file;
    int count, room;
    Stored *tensor;
    ngrt_about about; /* hash 0: the file does not say */
} Archive;

/* file.c */
int ngrt_fail(ngrt_message *message, int error, const char *format,
              ...); /* sets the message; returns the error */
int ngrt_bytes_reserve(Bytes *b,
                       size_t more); /* room for more bytes and a NUL; false without memory */
int ngrt_bytes_add(Bytes *b, const void *at, size_t size);
int ngrt_bytes_print(Bytes *b, const char *format, ...);
void ngrt_bytes_free(Bytes *b);
int ngrt_file_read(Bytes *b, const char *path, ngrt_message *message);
int ngrt_path_ends(const char *path, const char *end); /* NULL ends in nothing */
int ngrt_file_begin(Writer *out, const char *path, ngrt_message *message);
void ngrt_file_put(Writer *out, const void *at, size_t size); /* failures are kept for the end */
int ngrt_file_end(Writer *out, ngrt_message *message);        /* frees out in any case */
int ngrt_file_probe(const char *path,
                    ngrt_message *message); /* can there be a file? It is not touched */
int ngrt_gunzip(Bytes *b, const char *path, ngrt_message *message); /* in place, where it is gzip */
int ngrt_inflate(const char *from, size_t size, char *to, size_t room, const char *what,
                 ngrt_message *message);

/* element.c */
size_t ngrt_element_size(int type); /* bytes of an element */
int ngrt_element_of(int type);      /* the enum ngrt_element of an enum ngrt_type */
size_t ngrt_data_bytes(const ngrt_data *data);
int ngrt_little_endian(void);
void ngrt_swap_bytes(void *at, size_t count,
                     size_t size); /* turns the order of bytes of each element round */
/* Type, rank and shape are set: checks that have bytes are just the elements, sets rows and
 * columns. what: for the message */
int ngrt_data_fit(ngrt_data *data, size_t have, const char *what, ngrt_message *message);

/* Adds a tensor that has its name and nothing else; NULL without memory. */
Stored *ngrt_archive_add(Archive *a, const char *name, size_t size);
void ngrt_archive_free(Archive *a);

/* csv.c */
int ngrt_csv_parse(ngrt_data *data, const Bytes *b, const char *path, ngrt_message *message);

/* numpy.c */
int ngrt_is_npy(const Bytes *b);
int ngrt_is_zip(const Bytes *b);
int ngrt_npy_take(ngrt_data *data, Bytes *b, const char *what,
                  ngrt_message *message); /* the array; takes b's memory */
int ngrt_npz_read(Archive *a, const char *only,
                  ngrt_message *message); /* of a->file; only: one member, or NULL */
int ngrt_npz_write(const Archive *a, ngrt_message *message); /* at a->path */
int ngrt_npy_write(const Archive *a, ngrt_message *message);

/* safetensors.c */
int ngrt_is_safetensors(const Bytes *b);
int ngrt_safetensors_read(Archive *a, ngrt_message *message);
int ngrt_safetensors_write(const Archive *a, ngrt_message *message);

/* archive.c */
int ngrt_archive_read(Archive *a, const char *path,
                      ngrt_message *message); /* any of the formats; NGRT_EFORMAT: it is none */

typedef struct Map { /* pairs of names: the file's, ours; a name, or the start of names up to a
                        point */
    int count;
    char **theirs, **ours;
    char *text; /* that they lie in */
} Map;
int ngrt_map_read(Map *map, const char *text,
                  ngrt_message *message); /* "theirs=ours,..." or a file; NULL: none */
void ngrt_map_free(Map *map);
/* The tensor that holds what is called name here: by the map, by its name, or by PyTorch's name of
 * the same. */
const Stored *ngrt_archive_find(const Archive *a, const Map *map, const char *name);
char *ngrt_map_name(const Map *map, const char *name); /* what the map makes of ours; to be freed */

#endif
