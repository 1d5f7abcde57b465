/* table.h - tables as text that are read line by line, and arrays that are larger than memory. Of
 * ngc, only csv.c includes it: the rest of these files is for the trainer. */
#ifndef TABLE_H
#define TABLE_H

#include <time.h>

#include "host.h"

/* ---- stream.c: files that are not read whole ---- */

typedef struct Reader Reader; /* a file from its start to its end, unpacked where it is gzip */

Reader *ngrt_reader_open(const char *path, ngrt_message *message); /* NULL after an error */
/* Reads at least a byte, unless the file is at its end. */
int ngrt_reader_read(Reader *r, char *to, size_t room, size_t *got, ngrt_message *message);
void ngrt_reader_close(Reader *r); /* NULL is ignored */

enum { STORE_PIECE = 16 * NGRT_PIECE }; /* bytes of memory that a store takes at a time */

typedef struct Store {    /* bytes, one after the other: in memory, or in a file */
    uint64_t size, limit; /* limit: what may be in memory */
    char **piece;         /* the memory, in pieces of STORE_PIECE bytes */
    size_t pieces;
    int fd;                  /* the file; below 0: none */
    uint64_t start;          /* where the bytes begin in the file */
    struct timespec changed; /* of a file of the user's: when it last was; 0: it is not one */
} Store;

void ngrt_store_start(Store *s, uint64_t limit);
int ngrt_store_add(Store *s, const void *from, size_t size, ngrt_message *message);
int ngrt_store_read(const Store *s, uint64_t from, void *to, size_t size); /* NGRT_OK or NGRT_EIO */
/* Has another program changed the file since it was opened? */
int ngrt_store_changed(const Store *s);
/* Where bytes are in memory; NULL if they are not, or not in one piece. */
const char *ngrt_store_at(const Store *s, uint64_t from, size_t size);
void ngrt_store_free(Store *s);

/* ---- csv.c: lines and cells ---- */

typedef struct Span { /* a piece of a text */
    const char *at, *end;
} Span;

static inline size_t span_length(Span s)
{
    return (size_t)(s.end - s.at);
}

typedef struct Csv {  /* a table as text that is being read, line by line */
    const char *path; /* for messages */
    Reader *from;     /* what gives more text, by `read`; NULL: all is in rest */
    int (*read)(Reader *from, char *to, size_t room, size_t *got, ngrt_message *message);
    Bytes names;       /* the line that names the columns; empty: there is none */
    Bytes text;        /* that it gave, and that is not read yet */
    Span rest;         /* what has not been read */
    Span line;         /* the line read last, without blanks around it; never empty */
    const char *start; /* where that line begins in the text */
    size_t number;     /* its number, from 1 */
    size_t lines;      /* those that have been read */
    size_t top;        /* the number of the first line that is not blank */
    size_t counted;    /* the rows that the first line says there are; 0: it does not */
    char separator;    /* ' ': any blanks; 0: not known yet */
    int no_header;     /* the first line is data */
    int error;         /* of a read, with the message */
    ngrt_message *message;
} Csv;

typedef struct Cells { /* the cells of a line, one after the other */
    Span rest;         /* of the line */
    char separator;
    int done; /* the last cell has been taken */
    Span cell;
} Cells;

/* Skips `skip` lines, then finds the separator (unless it is set) and the first line of data,
 * which becomes csv->line. False if there is no data, or after an error. */
int ngrt_csv_begin(Csv *csv, size_t skip);
int ngrt_csv_next(Csv *csv); /* the next line that is not blank; false at the end, or an error */
Cells ngrt_csv_cells(const Csv *csv);
int ngrt_csv_cell(Cells *c); /* the next cell, without quotes around it; false after the last */
int ngrt_csv_number(Span cell, double *value); /* a finite decimal number */
int ngrt_csv_is_number(Span cell);    /* in some form, also one that no row may hold: nan, inf */
int ngrt_csv_missing(Span cell);      /* does it say that there is no value? */
int ngrt_csv_no_word(Span cell);      /* does it say so among words? */
int ngrt_csv_nearly(Span cell);       /* is it nearly a number, as 1,5 or $5? */
const char *ngrt_csv_hint(Span cell); /* what to write instead of such a cell; or "" */
/* Says what is wrong with a cell that should be a number, and `more`, or with the number of
 * cells. */
