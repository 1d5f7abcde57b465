/* emit_repeat.c - statements that are repeated one after another, as for each block of a deep
 * network, are a loop.
 *
 * In: the statements of the functions, with the calls of runs. Out: fewer of them, and the tables
 * that the loops read. In each pass a statement is given the same, or a number that grows by the
 * same step, or one that a table has for the pass. A pointer to a member of a struct becomes a
 * pointer to the first of the floats around it, plus a number of elements. What is computed, in
 * which order and where, does not change. */
#include "emit/emit_runs.h"

#include <stdlib.h>
#include <string.h>

enum {
    PASSES = 4096, /* of one loop */
    LEAST = 4,     /* lines that a loop must save */
};

typedef struct Column { /* a number that differs from pass to pass, in a table */
    const char **text;  /* interned, for each pass */
} Column;

typedef struct Columns {
    Column *column;
    int count, room;
} Columns;

typedef struct Distance { /* of a member of a struct */
    const char *from;     /* "&params->W": the first of the floats that it is among */
    int64_t at;           /* how many come before it */
} Distance;

struct Repeater {
    Runs *r;
    Distance *member;
    int members, room;
    Table member_of; /* "params->W", interned: 1 + its place in `member` */
    Table forms;     /* a statement with marks for numbers, interned: its Unit.form */
    Table tables;    /* the text of a table, interned: its number; 0: it is not printed */
    int table;       /* the last number */
    Text *out;       /* gets the tables */
    Output *made;    /* counts the loops */
};

typedef struct Repetition { /* a loop while it is drafted */
    Ngc *ngc;
    Repeater *x;
    int unit, period, passes;
    Columns whole, real;
    const char *type; /* of the real numbers: "float" */
} Repetition;

/* ---- members of structs ---- */

/* A struct while its members are noted. */
typedef struct Struct {
    const char *name;  /* "params": the pointer to it */
    const char *first; /* of the floats one after another that the last member is among; or NULL */
    int64_t floats;    /* after the first, so far */
} Struct;

static void add_member(Repeater *x, Struct *s, const char *name, Type type, Shape shape)
{
    const Emit *e = x->r->e;
    const char *key = intern_str(e->ngc, text_format(e->ngc, "%s->%s", s->name, name));
    /* between floats, an int may bring padding: distances begin anew after it */
    if (type != T_FLOAT) {
        s->first = NULL;
        return;
    }
    if (!s->first) {
        s->first = text_format(e->ngc, "&%s", key);
        s->floats = 0;
    }

    LIST_GROW(e->ngc, x->member, x->members, &x->room);
    x->member[x->members++] = (Distance){s->first, s->floats};
    *table_at(e->ngc, &x->member_of, key) = x->members;
    s->floats += module_count(e->module, shape);
}

static void add_vars(Repeater *x, VarKind kind)
{
    const Model *m = x->r->e->module->model;
    Struct s = {.name = block_info[block_of_var[kind]].name};
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        if (v->kind == kind)
            add_member(x, &s, v->cname, v->type, v->shape);
    }
}

static void add_grads(Repeater *x)
{
    const Model *m = x->r->e->module->model;
    Struct s = {.name = block_info[BLOCK_GRADS].name};
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        if (r->kind == ROOT_GRAD)
            add_member(x, &s, r->cname, r->node->type, r->node->shape);
    }
}

/* "params->h_1_W[0]" as "(const float *)&params->W + 12"; NULL: it is another pointer. */
static const char *as_distance(Repeater *x, const Hole *h)
{
    Ngc *ngc = x->r->ngc;
    size_t n = word_size(h->text);
    if (!strchr(h->type, '*') || !begins(h->text + n, "->"))
        return NULL;

    n += 2 + word_size(h->text + n + 2);
    const char *after = h->text + n;
    /* W[0][0] is the first element, whatever the rank */
    while (begins(after, "[0]"))
        after += 3;
    int at = *table_at(ngc, &x->member_of, intern(ngc, h->text, n));
    if (at == 0 || *after == '[')
        return NULL;
    return text_format(ngc, "(%s%s)%s + %lld%s", text_if(h->constant, "const "), h->type,
                       x->member[at - 1].from, (long long)x->member[at - 1].at, after);
}

