/* play.h - ngc as a function, for a page that holds it as WebAssembly: a text goes in, all that the
 * page shows of it comes back as one JSON text. */
#ifndef PLAY_H
#define PLAY_H

#include <stddef.h>

/* What is asked for, besides messages. */
enum {
    PLAY_LESSON = 1,  /* "lesson": as in the page of `ngc explain` */
    PLAY_WORDS = 2,   /* "words": `ngc explain --text` */
    PLAY_C = 4,       /* "c", "why": the C at -O2, and the simplifications in it */
    PLAY_VALUES = 8,  /* "values": `ngc run` */
    PLAY_CHECK = 16,  /* "check": `ngc check` */
    PLAY_PROGRAM = 32 /* "program": the model in JavaScript, with starting values (print_js.h) */
};

/* Memory for a request: the text and a NUL, then for each value that is given "NAME=VALUE" and a
 * NUL, then another NUL. */
char *play_room(size_t size);

/* The answer, as JSON; see README.md. seed: of the program's starting values; 1 is that of all
 * other parts. Both texts are freed by play_free. */
char *play(const char *request, unsigned parts, unsigned seed);

/* What does not depend on a text, as JSON: the library, and the page of lessons. */
char *play_library(void);

void play_free(char *);

#endif
