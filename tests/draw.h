/* draw.h - random numbers for the programs of tests/, the same ones on every machine: a linear
 * congruential generator with Knuth's factor of MMIX, of which the high bits are used. */
#ifndef DRAW_H
#define DRAW_H

#include <stdint.h>

/* The next state. */
static inline uint64_t draw_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state;
}

/* Uniform in [0, 1). */
static inline double draw_unit(uint64_t *state)
{
    return (double)(draw_next(state) >> 11) / 9007199254740992.0;
}

/* One of 0 .. n - 1. */
static inline int draw_below(uint64_t *state, int n)
{
    return (int)((draw_next(state) >> 33) % (unsigned)n);
}

#endif