/* What a hole is given in a form in which only numbers differ: "space" as "space + 0". */
static const char *comparable(Repeater *x, const Hole *h)
{
    const char *distance = as_distance(x, h);
    if (distance)
        return distance;
    if (!begins(h->text, "space") || is_word_char(h->text[5]))
        return h->text;

    const char *rest = h->text + 5;
    size_t digits = 0;
    if (begins(rest, " + "))
        digits = count_digits(rest + 3);
    bool offset = digits > 0 && rest[3 + digits] != '*';
    if (offset)
        return h->text;
    return text_format(x->r->ngc, "space + 0%s", rest);
}

/* ---- numbers that differ ---- */

/* The length of a number, or 0. */
static size_t number_size(const char *c)
{
    if (is_digit(*c))
        return token_size(c);
    return 0;
}

/* Is it a whole number that is within 64 bits? */
static bool is_whole(const char *number)
{
    enum { DIGITS = 17 };
    return is_whole_number(number) && strlen(number) <= DIGITS;
}

/* The step by which whole numbers grow. false: there is none. */
static bool find_step(const Repetition *x, const char **text, int64_t *step)
{
    for (int i = 0; i < x->passes; i++)
        if (!is_whole(text[i]))
            return false;
    *step = atoll(text[1]) - atoll(text[0]);
    for (int i = 2; i < x->passes; i++)
        if (atoll(text[i]) - atoll(text[i - 1]) != *step)
            return false;
    return true;
}

/* Is it, in every pass, as far after a number of the table? */
static bool is_after(const Repetition *x, const Column *c, const char **text, int64_t *after)
{
    *after = atoll(text[0]) - atoll(c->text[0]);
    for (int i = 1; i < x->passes; i++)
        if (atoll(text[i]) - atoll(c->text[i]) != *after)
            return false;
    /* at[k] + a: sizes are unsigned */
    return *after >= 0;
}

static bool is_same(const Repetition *x, const char **text)
{
    for (int i = 1; i < x->passes; i++)
        if (text[i] != text[0])
            return false;
    return true;
}

static int add_column(const Repetition *x, Columns *all, const char **text)
{
    LIST_GROW(x->ngc, all->column, all->count, &all->room);
    all->column[all->count] = (Column){text};
    return all->count++;
}

/* The column that these whole numbers come `after` after; a new one, if there is none. An offset
 * that follows another at a fixed distance needs no column. */
static int whole_column(Repetition *x, const char **text, int64_t *after)
{
    for (int i = 0; i < x->whole.count; i++)
        if (is_after(x, &x->whole.column[i], text, after))
            return i;
    *after = 0;
    return add_column(x, &x->whole, text);
}

/* The column of these real numbers, which may be a new one. */
static int real_column(Repetition *x, const char **text)
{
    size_t size = (size_t)x->passes * sizeof *text;
    for (int i = 0; i < x->real.count; i++)
        if (memcmp(x->real.column[i].text, text, size) == 0)
            return i;
    return add_column(x, &x->real, text);
}

static bool is_real(const char *type)
{
    return same_text(type, "float") || same_text(type, "double");
}

/* What is written for a number that a table has. */
static const char *table_text(Repetition *x, const char **text, const char *type)
{
    Ngc *ngc = x->ngc;
    if (is_real(type)) {
        /* one table of real numbers, of one type */
        if (x->type && !same_text(x->type, type))
            return NULL;
        x->type = type;
        return text_format(ngc, "number[%d]", real_column(x, text));
    }
    for (int i = 0; i < x->passes; i++)
        if (!is_whole(text[i]))
            return NULL;

    int64_t after;
    int column = whole_column(x, text, &after);
    if (after == 0)
        return text_format(ngc, "at[%d]", column);
    return text_format(ngc, "at[%d] + %lld", column, (long long)after);
}

