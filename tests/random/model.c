/* model.c - random models, the same for the same number: values of random shapes made of each other
 * by random forms, then outputs, losses, derivatives of the first and second order, and updates.
 * All stays smooth where it is evaluated: values are of the size of 1, and what has a kink is moved
 * away from where equal values would meet.
 *
 *     model FIRST COUNT DIR [FUNCTIONS]     writes DIR/FIRST.ng and so on
 *
 * FUNCTIONS is a file that lists the functions of one element, as tests/functions.c does: those
 * that no form here has are used too, in a form that their record is enough for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../draw.h"

enum { VALUES = 64, RANK = 4, ELEMENTS = 200 };

/* A size is 100*factor + 10*(power of m) + (power of n); m and n are the run-time sizes. */
enum { ONE = 100, SIZE_M = 110, SIZE_N = 101, MOST_M = 5, MOST_N = 3 };

typedef struct Value {
    char name[8];
    int rank, dim[RANK];
    double big;   /* no element is larger */
    int constant; /* perhaps: nothing may be differentiated by it */
} Value;

static FILE *out;
static uint64_t state;
static Value value[VALUES];
static int values;
static int suspect;  /* a constant was looked at since the last value was begun */
static int depth;    /* loops around what is printed */
static int run_time; /* those of them whose bound is a run-time size: their passes must be alike */
static int times;    /* how often all of them together make a pass */
static int loops;    /* has the model loops, functions and layers? */
static int named;    /* carried values, indices, functions and layers so far */

static int draw(int n)
{
    return draw_below(&state, n);
}

/* ---- sizes and shapes ---- */

static int size_times(int a, int b)
{
    return a / 100 * (b / 100) * 100 + a % 100 + b % 100;
}

static int is_fixed(int d)
{
    return d % 100 == 0;
}

static int most(int d)
{
    int n = d / 100;
    for (int i = 0; i < d / 10 % 10; i++)
        n *= MOST_M;
    for (int i = 0; i < d % 10; i++)
        n *= MOST_N;
    return n;
}

static int elements(int rank, const int *dim)
{
    int n = 1;
    for (int i = 0; i < rank; i++)
        n *= most(dim[i]);
    return n;
}

static void print_size(int d)
{
    fprintf(out, "%d", d / 100);
    for (int i = 0; i < d / 10 % 10; i++)
        fprintf(out, "*m");
    for (int i = 0; i < d % 10; i++)
        fprintf(out, "*n");
}

static void print_shape(int rank, const int *dim)
{
    fprintf(out, "[");
    for (int i = 0; i < rank; i++) {
        fprintf(out, i ? ", " : "");
        print_size(dim[i]);
    }
    fprintf(out, "]");
}

/* ---- values ---- */

static int room(int rank, const int *dim)
{
    if (rank > RANK || values >= VALUES)
        return 0;
    for (int i = 0; i < rank; i++)
        if (dim[i] % 10 > 2 || dim[i] / 10 % 10 > 2)
            return 0;
    return elements(rank, dim) <= ELEMENTS;
}

static Value *add(int rank, const int *dim, double big)
{
    Value *v = &value[values];
    sprintf(v->name, "v%d", values++);
    v->rank = rank;
    v->big = big;
    v->constant = suspect;
    if (rank)
        memcpy(v->dim, dim, (size_t)rank * sizeof *dim);
    return v;
}

/* An operand: late values are likelier, so that models become deep. */
static Value any(void)
{
    int i = draw(values);
    if (draw(2) && values > 8)
        i = values - 1 - i % 6;
    suspect |= value[i].constant;
    return value[i];
}

/* One that a test accepts, or one that it does not. */
static Value any_of(int (*good)(const Value *))
{
    Value a = any();
    for (int i = 0; i < 40 && !good(&a); i++)
        a = any();
    return a;
}

/* The form with operands in place of $a $b $c; $k is a size, and large operands are brought
 * below 1. */
static void print_form(const char *form, const Value *a, const Value *b, const Value *c, int k)
{
    for (; *form; form++) {
        if (*form != '$') {
            fputc(*form, out);
            continue;
        }
        const Value *v = *++form == 'a' ? a : *form == 'b' ? b : c;
        if (*form == 'k')
            print_size(k);
        else
            fprintf(out, v->big <= 3 ? "%s" : v->name[1] & 1 ? "tanh(%s)" : "sin(%s)", v->name);
    }
    fprintf(out, "\n");
}

static void make(int rank, const int *dim, double big, const char *form, const Value *a,
                 const Value *b, const Value *c, int k)
{
    if (!room(rank, dim))
        return;
    fprintf(out, "%s = ", add(rank, dim, big)->name);
    print_form(form, a, b, c, k);
}

static void declare(const char *what, int run_time)
{
    static const int sizes[] = {100, 200, 300, 400, 300, 500};
    int dim[RANK], rank = draw(4);
    for (int i = 0; i < rank; i++)
        dim[i] = run_time && draw(3) == 0 ? (draw(3) ? SIZE_M : SIZE_N) : sizes[draw(6)];
    fprintf(out, "%s %s", what, add(rank, dim, strcmp(what, "param") ? 1 : 0.5)->name);
    if (rank)
        print_shape(rank, dim);
    if (strcmp(what, "param") == 0) {
        static const char *const init[] = {" ~ normal(0, 0.5)", " ~ uniform(-1, 1)",
                                           " ~ truncated_normal(0, 1)", " = 0.25"};
        fprintf(out, "%s", init[draw(4)]);
    }
    fprintf(out, strcmp(what, "state") ? "\n" : " = 0.3\n");
}

/* ---- elementwise ---- */

typedef struct Form {
    const char *text;
    double big; /* for operands not above 3 */
} Form;

