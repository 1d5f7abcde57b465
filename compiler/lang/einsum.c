/* einsum.c - einsum("bij,bjk->bik", A, B): sums of products over index letters, as matrix products.
 * "...", a letter that occurs twice in an operand, and a missing "->" mean what they mean in NumPy.
 * Operands are joined two at a time. Their letters are of four kinds: in both and kept (a batch),
 * in both and summed, only in the left operand, only in the right one. */
#include "lang/lower.h"

#include <string.h>

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* The letters of some axes, at most of all axes of a tensor. */
typedef char Letters[MAX_RANK + 1];

/* A tensor whose axes have letters. */
typedef struct Labeled {
    Node *node;
    Letters letter; /* of each axis */
} Labeled;

/* The axis with this letter; -1: there is none. */
static int axis_of(const Labeled *t, char c)
{
    const char *p = NULL;
    if (c)
        p = strchr(t->letter, c);
    if (!p)
        return -1;
    return (int)(p - t->letter);
}

/* Sums over the axes whose letter is not in `keep` and not in the other operand. A sum is a float,
 * as a product is. */
static void sum_others(Graph *g, Labeled *t, const char *keep, const char *other)
{
    uint32_t axes = 0;
    Letters left;
    int n = 0;

    for (int i = 0; t->letter[i]; i++)
        /* a letter that nobody else has, and that is not kept */
        if (strchr(keep, t->letter[i]) || strchr(other, t->letter[i]))
            left[n++] = t->letter[i];
        else
            axes |= 1u << i;
    left[n] = '\0';

    if (axes)
        t->node = graph_reduce(g, OP_sum, graph_cast(g, t->node, T_FLOAT), axes);
    memcpy(t->letter, left, sizeof left);
}

/* The tensor with its axes in the order of the letters. */
static Node *ordered(Graph *g, const Labeled *t, const char *letters)
{
    int perm[MAX_RANK];
    for (int i = 0; letters[i]; i++)
        perm[i] = axis_of(t, letters[i]);
    return graph_permute(g, t->node, perm);
}

/* A batch of matrices [batch, row, column], where each of the three is several letters. Without
 * batch letters it is one matrix. */
static Node *as_matrices(Graph *g, const Labeled *t, const char *batch, const char *row,
                         const char *column)
{
    char all[3 * MAX_RANK];
    const char *part[3] = {batch, row, column};
    Shape s = {0};
    int axis = 0;

    snprintf(all, sizeof all, "%s%s%s", batch, row, column);
    Node *n = ordered(g, t, all);

    /* the axes of each of the three become one */
    for (int i = *batch ? 0 : 1; i < 3; i++) {
        Size size = 1;
        for (size_t k = 0; k < strlen(part[i]); k++)
            size = size_mul(g, size, n->shape.dim[axis++]);
        s.dim[s.rank++] = size;
    }
    return graph_reshape(g, n, s);
}

/* Adds n letters to a list. */
static void letters_add(char *list, const char *more, size_t n)
{
    size_t had = strlen(list);
    for (size_t i = 0; i < n && had < MAX_RANK; i++)
        list[had++] = more[i];
    list[had] = '\0';
}

/* Adds the sizes of the axes with these letters to a shape. */
static void dims_add(Shape *s, const Labeled *t, const char *letters)
{
    for (const char *c = letters; *c && s->rank < MAX_RANK; c++)
        s->dim[s->rank++] = t->node->shape.dim[axis_of(t, *c)];
}

/* Joins b to a: a batched matrix product, which sums over the letters that both have and that
 * `keep` does not have. */
static void join(Graph *g, Labeled *a, Labeled *b, const char *keep)
{
    Letters batch = "", summed = "", left = "", right = "";
    /* before the product, where sums are over one operand only */
    sum_others(g, a, keep, b->letter);
    sum_others(g, b, keep, a->letter);

    /* only in a: left; in both and kept: batch; in both and not kept: summed */
    for (const char *c = a->letter; *c; c++)
        if (axis_of(b, *c) < 0)
            letters_add(left, c, 1);
        else if (strchr(keep, *c))
            letters_add(batch, c, 1);
        else
            letters_add(summed, c, 1);
    for (const char *c = b->letter; *c; c++)
        if (axis_of(a, *c) < 0)
            letters_add(right, c, 1);

    Shape s = {0};
    dims_add(&s, a, batch);
    dims_add(&s, a, left);
    dims_add(&s, b, right);

    /* [batch, left, summed] @ [batch, summed, right] = [batch, left, right] */
    Node *second = as_matrices(g, b, batch, summed, right);
    Node *first = as_matrices(g, a, batch, left, summed);
    a->node = graph_reshape(g, graph_matmul(g, first, second, false, false), s);

    a->letter[0] = '\0';
    letters_add(a->letter, batch, strlen(batch));
    letters_add(a->letter, left, strlen(left));
    letters_add(a->letter, right, strlen(right));
}

