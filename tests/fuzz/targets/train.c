/* train.c - a program that trains: the first line is its arguments, the rest is the file d. It does
 * two steps at most. */
#include "../../../runtime/ngrt_host.h"
#include "target.h"

#include <string.h>

extern const ngrt_model m_model; /* of iris.ng, as ngc wrote it */

int target(const uint8_t *data, size_t size)
{
    char *word[WORDS + 1], *argv[WORDS + 2];

    enter_directory();
    int argc = read_words(data, size, "d", word), words = argc;
    if (argc < 0)
        return -1;
    memcpy(argv, word, sizeof word); /* the program changes its own */
    if (argc > 1 && strcmp(argv[1], "train") == 0)
        argv[argc++] = (char *)"--max-steps=2";
    argv[argc] = NULL;
    ngrt_model_main(&m_model, argc, argv);
    free_words(word, words);
    return 0;
}