static const Form unaries[] = {{"exp(-$a^2)", 1},
                               {"exp($a/3)", 2.8},
                               {"expm1($a/2)", 3.5},
                               {"log(0.3 + $a^2)", 2.3},
                               {"log1p($a^2)", 2.4},
                               {"sqrt(0.2 + $a^2)", 3.1},
                               {"abs($a + 0.0123)", 3.1},
                               {"sign($a - 0.0321)*$a", 3},
                               {"0.3*floor(1.7*$a + 0.0411) + $a", 6},
                               {"ceil(1.9*$a + 0.0417)*$a", 21},
                               {"$a - round(1.3*$a + 0.0231)", 3},
                               {"sin(2*$a)", 1},
                               {"cos($a + 0.2)", 1},
                               {"tan(0.7*sin($a))", 1},
                               {"asin(0.8*tanh($a))", 1},
                               {"acos(0.8*sin($a))", 3},
                               {"atan(2*$a)", 1.6},
                               {"sinh($a/2)", 2.2},
                               {"cosh($a/2)", 2.4},
                               {"tanh($a)", 1},
                               {"erf($a)", 1},
                               {"erfc($a)", 2},
                               {"sigmoid(2*$a)", 1},
                               {"softplus($a)", 3.1},
                               {"-$a", 3},
                               {"$a^2/3", 3},
                               {"$a^3/9", 3},
                               {"(0.5 + $a^2)^-0.7", 2},
                               {"(1.3 + sin($a))^$a", 20},
                               {"$a^-1*0 + $a", 3},
                               {"mod($a + 0.0123, 0.7) + $a", 4},
                               {"1/(1 + exp(-$a))", 1},
                               {"1/(exp($a) + 1)", 1},
                               {"log(1/(1 + exp(-$a)))", 3.1},
                               {"log(sigmoid($a))", 3.1},
                               {"log(1 - sigmoid($a))", 3.1},
                               {"1 - sigmoid($a)", 1},
                               {"exp($a)/(1 + exp($a))", 1},
                               {"(exp($a) - exp(-$a))/(exp($a) + exp(-$a))", 1},
                               {"1 - tanh($a)^2", 1},
                               {"relu($a - 0.0137)", 3},
                               {"leaky_relu($a - 0.0139, 0.1)", 3},
                               {"elu($a - 0.0141)", 3},
                               {"gelu($a)", 3},
                               {"gelu_tanh($a)", 3},
                               {"silu($a)", 3},
                               {"mish($a)", 3},
                               {"softsign($a + 0.0143)", 1},
                               {"logsigmoid($a)", 3.1},
                               {"hardswish($a + 0.0147)", 3},
                               {"($a + 1)*($a - 1) - $a", 11},
                               {"$a - (-$a)/2", 4.5},
                               {"($a + 2)*3 - $a*3 + 0.1*$a", 7},
                               {"$a/1 + $a^1*$a^0 - 0", 6},
                               {"(2 - $a)*$a*0.2", 3},
                               {"-(0.3 - $a)/(2.5 + sin($a))", 3},
                               {"where($a > 0.0529, $a, -0.3*$a)", 3},
                               {"clip($a, -0.5123, 0.6123)", 1},
                               {"-(-$a)*(-2)", 6},
                               {"0 - $a/(-3)", 1},
                               {"where(training, $a, $a/2)", 3},
                               {"0.3*$a - 0.7*$a + sin($a)", 3},
                               {"$a*sqrt(0.2 + $a^2)/(0.2 + $a^2)", 1},
                               {"sigmoid(-$a)*sigmoid($a)", 1},
                               {"log(exp($a) + 1)", 3.1},
                               {"$a/$k", 3},
                               {"log(exp($a))", 3},
                               {"1/(2 + $a^2)", 0.5},
                               {"sin($a)*-1", 1},
                               {"1*cos($a) + 0", 1},
                               {"0 + sin($a)", 1},
                               {"cos($a)/-1", 1},
                               {"where($a > 0.0531, 1, 0)", 1},
                               {"where($a < 0.0533, 0.7, 0)*$a", 3},
                               {"0*$a + exp(-$a*$a)", 1},
                               {"$a*0.5*-1", 2},
                               {"-sin($a)*2", 2},
                               {"2*-cos($a)", 2},
                               {"-$a - -sin($a)", 4},
                               {"-(-$a*2 - 0.1)", 6.1},
                               {"(-$a)*(-sin($a))", 3},
                               {"-($a - 0.1)*sin($a)", 4},
                               {"-(($a - 0.1)/(2 + sin($a)))", 4},
                               {"$a*($a*($a*0.1))*0.2", 1},
                               {"($a + 2*$a)*0.3", 3},
                               {"-$a + cos($a)", 4},
                               {"$a^-1*$a*sin($a)", 1},
                               {"(0.4 + $a^2)^-1", 2.5},
                               {"(0.4 + $a^2)^-2*0.2", 1.3},
                               {"2^$a/3", 2.7},
                               {"stop(0.3) + $a", 3.3},
                               {"sin($a)/(1.5 + cos($a))/2/(1.5 + cos($a))", 2}};

/* Forms of functions that none of the tables has. */
static Form more_unaries[32], more_binaries[32];
static int more_unary, more_binary;

static void unary(void)
{
    enum { KNOWN = sizeof unaries / sizeof *unaries };
    Value a = any();
    int i = draw(KNOWN + more_unary);
    const Form *f = i < KNOWN ? &unaries[i] : &more_unaries[i - KNOWN];
    if (strstr(f->text, "$a^-1*")) { /* wants what is not 0 */
        make(a.rank, a.dim, 3, "2.5 + sin($a)", &a, NULL, NULL, 0);
        a = value[values - 1];
        a.big = 1;
    }
    make(a.rank, a.dim, f->big, f->text, &a, NULL, NULL,
         draw(2) ? SIZE_M : size_times(SIZE_M, SIZE_N));
}

/* Defs with a backward part, which is right: differences show it. */
static const char given_defs[] =
    "def root(x) {\n    return sqrt(2 + sin(x))\n} backward(dy, y) {\n"
    "    slope = cos(x)/(2*y)\n    return dy*slope\n}\n"
    "def wave(a, b) = a*sin(b) backward(dy) = dy*sin(b), dy*a*cos(b)\n"
    "def mixed(x, k) = x*mean(root(k*x)) backward(dy) = grad(sum(dy*x*mean(root(k*x))), x)\n";

/* Calls of these. The models that have them are numbers apart, so that the others stay as they
 * are. */
static void given(int number)
{
    static const Form forms[] = {{"root($a)", 1.8},
                                 {"wave($a, $a)", 3},
                                 {"wave(0.3*$a, root($a))", 1},
                                 {"mixed($a, 0.7)", 5.4},
                                 {"mixed(root(sin($a)), 2)*$a", 17}};
    Value a = value[number % values];
    make(a.rank, a.dim, forms[number % 5].big, forms[number % 5].text, &a, NULL, NULL, 0);
}

/* By NumPy's rule; 0: they do not fit. */
static int broadcast(const Value *a, const Value *b, Value *to)
{
    to->rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 1; i <= to->rank; i++) {
        int x = i <= a->rank ? a->dim[a->rank - i] : ONE,
            y = i <= b->rank ? b->dim[b->rank - i] : ONE;
        if (x != y && x != ONE && y != ONE)
            return 0;
        to->dim[to->rank - i] = x == ONE ? y : x;
    }
    return 1;
}

static const Form binaries[] = {
    {"$a + $b", 6},
    {"$a - $b", 6},
    {"$a*$b", 9},
    {"$a/(1.5 + sin($b))", 6},
    {"-$a*$b", 9},
    {"($a - $b)*$b", 18},
    {"maximum($a, $b + 0.0173)", 3.1},
    {"minimum($b, $a + 0.0179)", 3.1},
    {"where($a < $b + 0.0291, $a, $b*$b)", 9},
    {"where($a >= $b + 0.0391, sin($b), $a)", 3},
    {"($a <= $b + 0.0393)*$b", 3},
    {"where($a != $b + 0.0371, $b, $a)", 3},
    {"where($a == $b + 0.0377, 0, $b)", 3},
    {"atan2($a, 3.5 + $b)", 1.5},
    {"atan2(3.5 + $a, $b)", 3},
    {"mod($a + 0.0127, 4.1 + $b)", 7},
    {"(0.7 + $a^2)^sin($b)", 10},
    {"logaddexp($a, $b)", 4},
    {"exp($a)/(exp($a) + exp($b))", 1},
    {"$a*$b + $a*sin($b)", 12},
    {"0.5*$a + 0.5*$b", 3},
    {"-(sigmoid($b)*log(sigmoid($a)) + (1 - sigmoid($b))*log(1 - sigmoid($a)))", 6},
    {"-$a - -$b", 6},
    {"$a - (-$b)", 6},
    {"-$a + $b", 6},
    {"-($a - $b)", 6},
    {"-($a - $b)/(2 + sin($b))", 6},
    {"($a*$b + $a)*0.2", 3},
    {"$a*$b*0.1 - $b*$a*0.3", 2},
    {"($a - $b)^2", 36},
    {"sigmoid($a)*$b", 3},
    {"tanh($a)*$b + (1 - tanh($a))*$a", 9},
    {"$a/(2.5 + sin($b))*(2.5 + sin($b))", 3},
    {"logaddexp($a, 0)*$b", 10},
    {"where($a > 0.0541, $b, 0)", 3},
    {"$a + ($b + $a)*2", 15},
    {"(-$a)*(-$b)", 9},
    {"$a*-$b", 9},
    {"dropout($a, 0.4)*$b", 15},
    {"$a + 0.3*noise($b.shape)", 4},
    {"$a*(1 - sigmoid($b)) + sigmoid($b)*0.2", 4},
    {"-log(1/(1 + exp(-$a)))*$b", 10},
    {"exp($a - $b)*0.01", 4.1},
    {"exp($a)*exp(-$a)*$b", 3},
    {"where($a < $b + 0.0551, 0.5, $b)", 3},
    {"0.4*relu($a - 0.0149)*$b", 4}};

