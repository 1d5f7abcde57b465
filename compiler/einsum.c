/* einsum.c - einsum("bij,bjk->bik", A, B): sums of products over index letters, as matrix products,
 * with NumPy's meaning of
 * "...", of a letter that stands twice in an operand, and of a missing "->". Operands are joined
 * two at a time: letters are sorted into those of both that stay (a batch), those of both that are
 * summed, and those of one. */
#include "lower.h"

#include <string.h>

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

typedef struct Labeled { /* a tensor whose axes have letters */
    Node *node;
    char letter[MAX_RANK + 1];
} Labeled;

static int place(const Labeled *t, char c)
{
    const char *p = c ? strchr(t->letter, c) : NULL;
    return p ? (int)(p - t->letter) : -1;
}

/* Sums the axes whose letter is wanted neither in `keep` nor by the other operand. */
static void sum_others(Graph *g, Labeled *t, const char *keep, const char *other)
{
    uint32_t axes = 0;
    char left[MAX_RANK + 1];
    int n = 0;
    for (int i = 0; t->letter[i]; i++)
        if (strchr(keep, t->letter[i]) || strchr(other, t->letter[i]))
            left[n++] = t->letter[i];
        else
            axes |= 1u << i;
    left[n] = '\0';
    t->node = graph_reduce(g, OP_sum, t->node, axes);
    memcpy(t->letter, left, sizeof left);
}

/* The tensor with its axes in the order of the letters. */
static Node *ordered(Graph *g, const Labeled *t, const char *letters)
{
    int perm[MAX_RANK];
    for (int i = 0; letters[i]; i++)
        perm[i] = place(t, letters[i]);
    return graph_permute(g, t->node, perm);
}

/* [first letters, second, third] as a batch of matrices. */
static Node *as_matrices(Graph *g, const Labeled *t, const char *first, const char *second,
                         const char *third)
{
    char all[3 * MAX_RANK];
    const char *part[3] = {first, second, third};
    Shape s = {.rank = *first ? 3 : 2};
    snprintf(all, sizeof all, "%s%s%s", first, second, third);
    Node *n = ordered(g, t, all);
    for (int i = 0, axis = 0; i < 3; i++) {
        Size size = 1;
        for (size_t k = 0; k < strlen(part[i]); k++)
            size = size_mul(g, size, n->shape.dim[axis++]);
        if (i > 0 || *first)
            s.dim[i - (*first ? 0 : 1)] = size;
    }
    return graph_reshape(g, n, s);
}

/* Adds a letter, or a few, to a list that has room for an operand's. */
static void letters_add(char *list, const char *more, size_t n)
{
    size_t had = strlen(list);
    for (size_t i = 0; i < n && had < MAX_RANK; i++)
        list[had++] = more[i];
    list[had] = '\0';
}

/* Joins b to a: a batched matrix product over the letters that both have and nobody wants any more.
 */
static void join(Graph *g, Labeled *a, Labeled *b, const char *keep)
{
    char batch[MAX_RANK + 1] = "", summed[MAX_RANK + 1] = "", left[MAX_RANK + 1] = "",
                          right[MAX_RANK + 1] = "";
    Shape s = {0};
    sum_others(g, a, keep, b->letter);
    sum_others(g, b, keep, a->letter);
    for (const char *c = a->letter; *c; c++)
        letters_add(place(b, *c) < 0 ? left : strchr(keep, *c) ? batch : summed, c, 1);
    for (const char *c = b->letter; *c; c++)
        if (place(a, *c) < 0)
            letters_add(right, c, 1);
    for (const char *c = batch; *c; c++)
        s.dim[s.rank++] = a->node->shape.dim[place(a, *c)];
    for (const char *c = left; *c; c++)
        s.dim[s.rank++] = a->node->shape.dim[place(a, *c)];
    for (const char *c = right; *c && s.rank < MAX_RANK; c++)
        s.dim[s.rank++] = b->node->shape.dim[place(b, *c)];
    Node *second = as_matrices(g, b, batch, summed, right);
    Node *product = graph_matmul(g, as_matrices(g, a, batch, left, summed), second, false, false);
    a->node = graph_reshape(g, product, s);
    a->letter[0] = '\0';
    letters_add(a->letter, batch, strlen(batch));
    letters_add(a->letter, left, strlen(left));
    letters_add(a->letter, right, strlen(right));
}

/* x, with only those elements whose indices on two axes are equal; the later axis is gone. */
static Node *diagonal(Graph *g, Node *x, int axis, int later)
{
    Node *j = graph_iota(g, x->shape, later), *i = graph_iota(g, x->shape, axis),
         *on = graph_binary(g, OP_eq, i, j);
    return graph_reduce(g, OP_sum, graph_where(g, on, x, graph_const(g, 0)), 1u << later);
}

/* Reads letters and at most one "...", which stands for `rank` axes less the letters: its axes have
 * digits, '7' the last, so that those of several operands meet from the right. False where they do
 * not fit. */
static bool read_letters(const char **text, int rank, char *letter)
{
    size_t before = strspn(*text, LETTERS), after = 0;
    bool dots = strncmp(*text + before, "...", 3) == 0;
    if (dots)
        after = strspn(*text + before + 3, LETTERS);
    int rest = rank - (int)(before + after);
    if (dots ? rest < 0 : rest != 0)
        return false;
    memcpy(letter, *text, before);
    for (int i = 0; i < rest; i++)
        letter[before + (size_t)i] = (char)('0' + MAX_RANK - rest + i);
    memcpy(letter + before + rest, *text + before + 3, after);
    letter[rank] = '\0';
    *text += before + (dots ? 3 + after : 0);
    return true;
}

