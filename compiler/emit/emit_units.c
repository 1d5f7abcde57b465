/* emit_units.c - the statements of the functions, and what each is given.
 *
 * In: the text of the functions, whose statements are calls of kernels and of the runtime. Out: a
 * unit for each statement: its text with holes for pointers, numbers and sizes, and what fills the
 * holes. Units whose texts are equal do the same with other tensors. */
#include "emit/emit_runs.h"

#include <stdlib.h>
#include <string.h>

#define SIZES "(const int[]){"
#define CAST  "(int)"

/* ---- the text of a statement ---- */

typedef struct Reader { /* of a statement */
    Runs *r;
    Unit *u;
    Text text;
    const char *at, *end;
} Reader;

static void add_hole(Reader *x, const char *text, size_t size, const char *type, bool constant)
{
    Unit *u = x->u;
    char mark = HOLE;
    LIST_GROW(x->r->ngc, u->hole, u->holes, &u->room);
    /* the text that fills it is interned, so equal texts are equal pointers */
    u->hole[u->holes++] = (Hole){intern(x->r->ngc, text, size), type, constant};
    text_put(&x->text, &mark, 1);
}

/* Which run-time size is it? -1: none. */
int dim_of(const Emit *e, const char *word, size_t size)
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
    if (is_digit(*word))
        return true;
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (is_word(word, size, common[i]))
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
        /* a name of this function, such as a local variable, has no meaning in another */
        if (n > 0 && !is_digit(*c) && !is_common(x->r->e, c, n))
            return false;
        if (n == 0 && (*c == '&' || *c == '"' || begins(c, "->")))
            return false;
        if (!n)
            n = 1;
        text_put(&x->text, c, n);
        c += n;
        /* a designator or the fraction of a number */
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
    /* an element is not a pointer */
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

/* The address of a number in memory; NULL: it has another form. */
static const char *address_of(const Reader *x, const char *text, size_t size, const char *type)
{
    Ngc *ngc = x->r->ngc;
    if (begins(text, "space[") && same_text(type, x->r->e->real)) {
        const char *at = text + strlen("space[");
        size_t digits = count_digits(at);
        if (at + digits + 1 != text + size)
            return NULL;
        return text_format(ngc, "space + %.*s", (int)digits, at);
    }
    if (!is_pointer(text, size) || memchr(text, '[', size))
        return NULL;
    return text_format(ngc, "&%.*s", (int)size, text);
}

/* A number that a kernel is given. If it is in memory, the run gets its address, because another
 * statement of the run may change it. */
static bool read_number(Reader *x, const char *text, size_t size, const char *type)
{
    if (is_digit(*text))
        return read_common(x, text, size);
    if (word_size(text) == size) {
        add_hole(x, text, size, type, false); /* a constant of the function */
        return true;
    }

    const char *address = address_of(x, text, size, type);
    if (!address)
        return false;
    text_put(&x->text, "*", 1);
    add_hole(x, address, strlen(address), text_format(x->r->ngc, "%s *", type), true);
    return true;
}