static void binary(void)
{
    Value a = any(), b = any(), c;
    for (int i = 0; i < 20 && !broadcast(&a, &b, &c); i++)
        b = any();
    if (!broadcast(&a, &b, &c))
        return;
    enum { KNOWN = sizeof binaries / sizeof *binaries };
    int i = draw(KNOWN + more_binary);
    const Form *f = i < KNOWN ? &binaries[i] : &more_binaries[i - KNOWN];
    if (run_time && (strstr(f->text, "dropout") || strstr(f->text, "noise")))
        return; /* each pass would draw its own numbers */
    if (strstr(f->text, "$b.shape"))
        b.big = 0;
    make(c.rank, c.dim, f->big, f->text, &a, &b, NULL, 0);
}

/* Does one of these forms call the function? */
static int is_called(const char *name, const Form *form, int count)
{
    size_t size = strlen(name);
    for (int i = 0; i < count; i++)
        for (const char *at = strstr(form[i].text, name); at; at = strstr(at + 1, name)) {
            int whole = at == form[i].text || !strchr("abcdefghijklmnopqrstuvwxyz_", at[-1]);
            if (whole && at[size] == '(')
                return 1;
        }
    return 0;
}

/* A function that no form has, of one or two operands for which it is smooth: "sin(f(0.4 + $a^2))".
 * A sine is of the size of 1 whatever the function is; a flat one is a factor. */
static void add_form(const char *name, int operands, char mark, int is_flat)
{
    const char *from = mark == '+' || mark == '/' ? "0.4 + $%c^2"
                       : mark == '~'              ? "0.8*sin($%c)"
                       : mark == '>'              ? "1.4 + $%c^2"
                                                  : "$%c";
    Form *f = operands == 1 ? &more_unaries[more_unary++] : &more_binaries[more_binary++];
    char a[32], b[32], *text = malloc(200);

    sprintf(a, from, 'a');
    sprintf(b, from, 'b');
    if (is_flat)
        sprintf(text, "sin(%s(%s + 0.0411))*$a", name, a);
    else if (operands == 1)
        sprintf(text, "sin(%s(%s))", name, a);
    else
        sprintf(text, "sin(%s(%s, %s))", name, a, b);
    *f = (Form){text, is_flat ? 3 : 1};
}

static void read_functions(const char *path)
{
    FILE *in = fopen(path, "r");
    char name[32], mark, slope[8];
    int operands;
    if (!in)
        exit(1);
    while (fscanf(in, "%31s %d %c %7s", name, &operands, &mark, slope) == 4)
        if (operands <= 2 && !is_called(name, unaries, sizeof unaries / sizeof *unaries) &&
            !is_called(name, binaries, sizeof binaries / sizeof *binaries))
            add_form(name, operands, mark, strcmp(slope, "flat") == 0);
    fclose(in);
}

/* ---- reductions ---- */

/* Small numbers that differ along each axis, so that the largest element is one. */
static void print_offsets(int rank, const int *dim)
{
    static const char *const scale[] = {"0.0137", "0.0729", "0.1971", "0.3083"};
    for (int i = 0; i < rank; i++) {
        fprintf(out, " + %s*reshape(arange(", scale[i]);
        print_size(dim[i]);
        fprintf(out, "), [");
        for (int k = 0; k < rank; k++) {
            fprintf(out, k ? ", " : "");
            print_size(k == i ? dim[i] : ONE);
        }
        fprintf(out, "])");
    }
}

static int has_axis(const Value *a)
{
    return a->rank > 0;
}

static void reduce(void)
{
    static const char *const name[] = {"sum", "mean",      "max",  "min",
                                       "var", "logsumexp", "norm", "prod"};
    Value a = any_of(has_axis);
    int f = draw(8), axes = a.rank ? 1 + draw((1 << a.rank) - 1) : 0, keep = draw(2), dim[RANK],
        n = 0, many = 1, fixed = 1;
    if (a.rank == 0)
        return;
    if (f == 7)
        axes = 1 << draw(a.rank);
    for (int i = 0; i < a.rank; i++) {
        if (!(axes >> i & 1) || keep)
            dim[n++] = axes >> i & 1 ? ONE : a.dim[i];
        if (axes >> i & 1) {
            many *= most(a.dim[i]);
            fixed &= is_fixed(a.dim[i]);
        }
    }
    if ((f == 7 && !fixed) || !room(n, dim))
        return;
    fprintf(out, "%s = %s(", add(n, dim, f == 0 ? 3 * many : f == 7 ? 1 : 9)->name, name[f]);
    fprintf(out, f == 6 ? "0.2 + abs(" : f == 7 ? "sin(" : "(");
    fprintf(out, a.big <= 3 ? "%s" : "tanh(%s)", a.name);
    if (f == 2 || f == 3 || f == 6)
        print_offsets(a.rank, a.dim);
    fprintf(out, "), axis = [");
    for (int i = 0, first = 1; i < a.rank; i++)
        if (axes >> i & 1) {
            fprintf(out, first ? "%d" : ", %d", f == 7 ? i : i - (draw(2) ? a.rank : 0));
            first = 0;
        }
    if (f == 7) { /* takes one axis */
        fseek(out, -2, SEEK_CUR);
        fprintf(out, "%d", axes == 1 ? 0 : axes == 2 ? 1 : axes == 4 ? 2 : 3);
    } else
        fprintf(out, "]");
    fprintf(out, keep ? ", keepdims = 1)\n" : ")\n");
}

static void along_axis(void)
{
    static const char *const name[] = {"softmax", "log_softmax", "cumsum",
                                       "cumprod", "flip",        "normalize"};
    Value a = any_of(has_axis);
    if (a.rank == 0 || !room(a.rank, a.dim))
        return;
    int f = draw(6), axis = draw(a.rank);
    if (f >= 2 && f <= 3 && !is_fixed(a.dim[axis]))
        return;
    fprintf(out, "%s = %s(tanh(%s), %d%s)\n", add(a.rank, a.dim, f == 0 ? 1 : 5)->name, name[f],
            a.name, axis, f == 5 ? ", 0.3" : "");
}

static int is_argmax_axis(const Value *a)
{
    return a->rank > 0 && is_fixed(a->dim[a->rank - 1]);
}

