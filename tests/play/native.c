/* native.c - the page's function without a page: `native MODEL PARTS [NAME=VALUE ...]` prints its
 * answer, so that a test can compare it with the command line and look for leaks. Without arguments
 * it prints the library. */
#include "play/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);
    if (!f || !text) {
        fprintf(stderr, "native: cannot read %s\n", path);
        exit(2);
    }
    *size = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    return text;
}

static void print(char *answer)
{
    fputs(answer, stdout);
    play_free(answer);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        print(play_library());
        return 0;
    }
    if (argc < 3)
        return 2;

    size_t size;
    char *text = read_file(argv[1], &size);
    size_t room = size + 3;
    for (int i = 3; i < argc; i++)
        room += strlen(argv[i]) + 1;

    char *request = play_room(room), *at = request;
    memset(request, 0, room);
    memcpy(at, text, size);
    at += size + 1;
    for (int i = 3; i < argc; i++)
        at += sprintf(at, "%s", argv[i]) + 1;

    print(play(request, (unsigned)atoi(argv[2]), 1));
    play_free(request);
    free(text);
    return 0;
}
