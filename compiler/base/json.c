/* json.c - texts as JSON strings. */
#include "base/ngc.h"

/* How many more bytes the UTF-8 character that begins with this byte has. */
static int more_bytes(unsigned char first)
{
    if (first >= 0xf0)
        return 3;
    if (first >= 0xe0)
        return 2;
    return first >= 0xc2 ? 1 : 0;
}

/* A JSON string. Bytes that are not UTF-8, which the name of a file may contain, become U+FFFD. */
void json_string(Text *t, const char *text)
{
    text_put(t, "\"", 1);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        int more = more_bytes(*c);
        int n = 0;
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

        if (n == more)
            c += n;
    }
    text_put(t, "\"", 1);
}
