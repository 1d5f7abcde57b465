/* emit_loops.h - what the files that print the loops of a K_LOOP share. Each calls only files
 * before it: emit_passes.c, emit_columns.c, emit_loops.c. A loop is named by its axis, from the
 * outside in; the text of an axis's index is Printer.loop[axis].
 */
#ifndef EMIT_LOOPS_H
#define EMIT_LOOPS_H

#include "emit/emit.h"

/* ---- emit_passes.c ---- */

/* Where the passes of a loop begin and end. */
const char *passes_from(const Printer *, int axis);
const char *passes_to(Printer *, int axis);
/* Where the passes end that are done: before those above a diagonal, if some are left out. */
const char *passes_upto(Printer *, int axis);
bool passes_are_cut(const Kernel *, int axis); /* are some left out? */

/* The head of a loop, and what follows is indented; its end. */
void range_open(Printer *, const char *i, const char *from, const char *to, bool brace);
void passes_open(Printer *, int axis, bool brace);
void passes_close(Printer *, bool brace);
/* The loops over axes first .. last - 1, each with its temporaries; brace gets which have braces.
 */
void passes_open_all(Printer *, int first, int last, bool *brace);
void passes_close_all(Printer *, int first, int last, const bool *brace);

/* Prints what one pass of the innermost loop does; `to` is the accumulator, or NULL. */
typedef void PassText(Printer *pr, const char *to);

/* The innermost loop: all its passes; those from `from` up to `to`; of these, those that vectors
 * do, with text before and after; one at a time. */
void passes_print(Printer *, bool brace, PassText *, const char *acc);
void passes_range(Printer *, const char *from, const char *to, bool brace, PassText *,
                  const char *acc);
void passes_in_vectors(Printer *, const char *before, const char *from, const char *to, PassText *,
                       const char *acc, const char *after);
void passes_one_by_one(Printer *, const char *from, const char *to, bool brace, PassText *,
                       const char *acc);
/* The end of the passes that whole vectors hold. */
const char *passes_whole(Printer *, const char *from, const char *to);

/* The left side of a store: an element, or the vector that begins with it. */
const char *stored_text(Printer *, const char *element, Type);
/* The value that the kernel's reduction begins with. T_INT: in a double that sums ints or floats.
 */
const char *reduction_start(Printer *, Type);
/* The number of axes before the first of this kind, or of a later one. */
int axes_before(const Kernel *, AxisKind);
/* Is it a sum of ints that may leave their range? */
bool sum_goes_round(const Printer *);

/* ---- emit_columns.c ---- */

/* All loops of a kernel that adds rows to a row of results. */
void columns_print(Printer *);
/* Its two steps: the row of results before anything is added; the terms of the loops over the axes
 * from `from` on are added to it, or to the sums `to`. */
void columns_start(Printer *);
void columns_add(Printer *, int from, const char *to);

/* Two arrays with an element for each result. Both NULL: it is not a long sum. */
typedef struct LongSum {
    const char *part;  /* floats: the sum of the last rows, at most TALL */
    const char *total; /* doubles: the sum of the rows before */
} LongSum;

/* Declares both, as 0; after a row: adds the part to the total, if it has TALL rows; after the last
 * row: stores the results. */
LongSum long_sum_start(Printer *);
void long_sum_take(Printer *, const LongSum *);
void long_sum_end(Printer *, const LongSum *);
/* The element of one of the arrays for the result of the open loops. */
const char *long_sum_text(Printer *, const char *array);

/* emit_loops.c has print_loops of emit.h. */

#endif
