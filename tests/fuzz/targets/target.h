/* target.h - what the targets of the fuzzers share. A target is a function of some bytes, which
 * does with them what a user would do with a file of them, and leaves nothing in memory. */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int target(const uint8_t *data, size_t size); /* 0, or -1: the bytes are of no use */

/* A file that takes all that is printed. */
static inline FILE *sink(void)
{
    static FILE *file;

    if (!file)
        file = fopen("/dev/null", "w");
    return file;
}

/* A number that depends on all bytes: it chooses among options. */
static inline unsigned choose(const uint8_t *data, size_t size)
{
    unsigned hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 16777619u;
    return hash >> 8;
}

/* Enters a new directory, in memory where there is one; it is where files may be written. */
void enter_directory(void);

/* Writes the bytes to a file there. */
void write_file(const char *name, const uint8_t *data, size_t size);

enum { WORDS = 40 };

/* The words of the first line are an argument list, what follows it is the file `name`. Returns the
 * number of arguments, with argv[0]; -1: not all stay in the directory. free_words frees them. */
int read_words(const uint8_t *data, size_t size, const char *name, char **argv);
void free_words(char **argv, int argc);

#endif
