/* parse.c - a text becomes a syntax tree, or messages. */
#include "syntax/ast.h"
#include "target.h"

int target(const uint8_t *data, size_t size)
{
    Ngc ngc = {0};
    Text out = {.ngc = &ngc};
    int file = source_add(&ngc, "m.ng", (const char *)data, size, false);

    if (file >= 0)
        parse(&ngc, file);
    diag_flush(&ngc, sink());
    diag_json(&ngc, &out);
    arena_free(&ngc);
    return 0;
}
