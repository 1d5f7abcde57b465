/* emit_runs.h - what the files share that look for repetitions in the text of the functions. */
#ifndef EMIT_RUNS_H
#define EMIT_RUNS_H

#include "emit/emit.h"

typedef struct Hole {
    const char *text; /* interned: what a statement is given */
    const char *type; /* without const */
    bool constant;    /* a pointer to what is only read */
} Hole;

typedef struct Unit { /* a statement of a function */
    const char *from; /* its lines, with the comments above it */
    size_t size;
    const char *text; /* interned, with holes; NULL: it is in no run */
    Hole *hole;
    int holes, room;
    int lines;
    int kind;  /* equal for equal statements */
    int form;  /* of those, equal where what they are given differs in numbers only; 0: not known */
    bool gone; /* it is in a run that begins before it */
} Unit;

typedef struct Runs {
    Emit *e;
    Ngc *ngc;
    Unit *unit;
    int units, room;
} Runs;

/* ---- emit_units.c: the statements ---- */

enum { WIDTH = 100 }; /* columns */

/* In the text of a statement: what it is given. */
#define HOLE '\2'

void units_read(Runs *, const char *text); /* of all functions */
/* Gives equal statements equal numbers, and each that is in no run a number of its own. */
void units_number(Runs *);
void units_remove_gone(Runs *); /* those that are in runs */
/* Which run-time size is it? -1: none. */
int dim_of(const Emit *, const char *word, size_t size);

/* Adds what fills a hole to the text before it. */
void add_filled(Text *, const char *text);
int lines_of(const Runs *, int from, int units);
int count_lines(const Text *);
/* Adds a line, continued on others where it is too long. */
void add_wrapped(Text *, const char *line);
/* Adds lines of a statement, with an indent. */
void add_lines(Text *, const char *lines, int indent);
/* The comments of a statement, also those within its braces. */
void add_comments(Text *, const Unit *, int indent);
/* A statement as it is, but for the lines of the comments above it. */
void add_unit_text(Text *, const Unit *);

/* ---- emit_repeat.c: statements that are repeated one after another ---- */

enum { REPEAT_PERIOD = 8 }; /* statements that are repeated together, at most */

typedef struct Repeater Repeater;

/* The text gets the tables that the loops read; `out`, how many there are. */
Repeater *repeater_new(Runs *, Text *tables, Output *out);
/* Makes loops of them, each with at least `least` passes. */
void repeats_of(Repeater *, int least);

#endif