/* What is written for a number that differs. NULL: nothing can be. */
static const char *number_text(Repetition *x, const char **text, const char *type)
{
    Ngc *ngc = x->ngc;
    int64_t step;
    /* a + pass*step needs no table */
    if (is_real(type) || !find_step(x, text, &step))
        return table_text(x, text, type);

    const char *times = text_format(ngc, "pass*%lld", (long long)llabs(step));
    if (llabs(step) == 1)
        times = "pass";
    if (step > 0 && same_text(text[0], "0"))
        return times;
    return text_format(ngc, "%s %c %s", text[0], step < 0 ? '-' : '+', times);
}

/* The type of a number that is not a size, within what is given; "": a size. */
static const char *cast_of(const char *type)
{
    return begins(type, "uint") ? type : "";
}

/* Adds a number where c is before it and `after` comes next. */
static void put_number(Text *t, const char *number, const char *type, char before, char after)
{
    const char *cast = "";
    if (!is_whole_number(number))
        cast = cast_of(type);
    bool sum = strchr(number, ' ') != NULL;
    /* a sum beside * or after - needs parentheses */
    bool product = before == '*' || after == '*' || before == '-';
    if (*cast)
        text_add(t, sum ? "(%s)(%s)" : "(%s)%s", cast, number);
    else
        text_add(t, sum && product ? "(%s)" : "%s", number);
}

/* ---- what a statement is given in all passes ---- */

static const Unit *unit_of(const Repetition *x, int pass, int u)
{
    return &x->x->r->unit[x->unit + pass * x->period + u];
}

/* The numbers at which all texts are. Moves them on. false: one has no number there. */
static bool read_numbers(const Repetition *x, const char **at, const char **number)
{
    for (int i = 0; i < x->passes; i++) {
        size_t n = number_size(at[i]);
        if (n == 0)
            return false;
        number[i] = intern(x->ngc, at[i], n);
        at[i] += n;
    }
    return true;
}

/* The text for all passes, of which each has its own. NULL: they differ in more than numbers. */
static const char *join_texts(Repetition *x, const char **at, const char *type)
{
    Ngc *ngc = x->ngc;
    Text t = text_empty(ngc);
    char before = '\0';

    while (*at[0]) {
        /* "t12" and "1.5" have digits that begin no number */
        bool starts = !is_word_char(before) && before != '.';
        if (starts && number_size(at[0]) > 0) {
            const char **number = arena_array(ngc, x->passes, sizeof *number);
            if (!read_numbers(x, at, number))
                return NULL;
            const char *text = is_same(x, number) ? number[0] : number_text(x, number, type);
            if (!text)
                return NULL;
            put_number(&t, text, type, before, *at[0]);
            before = '0';
            continue;
        }

        /* all else must be the same in all passes */
        char c = *at[0];
        for (int i = 0; i < x->passes; i++)
            if (*at[i]++ != c)
                return NULL;
        text_put(&t, &c, 1);
        if (c != ' ')
            before = c;
    }

    for (int i = 0; i < x->passes; i++)
        if (*at[i])
            return NULL;
    return t.at;
}

/* What fills hole h of statement u. NULL: it differs in more than numbers. */
static const char *hole_text(Repetition *x, int u, int h)
{
    Ngc *ngc = x->ngc;
    const char **text = arena_array(ngc, x->passes, sizeof *text);
    /* members of structs as distances, so that only numbers differ */
    for (int i = 0; i < x->passes; i++)
        text[i] = unit_of(x, i, u)->hole[h].text;
    if (is_same(x, text))
        return text[0];

    for (int i = 0; i < x->passes; i++)
        text[i] = comparable(x->x, &unit_of(x, i, u)->hole[h]);
    return join_texts(x, text, unit_of(x, 0, u)->hole[h].type);
}

/* A statement of the loop, with its holes filled in. NULL: it cannot be. */
static const char *statement(Repetition *x, int u)
{
    const Unit *unit = unit_of(x, 0, u);
    Text t = text_empty(x->ngc);
    int h = 0;
    for (const char *c = unit->text; *c; c++) {
        if (*c != HOLE) {
            text_put(&t, c, 1);
            continue;
        }
        const char *text = hole_text(x, u, h++);
        if (!text)
            return NULL;
        add_filled(&t, text);
    }
    return t.at;
}

/* ---- text ---- */

enum { INDENT = 3 }; /* of a line of a table; each row begins with one more blank */

