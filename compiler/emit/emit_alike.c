/* emit_alike.c - kernels whose texts differ only in sizes are one function with the sizes as
 * parameters.
 *
 * In: the functions of all kernels, as emit_function keeps them. Out: their text, and the calls of
 * them in the text of the interface. The sizes of short innermost loops stay numbers, because the
 * compiler unrolls such a loop, or leaves out what is after its vectors. */
#include "emit/emit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHORT = 64,  /* passes: a shorter innermost loop keeps its number, unless */
    SEVERAL = 4, /* functions, or more, become one */
    MANY = 16,   /* numbers that a function gets at most */
};

typedef struct Number { /* in a body, that may become a parameter */
    size_t at, length;
    const char *text; /* interned */
} Number;

typedef struct Numbers {
    Number *number;
    int count, room;
} Numbers;

/* ---- the sizes in a body ---- */

/* Is there a point, or the sign of an exponent, in the decimal number that c is in? */
static bool is_in_number(const char *c)
{
    return *c == '.' || ((*c == '-' || *c == '+') && c[-1] == 'e' && is_digit(c[1]));
}

size_t token_size(const char *c)
{
    bool number = is_digit(*c) && !begins(c, "0x");
    size_t n = 0;
    while (is_word_char(c[n]) || (number && is_in_number(c + n)))
        n++;
    return n;
}

/* Is there no loop in the one that begins with this line? Those over lanes do not count. */
static bool is_innermost(const char *line)
{
    size_t indent = strspn(line, " ");
    /* lines that are indented more belong to the loop */
    for (const char *c = strchr(line, '\n'); c && c[1]; c = strchr(c + 1, '\n')) {
        size_t deeper = strspn(c + 1, " ");
        if (deeper <= indent)
            return true;
        const char *loop = c + 1 + deeper;
        if (begins(loop, "for (") && !begins(loop, "for (size_t l = "))
            return false;
    }
    return true;
}

/* Is the line the head of a loop with so few passes that it keeps its number? */
static bool is_short_loop(const char *line, const char *number)
{
    const char *loop = line + strspn(line, " ");
    if (begins(loop, "NGRT_VECTORS("))
        loop += strlen("NGRT_VECTORS(");
    if (!begins(loop, "for (") || atoll(number) >= SHORT)
        return false;
    /* "i < 12;" or "i < 12)": the bound of the loop, not a number in its start */
    const char *after = number + token_size(number);
    return (*after == ';' || *after == ')') && is_innermost(line);
}

/* Must a size stay a number? That is the length of an array, or a divisor. */
static bool is_constant(const char *body, const char *line, const char *number, bool keep_short)
{
    const char *before = number;
    while (before > body && before[-1] == ' ')
        before--;
    char c = '\0';
    if (before > body)
        c = before[-1];
    bool compared = c == '=' && before - body > 1 && before[-2] == '=';
    /* a division by a constant is a multiplication */
    if (c == '/' || c == '%' || compared)
        return true;

    /* "float t0[12];" declares an array: its length must be constant */
    const char *after = number + token_size(number);
    bool is_length = c == '[' && after[1] == ';';
    if (is_length && !begins(line + strspn(line, " "), "for"))
        return true;
    return keep_short && is_short_loop(line, number);
}

/* Is it a real number that may become a parameter? Products with powers of 2, and quotients, are
 * compiled better if they are known. */
static bool is_real(const char *number, size_t size)
{
    int exponent;
    bool real = memchr(number, '.', size) || memchr(number, 'e', size);
    /* of a power of 2 the mantissa is 0.5: it multiplies without rounding, and may be folded */
    double mantissa = 0;
    if (real)
        mantissa = frexp(strtod(number, NULL), &exponent);
    return mantissa != 0 && mantissa != 0.5;
}

/* All numbers of a body that may become parameters. */
static Numbers find_numbers(Emit *e, const char *body, bool keep_short)
{
    Numbers found = {0};
    const char *line = body;
    for (const char *c = body; *c;) {
        if (*c == '\n')
            line = c + 1;
        if (!is_word_char(*c)) {
            c++;
            continue;
        }

        size_t n = token_size(c);
        /* digits only */
        bool is_size = count_digits(c) == n && !is_constant(body, line, c, keep_short);
        if (is_size || (is_digit(*c) && is_real(c, n))) {
            LIST_GROW(e->ngc, found.number, found.count, &found.room);
            found.number[found.count++] = (Number){(size_t)(c - body), n, intern(e->ngc, c, n)};
        }
        c += n;
    }
    return found;
}

