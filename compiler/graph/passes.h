/* passes.h - what a pass is, and what it establishes; the list is passes.c */
#ifndef PASSES_H
#define PASSES_H

#include "graph/graph.h"

typedef struct Modes Modes;
struct Program;

/* What one pass establishes and a later one relies on. The runner asks for what a pass requires
 * before it runs it; with --verify each fact is checked again after every pass. */
typedef enum {
    FACT_CLOSED = 1,  /* no gradient is asked any more: Graph.final */
    FACT_MODES = 2,   /* the roots of both modes need no `training` */
    FACT_CARRIED = 4, /* the losses and metrics of all rows are known */
    FACT_KERNELS = 8, /* each kernel finds what it reads, and every target is stored */
    FACT_LEVELS = 16, /* levels and uses of values are those of their kernel's loops */
    FACT_PARTS = 32,  /* each kernel is in a function; forward's are before backward's */
    FACT_PLACES = 64, /* values that live at the same time do not overlap */
    FACT_LANES = 128, /* it is chosen, for the kernels as they are, which are vectorised */
} Fact;

typedef struct PassInfo {
    const char *name;                  /* --without=NAME leaves it out */
    char letter;                       /* -d LETTER prints what it leaves; 0: no letter */
    bool needed;                       /* it cannot be left out */
    bool plain;                        /* it runs at -O0 too */
    unsigned requires;                 /* facts that must hold before it */
    unsigned gives;                    /* facts that hold after it */
    unsigned breaks;                   /* facts that need not hold after it */
    void (*model)(Model *);            /* its function, on the graph */
    void (*modes)(Modes *);            /* or on the roots of both modes */
    void (*program)(struct Program *); /* or on the program of one function */
} PassInfo;

extern const PassInfo pass_table[PASS_COUNT];
extern const char pass_words[]; /* names of those that can be left out, separated by blanks */

int pass_find(const char *name); /* a pass that can be left out, or -1 */
const char *pass_letters(Ngc *); /* that -d knows */

#endif