static void start_line(Text *line)
{
    line->size = 0;
    text_add(line, "%*s", INDENT, "");
}

/* The elements of a table, a pass in braces. Several passes share a line, where they fit. */
static void add_rows(const Repetition *x, const Columns *c, Text *t)
{
    Text line = {.ngc = t->ngc};
    start_line(&line);
    for (int i = 0; i < x->passes; i++) {
        Text row = {.ngc = t->ngc};
        for (int k = 0; k < c->count; k++)
            text_add(&row, "%s%s", k ? ", " : " {", c->column[k].text[i]);
        text_add(&row, i + 1 < x->passes ? "}," : "}");

        if (line.size + row.size > WIDTH && line.size > INDENT) {
            text_add(t, "%s\n", line.at);
            start_line(&line);
        }
        text_add(&line, "%s", row.at);
        if (line.size > WIDTH) {
            add_wrapped(t, line.at);
            start_line(&line);
        }
    }
    if (line.size > INDENT)
        text_add(t, "%s\n", line.at);
    text_add(t, "};\n\n");
}

/* "[2][1] = {\n    {12}, {15}\n};\n\n" with its type; NULL: the loop has no such table. */
static const char *draft_table(const Repetition *x, const Columns *c, const char *type)
{
    Text t = {.ngc = x->ngc};
    if (c->count == 0)
        return NULL;
    text_add(&t, "static const %s blocks_%%d[%d][%d] = {\n", type, x->passes, c->count);
    add_rows(x, c, &t);
    /* without its number: equal tables of two loops are one */
    return intern_str(t.ngc, t.at);
}

/* The lines that a table adds: none if it is there. */
static int table_lines(Repeater *x, const char *table)
{
    if (!table || *table_at(x->r->ngc, &x->tables, table))
        return 0;
    int lines = 0;
    for (const char *c = table; *c; c = next_line(c))
        lines++;
    return lines;
}

/* "static const size_t blocks_3[2][1] = { .." with what its numbers are. */
static void print_table(Repeater *x, const char *table, const char *name, int number)
{
    static const char explained[] =
        "/* Tables for loops over blocks: row i is for pass i. at[0], at[1] and so on are sizes, and\n"
        " * by how many elements the array of the pass comes after the one named there; number[0] and\n"
        " * so on are other numbers that differ from pass to pass. */\n";
    const char *mark = strstr(table, "%d");
    const char *end = strchr(mark, '\n');
    bool comments = x->r->ngc->opt.comments > 0;

    if (comments && number == 1)
        text_add(x->out, "%s", explained);
    text_add(x->out, "%.*s%d%.*s", (int)(mark - table), table, number, (int)(end - mark - 2),
             mark + 2);
    if (comments)
        text_add(x->out, " /* %s[0], .. in each pass */", name);
    text_add(x->out, "%s", end);
}

/* "        const size_t *const at = blocks_3[pass];", and prints the table if it is new. */
static void use_table(Repeater *x, const char *table, const char *type, const char *name, Text *t)
{
    if (!table)
        return;
    int *number = table_at(x->r->ngc, &x->tables, table);
    if (*number == 0) {
        *number = ++x->table;
        print_table(x, table, name, *number);
    }
    text_add(t, "        const %s *const %s = blocks_%d[pass];\n", type, name, *number);
}

/* The statements of a pass. false: they cannot be those of a loop. */
static bool draft_body(Repetition *x, Text *body)
{
    for (int u = 0; u < x->period; u++) {
        const char *text = statement(x, u);
        if (!text)
            return false;
        add_comments(body, unit_of(x, 0, u), 8);
        add_lines(body, text, 8);
    }
    return true;
}

