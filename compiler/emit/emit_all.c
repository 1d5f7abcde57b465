/* emit_all.c - in the header: one struct of all blocks, and a form of each function that takes it.
 *
 * Which blocks a function takes depends on the model: a change of the optimizer can add the state.
 * A caller of these forms stays as it is. They are inline, so a program that does not call them
 * does not contain them. */
#include "emit/emit.h"

#include <ctype.h>
#include <string.h>

/* The argument of a block, from the struct `all`. */
static const char *block_argument(const Emit *e, int block)
{
    Ngc *ngc = e->ngc;
    const char *type = block_info[block].type;
    const char *name = e->module->name;
    bool constant = e->module->model->constant;

    if (constant && block == BLOCK_PARAMS)
        return text_format(ngc, "&%s_weights", name);
    if (constant && block == BLOCK_STATE)
        return text_format(ngc, "&%s_weights_state", name);
    if (block == BLOCK_GRADS || block == BLOCK_TOTALS)
        return text_format(ngc, "all->%s", type);
    return text_format(ngc, "&all->%s", type);
}

/* ---- the struct ---- */

static void declare_struct(Emit *e, Text *t)
{
    const Module *m = e->module;
    bool constant = e->module->model->constant;

    text_add(t, "typedef struct %s_all { /* zeroed once by its owner */\n", m->name);
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        const char *type = block_info[i].type;
        bool outside = constant && (i == BLOCK_PARAMS || i == BLOCK_STATE);
        if (!module_has_block(m, i) || i == BLOCK_GRADS || outside)
            continue;
        text_add(t, "    %s_%s %s;\n", m->name, type, type);
    }
    if (module_has_block(m, BLOCK_GRADS))
        text_add(t, "    %s_grads *grads; /* a block for those who call backward; NULL: none */\n",
                 m->name);
    if (m->metrics)
        text_add(t,
                 "    %s_totals *totals; /* a block for those who call metrics_add; NULL: none "
                 "*/\n",
                 m->name);
    text_add(t, "} %s_all;\n", m->name);
}

/* ---- functions ---- */

/* "#define IRIS_HAS_STEP", for callers of several models. */
static void define_has(const Emit *e, Text *t, const char *function)
{
    char *upper = (char *)text_format(e->ngc, "%s", function);
    for (char *c = upper; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    text_add(t, "\n#define %s_HAS_%s\n", e->module->upper, upper);
}

/* Returns an error where a block that the function takes is not there. */
static void check_pointer(Text *t, unsigned blocks)
{
    static const Block pointers[] = {BLOCK_GRADS, BLOCK_TOTALS};
    for (int i = 0; i < 2; i++) {
        const BlockInfo *block = &block_info[pointers[i]];
        if (!(blocks & block->use))
            continue;
        text_add(t, "    if (!all->%s)\n", block->type);
        text_add(t, "        return NGRT_ENOMEM;\n");
    }
}

static const char *arguments(Emit *e, unsigned blocks)
{
    Text t = text_empty(e->ngc);
    for (int i = 0; i < BLOCK_COUNT; i++)
        if (blocks & block_info[i].use)
            text_add(&t, "%s%s", text_if(t.size, ", "), block_argument(e, i));
    return t.at;
}

static void define_init(Emit *e, Text *t)
{
    const Module *m = e->module;
    const Function *init = NULL;
    for (int i = 0; i < m->functions; i++)
        if (m->function[i].fn == FN_INIT)
            init = &m->function[i];
    bool inputs = module_has_var(m, VAR_INPUT);
    bool uses = inputs || (init && init->blocks & ~(unsigned)USES_SEED);

    text_add(t, "\n/* the default inputs, and the starting values of params and state */\n");
    text_add(t, "static inline void %s_all_init(%s_all *all, uint64_t seed)\n{\n", m->name,
             m->name);
    if (inputs) {
        text_add(t, "    const %s_inputs inputs = %s_INPUTS;\n", m->name, m->upper);
        text_add(t, "    all->inputs = inputs;\n");
    }
    if (!uses)
        text_add(t, "    (void)all;\n");
    if (init) {
        const char *args = arguments(e, init->blocks);
        text_add(t, "    %s_init(%s%sseed);\n", m->name, args, text_if(*args, ", "));
    } else {
        text_add(t, "    (void)seed;\n");
    }
    text_add(t, "}\n");
}

/* `is_void`: what it calls returns nothing. */
static void define_function(Emit *e, Text *t, const char *function, unsigned blocks, bool is_void)
{
    const char *name = e->module->name;
    const char *args = arguments(e, blocks);

    define_has(e, t, function);
    text_add(t, "static inline int %s_all_%s(%s_all *all)\n{\n", name, function, name);
    if (!strstr(args, "all->"))
        text_add(t, "    (void)all;\n");
    check_pointer(t, blocks);
    text_add(t, "    %s%s_%s(%s);\n", text_if(!is_void, "return "), name, function, args);
    if (is_void)
        text_add(t, "    return NGRT_OK;\n");
    text_add(t, "}\n");
}

/* C90 has no inline functions; a caller in C90 can use the rest of the header. */
static const char since_c99[] = "#if defined __cplusplus || !defined __STRICT_ANSI__ || \\\n"
                                "    (defined __STDC_VERSION__ && __STDC_VERSION__ >= 199901L)\n";

void emit_all(Emit *e, Text *t)
{
    const Module *m = e->module;

    text_add(t, "\n/* ---- all blocks in one struct: a caller stays the same when the optimizer "
                "changes ---- */\n\n");
    text_add(t, "%s", since_c99);
    declare_struct(e, t);
    define_init(e, t);
    for (int i = 0; i < m->functions; i++) {
        const Function *f = &m->function[i];
        if (!f->walk && f->fn != FN_INIT)
            define_function(e, t, f->name, f->blocks, false);
    }

    if (m->metrics) {
        define_function(e, t, "metrics_start", USES_TOTALS, true);
        define_function(e, t, "metrics_add", m->metrics->blocks, false);
        define_function(e, t, "metrics_finish", USES_TOTALS, false);
    }
    text_add(t, "#endif\n");
}
