/* emit_standalone.c - puts what a model uses of the runtime into its file. The runtime's texts are
 * in sections, from a line
 * "/" "*@ NAME: SECTIONS IT NEEDS" to the next such line. */
#include "emit.h"

#include <string.h>

extern const char runtime_math_text[], runtime_vector_text[], runtime_small_text[],
    runtime_gemm_text[], runtime_random_text[], runtime_linear_text[], runtime_conv_text[],
    runtime_header_text[];

typedef struct Section {
    const char *needs, *body, *end;
} Section;

/* The section of that name in one text; false: it has none. */
static bool find_in(const char *text, const char *name, size_t size, Section *s)
{
    for (const char *c = strstr(text, "/*@ "); c; c = strstr(c + 1, "/*@ ")) {
        if (strncmp(c + 4, name, size) != 0 || c[4 + size] != ':')
            continue;
        s->needs = c + 5 + size;
        s->body = strchr(s->needs, '\n') + 1;
        const char *end = strstr(s->body, "/*@ ");
        s->end = end ? end : s->body + strlen(s->body);
        return true;
    }
    return false;
}

/* Prints the section after those it needs, once. */
static void put_section(Emit *e, Text *t, const char *name, size_t size, Taken *done)
{
    static const char *const texts[] = {runtime_math_text, runtime_vector_text, runtime_small_text,
                                        runtime_gemm_text, runtime_random_text, runtime_linear_text,
                                        runtime_conv_text};
    const char *own = intern(e->ngc, name, size);
    Section s = {NULL, NULL, NULL};
    if (++*table_at(e->ngc, done, own) > 1)
        return;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !s.body; i++)
        find_in(texts[i], own, size, &s);
    if (s.body == NULL)
        ngc_bug("the runtime has no section %s", own);
    for (const char *c = s.needs; *c != '*' && *c != '\n';) {
        size_t n = strcspn(c, " *\n");
        if (n > 0)
            put_section(e, t, c, n, done);
        c += n;
        c += strspn(c, " ");
    }
    text_put(t, s.body, (size_t)(s.end - s.body));
}

void emit_runtime(Emit *e, Text *t)
{
    Taken done = {0};
    if (e->sections == 0)
        return;
    text_add(t, "/* ---- of the runtime ---- */\n\n#define NGRT_FN static\n\n");
    for (int i = 0; i < e->sections; i++)
        put_section(e, t, e->section[i], strlen(e->section[i]), &done);
    text_add(t, "/* ---- the model ---- */\n\n");
}

void emit_types(Text *t)
{
    Section s;
    if (!find_in(runtime_header_text, "types", 5, &s))
        ngc_bug("the runtime has no section types");
    text_add(t, "#ifndef NGRT_TYPES\n#define NGRT_TYPES\n\n");
    text_put(t, s.body, (size_t)(s.end - s.body));
    text_add(t, "#endif\n\n");
}