/* The elements of x whose indices on two axes are equal. The later axis is gone. */
static Node *diagonal(Graph *g, Node *x, int axis, int later)
{
    Node *j = graph_iota(g, x->shape, later);
    Node *i = graph_iota(g, x->shape, axis);
    Node *on = graph_binary(g, OP_eq, i, j);
    return graph_reduce(g, OP_sum, graph_where(g, on, x, graph_const(g, 0)), 1u << later);
}

/* ---- reading the letters ---- */

/* The axes of "..." have digits as letters. The last axis is '7', so the axes of several operands
 * are matched from the right. */
static bool is_of_dots(char letter)
{
    return letter < 'A';
}

/* The letter of axis i of the n axes of "...". */
static char dots_letter(int n, int i)
{
    return (char)('0' + MAX_RANK - n + i);
}

/* Reads letters and at most one "...", which has the axes that no letter is for. False: the
 * letters do not fit the rank. */
static bool read_letters(const char **text, int rank, char *letter)
{
    size_t before = strspn(*text, LETTERS);
    size_t after = 0;
    bool dots = begins(*text + before, "...");
    if (dots)
        after = strspn(*text + before + 3, LETTERS);

    /* the axes of "..." */
    int rest = rank - (int)(before + after);
    if (rest < 0 || (rest > 0 && !dots))
        return false;

    memcpy(letter, *text, before);
    for (int i = 0; i < rest; i++)
        letter[before + (size_t)i] = dots_letter(rest, i);
    memcpy(letter + before + rest, *text + before + 3, after);
    letter[rank] = '\0';

    *text += before;
    if (dots)
        *text += 3 + after;
    return true;
}

/* Reads the letters of an operand. If axes have the same letter, their diagonal is taken. False,
 * after a message: the letters do not fit. */
static bool label(Lower *L, Loc loc, const char **text, Node *x, Labeled *out)
{
    Graph *g = L->g;
    Letters all;
    *out = (Labeled){.node = x};
    if (!read_letters(text, x->shape.rank, all)) {
        size_t n = strcspn(*text, ",-");
        lower_error(L, ERR_EINSUM, loc,
                    "einsum: the letters '%.*s' do not fit an operand of shape %s", (int)n, *text,
                    shape_text(g, x->shape));
        return false;
    }

    for (const char *c = all; *c; c++) {
        int axis = axis_of(out, *c);
        int later = (int)strlen(out->letter);
        if (axis < 0) {
            letters_add(out->letter, c, 1);
            continue;
        }

        Size one = out->node->shape.dim[axis];
        Size other = out->node->shape.dim[later];
        if (one != other) {
            lower_error(L, ERR_EINSUM, loc, "einsum: '%c' is %s and %s in one operand", *c,
                        size_text(g, one, ""), size_text(g, other, ""));
            return false;
        }
        /* "ii": the elements with equal indices */
        out->node = diagonal(g, out->node, axis, later);
    }
    return true;
}