/* A size that a kernel is given. */
static bool read_size(Reader *x, const char *text, size_t size)
{
    if (count_digits(text) == size) {
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
    Ngc *ngc = x->r->ngc;
    bool constant = begins(param, "const ");
    const char *type = param;
    if (constant)
        type += strlen("const ");
    size_t n = strcspn(type, " ");

    if (type[n + 1] == '*')
        return read_pointer(x, text, size, text_format(ngc, "%.*s *", (int)n, type), constant);
    if (is_word(type, n, "size_t"))
        return begins(text, "NGC_SHARE(") ? read_share(x, text, size) : read_size(x, text, size);
    return read_number(x, text, size, intern(ngc, type, n));
}

/* The sizes of a call: "(const int[]){1, 64, (int)m}". */
static bool read_sizes(Reader *x, const char *text, size_t size)
{
    size_t head = strlen(SIZES);
    text_add(&x->text, SIZES);
    for (size_t i = head; i < size;) {
        size_t digits = count_digits(text + i);
        size_t n = digits;
        if (!digits)
            n = strcspn(text + i, ", }");
        /* a size alone; within an expression digits stay as they are */
        bool whole = digits && !is_word_char(text[i + digits]) && strchr(",}", text[i + digits]);
        if (whole) {
            text_add(&x->text, CAST);
            add_hole(x, text + i, n, "size_t", false);
        } else if (n > 0 && !read_common(x, text + i, n)) {
            return false;
        }
        i += n;
        for (; i < size && strchr(", }", text[i]); i++)
            text_put(&x->text, text + i, 1);
    }
    return true;
}

/* One argument of a function of the runtime. The last pointer is to its result. */
static bool read_runtime_argument(Reader *x, const char *text, size_t size, bool draws, int number)
{
    static const char *const draw[] = {"", "size_t", "", "uint32_t", "double", "double"};
    const Emit *e = x->r->e;
    if (begins(text, SIZES))
        return read_sizes(x, text, size);
    /* count, stream and bounds of a draw: each has its type */
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
    /* commas within parentheses are of inner calls */
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
    if (!comma)
        return "void";
    return skip_blanks(comma + 1);
}

/* What follows in a list: at the comma, or at the end. */
static const char *after_comma(const char *at)
{
    if (*at == ',')
        at++;
    return skip_blanks(at);
}

/* The sizes that joined kernels get as parameters. Moves *param after them. */
static void read_joined_sizes(Reader *x, const char *sizes, const char **param)
{
    const char *comma = "";

    while (*sizes) {
        size_t n = strcspn(sizes, ",");
        text_add(&x->text, "%s", comma);
        if (begins(*param, "size_t"))
            add_hole(x, sizes, n, "size_t", false);
        else
            text_put(&x->text, sizes, n);

        sizes = after_comma(sizes + n);
        *param = next_param(*param);
        comma = ", ";
    }
}

/* The range of a kernel that threads share, where one thread does all. Moves *param after it. */
static bool read_range(Reader *x, const char *range, const char **param, const char **comma)
{
    while (*range) {
        size_t n = strcspn(range, ",");
        text_add(&x->text, "%s", *comma);
        if (!read_size(x, range, n))
            return false;

        range = after_comma(range + n);
        *param = next_param(*param);
        *comma = ", ";
    }
    return true;
}

/* The arguments of a kernel: what is in the text, "#12(...)", and before them those that all calls
 * of the kernel share. */
static bool read_kernel_call(Reader *x)
{
    char *end;
    const Static *f = &x->r->e->kernel[strtol(x->at + 1, &end, 10)];
    const Static *called = f->joined ? f->joined : f;
    const char *param = called->params + 1;
    const char *comma = "";

    text_add(&x->text, "%s(", called->name);
    if (f->joined && *f->sizes) {
        read_joined_sizes(x, f->sizes, &param);
        comma = ", ";
    }
    if (f->range && !read_range(x, f->range, &param, &comma))
        return false;

    /* what the call itself gives */
    for (x->at = end + 1; *x->at != ')'; comma = ", ") {
        const char *text = x->at = skip_blanks(x->at);
        const char *after = argument_end(text, x->end);
        text_add(&x->text, "%s", comma);
        if (!read_kernel_argument(x, text, (size_t)(after - text), param))
            return false;

        param = next_param(param);
        /* one text for two parameters: from and to */
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
        if (strchr(u->hole[i].type, '*')) {
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
    int number = 0;
    int from = x->u->holes;
    bool is_draw = false;
    for (size_t i = 0; i < sizeof draws / sizeof *draws; i++)
        is_draw |= begins(x->at, draws[i]);

    text_put(&x->text, x->at, n + 1);
    for (x->at += n + 1; *x->at != ')'; number++) {
        const char *text = x->at = skip_blanks(x->at);
        const char *after = argument_end(text, x->end);
        text_add(&x->text, "%s", text_if(number, ", "));
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
    /* a run gets the pool as an argument, as it has no w */
    if (begins(x->at, meet)) {
        text_add(&x->text, "meet(");
        add_hole(x, "w->pool", strlen("w->pool"), "struct ngrt_pool *", false);
        text_add(&x->text, ", ");
        x->at += strlen(meet);
        return true;
    }
    size_t n = word_size(x->at);
    if (!n)
        n = 1;
    if (!read_common(x, x->at, n))
        return false;
    x->at += n;
    return true;
}

/* Finds the holes of a statement. Without a text it cannot be in a run. */
static void read_unit(Runs *r, Unit *u, const char *statement)
{
    Reader x = {.r = r, .u = u, .text.ngc = r->ngc, .at = statement, .end = u->from + u->size};
    while (x.at < x.end)
        if (!read_piece(&x))
            return;
    u->text = intern_str(r->ngc, x.text.at);
}

/* ---- the statements of all functions ---- */

/* Does a line at this place begin another statement? */
static bool begins_unit(const char *line)
{
    return begins(line, "    ") && line[4] != ' ' && line[4] != '}';
}

/* Adds the lines from `from` on as a unit; returns where the next begins. */
static const char *add_unit(Runs *r, const char *from, bool in_body)
{
    LIST_GROW(r->ngc, r->unit, r->units, &r->room);
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

void units_read(Runs *r, const char *text)
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
void units_number(Runs *r)
{
    Table known = {0};
    int kinds = 0;
    for (int i = 0; i < r->units; i++) {
        Unit *u = &r->unit[i];
        bool free = u->text && !u->gone;
        int *at = NULL;
        if (free)
            at = table_at(r->ngc, &known, u->text);
        if (at && *at == 0)
            *at = ++kinds;
        /* unlike all others, so it is in no run */
        if (at)
            u->kind = *at;
        else
            u->kind = -1 - i;
    }
}

/* ---- text ---- */

int lines_of(const Runs *r, int from, int units)
{
    int lines = 0;
    for (int i = 0; i < units; i++)
        lines += r->unit[from + i].lines;
    return lines;
}

int count_lines(const Text *t)
{
    int lines = 0;
    for (size_t i = 0; i < t->size; i++)
        lines += t->at[i] == '\n';
    return lines;
}

/* Adds a line, continued on others where it is too long. */
void add_wrapped(Text *t, const char *line)
{
    size_t indent = strspn(line, " ");
    while (strlen(line) > WIDTH) {
        const char *cut = NULL;
        /* the last comma that fits */
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

/* What the comment in a line says, without its marks; size 0: it has none. */
static const char *comment_in(const char *line, size_t *size)
{
    const char *mark = line + strspn(line, " ");
    const char *text = mark + strlen("/* ");
    const char *last = next_line(mark) - strlen(" */\n");

    *size = 0;
    if (begins(mark, "/* ") && last > mark && begins(last, " */\n"))
        *size = (size_t)(last - text);
    return text;
}

/* The comments in lines: several in a line, where they fit. */
static void add_comments_of(Text *t, const char *lines, const char *end, int indent)
{
    size_t column = 0, size;
    for (const char *line = lines; line < end; line = next_line(line)) {
        const char *text = comment_in(line, &size);
        if (size == 0)
            continue;
        bool fits = column > 0 && column + strlen("; ") + size + strlen(" */") <= WIDTH;
        if (fits)
            text_add(t, "; ");
        else
            text_add(t, "%s%*s/* ", text_if(column, " */\n"), indent, "");
        text_put(t, text, size);
        column = (fits ? column + 2 : (size_t)indent + 3) + size;
    }
    if (column > 0)
        text_add(t, " */\n");
}

/* The comments of a statement, also those within its braces. */
void add_comments(Text *t, const Unit *u, int indent)
{
    add_comments_of(t, u->from, u->from + u->size, indent);
}

/* A statement as it is, but for the lines of the comments above it. */
void add_unit_text(Text *t, const Unit *u)
{
    const char *statement = u->from;
    const char *end = u->from + u->size;
    size_t size;
    for (comment_in(statement, &size); size > 0 && statement < end; comment_in(statement, &size))
        statement = next_line(statement);
    add_comments_of(t, u->from, statement, 4);
    text_put(t, statement, (size_t)(end - statement));
}

/* Lines of statements. */
void add_lines(Text *t, const char *lines, int indent)
{
    for (const char *line = lines; *line; line = next_line(line)) {
        const char *end = next_line(line);
        Text one = {.ngc = t->ngc};
        text_add(&one, "%*s%.*s", line == lines ? indent : indent - 4, "", (int)(end - line - 1),
                 line);
        add_wrapped(t, one.at);
    }
}

/* Leaves out the statements that are in runs. */
void units_remove_gone(Runs *r)
{
    int kept = 0;
    for (int i = 0; i < r->units; i++)
        if (!r->unit[i].gone)
            r->unit[kept++] = r->unit[i];
    r->units = kept;
}

/* Adds what fills a hole. A number needs no cast, and an address no star: "space[3]" is shorter
 * than "*(space + 3)". */
void add_filled(Text *t, const char *text)
{
    size_t cast = strlen(CAST);
    bool is_number = is_whole_number(text);
    bool is_sum = strchr(text, ' ') != NULL;
    bool has_cast = t->size >= cast && memcmp(t->at + t->size - cast, CAST, cast) == 0;
    bool has_star = t->size >= 2 && t->at[t->size - 1] == '*' && strchr(" (", t->at[t->size - 2]);

    if (has_cast && is_number)
        t->size -= cast;
    if (has_star && *text == '&') {
        t->size--;
        text++;
    }
    if (has_star && begins(text, "space + ")) {
        t->size--;
        text_add(t, "space[%s]", text + strlen("space + "));
        return;
    }
    text_add(t, (has_cast || has_star) && is_sum ? "(%s)" : "%s", text);
}
