/* emit_share.c - functions that the threads of a pool share (share.c). Each thread runs the same
 * task, which has the statements of the function. Calls of kernels get the range of a thread's
 * share. What only one thread does is within "if (id == 0)". */
#include "emit/emit.h"

/* The text uses the numbers of the thread and of all threads. */
static void use_threads(Body *b)
{
    b->uses_id = true;
    b->uses_threads = true;
}

const char *share_begin(Body *b, const char *n, int64_t unit, bool next)
{
    use_threads(b);
    b->e->uses_share_of = true;
    return text_format(b->e->ngc, "share_of(%s, %lld, id%s, threads)", n, (long long)unit,
                       text_if(next, " + 1"));
}

const char *share_range(Body *b, Size n, int64_t unit)
{
    Emit *e = b->e;
    use_threads(b);
    e->uses_share_of = true;
    return text_format(e->ngc, "NGC_SHARE(%s, %lld)", emit_size(e, n, &b->dims), (long long)unit);
}

void share_meet(Body *b, Text *t)
{
    use_threads(b);
    b->e->uses_meet = true;
    b->blocks |= USES_WORK;
    text_add(t, "    meet(w->pool, id, threads);\n");
}

void share_end(Body *b)
{
    if (b->one_thread_from == 0)
        return;
    emit_indent(&b->text, b->one_thread_from);
    text_add(&b->text, "    }\n");
    b->one_thread_from = 0;
}

void share_kernel(Body *b, const Kernel *k)
{
    /* what one thread does alone ends before all take part, or wait */
    if (k->split || k->waits)
        share_end(b);
    if (k->waits)
        share_meet(b, &b->text);

    if (k->split || b->one_thread_from)
        return;
    b->uses_id = true;
    text_add(&b->text, "    if (id == 0) {\n");
    b->one_thread_from = b->text.size;
}

/* ---- a function as a task ---- */

/* How large the first run-time size must be for the work to be worth sharing; 0: there is none, or
 * it always is. The time that is estimated is for the bound of this size. */
static int64_t least_size(const Emit *e, const Program *p)
{
    if (e->graph->dims == 0)
        return 0;
    /* time grows with the size: worth = time at the bound * size / bound */
    return (int64_t)(p->worth / p->time * (double)e->graph->dim[0].max);
}

/* "    const iris_params *params", with an end that differs. */
static void declare_block(const Emit *e, const Function *f, const BlockInfo *block, Text *t)
{
    bool constant = !(f->writes & block->use);
    text_add(t, "    %s%s_%s *%s", text_if(constant, "const "), e->module->name, block->type,
             block->name);
}

/* A struct of the arguments. */
static void print_call_struct(const Emit *e, const Function *f, Text *out)
{
    text_add(out, "typedef struct %s_call {\n", f->name);
    for (int i = 0; i < MODEL_BLOCKS; i++) {
        if (!(f->blocks & block_info[i].use))
            continue;
        declare_block(e, f, &block_info[i], out);
        text_add(out, ";\n");
    }
    text_add(out, "} %s_call;\n\n", f->name);
}

/* What each thread does. */
static void print_task(Emit *e, const Function *f, const Body *b, Text *out)
{
    text_add(out, "static void %s_task(void *arg, int id, int threads)\n", f->name);
    text_add(out, "{\n");
    text_add(out, "    const %s_call *call = arg;\n", f->name);

    for (int i = 0; i < MODEL_BLOCKS; i++) {
        if (!(b->blocks & block_info[i].use))
            continue;
        declare_block(e, f, &block_info[i], out);
        text_add(out, " = call->%s;\n", block_info[i].name);
    }

    emit_run_time_sizes(e, out, b->dims);
    emit_space(e, out, b);
    text_add(out, "%s", b->text.at);
    text_add(out, "}\n\n");
}

/* The pool runs the task if the batch is large enough, and the caller's thread if not. */
static Text call_text(Emit *e, const Function *f)
{
    Text t = {.ngc = e->ngc};
    int64_t least = least_size(e, f->program);

    text_add(&t, "    %s_call call = {%s};\n", f->name, emit_arguments(e, f, false));
    /* without a pool, or for too small a batch, the same task runs as thread 0 of 1 */
    text_add(&t, "    if (w->pool");
    if (least > 1)
        text_add(&t, " && in->%s >= %lld", e->module->dim[0], (long long)least);
    text_add(&t, ")\n");
    text_add(&t, "        w->pool->run(w->pool, %s_task, &call);\n", f->name);
    text_add(&t, "    else\n");
    text_add(&t, "        %s_task(&call, 0, 1);\n", f->name);
    return t;
}

void share_function(Emit *e, const Function *f, Body *b, Text *out)
{
    print_call_struct(e, f, out);
    print_task(e, f, b, out);

    b->text = call_text(e, f);
    b->blocks = f->blocks;
    b->dims = 0;
    b->uses_space = false;
}

/* ---- helpers ---- */

static const char share_of_text[] =
    "/* Where the share of thread id begins of n passes that are dealt out by the unit; it ends "
    "where the next begins. */\n"
    "static size_t share_of(size_t n, size_t unit, int id, int threads)\n"
    "{\n"
    "    size_t at = (size_t)((uint64_t)((n + unit - 1)/unit)*(uint64_t)id/(uint64_t)threads)*unit;\n"
    "    return at < n ? at : n;\n"
    "}\n"
    "\n"
    "#define NGC_SHARE(n, unit) share_of(n, unit, id, threads), share_of(n, unit, id + 1, "
    "threads)\n"
    "\n";

static const char meet_text[] = /* a barrier */
    "/* Goes on when all threads are here. */\n"
    "static void meet(struct ngrt_pool *pool, int id, int threads)\n"
    "{\n"
    "    if (threads > 1)\n"
    "        pool->wait(pool, id);\n"
    "}\n"
    "\n";

void share_helpers(const Emit *e, Text *t)
{
    if (e->uses_share_of)
        text_add(t, "%s", share_of_text);
    if (e->uses_meet)
        text_add(t, "%s", meet_text);
}
