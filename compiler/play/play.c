/* play.c - ngc as a function: a text in, JSON out. Each part of an answer is made by the code of
 * the command that prints it on the command line, in an arena of its own that is freed before the
 * next part. So memory is bounded by the largest part, and nothing is left after a call.
 *
 * Where ngc cannot continue (there is no memory left), it exits, as on the command line. The page
 * then makes a new instance of the module. */
#include "play/play.h"
#include "play/print_js.h"
#include "explain/explain.h"
#include "lang/lower.h"
#include "tool/tool.h"

#include <stdlib.h>
#include <string.h>

extern const char prelude_text[];

enum { GIVEN = 256 }; /* values that a request can give, at most */

/* Operations that a page may wait for, at most. */
static const double MOST = 3e8;
enum { OF_CHECK = 500 }; /* passes forward that a check makes for each derivative, about */

/* One compilation of the text, for one part of the answer. */
typedef struct Trip {
    Ngc ngc;
    Model *m; /* NULL: there were errors */
    char *given[GIVEN];
    int count;
    Text *answer;
} Trip;

/* ---- a part ---- */

/* Returns whether there is a model. */
static bool trip_begin(Trip *t, const char *request, Text *answer)
{
    *t = (Trip){.ngc = {.opt = {.optimize = 2, .comments = 2, .digits = 9}}, .answer = answer};
    Ngc *ngc = &t->ngc;

    const char *next = request + strlen(request) + 1;
    for (; *next && t->count < GIVEN; next += strlen(next) + 1)
        t->given[t->count++] = (char *)next;

    source_library(ngc);
    int file = source_add(ngc, "model.ng", request, strlen(request), false);
    if (file < 0)
        t->m = NULL;
    else
        t->m = model_compile(ngc, file);
    if (!t->m)
        return false;

    t->m->name = "model";
    carry_check(t->m);
    if (diag_failed(ngc))
        t->m = NULL;
    return t->m != NULL;
}

/* Adds the messages of a part as a member; then all that belongs to the part is gone. */
static void trip_end(Trip *t, const char *member)
{
    text_add(t->answer, ",\n\"%s\":", member);
    diag_json(&t->ngc, t->answer);
    arena_free(&t->ngc);
}

static void put_text(Text *answer, const char *member, const char *text)
{
    text_add(answer, ",\n\"%s\":", member);
    json_string(answer, text_or(text, ""));
}

/* ---- the parts ---- */

/* Which simplifications made values of the model: [{"line": 2, "name": "a", "why": "..."}]. */
static void put_reasons(Trip *t)
{
    Model *m = t->m;
    Graph *g = m->graph;
    const int *uses = model_uses(m);

    const char *before = "";
    text_add(t->answer, ",\n\"why\":[");
    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        if (!uses[i] || !n->why)
            continue;
        bool own = n->loc.file > 0 && n->loc.file < t->ngc.files;
        text_add(t->answer, "%s{\"line\":%d,\"name\":", before,
                 own ? source_line(&t->ngc, n->loc, NULL) : 0);
        json_string(t->answer, text_or(n->name, ""));
        text_add(t->answer, ",\"why\":");
        json_string(t->answer, n->why);
        text_add(t->answer, "}");
        before = ",";
    }
    text_add(t->answer, "]");
}

/* The C as `ngc` writes it. */
static void part_c(Trip *t)
{
    Output out = {.c = {.ngc = &t->ngc}, .h = {.ngc = &t->ngc}};
    put_reasons(t);
    emit_model_c(t->m, "model.h", &out);
    warn_large(t->m, out.c.size - out.numbers);
    warn_float_range(t->m);
    put_text(t->answer, "c", out.c.at);
}

static void say_too_large(Trip *t, const char *what, double cost)
{
    diag(&t->ngc, SEV_NOTE, NO_CODE, (Loc){.file = -1},
         "%s is not computed here: it would take about %.0e operations; give smaller sizes", what,
         cost);
}

static int count_derivatives(const Model *m)
{
    int count = 0;
    for (int i = 0; i < m->roots; i++)
        count += m->root[i].kind == ROOT_GRAD;
    return count;
}

/* Those of the parts that a page can wait for; for the others there are messages. */
static unsigned affordable(Trip *t, Lesson *l, unsigned parts)
{
    lesson_costs(l);
    double check = l->cost.forward * OF_CHECK * count_derivatives(t->m);
    if (l->cost.all > MOST) {
        say_too_large(t, "the model", l->cost.all);
        return 0;
    }
    if ((parts & PLAY_CHECK) && check > 4 * MOST) {
        say_too_large(t, "the check", check);
        return parts & ~(unsigned)PLAY_CHECK;
    }
    return parts;
}

