/* explain_error.c - `ngc explain-error CODE`: the code's page of errors.txt, which ngc carries. A
 * page begins with a line "NG0301 title" and ends before the next. */
#include "options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

extern const char errors_text[];

/* The page of a code, and its size. */
static const char *find_page(int code, size_t *size)
{
    char head[16];
    snprintf(head, sizeof head, "NG%04d ", code);
    const char *page = strncmp(errors_text, head, 7) == 0 ? errors_text : NULL;
    for (const char *c = errors_text; !page && (c = strchr(c, '\n')) != NULL; c++)
        if (strncmp(c + 1, head, 7) == 0)
            page = c + 1;
    if (!page)
        return NULL;
    const char *end = page;
    do
        end = strchr(end, '\n');
    while (end && !(strncmp(++end, "NG", 2) == 0 && isdigit((unsigned char)end[2])));
    *size = end ? (size_t)(end - page) : strlen(page);
    while (*size > 0 && page[*size - 1] == '\n')
        --*size;
    return page;
}

int explain_error_main(Ngc *ngc, const Args *a)
{
    for (int i = 0; i < a->rests; i++) {
        const char *word = a->rest[i];
        const char *digits =
            toupper((unsigned char)word[0]) == 'N' && toupper((unsigned char)word[1]) == 'G'
                ? word + 2
                : word;
        char *end;
        long code = strtol(digits, &end, 10);
        size_t size = 0;
        const char *page =
            *digits && !*end && code > 0 && code < 10000 ? find_page((int)code, &size) : NULL;
        if (!page) {
            complain(ngc, "there is no error '%s'; they are numbered as NG0301", word);
            return 2;
        }
        printf("%s%.*s\n", i ? "\n" : "", (int)size, page);
    }
    return 0;
}
