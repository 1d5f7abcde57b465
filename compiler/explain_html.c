/* explain_html.c - a lesson as one page: the template explain.html with the lesson's JSON in it. */
#include "explain.h"

#include <string.h>

extern const char page_text[];
extern const size_t page_size;

void explain_html(const Lesson *l, Text *t)
{
    static const char mark[] = "@LESSON@";
    const char *hole = strstr(page_text, mark);
    if (!hole)
        ngc_bug("the page has no place for the lesson");
    text_put(t, page_text, (size_t)(hole - page_text));
    explain_json(l, t);
    text_put(t, hole + sizeof mark - 1, strlen(hole + sizeof mark - 1));
}
