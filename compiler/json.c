/* json.c - texts as JSON strings. */
#include "ngc.h"

#include <string.h>

/* A JSON string. Bytes that are no UTF-8, as a file's name may have, become U+FFFD. */
void json_string(Text *t, const char *text)
{
    text_put(t, "\"", 1);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        int more = *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc2 ? 1 : 0, n = 0;
        while (n < more && (c[n + 1] & 0xc0) == 0x80)
            n++;
        if (*c == '"' || *c == '\\')
            text_add(t, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f)
            text_add(t, "\\u%04x", *c);
        else if (*c < 0x80)
            text_put(t, (const char *)c, 1);
        else if (more == 0 || n < more)
            text_add(t, "\\ufffd");
        else
            text_put(t, (const char *)c, (size_t)more + 1);
        c += n == more ? n : 0;
    }
    text_put(t, "\"", 1);
}