/* The place of the largest, used as an index and as a class. */
static void argmax(void)
{
    Value a = any_of(is_argmax_axis), b = any_of(has_axis);
    if (!is_argmax_axis(&a) || a.rank == 1 || !room(a.rank, a.dim))
        return;
    int last = a.dim[a.rank - 1];
    if (draw(3) == 0 && b.rank > 0 && b.rank + a.rank - 2 <= RANK && is_fixed(b.dim[0]) &&
        b.dim[0] >= last) {
        int dim[2 * RANK];
        memcpy(dim, a.dim, sizeof a.dim);
        memcpy(dim + a.rank - 1, b.dim + 1, (size_t)(b.rank - 1) * sizeof *dim);
        if (!room(a.rank + b.rank - 2, dim))
            return;
        fprintf(out, "%s = %s[argmax(tanh(%s)", add(a.rank + b.rank - 2, dim, b.big)->name, b.name,
                a.name);
        print_offsets(a.rank, a.dim);
        fprintf(out, ")]\n");
        return;
    }
    fprintf(out, "%s = one_hot(argmax(tanh(%s)", add(a.rank, a.dim, 1)->name, a.name);
    print_offsets(a.rank, a.dim);
    fprintf(out, "), %d)\n", last / 100);
}

/* ---- products ---- */

static int is_matrix(const Value *a)
{
    return a->rank == 2 || a->rank == 3;
}

static void product(void)
{
    for (int tries = 0; tries < 20; tries++) {
        Value a = any_of(is_matrix), b = any_of(is_matrix);
        int t = draw(4), ta = t & 1, tb = t >> 1, dim[RANK],
            rank = a.rank > b.rank ? a.rank : b.rank;
        if (!is_matrix(&a) || !is_matrix(&b) ||
            (a.rank == 3 && b.rank == 3 && a.dim[0] != b.dim[0]))
            continue;
        if (a.dim[a.rank - 1 - ta] != b.dim[b.rank - 2 + tb])
            continue;
        dim[0] = a.rank == 3 ? a.dim[0] : b.dim[0];
        dim[rank - 2] = a.dim[a.rank - 2 + ta];
        dim[rank - 1] = b.dim[b.rank - 1 - tb];
        char form[40];
        static const char *const pattern[] = {
            "$a%s @ $b%s",       "0.3*($a%s @ $b%s)",           "-$a%s @ $b%s",
            "tanh($a%s @ $b%s)", "2*($a%s @ (0.1*$b)%s) + 0.3", "(($a%s @ $b%s)')'"};
        sprintf(form, pattern[draw(6)], ta ? "'" : "", tb ? "'" : "");
        make(rank, dim, 9 * most(a.dim[a.rank - 1 - ta]), form, &a, &b, NULL, 0);
        return;
    }
}

static int is_equations(const Value *a)
{
    return (a->rank == 2 || a->rank == 3) && is_fixed(a->dim[a->rank - 2]) &&
           most(a->dim[a->rank - 2]) <= 4;
}

/* Linear equations: the matrix is near to that of unity. cholesky reads one triangle only, so the
 * slope over the matrix itself is not that of differences: it is given the symmetric part. */
static void equations(void)
{
    static const char *const form[] = {"solve($a, $b)", "solve($a', $b)*0.5",
                                       "inv($a)",       "det($a)*0.5",
                                       "logdet($a)",    "cholesky(0.5*($a + $a'))"};
    Value a = any_of(is_equations), v;
    int f = draw(6), r = a.rank, dim[RANK];
    if (!is_equations(&a) || values > VALUES - 4)
        return;
    memcpy(dim, a.dim, sizeof dim);
    dim[r - 1] = dim[r - 2];
    if (!room(r, dim))
        return;
    make(r, dim, 2, "0.1*(tanh($a) @ tanh($a)') + eye($k)", &a, NULL, NULL, dim[r - 2]);
    v = value[values - 1];
    if (f < 5 && draw(2)) { /* and not symmetric */
        make(r, dim, 2, "$a + 0.2*sin(3*$a)*tril(ones([$k, $k]))", &v, NULL, NULL, dim[r - 2]);
        v = value[values - 1];
    }
    if (f < 2)
        make(r, a.dim, 3, form[f], &v, &a, NULL, 0);
    else
        make(f == 2 || f == 5 ? r : r - 2, dim, 3, form[f], &v, NULL, NULL, 0);
}

static int is_line(const Value *a)
{
    return a->rank == 3 && is_fixed(a->dim[1]) && is_fixed(a->dim[2]);
}

/* A convolution, by a kernel that depends on the image. */
static void convolution(void)
{
    static const char *const form[] = {
        "conv($a, concat([mean($a, [0, 2])[new, :, new], 0.5*sum($a, [0, 2])[new, :, new]], -1), padding = 1)",
        "conv($a, concat([mean($a, [0, 2])[new, :, new], 0.5*mean($a^2, [0, 2])[new, :, new]], -1), padding = 1, stride = 2)"};
    Value a = any_of(is_line);
    int stride = draw(2), dim[RANK];
    if (!is_line(&a))
        return;
    dim[0] = a.dim[0];
    dim[1] = 100;
    dim[2] = stride ? (a.dim[2] / 200 + 1) * 100 : a.dim[2] + 100;
    make(3, dim, 20.0 * a.dim[1] / 100 * elements(3, a.dim), form[stride], &a, NULL, NULL, 0);
}

/* ---- views ---- */

/* name[:, :, index], the index at an axis. */
static void print_indexed(const Value *a, int axis, const char *index)
{
    fprintf(out, "%s[", a->name);
    for (int i = 0; i < axis; i++)
        fprintf(out, ":, ");
    fprintf(out, draw(2) && axis + 1 == a->rank ? "%s]\n" : "%s, ...]\n", index);
}

static void permute(const Value *a)
{
    int dim[RANK], perm[RANK] = {0, 1, 2, 3};
    for (int i = a->rank - 1; i > 0; i--) {
        int k = draw(i + 1), t = perm[i];
        perm[i] = perm[k];
        perm[k] = t;
    }
    for (int i = 0; i < a->rank; i++)
        dim[i] = a->dim[perm[i]];
    fprintf(out, "%s = permute(%s, [", add(a->rank, dim, a->big)->name, a->name);
    for (int i = 0; i < a->rank; i++)
        fprintf(out, i ? ", %d" : "%d", perm[i]);
    fprintf(out, "])\n");
}

/* Neighbouring axes as one, or an axis of size 1 put in. */
static void reshape(const Value *a)
{
    int dim[RANK + 1], n = 0, at = draw(a->rank + 1);
    if (draw(2) && a->rank < RANK) {
        for (int i = 0; i <= a->rank; i++)
            dim[n++] = i == at ? ONE : a->dim[i - (i > at)];
    } else
        for (int i = 0; i < a->rank; i++)
            if (n > 0 && i == at)
                dim[n - 1] = size_times(dim[n - 1], a->dim[i]);
            else
                dim[n++] = a->dim[i];
    if (!room(n, dim))
        return;
    fprintf(out, "%s = reshape(%s, ", add(n, dim, a->big)->name, a->name);
    print_shape(n, dim);
    fprintf(out, ")\n");
}

static void slice(const Value *a, int axis)
{
    static const char *const text[] = {"::2", "::-1", "1:", ":-1", "1::2", "::-2", "-1:0:-1"};
    int size = a->dim[axis] / 100, f = draw(7), dim[RANK];
    int count[] = {(size + 1) / 2, size, size - 1, size - 1, size / 2, (size + 1) / 2, size - 1};
    if (!is_fixed(a->dim[axis]))
        f = 1;
    else if (count[f] < 1)
        return;
    memcpy(dim, a->dim, sizeof dim);
    dim[axis] = f == 1 ? a->dim[axis] : 100 * count[f];
    fprintf(out, "%s = ", add(a->rank, dim, a->big)->name);
    print_indexed(a, axis, text[f]);
}

