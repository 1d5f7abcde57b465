/* emit_runs.c - runs of statements that occur several times, as a block of a deep network does, are
 * a function that is called for each of them.
 *
 * In: the text of the functions, whose statements are calls of kernels and of the runtime. Out: the
 * same with fewer statements, and before them the functions of the runs. Two statements are equal
 * if they differ only in what they are given: pointers, numbers, sizes. These are the parameters.
 * Runs that save the most lines are taken first. */
#include "emit/emit.h"

#include <stdlib.h>
#include <string.h>

enum {
    LONGEST = 40, /* statements in a run */
    ROOM = 56,    /* parameters of a run */
    WIDTH = 100,  /* columns */
    LEAST = 8,    /* lines that a run must save */
    ROUNDS = 12,
    HOLE = '\2', /* in the text of a statement: what it is given */
};

typedef struct Hole {
    const char *text; /* interned: what a statement is given */
    const char *type; /* without const */
    bool constant;    /* a pointer to what is only read */
} Hole;

typedef struct Unit { /* a statement of a function */
    const char *from; /* its lines, with the comments above it */
    size_t size;
    const char *text; /* interned, with holes; NULL: it is in no run */
    Hole *hole;
    int holes, room;
    int lines;
    int kind;  /* equal for equal statements */
    bool gone; /* it is in a run that begins before it */
} Unit;

typedef struct Runs {
    Emit *e;
    Unit *unit;
    int units, room;
} Runs;

/* ---- the text of a statement ---- */

typedef struct Reader { /* of a statement */
    Runs *r;
    Unit *u;
    Text text;
    const char *at, *end;
} Reader;