/* How often a character occurs. */
static int letter_count(const char *text, char c)
{
    int n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

/* The largest number of axes that "..." has in an operand. */
static int dots_rank(const Labeled *t, int count)
{
    int most = 0;
    for (int i = 0; i < count; i++) {
        int n = 0;
        for (const char *c = t[i].letter; *c; c++)
            n += is_of_dots(*c);
        if (n > most)
            most = n;
    }
    return most;
}

/* The result without "->", as NumPy has it: the axes of "...", then the letters that occur once, in
 * alphabetical order. `written`: the letters of the operands. */
static void usual_result(const char *written, int dots, char *keep)
{
    int n = 0;
    for (int i = 0; i < dots; i++)
        keep[n++] = dots_letter(dots, i);
    for (const char *c = LETTERS; *c && n < MAX_RANK; c++)
        if (letter_count(written, *c) == 1)
            keep[n++] = *c;
    keep[n] = '\0';
}

/* Reads the letters of the result, `text`, which follows the operands. */
static bool read_result(const char *text, const char *written, const Labeled *t, int count,
                        char *keep)
{
    int dots = dots_rank(t, count);
    if (*text == '\0') {
        usual_result(written, dots, keep);
        return true;
    }

    if (!begins(text, "->"))
        return false;
    text += 2;
    int rank = (int)strlen(text);
    if (strstr(text, "..."))
        rank += dots - 3;
    if (rank > MAX_RANK || !read_letters(&text, rank, keep) || *text != '\0')
        return false;

    /* Each letter is in an operand, and occurs once in the result. */
    for (const char *c = keep; *c; c++) {
        bool known = false;
        for (int i = 0; i < count; i++)
            known |= axis_of(&t[i], *c) >= 0;
        if (!known || strchr(c + 1, *c))
            return false;
    }
    return true;
}

static void report_sizes(Lower *L, Loc loc, char letter, Size one, Size other)
{
    const char *text = "...";
    if (!is_of_dots(letter))
        text = text_format(L->ngc, "%c", letter);
    lower_error(L, ERR_EINSUM, loc, "einsum: '%s' is %s in one operand and %s in another", text,
                size_text(L->g, one, ""), size_text(L->g, other, ""));
}

/* Does a letter have the same size in all operands? */
static bool sizes_agree(Lower *L, Loc loc, const Labeled *t, int count)
{
    for (int i = 1; i < count; i++)
        for (int axis = 0; axis < t[i].node->shape.rank; axis++)
            for (int k = 0; k < i; k++) {
                char letter = t[i].letter[axis];
                int at = axis_of(&t[k], letter);
                Size here = t[i].node->shape.dim[axis];
                if (at < 0 || t[k].node->shape.dim[at] == here)
                    continue;
                report_sizes(L, loc, letter, t[k].node->shape.dim[at], here);
                return false;
            }
    return true;
}

/* ---- the function ---- */

static char *without_spaces(Ngc *ngc, const char *text)
{
    char *copy = arena_copy(ngc, text, strlen(text) + 1);
    char *end = copy;
    for (const char *c = text; *c; c++)
        if (*c != ' ')
            *end++ = *c;
    *end = '\0';
    return copy;
}

/* The product of all operands, summed over the letters that are not kept. */
static Node *join_all(Graph *g, Labeled *t, int count, const char *keep)
{
    for (int i = 1; i < count; i++) {
        char wanted[3 * MAX_RANK];
        const char *next = "";
        if (i + 1 < count)
            next = t[i + 1].letter;
        /* what the next operand has must not be summed yet; the one after it comes later */
        snprintf(wanted, sizeof wanted, "%s%s", keep, next);
        join(g, &t[0], &t[i], wanted);
    }
    sum_others(g, &t[0], keep, "");
    return ordered(g, &t[0], keep);
}

Value *builtin_einsum(Lower *L, Loc loc, Value **arg)
{
    Labeled t[3];
    int count = 0;
    if (arg[0]->kind != V_TEXT) {
        lower_error(L, ERR_EINSUM, loc,
                    "einsum: letters come first, as in einsum(\"ij,jk->ik\", A, B)");
        return value_error(L, loc);
    }

    /* the letters of each operand */
    const char *all = without_spaces(L->ngc, arg[0]->text);
    const char *text = all;
    for (int i = 1; i <= 3 && arg[i]->kind != V_ABSENT; i++) {
        Node *x = want_node(L, arg[i], "an operand");
        if (!x || !label(L, loc, &text, x, &t[count++]))
            return value_error(L, loc);
        if (*text == ',')
            text++;
    }

    int lists = letter_count(all, ',') + 1;
    if (lists != count) {
        lower_error(L, ERR_EINSUM, loc, "einsum: letters for %d operands, %d given", lists, count);
        return value_error(L, loc);
    }

    /* the letters of the result */
    Letters keep;
    const char *written = text_format(L->ngc, "%.*s", (int)(text - all), all);
    if (!read_result(text, written, t, count, keep)) {
        lower_error(L, ERR_EINSUM, loc,
                    "einsum: \"%s\" does not say which letters are left, as in \"ij,jk->ik\"",
                    arg[0]->text);
        return value_error(L, loc);
    }

    if (!sizes_agree(L, loc, t, count))
        return value_error(L, loc);
    return value_node(L, loc, join_all(L->g, t, count, keep));
}