static void element(const Value *a, int axis)
{
    int dim[RANK];
    char index[16];
    if (!is_fixed(a->dim[axis]))
        return;
    for (int i = 0; i + 1 < a->rank; i++)
        dim[i] = a->dim[i + (i >= axis)];
    sprintf(index, "%d", draw(a->dim[axis] / 100) - (draw(3) == 0 ? a->dim[axis] / 100 : 0));
    fprintf(out, "%s = ", add(a->rank - 1, dim, a->big)->name);
    print_indexed(a, axis, index);
}

static void concat(const Value *a, int axis)
{
    Value b = *a;
    int dim[RANK], doubled;
    memcpy(dim, a->dim, sizeof dim);
    for (int i = 0; i < 60; i++) { /* another one that fits, if there is one */
        Value c = any();
        int same = c.rank == a->rank;
        for (int k = 0; k < a->rank && same; k++)
            same = k == axis || c.dim[k] == a->dim[k];
        if (same)
            b = c;
    }
    if (b.dim[axis] % 100 != a->dim[axis] % 100)
        return;
    doubled = draw(3) == 0;
    dim[axis] = (a->dim[axis] / 100 * (1 + doubled) + b.dim[axis] / 100) * 100 + a->dim[axis] % 100;
    if (!room(a->rank, dim))
        return;
    fprintf(out, "%s = concat([%s, %s%s%s], %d)\n",
            add(a->rank, dim, a->big > b.big ? a->big : b.big)->name, a->name, b.name,
            doubled ? ", -" : "", doubled ? a->name : "", axis);
}

static void pad(const Value *a)
{
    int dim[RANK], before[RANK], after[RANK];
    for (int i = 0; i < a->rank; i++) {
        before[i] = is_fixed(a->dim[i]) ? draw(3) : 0;
        after[i] = is_fixed(a->dim[i]) ? draw(2) : 0;
        dim[i] = a->dim[i] + 100 * (before[i] + after[i]);
    }
    if (!room(a->rank, dim))
        return;
    fprintf(out, "%s = pad(%s, [", add(a->rank, dim, a->big)->name, a->name);
    for (int i = 0; i < a->rank; i++)
        fprintf(out, i ? ", %d" : "%d", before[i]);
    fprintf(out, "], [");
    for (int i = 0; i < a->rank; i++)
        fprintf(out, i ? ", %d" : "%d", after[i]);
    fprintf(out, "])\n");
}

/* Copies along a new axis in the middle. */
static void expand(const Value *a, int axis)
{
    static const int copies[] = {200, 300, SIZE_M, SIZE_N};
    int dim[RANK + 1], size = copies[draw(4)];
    for (int i = 0; i <= a->rank; i++)
        dim[i] = i == axis ? size : a->dim[i - (i > axis)];
    if (a->rank == RANK || !room(a->rank + 1, dim))
        return;
    fprintf(out, "%s = broadcast_to(%s[", add(a->rank + 1, dim, a->big)->name, a->name);
    for (int i = 0; i < axis; i++)
        fprintf(out, ":, ");
    fprintf(out, "new, ...], ");
    print_shape(a->rank + 1, dim);
    fprintf(out, ")\n");
}

static void view(void)
{
    Value a = any_of(has_axis);
    if (a.rank == 0 || values >= VALUES)
        return;
    int axis = draw(a.rank);
    switch (draw(8)) {
    case 0: permute(&a); break;
    case 1: reshape(&a); break;
    case 2: slice(&a, axis); break;
    case 3: element(&a, axis); break;
    case 4: concat(&a, axis); break;
    case 5: pad(&a); break;
    case 6: expand(&a, axis); break;
    default: /* several in a row */
        if (a.rank > 1) {
            permute(&a);
            a = value[values - 1];
            if (values < VALUES)
                slice(&a, axis);
        }
    }
}

/* ---- indices ---- */

static int is_table(const Value *a)
{
    return a->rank > 0 && a->dim[0] >= 300 && is_fixed(a->dim[0]);
}

/* The indices, or ints below 3 that are computed from them. */
static const char *an_index(void)
{
    static const char *const text[] = {"index", "index", "clip(index, 0, 2)",
                                       "2 - clip(index, 0, 2)",
                                       "clip(as_int(0.8*index + 0.1), 0, 2)"};
    return text[draw(5)];
}

static void gather(void)
{
    Value a = any_of(is_table);
    int dim[RANK + 1], two = draw(3) == 0;
    if (!is_table(&a) || a.rank + two > RANK)
        return;
    dim[0] = SIZE_M;
    dim[1] = 200;
    memcpy(dim + 1 + two, a.dim + 1, (size_t)(a.rank - 1) * sizeof *dim);
    if (!room(a.rank + two, dim))
        return;
    if (!two && a.rank >= 2 && draw(2)) { /* along the second axis */
        fprintf(out, "%s = (%s')[", add(a.rank, dim, a.big)->name, a.name);
        Value *v = &value[values - 1];
        for (int i = 0; i < a.rank; i++)
            v->dim[i] = a.dim[i];
        v->dim[a.rank - 1] = a.dim[a.rank - 2];
        v->dim[a.rank - 2] = a.dim[a.rank - 1];
        if (a.rank == 2) {
            v->dim[1] = SIZE_M;
            fprintf(out, ":, %s]\n", an_index());
            return;
        }
        v->dim[0] = SIZE_M;
        fprintf(out, "%s]\n", an_index());
        return;
    }
    const char *name = add(a.rank + two, dim, a.big)->name;
    fprintf(out, "%s = %s[%s]\n", name, a.name, two ? "pairs" : an_index());
}

static int is_rows(const Value *a)
{
    return a->rank > 0 && a->dim[0] == SIZE_M;
}

static void scatter(void)
{
    Value a = any_of(is_rows);
    int dim[RANK];
    if (!is_rows(&a) || values >= VALUES)
        return;
    memcpy(dim, a.dim, sizeof dim);
    dim[0] = 400;
    if (!room(a.rank, dim))
        return;
    if (a.rank == 2 && is_fixed(a.dim[1]) && draw(4) == 0) {
        make(2, a.dim, a.big, "sort($a)", &a, NULL, NULL, 0);
        return;
    }
    if (a.rank == 2 && a.dim[1] >= 300 && is_fixed(a.dim[1]) && draw(2)) {
        static const char *const text[] = {"take_along($a, index)",
                                           "cross_entropy($a, index, identity)",
                                           "$a[arange(m), clip(as_int(0.6*index + 0.3), 0, 2)]"};
        make(1, a.dim, 9, text[draw(3)], &a, NULL, NULL, 0);
        return;
    }
    switch (draw(3)) {
    case 0: make(a.rank, dim, 15, "scatter_add($a, index, 4)", &a, NULL, NULL, 0); break;
    case 1:
        dim[0] = SIZE_M;
        dim[1] = 300;
        make(2, dim, 3, "0.5*one_hot(index, 3)", &a, NULL, NULL, 0);
        break;
    default:
        if (a.rank == 1)
            make(1, a.dim, 9, "$a*index - where(index == 1, $a, 0)", &a, NULL, NULL, 0);
    }
}

