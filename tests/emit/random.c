/* random.c - prints a random model, the same for the same number: values of random shapes combined by random
 * operations, kept small and away from kinks, then outputs, a loss and its updates.
 *
 *     random NUMBER > model.ng
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES = 60, RANK = 4 };

typedef struct Value {
    char name[8];
    int rank, dim[RANK];
} Value; /* a dim of 0 is the run-time size m */

static unsigned long long state;
static Value value[VALUES];
static int values;

static int draw(int n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int)((state >> 33) % (unsigned)n);
}

static Value *new_value(int rank, const int *dim)
{
    Value *v = &value[values];
    sprintf(v->name, "v%d", values++);
    v->rank = rank;
    memcpy(v->dim, dim, (size_t)rank * sizeof *dim);
    return v;
}

static void print_size(int d)
{
    if (d)
        printf("%d", d);
    else
        printf("m");
}

static void print_shape(int rank, const int *dim)
{
    for (int i = 0; i < rank; i++) {
        printf(i ? ", " : "[");
        print_size(dim[i]);
    }
    printf(rank ? "]" : "");
}

static void declare(const char *what, int run_time)
{
    static const int sizes[] = {1, 2, 3, 4, 5, 8};
    int dim[RANK], rank = draw(4);
    for (int i = 0; i < rank; i++)
        dim[i] = run_time && draw(3) == 0 ? 0 : sizes[draw(6)];
    printf("%s %s", what, new_value(rank, dim)->name);
    print_shape(rank, dim);
    printf(strcmp(what, "param") == 0 ? " ~ normal(0, 0.5)\n" : "\n");
}

static Value any(void)
{
    return value[draw(values)];
}

/* By NumPy's rule; 0: they do not fit. */
static int broadcast(const Value *a, const Value *b, Value *out)
{
    out->rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 1; i <= out->rank; i++) {
        int x = i <= a->rank ? a->dim[a->rank - i] : 1, y = i <= b->rank ? b->dim[b->rank - i] : 1;
        if (x != y && x != 1 && y != 1)
            return 0;
        out->dim[out->rank - i] = x == 1 ? y : x;
    }
    return 1;
}

static void unary(void)
{
    static const char *const form[] = {
        "tanh(%s)", "sigmoid(2*%s)", "sin(%s) + 0.5", "exp(-%s^2)",     "softplus(%s)",
        "-%s/3",    "%s^2 + 0.1",    "log(1 + %s^2)", "sqrt(1 + %s^2)", "where(%s > 0.05, 1, 0.5)",
        "erf(%s)",  "1/(2 + %s^2)"};
    Value a = any();
    printf("%s = ", new_value(a.rank, a.dim)->name);
    printf(form[draw(12)], a.name);
    printf("\n");
}

static void binary(void)
{
    static const char *const form[] = {"%s + %s",
                                       "%s - %s",
                                       "tanh(%s) * %s",
                                       "%s / (2 + tanh(%s))",
                                       "maximum(%s, %s + 0.01)",
                                       "where(%s < 0.3, %s, 1)"};
    Value a = any(), b = any(), c;
    for (int i = 0; i < 20 && !broadcast(&a, &b, &c); i++)
        b = any();
    if (!broadcast(&a, &b, &c))
        return;
    printf("%s = ", new_value(c.rank, c.dim)->name);
    printf(form[draw(6)], a.name, b.name);
    printf("\n");
}

static void reduce(void)
{
    static const char *const form[] = {"sum", "mean", "max", "softmax", "logsumexp"};
    Value a = any();
    if (a.rank == 0)
        return;
    int f = draw(5), axis = draw(a.rank), dim[RANK], n = 0;
    for (int i = 0; i < a.rank; i++)
        if (i != axis || f == 3)
            dim[n++] = a.dim[i];
    printf("%s = %s(tanh(%s), axis = %d)\n", new_value(n, dim)->name, form[f], a.name, axis);
}

