/* einsum.c - einsum("bij,bjk->bik", A, B): sums of products over index letters, as matrix products. Operands are joined two
 * at a time: letters are sorted into those of both that stay (a batch), those of both that are summed, and those of one. */
#include "lower.h"

#include <string.h>

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
static Node *as_matrices(Graph *g, const Labeled *t, const char *first, const char *second, const char *third)
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

/* Joins b to a: a batched matrix product over the letters that both have and nobody wants any more. */
static void join(Graph *g, Labeled *a, Labeled *b, const char *keep)
{
    char batch[MAX_RANK + 1] = "", summed[MAX_RANK + 1] = "", left[MAX_RANK + 1] = "", right[MAX_RANK + 1] = "";
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
    Node *product = graph_matmul(g, as_matrices(g, a, batch, left, summed), as_matrices(g, b, batch, summed, right), false, false);
    a->node = graph_reshape(g, product, s);
    a->letter[0] = '\0';
    letters_add(a->letter, batch, strlen(batch));
    letters_add(a->letter, left, strlen(left));
    letters_add(a->letter, right, strlen(right));
}

/* Reads the letters of one operand; false with a message where they do not fit it. */
static bool label(Lower *L, Loc loc, const char **text, Node *x, Labeled *out)
{
    size_t n = strspn(*text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    *out = (Labeled){.node = x};
    if ((int)n != x->shape.rank) {
        lower_error(L, 324, loc, "einsum: %d letters '%.*s' for an operand of shape %s", (int)n, (int)n, *text, shape_text(L->g, x->shape));
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (strchr(out->letter, (*text)[i])) {
            lower_error(L, 324, loc, "einsum: the letter '%c' stands twice in one operand", (*text)[i]);
            return false;
        }
        out->letter[i] = (*text)[i];
    }
    *text += n;
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
                    lower_error(L, 324, loc, "einsum: '%c' is %s in one operand and %s in another", *c,
                                size_text(L->g, t[k].node->shape.dim[at], ""), size_text(L->g, here, ""));
                    return false;
                }
            }
    return true;
}

Value *builtin_einsum(Lower *L, Loc loc, Value **arg)
{
    Labeled t[3];
    int count = 0;
    const char *text = arg[0]->text;
    if (arg[0]->kind != V_TEXT) {
        lower_error(L, 324, loc, "einsum: letters come first, as in einsum(\"ij,jk->ik\", A, B)");
        return value_error(L, loc);
    }
    for (int i = 1; i <= 3 && arg[i]->kind != V_ABSENT; i++) {
        Node *x = want_node(L, arg[i], "an operand");
        if (!x || !label(L, loc, &text, x, &t[count++]))
            return value_error(L, loc);
        text += *text == ',';
    }
    const char *keep = text + 2;
    bool good = count > 0 && strncmp(text, "->", 2) == 0 && strspn(keep, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(keep) &&
                strlen(keep) <= MAX_RANK;
    for (const char *c = keep; good && *c; c++) {
        bool known = false;
        for (int i = 0; i < count; i++)
            known |= place(&t[i], *c) >= 0;
        good = known && !strchr(c + 1, *c);
    }
    if (!good) {
        lower_error(L, 324, loc, "einsum: \"%s\" does not say which letters are left, as in \"ij,jk->ik\"", arg[0]->text);
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