/* The lesson, as the data of its page and in words. Returns the parts that can follow. */
static unsigned part_lesson(Trip *t, unsigned parts)
{
    Ngc *ngc = &t->ngc;
    int status;
    Lesson *l = lesson_new(ngc, t->m);
    l->e = run_eval(ngc, t->m, t->given, t->count, NULL, &l->data, &status);
    if (!l->e)
        return 0;
    parts = affordable(t, l, parts);
    if (!(parts & (PLAY_LESSON | PLAY_WORDS)))
        return parts;
    lesson_describe(l);
    if (ngc->errors)
        return 0;

    if (parts & PLAY_LESSON) {
        text_add(t->answer, ",\n\"lesson\":");
        explain_json(l, t->answer);
    }
    if (parts & PLAY_WORDS) {
        Text words = {.ngc = ngc};
        explain_text(l, &words);
        put_text(t->answer, "words", words.at);
    }
    return parts;
}

static void part_run(Trip *t, unsigned parts)
{
    Ngc *ngc = &t->ngc;
    Text out = {.ngc = ngc};
    if (parts & PLAY_VALUES)
        run_main(ngc, t->m, t->given, t->count, true, &out);
    else
        check_main(ngc, t->m, t->given, t->count, &out);
    put_text(t->answer, parts & PLAY_VALUES ? "values" : "check", out.at);
}

/* The model in JavaScript. */
static void part_program(Trip *t, unsigned seed)
{
    Ngc *ngc = &t->ngc;
    int status;
    DataRows rows = {0};
    ngc->opt.optimize = 0;
    ngc->opt.without |= 1u << PASS_ROWS; /* nests are not printed */
    ngc->opt.real_double = true;
    ngc->opt.seed = seed;
    Eval *e = run_eval(ngc, t->m, t->given, t->count, NULL, &rows, &status);
    if (!e)
        return;

    const Module *module = module_build(t->m);
    if (ngc->errors)
        return;
    text_add(t->answer, ",\n\"program\":");
    print_js(module, e, t->answer);
}

/* ---- a call ---- */

static void put_parts(const char *request, unsigned parts, unsigned seed, Text *answer)
{
    Trip t;
    bool good = trip_begin(&t, request, answer);
    if (good && (parts & PLAY_C))
        part_c(&t);
    trip_end(&t, "messages");
    if (!good)
        return;

    if (parts & (PLAY_LESSON | PLAY_WORDS | PLAY_VALUES | PLAY_CHECK | PLAY_PROGRAM)) {
        /* a file that the model imports may be gone by now: again there may be no model */
        parts = trip_begin(&t, request, answer) ? part_lesson(&t, parts) : 0;
        trip_end(&t, "lesson_messages");
    }
    for (unsigned part = PLAY_VALUES; part <= PLAY_CHECK; part *= 2) {
        if (!(parts & part))
            continue;
        if (trip_begin(&t, request, answer))
            part_run(&t, part);
        trip_end(&t, part == PLAY_VALUES ? "values_messages" : "check_messages");
    }
    if (parts & PLAY_PROGRAM) {
        if (trip_begin(&t, request, answer))
            part_program(&t, seed);
        trip_end(&t, "program_messages");
    }
}

/* The text, in memory of its own; its arena is freed. */
static char *finish(Ngc *ngc, const Text *answer)
{
    char *copy = play_room(answer->size + 1);
    memcpy(copy, answer->at, answer->size + 1);
    arena_free(ngc);
    return copy;
}

char *play(const char *request, unsigned parts, unsigned seed)
{
    Ngc ngc = {0};
    Text answer = {.ngc = &ngc};
    text_add(&answer, "{\"version\":1");
    put_parts(request, parts, seed, &answer);
    text_add(&answer, "}\n");
    return finish(&ngc, &answer);
}

/* The functions of one element, as the text of an object in JavaScript. */
static void put_functions(Text *answer)
{
    Text t = {.ngc = answer->ngc};
    text_add(&t, "{");
    for (int op = 0; op < OP_COUNT; op++)
        if (op_info[op]->js)
            text_add(&t, "%s: %s,\n", op_info[op]->name, op_info[op]->js);
    text_add(&t, "}");
    put_text(answer, "functions", t.at);
}

char *play_library(void)
{
    Ngc ngc = {0};
    Text t = {.ngc = &ngc};
    text_add(&t, "{\"version\":1");
    put_text(&t, "prelude", prelude_text);

    Text page = {.ngc = &ngc};
    explain_page(&page, "@LESSON@", strlen("@LESSON@"));
    put_text(&t, "page", page.at);

    enum { NAMES = 1000 };
    const char **name = arena_alloc(&ngc, NAMES * sizeof *name);
    int names = builtin_names(name, NAMES);
    text_add(&t, ",\n\"primitives\":{");
    for (int i = 0; i < names; i++) {
        text_add(&t, "%s\"%s\":", text_if(i, ","), name[i]);
        json_string(&t, builtin_find(&ngc, name[i])->params);
    }
    text_add(&t, "}");
    put_functions(&t);
    text_add(&t, "}\n");
    return finish(&ngc, &t);
}

char *play_room(size_t size)
{
    char *room = malloc(size ? size : 1);
    if (!room)
        ngc_bug("no memory for a text of %zu bytes", size);
    return room;
}

void play_free(char *text)
{
    free(text);
}
