/* explain_error.c - `ngc explain-error CODE`: the code's page of errors.txt, which ngc carries. A
 * page begins with a line "NG0301 title" and ends before the next. */
#include "tool/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

extern const char errors_text[];

/* Does a line begin here that is the first of a page? */
static bool begins_page(const char *line)
{
    return begins(line, "NG") && is_digit(line[2]);
}

/* The page of a code, without the empty lines at its end; NULL: there is none. */
static const char *find_page(long code, size_t *size)
{
    char head[32];
    snprintf(head, sizeof head, "NG%04ld ", code);
    const char *page = errors_text;
    while (*page && !begins(page, head))
        page = next_line(page);
    if (!*page)
        return NULL;

    const char *end = next_line(page);
    while (*end && !begins_page(end))
        end = next_line(end);
    while (end > page && end[-1] == '\n')
        end--;
    *size = (size_t)(end - page);
    return page;
}

/* The number in "NG0301", "ng301" or "301"; 0: the word is not a code. */
static long code_of(const char *word)
{
    if (toupper((unsigned char)word[0]) == 'N' && toupper((unsigned char)word[1]) == 'G')
        word += 2;
    char *end;
    long code = strtol(word, &end, 10);
    if (*word == '\0' || *end != '\0')
        return 0;
    return code > 0 && code < 10000 ? code : 0;
}

int explain_error_main(Ngc *ngc, const Args *a)
{
    for (int i = 0; i < a->rests; i++) {
        long code = code_of(a->rest[i]);
        size_t size = 0;
        const char *page = NULL;
        if (code)
            page = find_page(code, &size);
        if (!page) {
            complain(ngc, "there is no error '%s'; they are numbered as NG0301", a->rest[i]);
            return 2;
        }
        printf("%s%.*s\n", text_if(i, "\n"), (int)size, page);
    }
    return 0;
}
