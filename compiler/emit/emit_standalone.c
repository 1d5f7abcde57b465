/* emit_standalone.c - puts what a model uses of the runtime into its file.
 *
 * The runtime's texts are in sections, from a line "/" "*@ NAME: SECTIONS IT NEEDS" to the next
 * such line. Some texts are written once for float, double and ints: a section NAME of theirs is
 * asked for as sNAME, dNAME or iNAME, and copied with the names of that type.
 */
#include "emit/emit.h"

#include <string.h>

extern const char runtime_math_text[], runtime_float_text[], runtime_double_text[],
    runtime_vector_text[], runtime_small_text[], runtime_random_text[], runtime_gemm_text[],
    runtime_conv_text[], runtime_linear_text[], runtime_order_text[], runtime_header_text[];

static const char *const plain_texts[] = {runtime_math_text,   runtime_float_text,
                                          runtime_double_text, runtime_vector_text,
                                          runtime_small_text,  runtime_random_text};
static const char *const real_texts[] = {runtime_gemm_text, runtime_conv_text, runtime_linear_text,
                                         runtime_order_text};

/* What the words of a text for both types become in one of them. */
typedef struct Real {
    char lower, upper;   /* after the prefixes ngrt_ and NGRT_ */
    const char *word[4]; /* for each of real_words */
} Real;

static const char *const real_words[] = {"real", "real_log", "real_sqrt", "real_key"};
static const Real reals[] = {{'s', 'S', {"float", "logf", "sqrtf", "uint32_t"}},
                             {'d', 'D', {"double", "log", "sqrt", "uint64_t"}},
                             {'i', 'I', {"int32_t", "", "", "uint32_t"}}};

typedef struct Section {
    const char *needs, *body, *end;
    const Real *real; /* the type that it is copied for; NULL: a text without types */
} Section;

/* Where a text has the section of that name; false: it has none. */
static bool find_in(const char *text, const char *name, Section *s)
{
    static const char mark[] = "/*@ ";

    for (const char *c = strstr(text, mark); c; c = strstr(c + 1, mark)) {
        const char *own = c + strlen(mark);
        size_t size = strcspn(own, ":");
        if (!is_word(own, size, name))
            continue;
        s->needs = own + size + 1;
        s->body = strchr(s->needs, '\n') + 1;
        const char *end = strstr(s->body, mark);
        if (end)
            s->end = end;
        else
            s->end = s->body + strlen(s->body);
        return true;
    }
    return false;
}

/* The section of that name, in any text. */
static Section find_section(const char *name)
{
    Section s = {NULL, NULL, NULL, NULL};

    for (size_t i = 0; i < sizeof plain_texts / sizeof *plain_texts; i++)
        if (find_in(plain_texts[i], name, &s))
            return s;

    for (size_t r = 0; r < sizeof reals / sizeof *reals; r++)
        for (size_t i = 0; i < sizeof real_texts / sizeof *real_texts; i++)
            if (name[0] == reals[r].lower && find_in(real_texts[i], name + 1, &s)) {
                s.real = &reals[r];
                return s;
            }
    ngc_bug("the runtime has no section %s", name);
}

/* Prints a word of a text for both types. NGRT_FN is the same for both. */
static void put_word(Text *t, const char *word, size_t size, const Real *r)
{
    static const char *const prefix[] = {"ngrt_", "NGRT_"};
    const char letter[] = {r->lower, r->upper};

    for (size_t i = 0; i < sizeof real_words / sizeof *real_words; i++)
        if (is_word(word, size, real_words[i])) {
            text_add(t, "%s", r->word[i]);
            return;
        }
    for (int i = 0; i < 2; i++)
        if (begins(word, prefix[i]) && !is_word(word, size, "NGRT_FN")) {
            text_add(t, "%s%c", prefix[i], letter[i]);
            word += 5;
            size -= 5;
            break;
        }
    text_put(t, word, size);
}

/* Prints what a section consists of. */
static void put_body(Text *t, const Section *s)
{
    if (!s->real) {
        text_put(t, s->body, (size_t)(s->end - s->body));
        return;
    }

    for (const char *c = s->body; c < s->end;) {
        size_t word = word_size(c);
        put_word(t, c, word, s->real);
        c += word;

        const char *between = c;
        while (c < s->end && !is_word_char(*c))
            c++;
        text_put(t, between, (size_t)(c - between));
    }
}

/* Prints the section after those it needs, once. */
static void put_section(Emit *e, Text *t, const char *name, Taken *done)
{
    Ngc *ngc = e->ngc;
    if (++*table_at(ngc, done, name) > 1)
        return;

    Section s = find_section(name);
    const char letter[] = {s.real ? s.real->lower : '\0', '\0'};
    for (const char *c = s.needs; *c != '*' && *c != '\n';) {
        size_t n = strcspn(c, " *\n");
        if (n > 0)
            put_section(e, t, intern_str(ngc, text_format(ngc, "%s%.*s", letter, (int)n, c)), done);
        c += n;
        c += strspn(c, " ");
    }
    put_body(t, &s);
}

void emit_runtime(Emit *e, Text *t)
{
    Taken done = {0};

    if (e->sections == 0)
        return;
    text_add(t, "/* ---- of the runtime ---- */\n\n#define NGRT_FN static\n\n");
    for (int i = 0; i < e->sections; i++)
        put_section(e, t, e->section[i], &done);
    text_add(t, "/* ---- the model ---- */\n\n");
}

/* Does the model use a section of this text? */
static bool uses_text(const Emit *e, const char *text)
{
    Section s;
    for (int i = 0; i < e->sections; i++)
        if (find_in(text, e->section[i], &s))
            return true;
    return false;
}

void emit_function_headers(const Emit *e, Text *t)
{
    if (uses_text(e, runtime_vector_text))
        text_add(t, "#include \"ngrt_vector.h\"\n");
    if (uses_text(e, runtime_float_text))
        text_add(t, "#include \"ngrt_float.h\"\n");
    if (uses_text(e, runtime_double_text))
        text_add(t, "#include \"ngrt_double.h\"\n");
}

/* A section of the header, which several files that are included together may have. */
static void put_types(Text *t, const char *section, const char *guard)
{
    Section s;

    if (!find_in(runtime_header_text, section, &s))
        ngc_bug("the runtime has no section %s", section);
    text_add(t, "#ifndef %s\n#define %s\n\n", guard, guard);
    text_put(t, s.body, (size_t)(s.end - s.body));
    text_add(t, "#endif\n\n");
}

void emit_types(Text *t, bool ranks)
{
    put_types(t, "types", "NGRT_TYPES");
    if (ranks)
        put_types(t, "ranks", "NGRT_RANKS");
}
