/* name.c - names that the language allows, each once. */
#include "onnx/onnx.h"

#include <ctype.h>
#include <string.h>

bool is_taken(Import *im, const char *name)
{
    Ngc *ngc = im->ngc;
    static const char words[] =
        "import dim input param state update output metric gradient minimize maximize def for "
        "while if else return over with in new backward training step _";
    if (has_word(words, name))
        return true;
    name = intern_str(ngc, name);
    if (*table_at(ngc, &im->taken, name))
        return true;
    return scope_own(im->lower->library, name) || builtin_find(ngc, name);
}

/* Letters, digits and _; what begins with a digit gets an m before it. */
static const char *identifier(Import *im, const char *word)
{
    Text t = {.ngc = im->ngc};
    bool gap = false;
    for (const char *c = word; *c && t.size < 60; c++) {
        if (!is_word_char(*c) || (*c == '_' && t.size == 0)) {
            gap = t.size > 0;
            continue;
        }
        if (t.size == 0 && is_digit(*c))
            text_add(&t, "m");
        text_add(&t, gap && *c != '_' ? "_%c" : "%c", *c);
        gap = false;
    }
    return t.size ? t.at : "v";
}

const char *name_fresh(Import *im, const char *word, bool again)
{
    Ngc *ngc = im->ngc;
    const char *key = intern_str(ngc, text_format(ngc, "dim %s", word));
    int *known = table_at(ngc, &im->taken, key);
    if (again && *known)
        return im->dim_name[*known - 1];

    const char *stem = identifier(im, word);
    const char *name = stem;
    for (int i = 1; is_taken(im, name); i++)
        name = text_format(ngc, is_digit(stem[strlen(stem) - 1]) ? "%s_%d" : "%s%d", stem, i);
    *table_at(ngc, &im->taken, intern_str(ngc, name)) = 1;
    if (again) {
        LIST_GROW(ngc, im->dim_name, im->dim_names, &im->dim_name_room);
        im->dim_name[im->dim_names++] = name;
        *table_at(ngc, &im->taken, key) = im->dim_names;
    }
    return name;
}

/* A name that a person gave, and not a number or a path of an exporter. */
bool is_good_name(const char *name)
{
    if (!name || !isalpha((unsigned char)*name))
        return false;
    for (const char *c = name; *c; c++)
        if (!is_word_char(*c))
            return false;
    return true;
}
