/* emit_share.c - functions whose work the threads of a pool share (share.c): each thread runs the
 * same task, its statements those of the function; calls of kernels get the range of a thread's
 * share, and what one thread does alone stands in "if (id == 0)". */
#include "emit.h"

#include <string.h>

const char *share_begin(Body *b, const char *n, int64_t unit, bool next)
{
    b->id = b->threads = b->e->shares = true;
    return text_format(b->e->ngc, "share_of(%s, %lld, id%s, threads)", n, (long long)unit,
                       next ? " + 1" : "");
}

const char *share_range(Body *b, Size n, int64_t unit)
{
    b->id = b->threads = b->e->shares = true;
    return text_format(b->e->ngc, "NGC_SHARE(%s, %lld)", emit_size(b->e, n, &b->dims),
                       (long long)unit);
}

void share_meet(Body *b, Text *t)
{
    b->id = b->threads = b->e->meets = true;
    b->blocks |= USES_WORK;
    text_add(t, "    meet(w->pool, id, threads);\n");
}

/* What stands in braces is indented further. */
static void indent_from(Text *t, size_t from)
{
    Text more = {.ngc = t->ngc};
    for (const char *c = t->at + from; *c;) {
        size_t n = strcspn(c, "\n") + 1;
        text_put(&more, "    ", 4);
        text_put(&more, c, n);
        c += n;
    }
    t->size = from;
    t->at[from] = '\0';
    text_put(t, more.at ? more.at : "", more.size);
}

void share_end(Body *b)
{
    if (b->alone == 0)
        return;
    indent_from(&b->text, b->alone);
    text_add(&b->text, "    }\n");
    b->alone = 0;
}

void share_kernel(Body *b, const Kernel *k)
{
    if (k->split || k->waits)
        share_end(b);
    if (k->waits)
        share_meet(b, &b->text);
    if (k->split || b->alone)
        return;
    b->id = true;
    text_add(&b->text, "    if (id == 0) {\n");
    b->alone = b->text.size;
}

static const struct {
    unsigned use;
    const char *type, *name;
} blocks[] = {{USES_PARAMS, "params", "params"},
              {USES_STATE, "state", "state"},
              {USES_INPUTS, "inputs", "in"},
              {USES_WORK, "work", "w"},
              {USES_GRADS, "grads", "grads"}};

/* How large the first run-time size must be for the work to be worth sharing; 0: there is none, or
 * it always is. */
static int64_t least_size(const Emit *e, const Program *p)
{
    return e->graph->dims > 0 ? (int64_t)(p->worth / p->time * (double)e->graph->dim[0].max) : 0;
}

void share_function(Emit *e, const Function *f, Body *b, Text *out)
{
    int64_t least = least_size(e, f->program);
    text_add(out, "typedef struct %s_call {\n", f->name);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (f->blocks & blocks[i].use)
            text_add(out, "    %s%s_%s *%s;\n", f->writes & blocks[i].use ? "" : "const ",
                     e->module->name, blocks[i].type, blocks[i].name);
    text_add(
        out,
        "} %s_call;\n\nstatic void %s_task(void *arg, int id, int threads)\n{\n    const %s_call *call = arg;\n",
        f->name, f->name, f->name);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (b->blocks & blocks[i].use)
            text_add(out, "    %s%s_%s *%s = call->%s;\n",
                     f->writes & blocks[i].use ? "" : "const ", e->module->name, blocks[i].type,
                     blocks[i].name, blocks[i].name);
    emit_run_time_sizes(e, out, b->dims);
    emit_space(e, out, b);
    text_add(out, "%s}\n\n", b->text.at);
    b->text = (Text){.ngc = e->ngc};
    text_add(&b->text, "    %s_call call = {%s};\n    if (w->pool", f->name,
             emit_arguments(e, f, false));
    if (least > 1)
        text_add(&b->text, " && in->%s >= %lld", e->module->dim[0], (long long)least);
    text_add(
        &b->text,
        ")\n        w->pool->run(w->pool, %s_task, &call);\n    else\n        %s_task(&call, 0, 1);\n",
        f->name, f->name);
    b->blocks = f->blocks;
    b->dims = 0;
    b->space = false;
}

void share_helpers(const Emit *e, Text *t)
{
    if (e->shares)
        text_add(
            t,
            "/* Where the share of thread id begins of n passes that are dealt out by the unit; it ends where the next begins. */\n"
            "static size_t share_of(size_t n, size_t unit, int id, int threads)\n{\n"
            "    size_t at = (size_t)((uint64_t)((n + unit - 1)/unit)*(uint64_t)id/(uint64_t)threads)*unit;\n"
            "    return at < n ? at : n;\n}\n\n"
            "#define NGC_SHARE(n, unit) share_of(n, unit, id, threads), share_of(n, unit, id + 1, threads)\n\n");
    if (e->meets)
        text_add(t, "/* Goes on when all threads are here. */\n"
                    "static void meet(struct ngrt_pool *pool, int id, int threads)\n{\n"
                    "    if (threads > 1)\n        pool->wait(pool, id);\n}\n\n");
}