static void constant(void)
{
    static const struct {
        int rank, dim[RANK];
        const char *text;
    } data[] = {{1, {300}, "[0.3, -0.7, 0.45]*(0.7 + 0.1*n)"},
                {2, {200, 300}, "[[0.1, 0.9, -0.4], [0.35, -0.6, 0.2]]*(0.7 + 0.1*m)"},
                {1, {400}, "0.1*arange(4)"},
                {2, {300, 300}, "eye(3) + 0.1"},
                {1, {SIZE_M}, "cos(arange(m))"},
                {0, {0}, "0.1*m - 0.2*n"},
                {2, {200, SIZE_N}, "full([2, n], 0.3)"}};
    int i = draw(7);
    suspect = 1;
    make(data[i].rank, data[i].dim, 3, data[i].text, NULL, NULL, NULL, 0);
}

/* ---- loops ---- */

enum { CARRIED = 3, MOST_PASSES = 12 };

/* What a carried value is, and how it begins. */
typedef enum {
    BY_VALUE,  /* c = tanh(another) */
    BY_ARRAY,  /* c = zeros([2, m]) */
    BY_NUMBER, /* c = 0, which becomes a tensor in the first pass */
    LIST,      /* each pass appends to it */
    LABELS,    /* ints [m] below 3 */
} CarriedKind;

typedef struct Carried {
    CarriedKind kind;
    Value v;        /* after the loop; of a list, what it appends */
    int first_flat; /* is it perhaps a constant before the loop? */
} Carried;

typedef struct Loop {
    int index;   /* the number in the name of its index */
    int first;   /* with which the index begins: 0 or 1 */
    int passes;  /* a size */
    Value along; /* it goes along an axis of this; rank 0: along none */
    int axis;
    const char *form; /* of an index into that axis: %s is the number of the pass */
    Carried carried[CARRIED];
    int count;
} Loop;

static void make_some(int count);

/* How often, and along what; 0: too often. */
static int choose_passes(Loop *l)
{
    static const int some[] = {100, 200, 300, 300, 400, 600, SIZE_M, SIZE_M, SIZE_N};
    static const char *const form[] = {"%s", "%s", "-1 - %s", "%s:%s + 2", "2*%s", "2*%s:2*%s + 2"};
    Value a = any_of(has_axis);
    int axis = a.rank > 0 ? draw(a.rank) : 0, f = draw(6);

    *l = (Loop){.index = ++named, .first = draw(4) == 0, .passes = some[draw(9)]};
    if (a.rank > 0 && draw(4)) {
        int size = a.dim[axis] / 100;
        int passes[] = {size, size, size, size - 1, (size + 1) / 2, size / 2};
        f = is_fixed(a.dim[axis]) ? f : f % 3;
        l->along = a;
        l->axis = axis;
        l->form = form[f];
        l->passes = is_fixed(a.dim[axis]) ? 100 * passes[f] : a.dim[axis];
    }
    return most(l->passes) > 0 && most(l->passes) * times <= MOST_PASSES;
}

/* What this pass sees of the value that the loop goes along: x[:, t]. */
static void print_element(const Loop *l)
{
    const Value *a = &l->along;
    int dim[RANK], rank = 0, window = strchr(l->form, ':') != NULL;
    char pass[24], index[80];

    for (int i = 0; i < a->rank; i++)
        if (i != l->axis)
            dim[rank++] = a->dim[i];
        else if (window)
            dim[rank++] = 200;
    if (!room(rank, dim))
        return;
    sprintf(pass, l->first ? "(t%d - 1)" : "t%d", l->index);
    sprintf(index, l->form, pass, pass);
    suspect = a->constant;
    fprintf(out, "%s = ", add(rank, dim, a->big)->name);
    print_indexed(a, l->axis, index);
}

static int is_small(const Value *a)
{
    return elements(a->rank, a->dim) <= 40;
}

/* A carried value before the loop. */
static void begin_carried(Carried *c)
{
    static const CarriedKind kinds[] = {BY_VALUE,  BY_VALUE, BY_VALUE, BY_ARRAY,
                                        BY_NUMBER, LIST,     LIST,     LABELS};
    Value a = any_of(is_small);

    *c = (Carried){.kind = kinds[draw(8)], .v = a, .first_flat = 1};
    if (!is_small(&a) && c->kind <= BY_ARRAY)
        c->kind = BY_NUMBER;
    sprintf(c->v.name, "c%d", ++named);
    c->v.big = 3;
    fprintf(out, "%s = ", c->v.name);
    switch (c->kind) {
    case BY_VALUE:
        c->first_flat = a.constant;
        fprintf(out, "tanh(%s)\n", a.name);
        break;
    case BY_ARRAY:
        fprintf(out, draw(2) ? "zeros(" : "0.2*ones(");
        print_shape(a.rank, a.dim);
        fprintf(out, ")\n");
        break;
    case BY_NUMBER: fprintf(out, draw(2) ? "0\n" : "0.3\n"); break;
    case LIST: fprintf(out, "[]\n"); break;
    case LABELS: fprintf(out, "clip(index, 0, 2)\n"); break;
    }
}

/* Rows of a table, chosen by labels that a loop carries. */
static void print_rows(const Carried *labels)
{
    Value a = any_of(is_table);
    int dim[RANK] = {SIZE_M};

    if (!is_table(&a))
        return;
    memcpy(dim + 1, a.dim + 1, (size_t)(a.rank - 1) * sizeof *dim);
    if (room(a.rank, dim))
        fprintf(out, "%s = %s[%s]\n", add(a.rank, dim, a.big)->name, a.name, labels->v.name);
}

/* What the statements of a pass can use: the index, an element, the carried values. */
static void begin_body(const Loop *l)
{
    suspect = 1;
    if (draw(3) == 0)
        fprintf(out, "%s = 0.2*t%d\n", add(0, NULL, 2.4)->name, l->index);
    if (l->form)
        print_element(l);
    for (int i = 0; i < l->count; i++) {
        const Carried *c = &l->carried[i];
        suspect = 0;
        if (c->kind == LABELS)
            print_rows(c);
        if (c->kind <= BY_ARRAY) {
            value[values] = c->v;
            value[values++].constant = c->first_flat;
        }
    }
}

/* A value that c can be added to without a change of its shape; rank -1: there is none. */
static Value fitting(const Value *c)
{
    Value a, both;

    for (int i = 0; i < 40; i++) {
        a = any();
        if (broadcast(c, &a, &both) && both.rank == c->rank &&
            (c->rank == 0 || memcmp(both.dim, c->dim, (size_t)c->rank * sizeof *c->dim) == 0))
            return a;
    }
    a.rank = -1;
    return a;
}

/* A tensor after the pass; before: "c = ", or "d, c = c, ". */
static void print_next(Carried *c, const char *before)
{
    static const char *const form[] = {
        "tanh($a + 0.3*$b)",     "0.6*$a + 0.3*sin($b)", "sin($a*$b + 0.3)",
        "0.5*$a + tanh($b)",     "0.9*$a - 0.1*sin($b)", "where($b > 0.0517, 0.7*$a, 0.2 + 0.1*$b)",
        "0.4*tanh($b)*$a + $b/3"};
    Value w = fitting(&c->v);

    fprintf(out, "%s", before);
    if (w.rank < 0)
        fprintf(out, "0.8*sin(%s)\n", c->v.name);
    else
        print_form(form[draw(7)], &c->v, &w, NULL, 0);
    c->v.constant = w.rank < 0 ? c->first_flat : w.constant;
}