int ngrt_csv_fail(const Csv *csv, Span cell, const char *more, ngrt_message *message);
int ngrt_csv_fail_count(const Csv *csv, size_t count, const char *at, size_t columns, size_t first,
                        ngrt_message *message);
size_t ngrt_csv_column(const Csv *csv, Span cell);      /* its place in the line, from 1 */
const char *ngrt_show(Span s, char *text, size_t room); /* printable, and cut off: for messages */
const char *ngrt_show_dots(Span s, size_t room);        /* "..." if it was cut off */
void ngrt_csv_end(Csv *csv);

/* ---- table.c: a table as text -> rows of numbers in a store ---- */

enum { MISSING_ERROR, MISSING_DROP, MISSING_MEAN }; /* what becomes of missing cells */

typedef struct Form { /* how a text is to be read */
    size_t skip;      /* lines before it */
    char separator;   /* 0: the first lines say */
    int no_header;
    int missing;     /* of the enum */
    const char *gap; /* what messages say where a value is missing; NULL: nothing more */
    int wide;        /* its numbers become doubles, not floats */
    uint64_t limit;  /* bytes of rows in memory */
} Form;

typedef struct Name { /* one of the words in a column */
    char *text;
    size_t line, at; /* where it is first: the line, and the place in it */
} Name;

typedef struct Names { /* the different words in a column */
    Name *name;        /* in the order in which they were found: a row holds the index */
    size_t count, room;
    uint32_t *slot; /* a hash table: the index plus 1 */
    size_t slots;
} Names;

typedef struct Column { /* of a table */
    char *name;         /* that the header gives it, or NULL */
    int chosen;         /* it is stored: */
    size_t place;       /* here in a row */
    size_t numbers, missing;
    size_t missing_line, missing_at; /* where the first is missing: the line, and the place in it */
    Names names;
} Column;

typedef struct Jump { /* rows from this one on are on lines from that one on */
    size_t row, line;
} Jump;

typedef struct Table {
    const char *path;
    const Form *form;
    Csv csv;
    Column *column;
    size_t columns, stored; /* stored: those that are chosen */
    Store store;            /* rows of floats or doubles; a missing cell is NaN */
    size_t rows, dropped, missing;
    Jump *jump;
    size_t jumps;
    ngrt_message said; /* what was taken as a header */
} Table;

/* Opens a table and reads its header. Then columns are chosen, and the rest is read. */
int ngrt_table_open(Table *t, const char *path, const Form *form, ngrt_message *message);
/* Chooses columns by their names or numbers from 0, "0-3,kind" (NULL: all); the list is to be
 * freed. */
int ngrt_table_choose(Table *t, const char *text, size_t **list, size_t *count,
                      ngrt_message *message);
int ngrt_table_read(Table *t, ngrt_message *message);
size_t ngrt_table_line(const Table *t, size_t row); /* the line of a row */
/* The place in its line of a cell; 0: it cannot be found again. */
size_t ngrt_table_place(const Table *t, size_t row, size_t column);
void ngrt_table_free(Table *t);
/* Chooses among numbered columns, as of an array; name may be NULL. */
int ngrt_choose_columns(const char *text, size_t columns, const char *(*name)(const void *, size_t),
                        const void *of, const char *path, size_t **list, size_t *count,
                        ngrt_message *message);

/* ---- large.c ---- */

/* Reads a file as ngrt_data_read_exactly does. An array of more bytes than the limit stays in the
 * store, where its elements begin with byte 0, and data->at is NULL. */
int ngrt_data_read_large(ngrt_data *data, Store *file, int *swapped, const char *path,
                         const char *name, int exact, uint64_t limit, ngrt_message *message);

#endif
