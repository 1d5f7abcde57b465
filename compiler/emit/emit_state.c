/* emit_state.c - the state of the printer of one module: whether its floats are float or double,
 * and what is printed once for all functions: static functions, arrays of constants, sections of
 * the runtime. */
#include "emit/emit.h"

#include <math.h>
#include <string.h>

Emit *emit_new(const Module *m)
{
    Ngc *ngc = m->ngc;
    Emit *e = arena_alloc(ngc, sizeof *e);

    *e = (Emit){.ngc = ngc, .graph = m->graph, .module = m};
    emit_set_real(e, ngc->opt.real_double);
    return e;
}

/* ---- numbers ---- */

void emit_set_real(Emit *e, bool wide)
{
    e->real = wide ? "double" : "float";
    e->suffix = text_if(!wide, "f");
    e->ngc->opt.real_double = wide;
}

/* The shortest text that is read back as the same number. */
const char *print_shortest(Ngc *ngc, double v, bool single)
{
    if (isnan(v))
        return "NAN";
    if (isinf(v) || (single && isinf((float)v)))
        return v < 0 ? "-INFINITY" : "INFINITY";

    return text_format(ngc, "%s%s", text_number(ngc, v, single), text_if(single, "f"));
}

const char *emit_number(Emit *e, double v, Type type)
{
    Ngc *ngc = e->ngc;
    if (type == T_INT && v == INT32_MIN) /* 2147483648 would be a long */
        return "(-2147483647 - 1)";
    if (type == T_INT)
        return text_format(ngc, "%lld", (long long)v);
    return print_shortest(ngc, v, !ngc->opt.real_double);
}

/* ---- what is printed once ---- */

const char *emit_function(Emit *e, Static f)
{
    Ngc *ngc = e->ngc;
    const char *text = text_format(ngc, "%d%s%s", f.bytes, f.params, f.body);
    int *at = table_at(ngc, &e->kernel_of, intern_str(ngc, text));
    if (*at == 0) {
        LIST_GROW(ngc, e->kernel, e->kernels, &e->kernel_room);
        f.real = e->real;
        f.name = text_format(ngc, "%s_%d", f.word, e->kernels + 1);
        e->kernel[e->kernels++] = f;
        *at = e->kernels;
    }

    if (f.bytes > 0)
        emit_section(e, "vector");
    return text_format(ngc, "%c%d", STATIC_MARK, *at - 1);
}

int emit_data(Emit *e, const double *data, Type type, int64_t count)
{
    Ngc *ngc = e->ngc;
    bool wide = ngc->opt.real_double;
    int *first = table_at(ngc, &e->array_of, data);
    if (*first == 0)
        *first = e->arrays + 1;

    for (int i = *first - 1; i < e->arrays; i++) {
        const Array *a = &e->array[i];
        if (a->data == data && a->type == type && a->wide == wide)
            return i + 1;
    }
    LIST_GROW(ngc, e->array, e->arrays, &e->array_room);
    e->array[e->arrays++] = (Array){data, type, wide, count};
    return e->arrays;
}

bool emit_has_section(const Emit *e, const char *name)
{
    for (int i = 0; i < e->sections; i++)
        if (same_text(e->section[i], name))
            return true;
    return false;
}

void emit_section(Emit *e, const char *name)
{
    if (emit_has_section(e, name))
        return;

    name = intern_str(e->ngc, name);
    LIST_GROW(e->ngc, e->section, e->sections, &e->section_room);
    e->section[e->sections++] = name;
}

/* Records the functions of the runtime that a text calls: ngrt_NAME, NGRT_OF(NAME, ..), and
 * NGRT_OF2 of two operands. */
void emit_calls(Emit *e, const char *c)
{
    const char *of = "NGRT_OF";

    for (const char *at = strstr(c, of); at; at = strstr(at + 1, of)) {
        const char *name = strchr(at, '(') + 1;
        emit_section(e, intern(e->ngc, name, strcspn(name, ",")));
    }

    for (c = strstr(c, "ngrt_"); c; c = strstr(c + 1, "ngrt_")) {
        const char *name = c + strlen("ngrt_");
        emit_section(e, intern(e->ngc, name, word_size(name)));
    }
}

/* ---- how long functions are compiled ---- */

const char long_begin[] = "/* calls: there is little to optimize */\n"
                          "#if defined __GNUC__ && !defined __clang__ && defined __OPTIMIZE__\n"
                          "#pragma GCC push_options\n"
                          "#pragma GCC optimize (\"O1,no-tree-pta,no-tree-fre\")\n"
                          "#endif\n";

const char long_end[] = "#if defined __GNUC__ && !defined __clang__ && defined __OPTIMIZE__\n"
                        "#pragma GCC pop_options\n"
                        "#endif\n"
                        "\n";