static size_t word_size(const char *c)
{
    size_t n = 0;
    while (is_word_char(c[n]))
        n++;
    return n;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void add_hole(Reader *x, const char *text, size_t size, const char *type, bool constant)
{
    Unit *u = x->u;
    char mark = HOLE;
    u->hole = arena_grow(x->r->e->ngc, u->hole, u->holes, &u->room, sizeof *u->hole);
    u->hole[u->holes++] = (Hole){intern(x->r->e->ngc, text, size), type, constant};
    text_put(&x->text, &mark, 1);
}

/* Which run-time size is it? -1: none. */
static int dim_of(const Emit *e, const char *word, size_t size)
{
    size_t prefix = strlen(e->module->dim_prefix);
    for (int i = 0; i < e->graph->dims; i++) {
        const char *name = e->graph->dim[i].name;
        if (size == prefix + strlen(name) && begins(word, e->module->dim_prefix) &&
            begins(word + prefix, name))
            return i;
    }
    return -1;
}

/* Has the word the same meaning in every function? */
static bool is_common(const Emit *e, const char *word, size_t size)
{
    static const char *const common[] = {"for",      "if",        "size_t", "int",
                                         "sizeof",   "i",         "id",     "threads",
                                         "share_of", "NGC_SHARE", "float",  "double"};
    if (*word >= '0' && *word <= '9')
        return true;
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (strlen(common[i]) == size && begins(word, common[i]))
            return true;
    return dim_of(e, word, size) >= 0;
}

/* A text that is the same in every function. false: it is not. Blanks and the ends of lines within
 * parentheses become one blank. */
static bool read_common(Reader *x, const char *text, size_t size)
{
    const char *end = text + size;
    for (const char *c = text; c < end;) {
        size_t n = word_size(c);
        if (n > 0 && !(*c >= '0' && *c <= '9') && !is_common(x->r->e, c, n))
            return false;
        if (n == 0 && (*c == '&' || *c == '"' || begins(c, "->")))
            return false;
        n = n ? n : 1;
        text_put(&x->text, c, n);
        c += n;
        if (n == 1 && c[-1] == '.')
            while (c < end && is_word_char(*c))
                text_put(&x->text, c++, 1);
    }
    return true;
}

/* ---- what a call is given ---- */

/* Where a matrix of a batch, or a block of rows, is added to a pointer. */
static size_t without_index(const char *text, size_t size)
{
    for (size_t i = 0; i + 5 <= size; i++)
        if (begins(text + i, " + i*"))
            return i;
    return size;
}

/* "space + 12", "params->W[0]", "&state->step", "data_3" */
static bool is_pointer(const char *text, size_t size)
{
    const char *word = text + (*text == '&');
    size_t n = word_size(word);
    if (begins(text, "data_") || (n == 5 && begins(text, "space")))
        return text[n] != '[';
    return n > 0 && n < size && begins(word + n, "->") && !begins(word + n, "->pool");
}

/* A pointer that a kernel is given. */
static bool read_pointer(Reader *x, const char *text, size_t size, const char *type, bool constant)
{
    size_t n = without_index(text, size);
    if (!is_pointer(text, n))
        return false;
    add_hole(x, text, n, type, constant);
    return read_common(x, text + n, size - n);
}

/* A number that a kernel is given. If it is in memory, the run gets its address, because the
 * number may change within the run. */
static bool read_number(Reader *x, const char *text, size_t size, const char *type)
{
    Ngc *ngc = x->r->e->ngc;
    const char *pointer = text_format(ngc, "%s *", type);
    if (begins(text, "space[") && strcmp(type, x->r->e->real) == 0) {
        size_t digits = strspn(text + 6, "0123456789");
        if (digits + 7 != size)
            return false;
        const char *address = text_format(ngc, "space + %.*s", (int)digits, text + 6);
        text_put(&x->text, "*", 1);
        add_hole(x, address, strlen(address), pointer, true);
        return true;
    }
    if (*text >= '0' && *text <= '9')
        return read_common(x, text, size);
    if (word_size(text) < size) {
        if (!is_pointer(text, size) || memchr(text, '[', size))
            return false;
        const char *address = text_format(ngc, "&%.*s", (int)size, text);
        text_put(&x->text, "*", 1);
        add_hole(x, address, strlen(address), pointer, true);
        return true;
    }
    add_hole(x, text, size, type, false); /* a constant of the function */
    return true;
}

/* A size that a kernel is given. */
static bool read_size(Reader *x, const char *text, size_t size)
{
    if (strspn(text, "0123456789") == size) {
        add_hole(x, text, size, "size_t", false);
        return true;
    }
    return read_common(x, text, size);
}

/* "NGC_SHARE(64, 16)" */
static bool read_share(Reader *x, const char *text, size_t size)
{
    size_t head = strlen("NGC_SHARE(");
    size_t n = strcspn(text + head, ",");
    text_put(&x->text, text, head);
    return read_size(x, text + head, n) && read_common(x, text + head + n, size - head - n);
}

/* One argument of a kernel, whose parameter is "const float *a0". */
static bool read_kernel_argument(Reader *x, const char *text, size_t size, const char *param)
{
    Ngc *ngc = x->r->e->ngc;
    bool constant = begins(param, "const ");
    const char *type = param + (constant ? strlen("const ") : 0);
    size_t n = strcspn(type, " ");

    if (type[n + 1] == '*')
        return read_pointer(x, text, size, text_format(ngc, "%.*s *", (int)n, type), constant);
    if (n == strlen("size_t") && begins(type, "size_t"))
        return begins(text, "NGC_SHARE(") ? read_share(x, text, size) : read_size(x, text, size);
    return read_number(x, text, size, intern(ngc, type, n));
}

/* One argument of a function of the runtime. The last pointer is to its result. */
static bool read_runtime_argument(Reader *x, const char *text, size_t size, bool draws, int number)
{
    static const char *const draw[] = {"", "size_t", "", "uint32_t", "double", "double"};
    const Emit *e = x->r->e;
    if (begins(text, "(const int[]){")) {
        add_hole(x, text, size, "int *", true);
        return true;
    }
    if (draws && number < 6 && *draw[number]) {
        add_hole(x, text, size, draw[number], false);
        return true;
    }
    if (draws && begins(text, "seed")) {
        add_hole(x, text, size, "uint64_t", false);
        return true;
    }
    bool real = begins(text, "space") || begins(text, "params->") || begins(text, "grads->");
    if (real)
        return read_pointer(x, text, size, text_format(e->ngc, "%s *", e->real), true);
    return read_common(x, text, size);
}

/* The end of an argument: a comma or a parenthesis outside of its own. */
static const char *argument_end(const char *c, const char *end)
{
    for (int depth = 0; c < end; c++) {
        if (*c == '(' || *c == '{')
            depth++;
        if (depth == 0 && (*c == ',' || *c == ')'))
            return c;
        if (*c == ')' || *c == '}')
            depth--;
    }
    return end;
}

static const char *skip_blanks(const char *c)
{
    return c + strspn(c, " \n");
}

/* A parameter of a list, "(size_t n0, float *y0)". */
static const char *next_param(const char *list)
{
    const char *comma = strchr(list, ',');
    return comma ? skip_blanks(comma + 1) : "void";
}

/* The arguments of a kernel, from its own sizes on. */
static bool read_kernel_call(Reader *x)
{
    Emit *e = x->r->e;
    char *end;
    const Static *f = &e->kernel[strtol(x->at + 1, &end, 10)];
    const Static *called = f->joined ? f->joined : f;
    const char *param = called->params + 1, *comma = "";

    text_add(&x->text, "%s(", called->name);
    const char *sizes = f->joined ? f->sizes : "";
    while (*sizes) {
        size_t n = strcspn(sizes, ",");
        text_add(&x->text, "%s", comma);
        if (begins(param, "size_t"))
            add_hole(x, sizes, n, "size_t", false);
        else
            text_put(&x->text, sizes, n);
        sizes = skip_blanks(sizes + n + (sizes[n] == ','));
        param = next_param(param);
        comma = ", ";
    }

    for (x->at = end + 1; *x->at != ')'; comma = ", ") {
        const char *text = x->at = skip_blanks(x->at), *after = argument_end(text, x->end);
        text_add(&x->text, "%s", comma);
        if (!read_kernel_argument(x, text, (size_t)(after - text), param))
            return false;
        param = next_param(param);
        if (begins(text, "NGC_SHARE("))
            param = next_param(param);
        x->at = after + (*after == ',');
    }
    return true;
}

/* What the last pointer points to is written. */
static void mark_result(Unit *u, int from)
{
    for (int i = u->holes - 1; i >= from; i--)
        if (strcmp(u->hole[i].type, "int *") != 0 && strchr(u->hole[i].type, '*')) {
            u->hole[i].constant = false;
            return;
        }
}

/* A call of the runtime. */
static bool read_runtime_call(Reader *x)
{
    static const char *const draws[] = {"ngrt_uniform", "ngrt_normal", "ngrt_truncated",
                                        "ngrt_orthogonal"};
    size_t n = word_size(x->at);
    int number = 0, from = x->u->holes;
    bool is_draw = false;
    for (size_t i = 0; i < sizeof draws / sizeof *draws; i++)
        is_draw |= begins(x->at, draws[i]);

    text_put(&x->text, x->at, n + 1);
    for (x->at += n + 1; *x->at != ')'; number++) {
        const char *text = x->at = skip_blanks(x->at), *after = argument_end(text, x->end);
        text_add(&x->text, "%s", number ? ", " : "");
        if (!read_runtime_argument(x, text, (size_t)(after - text), is_draw, number))
            return false;
        x->at = after + (*after == ',');
    }
    mark_result(x->u, from);
    return true;
}

/* A call of the runtime whose arguments are known here. */
static bool is_runtime_call(const char *c)
{
    static const char *const known[] = {"ngrt_sgemm",     "ngrt_dgemm",     "ngrt_sconv",
                                        "ngrt_dconv",     "ngrt_uniform",   "ngrt_normal",
                                        "ngrt_truncated", "ngrt_orthogonal"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (begins(c, known[i]))
            return c[word_size(c)] == '(';
    return false;
}

/* One piece of a statement: a call, a comment, or text that is the same everywhere. */
static bool read_piece(Reader *x)
{
    static const char meet[] = "meet(w->pool, ";
    if (begins(x->at, "/*")) { /* within braces */
        const char *end = strchr(x->at, '\n');
        x->at = end + 1 + strspn(end + 1, " ");
        return true;
    }
    if (*x->at == STATIC_MARK)
        return read_kernel_call(x);
    if (is_runtime_call(x->at))
        return read_runtime_call(x);
    if (begins(x->at, meet)) {
        text_add(&x->text, "meet(");
        add_hole(x, "w->pool", strlen("w->pool"), "struct ngrt_pool *", false);
        text_add(&x->text, ", ");
        x->at += strlen(meet);
        return true;
    }
    size_t n = word_size(x->at);
    n = n ? n : 1;
    if (!read_common(x, x->at, n))
        return false;
    x->at += n;
    return true;
}

/* Finds the holes of a statement. Without a text it cannot be in a run. */
static void read_unit(Runs *r, Unit *u, const char *statement)
{
    Reader x = {.r = r, .u = u, .text.ngc = r->e->ngc, .at = statement, .end = u->from + u->size};
    while (x.at < x.end)
        if (!read_piece(&x))
            return;
    u->text = intern_str(r->e->ngc, x.text.at);
}

/* ---- the statements of all functions ---- */

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

/* Does a line at this place begin another statement? */
static bool begins_unit(const char *line)
{
    return begins(line, "    ") && line[4] != ' ' && line[4] != '}';
}

/* Adds the lines from `from` on as a unit; returns where the next begins. */
static const char *add_unit(Runs *r, const char *from, bool in_body)
{
    r->unit = arena_grow(r->e->ngc, r->unit, r->units, &r->room, sizeof *r->unit);
    Unit *u = &r->unit[r->units++];
    const char *statement = from;
    *u = (Unit){.from = from};
    while (in_body && begins(statement, "    /*") && begins_unit(next_line(statement)))
        statement = next_line(statement);

    const char *end = next_line(statement);
    while (in_body && *end && *end != '}' && *end != '#' && !begins_unit(end))
        end = next_line(end);
    u->size = (size_t)(end - from);
    for (const char *c = from; c < end; c = next_line(c))
        u->lines++;
    if (in_body && begins_unit(statement))
        read_unit(r, u, statement + 4);
    return end;
}

static void add_units(Runs *r, const char *text)
{
    bool in_body = false;
    while (*text) {
        if (begins(text, "{\n"))
            in_body = true;
        else if (*text == '}')
            in_body = false;
        text = add_unit(r, text, in_body && *text != '{');
    }
}

/* Gives equal statements equal numbers, and each that is in no run a number of its own. */
static void number_units(Runs *r)
{
    Table known = {0};
    int kinds = 0;
    for (int i = 0; i < r->units; i++) {
        Unit *u = &r->unit[i];
        bool free = u->text && !u->gone;
        int *at = free ? table_at(r->e->ngc, &known, u->text) : NULL;
        if (at && *at == 0)
            *at = ++kinds;
        u->kind = at ? *at : -1 - i;
    }
}

/* ---- repeated runs ---- */

typedef struct Repeat { /* a run that may become a function */
    int unit, units;    /* where it occurs first */
    int times;          /* without those that overlap */
    int end;            /* of the last of them */
    int64_t saves;      /* an estimate of lines */
} Repeat;

typedef struct Repeats {
    Repeat *repeat;
    int count, room;
} Repeats;

/* A number for each pair of numbers, 0 for a pair that is new. Places are compared again later, so
 * it does not matter if a key does not fit in a pointer. */
static int *pair_at(const Runs *r, Table *pairs, int a, int kind)
{
    uintptr_t key = (uintptr_t)a * ((uintptr_t)r->units + 1) + (uintptr_t)kind;
    return table_at(r->e->ngc, pairs, (const void *)key);
}

static int lines_of(const Runs *r, int from, int units)
{
    int lines = 0;
    for (int i = 0; i < units; i++)
        lines += r->unit[from + i].lines;
    return lines;
}

static int holes_of(const Runs *r, int from, int units)
{
    int holes = 0;
    for (int i = 0; i < units; i++)
        holes += r->unit[from + i].holes;
    return holes;
}

/* Notes another place of a run, unless it overlaps the last. */
static void add_place(Repeats *found, Ngc *ngc, int *at, int place, int units)
{
    if (*at == 0) {
        found->repeat =
            arena_grow(ngc, found->repeat, found->count, &found->room, sizeof *found->repeat);
        found->repeat[found->count] = (Repeat){.unit = place, .units = units};
        *at = ++found->count;
    }
    Repeat *x = &found->repeat[*at - 1];
    if (place >= x->end) {
        x->end = place + units;
        x->times++;
    }
}

/* All runs of `units` statements: `found` gets them, and run[i] the number of the one that begins
 * with statement i, 0 if it is the only one. run[i] is that of a shorter run before. */
static void find_length(const Runs *r, int units, int *run, Repeats *found)
{
    Ngc *ngc = r->e->ngc;
    Table pairs = {0};

    for (int i = 0; i < r->units; i++) {
        int last = i + units - 1;
        bool none = run[i] == 0 || last >= r->units || r->unit[last].kind < 0;
        if (none) {
            run[i] = 0;
            continue;
        }
        int *at = pair_at(r, &pairs, run[i], r->unit[last].kind);
        add_place(found, ngc, at, i, units);
        run[i] = *at;
    }
    for (int i = 0; i < r->units; i++)
        if (run[i] && found->repeat[run[i] - 1].times < 2)
            run[i] = 0;
}

static int compare_saved(const void *a, const void *b)
{
    const Repeat *x = a, *y = b;
    if (x->saves != y->saves)
        return x->saves > y->saves ? -1 : 1;
    if (x->units != y->units)
        return x->units < y->units ? -1 : 1;
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

/* All runs, those that save the most first. */
static Repeats find_repeats(const Runs *r)
{
    Repeats found = {0};
    int *run = arena_alloc(r->e->ngc, (size_t)(r->units + 1) * sizeof *run);
    for (int i = 0; i < r->units; i++)
        run[i] = 1;
    for (int units = 1; units <= LONGEST; units++)
        find_length(r, units, run, &found);

    for (int i = 0; i < found.count; i++) {
        Repeat *x = &found.repeat[i];
        int lines = lines_of(r, x->unit, x->units), holes = holes_of(r, x->unit, x->units);
        x->saves = (int64_t)(x->times - 1) * lines - (int64_t)x->times * (2 + holes / 8) - 4;
    }
    if (found.count > 0)
        qsort(found.repeat, (size_t)found.count, sizeof *found.repeat, compare_saved);
    return found;
}

/* ---- the parameters of a run ---- */

typedef struct Places { /* where a run occurs */
    int *at;
    int count;
} Places;

/* Is u equal to v, and in no run yet? A call that was made in this round has no kind. */
static bool is_free_like(const Unit *u, const Unit *v)
{
    return u->kind > 0 && u->kind == v->kind && !u->gone;
}

/* The places that no other run has taken. */
static Places find_places(const Runs *r, const Repeat *x)
{
    Places p = {arena_alloc(r->e->ngc, (size_t)x->times * sizeof *p.at), 0};
    for (int i = x->unit; i + x->units <= r->units && p.count < x->times; i++) {
        int n = 0;
        while (n < x->units && is_free_like(&r->unit[i + n], &r->unit[x->unit + n]))
            n++;
        if (n < x->units)
            continue;
        p.at[p.count++] = i;
        i += n - 1;
    }
    return p;
}

/* What place number p gives hole h of the statement that is u after the first. */
static const Hole *hole_at(const Runs *r, const Places *p, int place, int u, int h)
{
    return &r->unit[p->at[place] + u].hole[h];
}

/* "space + 12": 12; -1: it is something else. */
static int64_t space_offset(const char *text)
{
    if (!begins(text, "space"))
        return -1;
    if (text[5] == '\0')
        return 0;
    const char *number = text + strlen("space + ");
    return number[strspn(number, "0123456789")] == '\0' ? atoll(number) : -1;
}

typedef struct Handed { /* how a hole is filled in */
    int param;          /* -1: by its text */
    int64_t ahead;      /* elements after the parameter */
} Handed;

typedef struct Columns {        /* the parameters of a run while they are chosen */
    int unit[ROOM], hole[ROOM]; /* the first hole that each fills */
    Hole param[ROOM];
    int params;
} Columns;

/* Is hole h of statement u, in every place of the run, equally far after parameter c? */
static bool is_ahead(const Runs *r, const Places *p, const Columns *x, int c, int u, int h,
                     int64_t *ahead)
{
    for (int i = 0; i < p->count; i++) {
        const char *text = hole_at(r, p, i, u, h)->text;
        const char *base = hole_at(r, p, i, x->unit[c], x->hole[c])->text;
        int64_t at = space_offset(text), from = space_offset(base);
        int64_t apart = at >= 0 && from >= 0 ? at - from : 0;
        bool known = text == base || (at >= 0 && from >= 0);
        if (!known || (i > 0 && apart != *ahead))
            return false;
        *ahead = apart;
    }
    return true;
}

/* Is it the same number everywhere? */
static bool is_same_number(const Runs *r, const Places *p, int u, int h)
{
    const Hole *first = hole_at(r, p, 0, u, h);
    if (strchr(first->type, '*') || !(*first->text >= '0' && *first->text <= '9'))
        return false;
    for (int i = 1; i < p->count; i++)
        if (hole_at(r, p, i, u, h)->text != first->text)
            return false;
    return true;
}

/* Finds the parameter for a hole, or makes one. false: there would be too many. */
static bool choose_param(const Runs *r, const Places *p, Columns *x, int u, int h, Handed *given)
{
    const Hole *hole = hole_at(r, p, 0, u, h);
    *given = (Handed){-1, 0};
    if (is_same_number(r, p, u, h))
        return true;

    for (int c = 0; c < x->params && given->param < 0; c++)
        if (strcmp(x->param[c].type, hole->type) == 0 && is_ahead(r, p, x, c, u, h, &given->ahead))
            given->param = c;
    if (given->param < 0) {
        if (x->params == ROOM)
            return false;
        given->param = x->params;
        given->ahead = 0;
        x->unit[x->params] = u;
        x->hole[x->params] = h;
        x->param[x->params++] = *hole;
    }
    x->param[given->param].constant &= hole->constant;
    return true;
}

/* ---- text ---- */

/* Adds a line, continued on others where it is too long. */
static void add_wrapped(Text *t, const char *line)
{
    size_t indent = strspn(line, " ");
    while (strlen(line) > WIDTH) {
        const char *cut = NULL;
        for (const char *c = strstr(line, ", "); c && c < line + WIDTH; c = strstr(c + 1, ", "))
            cut = c;
        if (!cut)
            break;
        text_put(t, line, (size_t)(cut + 1 - line));
        text_add(t, "\n%*s", (int)indent + 4, "");
        line = cut + 2;
    }
    text_add(t, "%s\n", line);
}

static char type_letter(const char *type)
{
    if (strchr(type, '*'))
        return 'p';
    return strcmp(type, "size_t") == 0 ? 'n' : 'v';
}

/* "p0", "n1", "v0": pointers, sizes, other numbers */
static const char *param_name(const Runs *r, const Columns *x, int param)
{
    char letter = type_letter(x->param[param].type);
    int same = 0;
    for (int i = 0; i < param; i++)
        same += type_letter(x->param[i].type) == letter;
    return text_format(r->e->ngc, "%c%d", letter, same);
}

/* What a run needs besides its parameters. */
typedef struct Common {
    unsigned dims;
    bool id, threads;
} Common;

static void note_common(const Emit *e, Common *common, const char *text)
{
    for (const char *c = text; *c;) {
        size_t n = word_size(c);
        int dim = n ? dim_of(e, c, n) : -1;
        if (dim >= 0)
            common->dims |= 1u << dim;
        bool shares = n == 9 && begins(c, "NGC_SHARE");
        common->id |= shares || (n == 2 && begins(c, "id"));
        common->threads |= shares || (n == 7 && begins(c, "threads"));
        c += n ? n : 1;
    }
}

static void add_to_list(Text *t, const char *item)
{
    text_add(t, "%s%s", t->size ? ", " : "", item);
}

static void list_common(const Emit *e, const Common *common, bool types, Text *t)
{
    for (int i = 0; i < e->graph->dims; i++)
        if (common->dims >> i & 1)
            add_to_list(t, text_format(e->ngc, "%s%s%s", types ? "size_t " : "",
                                       e->module->dim_prefix, e->graph->dim[i].name));
    if (common->id)
        add_to_list(t, types ? "int id" : "id");
    if (common->threads)
        add_to_list(t, types ? "int threads" : "threads");
}

/* A statement with its holes filled in. */
static const char *filled(const Runs *r, const Places *p, const Columns *x, int u,
                          const Handed *given)
{
    Ngc *ngc = r->e->ngc;
    Text t = {.ngc = ngc};
    const Unit *unit = &r->unit[p->at[0] + u];
    int h = 0;
    for (const char *c = unit->text; *c; c++) {
        if (*c != HOLE) {
            text_put(&t, c, 1);
            continue;
        }
        const Handed *g = &given[h];
        const char *text = g->param < 0 ? unit->hole[h].text : param_name(r, x, g->param);
        bool star = c > unit->text && c[-1] == '*' && g->ahead;
        if (g->ahead)
            text = text_format(ngc, "%s %c %lld", text, g->ahead < 0 ? '-' : '+',
                               (long long)llabs(g->ahead));
        text_add(&t, star ? "(%s)" : "%s", text);
        h++;
    }
    return t.at;
}

/* The comments of a statement, also those within its braces. */
static void add_comments(Text *t, const Unit *u)
{
    for (const char *line = u->from; line < u->from + u->size; line = next_line(line)) {
        const char *text = line + strspn(line, " ");
        if (begins(text, "/*"))
            text_add(t, "    %.*s", (int)(next_line(text) - text), text);
    }
}

/* Lines of statements. */
static void add_lines(Text *t, const char *lines)
{
    for (const char *line = lines; *line; line = next_line(line)) {
        const char *end = next_line(line);
        Text one = {.ngc = t->ngc};
        text_add(&one, "%s%.*s", line == lines ? "    " : "", (int)(end - line - 1), line);
        add_wrapped(t, one.at);
    }
}

typedef struct Draft { /* of a run's function */
    Text body;
    Columns x;
    Common common;
} Draft;

/* The body of a run, and its parameters. false: there are too many. */
static bool draft_run(const Runs *r, const Repeat *run, const Places *p, Draft *d)
{
    d->body = (Text){.ngc = r->e->ngc};
    for (int u = 0; u < run->units; u++) {
        const Unit *unit = &r->unit[p->at[0] + u];
        Handed *given = arena_alloc(r->e->ngc, (size_t)(unit->holes + 1) * sizeof *given);
        for (int h = 0; h < unit->holes; h++)
            if (!choose_param(r, p, &d->x, u, h, &given[h]))
                return false;
        note_common(r->e, &d->common, unit->text);
        add_comments(&d->body, unit);
        add_lines(&d->body, filled(r, p, &d->x, u, given));
    }
    return true;
}

static Text function_text(const Runs *r, const Draft *d, int number, int times)
{
    Text params = {.ngc = r->e->ngc}, t = {.ngc = r->e->ngc};
    for (int i = 0; i < d->x.params; i++) {
        const Hole *h = &d->x.param[i];
        const char *space = strchr(h->type, '*') ? "" : " ";
        add_to_list(&params, text_format(r->e->ngc, "%s%s%s%s", h->constant ? "const " : "",
                                         h->type, space, param_name(r, &d->x, i)));
    }
    list_common(r->e, &d->common, true, &params);

    text_add(&t, "/* called %d times: the comments are those of the first */\n", times);
    add_wrapped(&t, text_format(r->e->ngc, "static void run_%d(%s)", number,
                                params.at ? params.at : "void"));
    text_add(&t, "{\n%s}\n\n", d->body.at);
    return t;
}

#define AND_SO_ON ", and so on"

/* The first comment of a run. */
static void add_first_comment(const Runs *r, const Repeat *run, int at, Text *t)
{
    for (int u = 0; u < run->units; u++) {
        Text all = {.ngc = r->e->ngc};
        add_comments(&all, &r->unit[at + u]);
        if (all.size == 0)
            continue;
        const char *end = strstr(all.at, " */\n"), *more = strstr(all.at, AND_SO_ON " */\n");
        end = more && more < end ? more : end;
        text_add(t, "%.*s" AND_SO_ON " */\n", (int)(end - all.at), all.at);
        return;
    }
}

static Text call_text(const Runs *r, const Repeat *run, const Draft *d, const Places *p, int place,
                      int number)
{
    Text args = {.ngc = r->e->ngc}, t = {.ngc = r->e->ngc};
    for (int i = 0; i < d->x.params; i++)
        add_to_list(&args, hole_at(r, p, place, d->x.unit[i], d->x.hole[i])->text);
    list_common(r->e, &d->common, false, &args);

    add_first_comment(r, run, p->at[place], &t);
    add_wrapped(&t, text_format(r->e->ngc, "    run_%d(%s);", number, args.at ? args.at : ""));
    return t;
}

static int count_lines(const Text *t)
{
    int lines = 0;
    for (size_t i = 0; i < t->size; i++)
        lines += t->at[i] == '\n';
    return lines;
}

/* A call of a run is a statement like any other, which may be in a longer run. */
static void replace_with_call(const Runs *r, Unit *u, const Draft *d, const Places *p, int place,
                              int number)
{
    Text text = {.ngc = r->e->ngc};
    Unit call = {.text = NULL};
    for (int i = 0; i < d->x.params; i++) {
        Hole hole = d->x.param[i];
        hole.text = hole_at(r, p, place, d->x.unit[i], d->x.hole[i])->text;
        call.hole = arena_grow(r->e->ngc, call.hole, call.holes, &call.room, sizeof *call.hole);
        call.hole[call.holes++] = hole;
        add_to_list(&text, text_format(r->e->ngc, "%c", HOLE));
    }
    list_common(r->e, &d->common, false, &text);
    call.text = intern_str(r->e->ngc,
                           text_format(r->e->ngc, "run_%d(%s);\n", number, text.at ? text.at : ""));
    *u = call;
}

/* Makes a function of a run, if that saves enough lines. */
static bool take_run(Runs *r, const Repeat *run, int number, Text *functions)
{
    Places p = find_places(r, run);
    Draft d = {.x.params = 0};
    if (p.count < 2 || !draft_run(r, run, &p, &d))
        return false;

    Text function = function_text(r, &d, number, p.count);
    Text *call = arena_alloc(r->e->ngc, (size_t)p.count * sizeof *call);
    int saved = p.count * lines_of(r, run->unit, run->units) - count_lines(&function);
    for (int i = 0; i < p.count; i++) {
        call[i] = call_text(r, run, &d, &p, i, number);
        saved -= count_lines(&call[i]);
    }
    if (saved < LEAST)
        return false;

    text_put(functions, function.at, function.size);
    for (int i = 0; i < p.count; i++) {
        Unit *first = &r->unit[p.at[i]];
        for (int u = 0; u < run->units; u++)
            first[u].gone = true;
        replace_with_call(r, first, &d, &p, i, number);
        first->from = call[i].at;
        first->size = call[i].size;
        first->lines = count_lines(&call[i]);
    }
    return true;
}

/* Leaves out the statements that are in runs. */
static void remove_gone(Runs *r)
{
    int kept = 0;
    for (int i = 0; i < r->units; i++)
        if (!r->unit[i].gone)
            r->unit[kept++] = r->unit[i];
    r->units = kept;
}

/* One round over all runs. Returns how many became functions. */
static int take_runs(Runs *r, int number, Text *functions)
{
    enum { TRIES = 1000 };
    number_units(r);
    Repeats found = find_repeats(r);
    int taken = 0;
    for (int i = 0; i < found.count && i < TRIES && found.repeat[i].saves >= LEAST; i++)
        taken += take_run(r, &found.repeat[i], number + taken, functions);
    remove_gone(r);
    return taken;
}

/* The functions, compiled as long lists of calls are. */
static Text long_text(Emit *e, Text functions)
{
    Text t = {.ngc = e->ngc};
    text_put(&t, "", 0);
    if (functions.size > 0)
        text_add(&t, "%s%s%s", long_begin, functions.at, long_end);
    return t;
}

Text runs_of(Emit *e, const char *text)
{
    Runs r = {.e = e};
    Text t = {.ngc = e->ngc};
    int runs = 0;

    add_units(&r, text);
    for (int round = 0, taken = 1; round < ROUNDS && taken; round++) {
        taken = take_runs(&r, runs + 1, &t);
        runs += taken;
    }
    t = long_text(e, t);
    for (int i = 0; i < r.units; i++)
        text_put(&t, r.unit[i].from, r.unit[i].size);
    return t;
}