static bool is_size(const Number *x)
{
    return is_whole_number(x->text);
}

/* What is written for a number to compare bodies. */
static const char *mark_of(const Number *x)
{
    return is_size(x) ? "#" : "%";
}

/* The body with other texts for its numbers. */
static Text replaced(Emit *e, const char *body, const Numbers *x, const char *const *text)
{
    Text t = {.ngc = e->ngc};
    size_t at = 0;
    for (int i = 0; i < x->count; i++) {
        text_put(&t, body + at, x->number[i].at - at);
        text_add(&t, "%s", text ? text[i] : mark_of(&x->number[i]));
        at = x->number[i].at + x->number[i].length;
    }
    text_add(&t, "%s", body + at);
    return t;
}

/* ---- groups ---- */

/* What functions have in common that can be one. */
static const char *common_text(Emit *e, const Static *f, const Numbers *x)
{
    const char *body = replaced(e, f->body, x, NULL).at;
    return intern_str(e->ngc, text_format(e->ngc, "%d %s %s%s%s", f->bytes, f->real, f->result,
                                          f->params, body));
}

/* Functions that are alike: the first, and all others in a list. */
typedef struct Group {
    int first;
    int *member;
    int members, room;
} Group;

/* Does number i have the same text as number j in every member? */
static bool same_column(const Group *g, const Numbers *x, int i, int j)
{
    for (int m = 0; m < g->members; m++) {
        const Numbers *own = &x[g->member[m]];
        if (own->number[i].text != own->number[j].text)
            return false;
    }
    return true;
}

static bool varies(const Group *g, const Numbers *x, int i)
{
    for (int m = 1; m < g->members; m++)
        if (x[g->member[m]].number[i].text != x[g->first].number[i].text)
            return true;
    return false;
}

/* By number of the body: which parameter it becomes, or -1. Returns how many parameters there are,
 * and the number that each is first. */
static int choose_sizes(const Group *g, const Numbers *x, int *param, int *first)
{
    int params = 0;
    for (int i = 0; i < x[g->first].count; i++) {
        param[i] = -1;
        /* the same in all members: it stays a number */
        if (!varies(g, x, i))
            continue;
        /* numbers that are equal in every member, as rows twice, are one parameter */
        for (int p = 0; p < params && param[i] < 0; p++)
            if (same_column(g, x, first[p], i))
                param[i] = p;
        if (param[i] < 0 && params == MANY)
            return MANY + 1;
        if (param[i] < 0) {
            first[params] = i;
            param[i] = params++;
        }
    }
    return params;
}

/* "n0" for a size, "v1" for a real number */
static const char *number_name(Emit *e, const Number *x, int param)
{
    return text_format(e->ngc, "%c%d", is_size(x) ? 'n' : 'v', param);
}

static const char *number_type(const Number *x)
{
    if (is_size(x))
        return "size_t ";
    return x->text[x->length - 1] == 'f' ? "float " : "double ";
}

/* "(size_t n0, float v1," and what the list has already. */
static const char *with_numbers(Emit *e, const Numbers *x, const int *first, int params, bool types,
                                const char *list)
{
    if (params == 0)
        return list;

    Text t = {.ngc = e->ngc};
    bool empty = same_text(list, "(void)") || same_text(list, "()");
    for (int i = 0; i < params; i++) {
        const Number *n = &x->number[first[i]];
        const char *open = i > 0 ? ", " : "(";
        const char *type = text_if(types, number_type(n));
        text_add(&t, "%s%s%s", open, type, number_name(e, n, i));
    }
    text_add(&t, "%s%s", text_if(!empty, ", "), empty ? ")" : list + 1);
    return t.at;
}

