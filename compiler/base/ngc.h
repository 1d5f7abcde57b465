/* ngc.h - one compilation: memory, names, texts, places, messages, files. Knows no model. */
#ifndef NGC_H
#define NGC_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/errors.h"

#define NGC_VERSION "0.1.0"

typedef struct Ngc Ngc; /* one compilation: arena, names, sources, messages, options */
typedef struct Stmt Stmt;

/* ---- places and messages ---- */

typedef struct Loc { /* a half-open range of bytes of one source file */
    int file;        /* index into Ngc.files; -1: no place (a command-line argument, say) */
    int at, end;
} Loc;

typedef struct Source {
    const char *name; /* as the user wrote it; "prelude.ng" for the library */
    const char *text; /* size bytes, then a NUL */
    int size;
    bool library;     /* part of ngc, not of the user's model */
    bool importing;   /* its statements are being executed */
    Stmt *body;       /* what the parser made of it */
    int *line, lines; /* where each line starts */
} Source;

typedef enum { SEV_ERROR, SEV_WARNING, SEV_NOTE } Severity;

typedef struct Label { /* text drawn under a part of the error's source line: "W2: [6, 3]" */
    Loc loc;
    const char *text;
    struct Label *next;
} Label;

typedef struct Diag { /* one message: made by diag(), enriched by diag_label() and diag_note(),
                         drawn by diag_flush() */
    Severity severity;
    ErrorCode code;   /* 301 is drawn as NG0301 */
    const char *flag; /* a warning's name for -Wname, else NULL */
    Loc loc;
    const char *text;
    Label *labels;
    const char *fix; /* what may be meant in place of fix_at, or NULL */
    Loc fix_at;
    struct Diag *notes; /* drawn after it, in order */
    struct Diag *next;
} Diag;

/* ---- one compilation ---- */

typedef struct Define {
    const char *name;
    double value;
    bool used;
} Define; /* -D NAME=INT; used: there is such a dim */

/* Passes, in the order in which they run: passes.c says what each is. */
typedef enum {
    PASS_LOWER,
    PASS_CLOSE,
    PASS_STABLE,
    PASS_SIMPLIFY,
    PASS_LOOPS,
    PASS_CROP,
    PASS_JOIN,
    PASS_GATES,
    PASS_TRAINING,
    PASS_CARRY,
    PASS_RANKS,
    PASS_LAYOUT,
    PASS_SPARSE,
    PASS_FOLD,
    PASS_ZEROS,
    PASS_MERGE,
    PASS_DROP,
    PASS_FUSE,
    PASS_ROWS,
    PASS_COLLAPSE,
    PASS_FINISH,
    PASS_RECOMPUTE,
    PASS_PARTS,
    PASS_TRIANGLES,
    PASS_SHARE,
    PASS_PLAN,
    PASS_WAITS,
    PASS_VECTORS,
    PASS_COUNT
} Pass;

typedef struct Options {
    int optimize; /* 0 or 2 */
    bool real_double, standalone, werror;
    int comments;       /* 0 none, 1 source, 2 derivation */
    const char *prefix; /* NULL: from the file's name */
    const char **include;
    int includes;
    Define *define;
    int defines;
    const char **keep;
    int keeps;
    const char *dump; /* letters of passes after which the graph is printed to stderr */
    int color;        /* 0 no, 1 yes; main decides auto */
    bool ranks;       /* the C can be one of several ranks that share the rows of a batch */
    bool no_share;    /* every value has memory of its own: for tests of the memory plan */
    unsigned without; /* passes that are left out, for tests and for measuring them: bits of Pass */
    int reorder; /* for tests: passes run in another order that their facts allow; 0: they do not */
    bool verify; /* the invariants are checked after each pass, not only after the last */
    int short_row;  /* columns from which on rows make a nest; 0: as is best; for tests with small
                       models */
    int unroll;     /* loops of fewer passes than this are expanded; 0: as is best */
    int segment;    /* passes of a segment of a loop, which the way back computes again; 0: none */
    int part;       /* passes of a part of a segment, which is computed again from its start; 0: a
                       segment has no parts */
    int pool_from;  /* estimated nanoseconds from which on threads share work; 0: as is best; for
                       tests with small models */
    int64_t memory; /* bytes of work, at most; 0: no limit */
    int operations; /* of the graph, at most; 0: as many as ngc takes */
    bool literal;   /* the graph is what the text says: nothing folded, shared or simplified. What
                       tests believe */
    unsigned seed;  /* of starting values in the interpreter; 0: 1 */
    int digits;     /* run: significant digits of a printed number */
    bool json;      /* messages as JSON, one on a line */
    const char **silent;
    int silents;             /* names of warnings that are switched off */
    const char *stdin_name;  /* what '-' is called, or NULL */
    bool jacobians, columns; /* explain: full Jacobians; in denominator layout */
    const char *weights;     /* a file of weights, or NULL */
    const char **overlay;    /* the files of --weights after the first */
    int overlays;
    const char **train; /* patterns of --train: the params that are not constants */
    int trains;
    bool train_given;   /* --train is given; it may be empty */
    const char **fresh; /* patterns of --fresh: the params that are trained from where the model
                           starts */
    int freshes;
    /* patterns of --constant: initializers of an import that are not trained */
    const char **constant;
    int constants;

    bool as_saved;      /* states of optimizers are those of the file too: nothing new is trained */
    const bool *frozen; /* by the number of a param, in the order of declaration: is it a constant?
                           NULL: none is */
    int params;         /* the length of that */
    bool bytes;         /* large constants as bytes: the C is for this machine only */
    const char *map;    /* what they are called there, or NULL */
} Options;