/* An operand and its letters; of axes with one letter the diagonal is taken. False with a message
 * where they do not fit. */
static bool label(Lower *L, Loc loc, const char **text, Node *x, Labeled *out)
{
    char all[MAX_RANK + 1];
    *out = (Labeled){.node = x};
    if (!read_letters(text, x->shape.rank, all)) {
        size_t n = strcspn(*text, ",-");
        lower_error(L, 324, loc, "einsum: the letters '%.*s' do not fit an operand of shape %s",
                    (int)n, *text, shape_text(L->g, x->shape));
        return false;
    }
    for (const char *c = all; *c; c++) {
        int axis = place(out, *c), later = (int)strlen(out->letter);
        if (axis < 0) {
            letters_add(out->letter, c, 1);
            continue;
        }
        Size one = out->node->shape.dim[axis], other = out->node->shape.dim[later];
        if (one != other) {
            lower_error(L, 324, loc, "einsum: '%c' is %s and %s in one operand", *c,
                        size_text(L->g, one, ""), size_text(L->g, other, ""));
            return false;
        }
        out->node = diagonal(L->g, out->node, axis, later);
    }
    return true;
}

/* How many axes, of all operands as they were written, have this letter. */
static int letter_count(const char *text, char c)
{
    int n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

/* Which letters are left, into keep: as the text says, or as NumPy has it, those of "..." and then
 * those that stand once, in order. text is what follows the operands, `written` their letters. */
static bool read_result(const char *text, const char *written, const Labeled *t, int count,
                        char *keep)
{
    int dots = 0, n = 0;
    for (int i = 0; i < count; i++)
        for (const char *c = t[i].letter; *c; c++)
            if (*c < 'A' && '0' + MAX_RANK - *c > dots)
                dots = '0' + MAX_RANK - *c;
    keep[0] = '\0';
    if (*text == '\0') {
        for (int i = 0; i < dots; i++)
            keep[n++] = (char)('0' + MAX_RANK - dots + i);
        for (const char *c = LETTERS; *c && n < MAX_RANK; c++)
            if (letter_count(written, *c) == 1)
                keep[n++] = *c;
        keep[n] = '\0';
        return true;
    }
    if (strncmp(text, "->", 2) != 0)
        return false;
    text += 2;
    int rank = (int)strlen(text) + (strstr(text, "...") ? dots - 3 : 0);
    if (rank > MAX_RANK || !read_letters(&text, rank, keep) || *text != '\0')
        return false;
    for (const char *c = keep; *c; c++) {
        bool known = false;
        for (int i = 0; i < count; i++)
            known |= place(&t[i], *c) >= 0;
        if (!known || strchr(c + 1, *c))
            return false;
    }
    return true;
}

/* One letter has one size everywhere. */
static bool sizes_agree(Lower *L, Loc loc, const Labeled *t, int count)
{
    for (int i = 1; i < count; i++)
        for (const char *c = t[i].letter; *c; c++)
            for (int k = 0; k < i; k++) {
                int at = place(&t[k], *c);
                Size here = t[i].node->shape.dim[place(&t[i], *c)];
                if (at >= 0 && t[k].node->shape.dim[at] != here) {
                    lower_error(L, 324, loc,
                                "einsum: '%.*s' is %s in one operand and %s in another",
                                *c < 'A' ? 3 : 1, *c < 'A' ? "..." : c,
                                size_text(L->g, t[k].node->shape.dim[at], ""),
                                size_text(L->g, here, ""));
                    return false;
                }
            }
    return true;
}

Value *builtin_einsum(Lower *L, Loc loc, Value **arg)
{
    Labeled t[3];
    int count = 0;
    if (arg[0]->kind != V_TEXT) {
        lower_error(L, 324, loc, "einsum: letters come first, as in einsum(\"ij,jk->ik\", A, B)");
        return value_error(L, loc);
    }
    char *all = arena_copy(L->ngc, arg[0]->text, strlen(arg[0]->text) + 1), *end = all;
    for (const char *c = all; *c; c++) /* spaces say nothing */
        if (*c != ' ')
            *end++ = *c;
    *end = '\0';
    const char *text = all;
    for (int i = 1; i <= 3 && arg[i]->kind != V_ABSENT; i++) {
        Node *x = want_node(L, arg[i], "an operand");
        if (!x || !label(L, loc, &text, x, &t[count++]))
            return value_error(L, loc);
        text += *text == ',';
    }
    if (letter_count(all, ',') + 1 != count) {
        lower_error(L, 324, loc, "einsum: letters for %d operands, %d given",
                    letter_count(all, ',') + 1, count);
        return value_error(L, loc);
    }
    char keep[MAX_RANK + 1];
    if (!read_result(text, text_format(L->ngc, "%.*s", (int)(text - all), all), t, count, keep)) {
        lower_error(L, 324, loc,
                    "einsum: \"%s\" does not say which letters are left, as in \"ij,jk->ik\"",
                    arg[0]->text);
        return value_error(L, loc);
    }
    if (!sizes_agree(L, loc, t, count))
        return value_error(L, loc);
    for (int i = 1; i < count; i++) {
        char wanted[3 * MAX_RANK];
        snprintf(wanted, sizeof wanted, "%s%s", keep, i + 1 < count ? t[i + 1].letter : "");
        join(L->g, &t[0], &t[i], wanted);
    }
    sum_others(L->g, &t[0], keep, "");
    return value_node(L, loc, ordered(L->g, &t[0], keep));
}