/* The function of a group, with parameters for the numbers that differ. */
static void join_first(Emit *e, const Group *g, const Numbers *x, const int *param,
                       const int *first, int params)
{
    const Numbers *own = &x[g->first];
    Static *f = &e->kernel[g->first];
    const char **text = arena_array(e->ngc, own->count + 1, sizeof *text);

    for (int i = 0; i < own->count; i++) {
        text[i] = own->number[i].text;
        if (param[i] >= 0)
            text[i] = number_name(e, &own->number[i], param[i]);
    }
    f->body = replaced(e, f->body, own, text).at;
    f->params = with_numbers(e, own, first, params, true, f->params);
    f->names = with_numbers(e, own, first, params, false, f->names);
}

/* The members become one function, unless it would get too many parameters. */
static void join_group(Emit *e, const Group *g, const Numbers *x, int least)
{
    int *param = arena_array(e->ngc, x[g->first].count + 1, sizeof *param);
    int first[MANY];
    int params = choose_sizes(g, x, param, first);
    /* few copies gain nothing, and many parameters make calls slow */
    if (g->members < least || params > MANY)
        return;

    join_first(e, g, x, param, first, params);
    for (int m = 0; m < g->members; m++) {
        Static *member = &e->kernel[g->member[m]];
        Text sizes = text_empty(e->ngc);
        for (int p = 0; p < params; p++)
            text_add(&sizes, "%s%s", comma_before(p), x[g->member[m]].number[first[p]].text);
        member->sizes = sizes.at;
        member->joined = &e->kernel[g->first];
    }
}

/* Joins functions that are alike, if there are at least `least` of them. */
static void join_alike(Emit *e, bool keep_short, int least)
{
    Ngc *ngc = e->ngc;
    Numbers *x = arena_array(ngc, e->kernels + 1, sizeof *x);
    Group *group = arena_array(ngc, e->kernels + 1, sizeof *group);
    int groups = 0;
    Table known = {0};

    for (int i = 0; i < e->kernels; i++) {
        const Static *f = &e->kernel[i];
        if (!f->has_sizes || f->joined)
            continue;

        x[i] = find_numbers(e, f->body, keep_short);
        /* equal texts with marks for numbers: one group */
        int *at = table_at(ngc, &known, common_text(e, f, &x[i]));
        if (*at == 0) {
            group[groups] = (Group){.first = i};
            *at = ++groups;
        }
        Group *g = &group[*at - 1];
        LIST_GROW(ngc, g->member, g->members, &g->room);
        g->member[g->members++] = i;
    }
    for (int i = 0; i < groups; i++)
        join_group(e, &group[i], x, least);
}

/* ---- kernels that threads share, and the same for one thread ---- */

static const char range_params[] = "(size_t from, size_t to, ";

static bool has_range(const Static *f)
{
    return begins(f->params, range_params);
}

/* Adds a line of a body in which the outermost loop over `count` passes with index i, or what its
 * vectors leave over, is one over a range. */
static void add_ranged(Text *t, const char *line, size_t size, const char *i, const char *count)
{
    Ngc *ngc = t->ngc;
    const char *whole = text_format(ngc, "NGRT_WHOLE(%s)", count);
    const char *const from[] = {"0", whole}, *const to[] = {whole, count};
    const char *const rest = "from + NGRT_WHOLE(to - from)";

    /* the vectors' loop is 0 .. whole, what is left over whole .. count, and a loop without vectors
     * 0 .. count */
    for (int begin = 0; begin < 2; begin++)
        for (int end = 0; end < 2; end++) {
            const char *head =
                text_format(ngc, "for (size_t %s = %s; %s < %s; ", i, from[begin], i, to[end]);
            const char *at = strstr(line, head);
            if (!at || at >= line + size)
                continue;
            text_put(t, line, (size_t)(at - line));
            text_add(t, "for (size_t %s = %s; %s < %s; ", i, begin ? rest : "from", i,
                     end ? "to" : rest);
            size_t done = (size_t)(at - line) + strlen(head);
            text_put(t, line + done, size - done);
            return;
        }
    text_put(t, line, size);
}

/* The body with a range for its outermost loop. NULL: it begins with no such loop. count: how many
 * passes there are. */