/* While something is tried, messages are not kept. */
typedef struct Trial {
    const Diag *first;    /* the first error, or NULL */
    int errors, warnings; /* before it */
    struct Trial *outer;
} Trial;

struct Ngc {
    struct Arena *arena;
    struct Intern *names;
    Source **file; /* file[0] is the library */
    int files, file_room;
    const char **kept; /* files of data that were read: nothing is written over them */
    int keeps, keep_room;
    Options opt;
    Diag *diags, **diag_end;
    Trial *trial;         /* or NULL */
    int errors, warnings; /* with -Werror a warning looks like an error, and still counts as a
                             warning: what follows it is done */

    /* where ngc ends because there is no memory: removes what must not stay, without taking memory;
     * or NULL */
    void (*clean_up)(const Ngc *);
    const char *private_dir; /* for clean_up: of files that are being made */
};

/* ---- numbers ---- */

static inline int min_int(int a, int b)
{
    return a < b ? a : b;
}

static inline int max_int(int a, int b)
{
    return a > b ? a : b;
}

static inline int64_t min_int64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max_int64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* For qsort, in ascending order. */
static inline int compare_int64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* ---- util.c: memory, names, text ---- */

bool pass_runs(const Ngc *, Pass); /* was it not left out? */

/* zeroed; never NULL: out of memory ends ngc with status 4. */
void *arena_alloc(Ngc *, size_t size);

/* The same for count items, one after another. */
void *arena_array(Ngc *, int64_t count, size_t item);

void *arena_copy(Ngc *, const void *from, size_t size);
void arena_free(Ngc *); /* ends the compilation: all that came from the arena is gone */

/* A copy of a list of `count` items. */
#define LIST_COPY(ngc, list, count) arena_copy(ngc, list, (size_t)(count) * sizeof *(list))

/* Room for one more than count items. */
void *arena_grow(Ngc *, void *old, int count, int *room, size_t item);

/* The same in place: `list` has room for one more than `count` items. */
#define LIST_GROW(ngc, list, count, room) \
    ((list) = arena_grow(ngc, list, count, room, sizeof *(list)))

const char *intern(Ngc *, const char *text, size_t size); /* equal texts become equal pointers */
const char *intern_str(Ngc *, const char *text);
int ascii_lower(char);   /* the small letter of a capital one */
bool is_digit(char);     /* 0 to 9, in any locale */
bool is_word_char(char); /* a letter, a digit or _ */
bool begins(const char *text, const char *with);

static inline bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Are the first `size` characters of the text this word? */
bool is_word(const char *text, size_t size, const char *word);
size_t word_size(const char *);          /* of the name or number that begins here, or 0 */
size_t count_digits(const char *);       /* with which the text begins */
bool is_whole_number(const char *);      /* has the text digits only? */
bool is_int32(double);                   /* is it whole, and not too large for an int? */
const char *next_line(const char *line); /* where the next one begins: its end, if it is the last */
const char *base_name(const char *path); /* the path without its folders */
bool name_matches(const char *name, const char *pattern);
const char *text_format(Ngc *, const char *format, ...); /* sprintf into the arena */
const char *text_vformat(Ngc *, const char *format, va_list);
/* the shortest text that is read back as the same finite number; single: as a float */
const char *text_number(Ngc *, double, bool single);