static void product(void)
{
    Value a = any(), b = any();
    for (int i = 0; i < 40 && (a.rank != 2 || b.rank != 2); i++) {
        if (a.rank != 2)
            a = any();
        if (b.rank != 2)
            b = any();
    }
    if (a.rank != 2 || b.rank != 2)
        return;
    for (int t = 0; t < 4; t++) {
        int ta = t & 1, tb = t >> 1, dim[2] = {a.dim[ta], b.dim[1 - tb]};
        if (a.dim[1 - ta] == b.dim[tb]) {
            printf("%s = tanh(%s%s @ %s%s)\n", new_value(2, dim)->name, a.name, ta ? "'" : "", b.name, tb ? "'" : "");
            return;
        }
    }
}

static void view(void)
{
    Value a = any();
    int dim[RANK], axis = a.rank ? draw(a.rank) : 0;
    if (a.rank == 0)
        return;
    memcpy(dim, a.dim, sizeof dim);
    switch (draw(6)) {
    case 0: /* transpose */
        if (a.rank < 2)
            return;
        dim[a.rank - 2] = a.dim[a.rank - 1];
        dim[a.rank - 1] = a.dim[a.rank - 2];
        printf("%s = %s'\n", new_value(a.rank, dim)->name, a.name);
        return;
    case 1: /* turned round */
        printf("%s = %s[%.*s::-1]\n", new_value(a.rank, dim)->name, a.name, 3 * axis, ":, :, :, ");
        return;
    case 2: /* an element of one axis */
        if (a.dim[axis] == 0)
            return;
        for (int i = axis; i + 1 < a.rank; i++)
            dim[i] = a.dim[i + 1];
        printf("%s = %s[%.*s%d]\n", new_value(a.rank - 1, dim)->name, a.name, 3 * axis, ":, :, :, ", draw(a.dim[axis]));
        return;
    case 3: /* every second */
        if (a.dim[axis] == 0)
            return;
        dim[axis] = (a.dim[axis] + 1) / 2;
        printf("%s = %s[%.*s::2]\n", new_value(a.rank, dim)->name, a.name, 3 * axis, ":, :, :, ");
        return;
    case 4: /* two, one behind the other */
        if (a.dim[axis] == 0)
            return;
        dim[axis] = 2 * a.dim[axis];
        printf("%s = concat([%s, %s*2], %d)\n", new_value(a.rank, dim)->name, a.name, a.name, axis);
        return;
    default: /* all but the last axis as one */
        if (a.rank < 2 || a.dim[a.rank - 1] == 0)
            return;
        for (int i = 0; i < a.rank - 1; i++)
            if (a.dim[i] == 0)
                return;
        dim[0] = 1;
        for (int i = 0; i < a.rank - 1; i++)
            dim[0] *= a.dim[i];
        dim[1] = a.dim[a.rank - 1];
        printf("%s = reshape(%s, [-1, %d])\n", new_value(2, dim)->name, a.name, dim[1]);
    }
}

static void gather(void)
{
    Value a = any();
    if (a.rank == 0 || a.dim[0] < 3 || a.rank == RANK)
        return;
    a.dim[0] = 0;
    printf("%s = %s[index]\n", new_value(a.rank, a.dim)->name, a.name);
}

int main(int argc, char **argv)
{
    static void (*const make[])(void) = {unary, unary, binary, binary, binary, reduce, product, product, view, gather};
    state = (unsigned long long)(argc > 1 ? atoll(argv[1]) : 1) * 7919 + 12345;
    for (int i = 0; i < 5; i++)
        draw(2);
    printf("dim m <= 5\ninput index[m]: int\n");
    for (int i = 0; i < 4; i++)
        declare("input", 1);
    int params = values;
    for (int i = 0; i < 4; i++)
        declare("param", 0);
    int made = values, want = made + 6 + draw(20);
    for (int i = 0; i < 400 && values < want && values < VALUES; i++)
        make[draw(10)]();
    printf("output a0 = %s + 1, %s\nmetric q = mean(%s)\n", value[values - 2].name, value[values - 1].name,
           value[values / 2].name);
    printf("J = 0");
    for (int i = made; i < values; i++)
        if (draw(3) == 0 || i == values - 1)
            printf(" + mean(tanh(%s)^2)", value[i].name);
    printf("\nminimize J with sgd(lr = 0.1%s)\n", draw(2) ? ", momentum = 0.9" : "");
    if (draw(2))
        printf("gradient K = J^2 + mean(%s) over %s, %s\n", value[made].name, value[draw(params)].name,
               value[params].name);
    return 0;
}