static const char *ranged_body(Ngc *ngc, const char *body, const char **count)
{
    static const char head[] = "for (size_t ";
    static const char start[] = " = 0; ";
    const char *loop = strstr(body, head);
    if (!loop)
        return NULL;

    const char *i = loop + strlen(head);
    size_t name = token_size(i);
    /* it must begin at 0, as a share of thread 0 of 1 does */
    if (!begins(i + name, start))
        return NULL;

    const char *to = i + name + strlen(start) + name + strlen(" < ");
    const char *end = strchr(to, ';');
    const char *whole = "NGRT_WHOLE(";
    if (begins(to, whole)) {
        to += strlen(whole);
        end--;
    }
    *count = intern(ngc, to, (size_t)(end - to));

    Text t = {.ngc = ngc};
    for (const char *line = body; *line;) {
        size_t size = strcspn(line, "\n") + 1;
        bool outermost = strspn(line, " ") == 4;
        if (outermost)
            add_ranged(&t, line, size, intern(ngc, i, name), *count);
        else
            text_put(&t, line, size);
        line += size;
    }
    return t.at;
}

/* What one thread does is a call of the function that threads share, if there is one. */
static void join_ranged(Emit *e)
{
    Ngc *ngc = e->ngc;
    Table known = {0};
    for (int i = 0; i < e->kernels; i++) {
        const Static *f = &e->kernel[i];
        if (!f->has_sizes || !has_range(f))
            continue;
        Numbers x = find_numbers(e, f->body, true);
        *table_at(ngc, &known, common_text(e, f, &x)) = 1;
    }

    /* the body of one thread, made a range: is it one that threads share? */
    for (int i = 0; i < e->kernels && known.count > 0; i++) {
        Static f = e->kernel[i];
        const char *count = NULL;
        if (!f.has_sizes || has_range(&f) || same_text(f.params, "(void)"))
            continue;
        f.body = ranged_body(ngc, f.body, &count);
        f.params = text_format(ngc, "%s%s", range_params, f.params + 1);
        f.names = text_format(ngc, "(from, to, %s", f.names + 1);
        f.range = text_format(ngc, "0, %s", count);
        if (!f.body)
            continue;
        Numbers x = find_numbers(e, f.body, true);
        if (*table_at(ngc, &known, common_text(e, &f, &x)))
            e->kernel[i] = f;
    }
}

void alike_join(Emit *e)
{
    join_ranged(e);
    /* where many are alike, even short loops give up their numbers; then pairs, but not those */
    join_alike(e, false, SEVERAL);
    join_alike(e, true, 2);
}

/* ---- text ---- */

static void print_static(const Static *f, Text *t)
{
    if (f->bytes == 0) {
        text_add(t, "static %s %s%s\n{\n%s}\n\n", f->result, f->name, f->params, f->body);
        return;
    }
    const char *returns = text_if(!same_text(f->result, "void"), "return");
    text_add(t, "NGRT_KERNEL_%d(%s, %s, %s, %s, %s, %s, {\n%s})\n\n", f->bytes, f->real, f->result,
             returns, f->name, f->params, f->names, f->body);
}

void alike_print(const Emit *e, Text *t)
{
    for (int i = 0; i < e->kernels; i++) {
        const Static *f = &e->kernel[i];
        if (!f->joined || f->joined == f)
            print_static(f, t);
    }
}

/* The name of a function, and the sizes that it is given. */
static void print_name(const Emit *e, int number, bool more, Text *t)
{
    const Static *f = &e->kernel[number];
    text_add(t, "%s(", f->joined ? f->joined->name : f->name);
    if (f->joined && *f->sizes)
        text_add(t, "%s%s", f->sizes, text_if(more || f->range, ", "));
    if (f->range)
        text_add(t, "%s, ", f->range);
}

Text alike_calls(Emit *e, const char *text)
{
    Text t = {.ngc = e->ngc};
    const char *mark;
    while ((mark = strchr(text, STATIC_MARK)) != NULL) {
        char *end;
        int number = (int)strtol(mark + 1, &end, 10);
        text_put(&t, text, (size_t)(mark - text));
        print_name(e, number, end[1] != ')', &t);
        text = end + 1;
    }
    text_add(&t, "%s", text);
    return t;
}
