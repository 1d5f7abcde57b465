/* outline.c - what repeats becomes a def, and calls of it in a row a loop. */
#include "onnx/onnx.h"

Statement *statement_now(Statement *s)
{
    while (s->moved)
        s = s->moved;
    return s;
}

void outline(Import *im, Page *p)
{
    (void)im;
    (void)p;
}