/* The carried value after the pass. */
static void end_carried(Carried *c)
{
    static const char *const labels[] = {"2 - %s\n", "clip(%s + 1, 0, 2)\n",
                                         "where(%s == 1, 0, %s)\n"};
    Value w = any_of(is_small);
    char before[40];

    sprintf(before, "%s = ", c->v.name);
    switch (c->kind) {
    case BY_VALUE:
    case BY_ARRAY: print_next(c, before); break;
    case BY_NUMBER:
        fprintf(out, "%s", before);
        print_form(draw(2) ? "0.5*$a + tanh($b)" : "tanh($a + $b)", &c->v, &w, NULL, 0);
        break;
    case LIST: fprintf(out, "%sappend(%s, %s)\n", before, c->v.name, w.name); break;
    case LABELS:
        fprintf(out, "%s", before);
        fprintf(out, labels[draw(3)], c->v.name, c->v.name);
        break;
    }
    if (c->kind == BY_NUMBER || c->kind == LIST) {
        c->v.rank = w.rank;
        memcpy(c->v.dim, w.dim, sizeof w.dim);
        c->v.constant = w.constant;
        c->v.big = c->kind == LIST ? w.big : 3;
    }
}

static int same_shape(const Carried *a, const Carried *b)
{
    return a->kind <= BY_ARRAY && b->kind <= BY_ARRAY && a->v.rank == b->v.rank &&
           (a->v.rank == 0 ||
            memcmp(a->v.dim, b->v.dim, (size_t)a->v.rank * sizeof *a->v.dim) == 0);
}

/* All carried values after the pass; two of the same shape may change places. */
static void end_body(Loop *l)
{
    for (int i = 0; i < l->count; i++) {
        Carried *c = &l->carried[i], *d = c + 1;
        char before[40];

        if (i + 1 == l->count || !same_shape(c, d) || draw(4) == 0) {
            end_carried(c);
            continue;
        }
        sprintf(before, "%s, %s = %s, ", c->v.name, d->v.name, d->v.name);
        print_next(c, before);
        int flat = c->v.constant;
        c->v.constant = flat || d->first_flat;
        d->v.constant = flat;
        i++;
    }
}

/* What a list has become: a tensor, an element, or the sum of all. */
static void after_list(const Loop *l, const Carried *c)
{
    int dim[RANK + 1] = {l->passes}, fixed = is_fixed(l->passes), f = draw(4);
    const char *name = c->v.name;

    memcpy(dim + 1, c->v.dim, sizeof c->v.dim);
    suspect = c->v.constant;
    if (fixed && f == 0)
        fprintf(out, "%s = %s[%d]\n", add(c->v.rank, c->v.dim, c->v.big)->name, name,
                draw(l->passes / 100));
    else if (fixed && f == 1) {
        Value *v = add(c->v.rank, c->v.dim, c->v.big * l->passes / 100);
        fprintf(out, "%s = 0\nfor e in %s { %s = %s + e }\n", v->name, name, v->name, v->name);
    } else if (room(c->v.rank + 1, dim))
        fprintf(out, fixed ? "%s = stack(%s)\n" : "%s = 1*%s\n",
                add(c->v.rank + 1, dim, c->v.big)->name, name);
    else
        fprintf(out, fixed ? "%s = mean(stack(%s))\n" : "%s = mean(%s)\n",
                add(0, NULL, c->v.big)->name, name);
}

static void after_loop(const Loop *l)
{
    for (int i = 0; i < l->count; i++) {
        const Carried *c = &l->carried[i];

        if (c->kind == LIST)
            after_list(l, c);
        else if (c->kind == LABELS) {
            suspect = 0;
            print_rows(c);
        } else
            value[values++] = c->v;
    }
}

static void loop(void)
{
    Loop l;
    if (depth == 2 || values > VALUES - 30 || !choose_passes(&l))
        return;

    for (l.count = 0; l.count < CARRIED && (l.count == 0 || draw(2)); l.count++)
        begin_carried(&l.carried[l.count]);
    fprintf(out, "for t%d in %d..", l.index, l.first);
    print_size(l.passes);
    fprintf(out, l.first ? " + 1 {\n" : " {\n");

    int outside = values, factor = most(l.passes), moving = !is_fixed(l.passes);
    depth++;
    times *= factor;
    run_time += moving;
    begin_body(&l);
    make_some(1 + draw(4));
    end_body(&l);
    depth--;
    times /= factor;
    run_time -= moving;

    fprintf(out, "}\n");
    values = outside;
    after_loop(&l);
}

/* ---- functions and layers that loops call, or that have loops ---- */

enum { CALLABLES = 6 };

static int function[CALLABLES], functions;
static struct Layer {
    int number, in, out; /* in: 0 before the first call */
} layer[CALLABLES];
static int layers;

static void define_function(void)
{
    static const char *const body[] = {
        "s = 0.3*a + 0*b\nfor t in 0..$k { s = tanh(0.7*s + b + 0.1*t) }\nreturn s",
        "s = 0\nfor t in 0..$k { s = 0.5*s + sin(a)*b*(t + 1)*0.1 }\nreturn s",
        "s = a + b\nr = 0.2*b + 0*s\nfor t in 0..$k { s, r = tanh(r), 0.5*s + 0.2*sin(b) }\nreturn s*r",
        "s = 0.3*a + 0*b\nfor t in 1..$k + 1 {\nr = 0*s\nfor u in 0..2 { r = r + sin(s + 0.1*u*t) }\ns = 0.4*r\n}\nreturn s",
        "s = a + 0*b\nfor t in 0..$k { s = s - 0.1*grad(sum(sin(s)*cos(b + s)), s) }\nreturn tanh(s)",
        "s = a + 0*b\nfor t in 0..$k while sum(s*s) < 1e9 { s = sin(s) + 0.2*b }\nreturn s"};
    static const int sizes[] = {200, 300, 300, 400, SIZE_M, SIZE_N};
    int i = draw(6);

    function[functions++] = ++named;
    fprintf(out, "def f%d(a, b) {\n", named);
    print_form(body[i], NULL, NULL, NULL, sizes[draw(i == 3 ? 3 : 6)]);
    fprintf(out, "}\n");
}

static void call_function(void)
{
    Value a = any_of(is_small), b, c;
    char form[40];

    if (depth == 0 && functions < CALLABLES && draw(2))
        define_function();
    if (functions == 0 || times > 4)
        return;
    for (int i = 0; i < 20; i++) {
        b = any();
        if (!broadcast(&a, &b, &c) || !is_small(&c))
            continue;
        sprintf(form, "f%d($a, $b)", function[draw(functions)]);
        make(c.rank, c.dim, 3, form, &a, &b, NULL, 0);
        return;
    }
}

static int is_fixed_matrix(const Value *a)
{
    return a->rank == 2 && is_fixed(a->dim[1]);
}

static void call_layer(void)
{
    static const char *const text[] = {"dense(_, %d)", "dense(_, %d, tanh)",
                                       "dense(_, %d, sigmoid, bias = 0)"};
    Value a = any_of(is_fixed_matrix);
    int dim[2] = {0};
    char form[40];

    if (!is_fixed_matrix(&a))
        return;
    dim[0] = a.dim[0];
    if (depth == 0 && layers < CALLABLES && draw(2)) {
        layer[layers] = (struct Layer){++named, 0, 1 + draw(4)};
        fprintf(out, "layer%d = ", named);
        fprintf(out, text[draw(3)], layer[layers++].out);
        fprintf(out, "\n");
    }
    for (int i = 0; i < layers; i++) {
        struct Layer *f = &layer[i];
        dim[1] = 100 * f->out;
        if ((f->in != 0 && f->in != a.dim[1]) || !room(2, dim))
            continue;
        f->in = a.dim[1];
        sprintf(form, "layer%d($a)", f->number);
        make(2, dim, 3.0 * most(a.dim[1]), form, &a, NULL, NULL, 0);
        return;
    }
}