/* Makes a loop of statements, if that saves lines. */
static bool take_repetition(Repetition *x)
{
    Repeater *all = x->x;
    Runs *r = all->r;
    int units = x->period * x->passes;
    Text body = {.ngc = r->ngc};
    Text loop = {.ngc = r->ngc};
    if (!draft_body(x, &body))
        return false;

    const char *whole = draft_table(x, &x->whole, "size_t");
    const char *real = draft_table(x, &x->real, x->type);
    /* comment, head and end of the loop, its tables' declarations, its body */
    int lines = 3 + (whole != NULL) + (real != NULL) + count_lines(&body);
    int tables = table_lines(all, whole) + table_lines(all, real);
    int saved = lines_of(r, x->unit, units) - lines;
    if (saved - tables < LEAST)
        return false;

    text_add(&loop, "    /* %d passes: the comments are those of the first */\n", x->passes);
    text_add(&loop, "    for (size_t pass = 0; pass < %d; pass++) {\n", x->passes);
    use_table(all, whole, "size_t", "at", &loop);
    use_table(all, real, x->type, "number", &loop);
    text_add(&loop, "%s    }\n", body.at);

    all->made->repeats++;
    all->made->passes += x->passes;

    /* the loop takes the place of the first statement */
    for (int i = 0; i < units; i++)
        r->unit[x->unit + i].gone = true;
    r->unit[x->unit] = (Unit){.from = loop.at, .size = loop.size, .lines = lines};
    return true;
}

/* ---- the search ---- */

/* Adds a text with a mark for each number. */
static void add_skeleton(Text *t, const char *text)
{
    for (const char *c = text; *c;) {
        bool starts = c == text || !(is_word_char(c[-1]) || c[-1] == '.');
        size_t n = 0;
        if (starts)
            n = number_size(c);
        text_put(t, n ? "#" : c, 1);
        c += n ? n : 1;
    }
}

/* Gives forms to the statements that have none. */
static void find_forms(Repeater *x)
{
    Ngc *ngc = x->r->ngc;
    for (int i = 0; i < x->r->units; i++) {
        Unit *u = &x->r->unit[i];
        if (u->kind <= 0 || u->form > 0)
            continue;
        Text t = {.ngc = ngc};
        text_add(&t, "%s", u->text);
        for (int h = 0; h < u->holes; h++) {
            text_add(&t, "%c", HOLE);
            add_skeleton(&t, comparable(x, &u->hole[h]));
        }
        int *form = table_at(ngc, &x->forms, intern_str(ngc, t.at));
        if (*form == 0)
            *form = x->forms.count;
        u->form = *form;
    }
}

/* How often the statements from i on are repeated, if `period` of them are a pass. */
static int count_passes(const Runs *r, int i, int period)
{
    int last = i + period;
    for (; last < r->units && last - i < period * PASSES; last++) {
        const Unit *u = &r->unit[last];
        const Unit *before = &r->unit[last - period];
        if (u->kind <= 0 || before->kind <= 0 || u->form != before->form)
            break;
    }
    return (last - i) / period;
}

/* The loop that begins with statement i and saves the most lines; passes is 0 if there is none. */
static Repetition best_at(Repeater *x, int i, int least)
{
    const Runs *r = x->r;
    Repetition best = {.ngc = r->ngc, .x = x};
    int most = 0;
    for (int period = 1; period <= REPEAT_PERIOD; period++) {
        int passes = count_passes(r, i, period);
        /* all passes but one */
        int saves = 0;
        if (passes >= least)
            saves = lines_of(r, i, period * (passes - 1));
        if (saves <= most)
            continue;
        most = saves;
        best.unit = i;
        best.period = period;
        best.passes = passes;
    }
    return best;
}

Repeater *repeater_new(Runs *r, Text *tables, Output *out)
{
    Repeater *x = arena_alloc(r->ngc, sizeof *x);
    *x = (Repeater){.r = r, .out = tables, .made = out};
    add_vars(x, VAR_PARAM);
    add_vars(x, VAR_STATE);
    add_vars(x, VAR_FROZEN);
    add_grads(x);
    return x;
}

void repeats_of(Repeater *x, int least)
{
    enum { FAR = 64 };
    Runs *r = x->r;
    units_number(r);
    find_forms(x);
    for (int i = 0; i < r->units; i++) {
        Repetition found = best_at(x, i, least);
        int units = found.period * found.passes;
        /* the search continues after the loop */
        if (units > 0 && take_repetition(&found))
            i += units - 1;
        else if (units > FAR) /* what begins in the middle does not save more */
            i += units / 2;
    }
    units_remove_gone(r);
    units_number(r);
}