typedef struct Table { /* pointers to numbers; all zero is empty */
    struct TableSlot {
        const void *key;
        int value;
    } * slot;
    int count, room;
} Table;

/* The key's number, 0 where it is new; until the next call. */
int *table_at(Ngc *, Table *, const void *key);

typedef struct Text { /* text that grows */
    Ngc *ngc;
    char *at; /* always NUL-terminated once something was added */
    size_t size, room;
} Text;

Text text_empty(Ngc *); /* "" */
void text_add(Text *, const char *format, ...);
void text_put(Text *, const char *bytes, size_t size);
const char *text_or(const char *, const char *otherwise); /* otherwise: where it is NULL */
const char *true_or_false(bool);                          /* "true", "false" */
const char *text_if(bool, const char *);                  /* the text; else "" */
const char *comma_before(int64_t item);                   /* ", "; before item 0, "" */
const char *plural(int count);                            /* "s"; of 1, "" */
_Noreturn void ngc_bug(const char *format, ...);          /* our fault: message to stderr, exit 4 */
void last_words_are_json(bool); /* of messages of ngc_bug, and where there is no memory */

/* ---- source.c: input, places, messages ---- */

/* Index, or -1 with a message. */
int source_add(Ngc *, const char *name, const char *text, size_t size, bool library);

/* "-" is stdin; index, or -1 with a message; from: the import, or file -1. */
int source_read(Ngc *, const char *path, Loc from);

int source_line(const Ngc *, Loc, int *column); /* both from 1; column in characters */

/* Is the place in a text of the user's, or in ngc's library? A place without a file is in neither.
 */
bool loc_of_user(const Ngc *, Loc);
bool loc_of_library(const Ngc *, Loc);

/* Adds the text with `?` for control characters and for bytes that are not part of a character. So
 * no file name, comment or binary file can control a terminal. A tab becomes one blank. */
void text_clean(Text *, const char *, size_t);
const char *source_text(Ngc *, Loc); /* that piece of the text, on one line, shortened if long */
Diag *diag(Ngc *, Severity, ErrorCode code, Loc, const char *format, ...);
Diag *warn(Ngc *, const char *flag, ErrorCode code, Loc, const char *format, ...);

/* An error without a place or a code: of files, options. */
Diag *complain(Ngc *, const char *format, ...);

void trial_begin(Ngc *, Trial *);
bool trial_end(Ngc *, Trial *); /* were there no errors? */

bool diag_failed(const Ngc *); /* by errors, or warnings that are errors */

/* Drawn if on the line of the message. */
void diag_label(Ngc *, Diag *, Loc, const char *format, ...);

void diag_note(Ngc *, Diag *, Loc, const char *format, ...);

/* Readers of messages in JSON may replace that place by the text. */
void diag_fix(Diag *, Loc, const char *text);

void diag_flush(Ngc *, FILE *); /* draws and forgets all that was collected */
void diag_json(Ngc *, Text *);  /* the same, as a list in JSON */

/* The nearest, or NULL. */
const char *suggest(Ngc *, const char *word, const char *const *among, int count);

/* ---- json.c: texts in JSON ---- */

void json_string(Text *, const char *); /* in quotes */

/* ---- output.c: files that ngc writes ---- */

typedef struct OutFile {
    const char *path; /* "-" is standard output */
    const char *text;
    size_t size;
    struct { /* how a file of ngc's begins, where the user did not name this one; begins: NULL where
                he did */
        const char *begins, *holds;
        bool first_line; /* holds is in its first line */
    } ours;
    const char *target, *temp; /* output_write's own */
} OutFile;

/* With a message: it would overwrite the model, or itself. */
bool output_is_same(const char *a, const char *b); /* are both names of one file? */
void output_keep(Ngc *, const char *path);         /* a file that was read: not to be written */
bool output_clash(Ngc *, const OutFile *, int count);

/* With a message: it would overwrite what ngc did not write. */
bool output_foreign(Ngc *, const OutFile *, int count);

bool output_write(Ngc *, OutFile *, int count); /* all of them, or none with a message */

#endif