/* ---- blocks with params of their own ---- */

/* A loop that calls other layers in each pass: $a is the value that goes through them, $k its
 * width. Such a loop is expanded, and its blocks are a loop again in the C. */
static void blocks(int number)
{
    static const char *const body[] = {
        "$a = 0.5*$a + dense($a, $k, tanh)",
        "y = dense(layer_norm($a), 3, sigmoid)\n    $a = tanh($a + dense(y, $k))",
        "wide = 2\n    if i > 2 { wide = 4 }\n    $a = sin($a) + dense(dense($a, wide, tanh), $k, bias = 0)",
        "$a = tanh(dense($a, $k) + 0.1*i)\n    $a = 0.7*$a + cos(dense($a, $k))",
        "y = dense($a, 3)\n    $a = 0.5*tanh($a) + dense(y*sigmoid(y), $k, sigmoid)"};
    Value a = any_of(is_fixed_matrix);
    int before = values;

    if (!is_fixed_matrix(&a))
        return;
    make(a.rank, a.dim, 3, "tanh($a)", &a, NULL, NULL, 0);
    if (values == before)
        return;
    fprintf(out, "for i in 0..%d {\n    ", 3 + number % 7);
    print_form(body[number % 5], &value[before], NULL, NULL, a.dim[1]);
    fprintf(out, "}\n");
}

/* ---- what is asked of it ---- */

static void print_loss(const char *name, int made)
{
    static const char *const term[] = {" + mean(tanh($a)^2)", " + mean(sin($a))",
                                       " + 0.1*sum($a*cos($a))", " - mean($a)",
                                       " + mean(log_cosh($a, 0*$a))"};
    fprintf(out, "%s = 0.5", name);
    for (int i = made; i < values; i++)
        if (draw(2) || i == values - 1) {
            print_form(term[draw(5)], &value[i], NULL, NULL, 0);
            fseek(out, -1, SEEK_CUR);
        }
    fprintf(out, "\n");
}

static const char *const optimizers[] = {"sgd(lr = 0.1)",
                                         "sgd(lr = 0.1, momentum = 0.9, nesterov = 1)",
                                         "adam(lr = 0.1, eps = 0.01)",
                                         "rmsprop(lr = 0.1, eps = 0.01, momentum = 0.5)",
                                         "sgd(lr = 0.1*0.5^floor(step/3), clip_norm = 1)",
                                         "adamw(lr = 0.1, eps = 0.01)",
                                         "sgd(0.1, weight_decay = 0.2)"};

/* first: the first param; params: one after the last; made: the first computed value. */
static void print_asked(int inputs, int first, int params, int made)
{
    int kind = draw(4), x = made + draw(values - made), p = first + draw(params - first);
    for (int i = 0; i < 40 && value[x].constant; i++)
        x = made + draw(values - made);
    x = value[x].constant ? p : x;
    print_loss("J", made);
    if (kind == 0) { /* two losses, each with params of its own */
        print_loss("L", made);
        fprintf(out, "minimize J over %s with %s\nminimize L over %s with %s\n", value[first].name,
                optimizers[draw(7)], value[first + 1].name, optimizers[draw(7)]);
    } else if (kind == 1)
        fprintf(out, "minimize J with %s\n", optimizers[draw(7)]);
    else
        fprintf(out, "gradient J over %s, %s%s%s\n", value[p].name, value[draw(inputs)].name,
                x == p ? "" : ", ", x == p ? "" : value[x].name);
    switch (draw(6)) {
    case 0:
        fprintf(out, "gradient K = J^2 + mean(%s) over %s\n", value[made].name,
                value[draw(inputs)].name);
        break;
    case 1: /* of the second order, over what was named */
        fprintf(out, "d = grad(J, %s)\ngradient K = sum(d^2) + J over %s%s%s\n", value[x].name,
                value[x].name, x == p ? "" : ", ", x == p ? "" : value[p].name);
        break;
    case 2:
        fprintf(out, "d = grad(J, %s)\ngradient K = sum(sin(d)) over %s\n", value[p].name,
                value[p].name);
        break;
    case 3:
        if (elements(value[p].rank, value[p].dim) <= 4)
            fprintf(out, "output H = hessian(J, %s)\n", value[p].name);
        break;
    case 4: /* a constant within: no difference shows it */
        fprintf(out, "gradient S = J + mean(stop(%s)*%s) over %s\n", value[x].name, value[x].name,
                value[p].name);
        break;
    default: break;
    }
    fprintf(out, "output a0 = %s + 1, %s\n", value[values - 2].name, value[values - 1].name);
    if (draw(3) == 0)
        fprintf(out, "metric q = mean(%s), r = sum(stop(%s))\n", value[values / 2].name,
                value[made].name);
}

/* So many values more. */
static void make_some(int count)
{
    static void (*const makers[])(
        void) = {unary,     unary,         unary,      unary,      binary, binary,  binary,
                 binary,    reduce,        reduce,     along_axis, argmax, product, product,
                 equations, convolution,   view,       view,       view,   gather,  scatter,
                 constant,  call_function, call_layer, loop,       loop};
    int makes = sizeof makers / sizeof *makers, want = values + count;

    for (int i = 0; i < 400 && values < want && values < VALUES - 2; i++) {
        suspect = 0;
        makers[draw(loops ? makes : makes - 4)]();
    }
}

/* Updates that change only the rows that are read. */
static const char row_updates[] =
    "state table[40, 2], sums[40] = 1\n"
    "T = mean(sin(table[pairs])) + mean((table[index] - 0.5)^2)\n"
    "g = grad(T, table)\n"
    "update table = table - 0.5*g*minimum(1, 2/(sqrt(sum(g^2)) + 0.1))\n"
    "update sums = sums + scatter_add(table[pairs][:, 0, 1]^2, index, 40)/(1 + sums^2)\n";

static void print_model(int number)
{
    state = (unsigned long long)number * 7919 + 12345;
    values = named = functions = layers = 0;
    times = 1;
    loops = number % 3 == 0;
    for (int i = 0; i < 5; i++)
        draw(2);
    fprintf(out, "dim m <= %d, n <= %d\ninput index[m]: int, pairs[m, 2]: int\n", MOST_M, MOST_N);
    if (number % 12 == 7)
        fputs(given_defs, out);
    for (int i = 0; i < 3; i++)
        declare("input", 1);
    int inputs = values;
    for (int i = 0; i < 3; i++)
        declare("param", 0);
    int params = values, stated = draw(4) == 0;
    if (stated)
        declare("state", 0);
    Value *s = &value[values - 1];
    int made = values;
    if (number % 12 == 7)
        given(number / 12);
    if (number % 12 == 4)
        blocks(number / 12);
    make_some(4 + draw(number % 8 == 0 ? 24 : 9));
    if (stated)
        fprintf(out, "update %s = 0.9*%s + 0.1*tanh(mean(%s))\n", s->name, s->name,
                value[values - 1].name);
    if (number % 12 == 5)
        fputs(row_updates, out);
    print_asked(inputs, inputs, params, made);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    if (argc > 4)
        read_functions(argv[4]);
    for (int i = atoi(argv[1]); i < atoi(argv[1]) + atoi(argv[2]); i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%d.ng", argv[3], i);
        out = fopen(path, "w+");
        if (!out)
            return 1;
        print_model(i);
        if (fclose(out))
            return 1;
    }
    return 0;
}
