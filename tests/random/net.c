/* net.c - random networks, the same for the same number: what model.c does not make, which is
 * layers in a row, as they are written by hand. Images with one to three axes, whose axes are also
 * turned; sequences with cells, over steps whose number may be known only at run time; attention;
 * products by einsum, indices, parts; loops that end by data; several losses, and slopes in a loss.
 *
 *     net FIRST COUNT DIR     writes DIR/FIRST.ng and so on
 *
 * As in model.c, what has a kink is kept away from where equal values would meet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../draw.h"

static FILE *out;
static uint64_t state;
static int values; /* y1, y2, ... so far */

static int draw(int n)
{
    return draw_below(&state, n);
}

#define ONE_OF(list) (list)[draw((int)(sizeof(list) / sizeof *(list)))]

static const char *const acts[] = {"tanh", "relu",     "sigmoid", "gelu",
                                   "silu", "identity", "softplus"};

static const char *const optimizers[] = {"sgd(lr = 0.1)",
                                         "sgd(lr = 0.1, momentum = 0.9, nesterov = 1)",
                                         "adam(lr = 0.1, eps = 0.01)",
                                         "adamw(lr = cosine(0.1, 20), eps = 0.01)",
                                         "rmsprop(lr = 0.1, eps = 0.01)",
                                         "adagrad(lr = 0.1, eps = 0.01)",
                                         "sgd(lr = 0.1, clip_norm = 0.5)",
                                         "amsgrad(lr = 0.1, eps = 0.01)"};

/* ---- images ---- */

typedef struct Image { /* of `rank` axes */
    int value;         /* y of this number; 0 is x */
    int rank, channels, size[3];
} Image;

static int places(const Image *a)
{
    int n = 1;
    for (int i = 0; i < a->rank; i++)
        n *= a->size[i];
    return n;
}

static void print_name(int value)
{
    if (value)
        fprintf(out, "y%d", value);
    else
        fprintf(out, "x");
}

/* Begins the next value, made of an image: "y3 = BEFORE y2". */
static void begin(const Image *a, const char *before)
{
    fprintf(out, "y%d = %s", values + 1, before);
    print_name(a->value);
}

/* What the window leaves of an axis; 0: it does not fit. */
static int window_places(int size, int reach, int stride, int padding)
{
    return size + 2 * padding < reach ? 0 : (size + 2 * padding - reach) / stride + 1;
}

/* A window: its size, and by how much it moves, the zeros around, the distance of its places. */
typedef struct Window {
    int size[3], stride, padding, dilation;
} Window;

static int fit_window(const Image *a, Window *w, Image *to)
{
    for (int tries = 0; tries < 20; tries++) {
        *w = (Window){.stride = 1 + draw(2), .padding = draw(2), .dilation = 1};
        if (w->padding == 0) /* else a window may lie in the zeros as a whole */
            w->dilation += draw(3) == 0;
        *to = *a;
        int fits = 1;
        for (int i = 0; i < a->rank; i++) {
            w->size[i] = 1 + draw(3);
            to->size[i] = window_places(a->size[i], (w->size[i] - 1) * w->dilation + 1, w->stride,
                                        w->padding);
            fits &= to->size[i] > 0 && w->padding < w->size[i] && 2 * w->padding <= w->size[i];
        }
        if (fits)
            return 1;
    }
    return 0;
}

static void print_window(const Window *w, int rank)
{
    fprintf(out, ", [");
    for (int i = 0; i < rank; i++)
        fprintf(out, i ? ", %d" : "%d", w->size[i]);
    fprintf(out, "], stride = %d, padding = %d, dilation = %d", w->stride, w->padding, w->dilation);
}

static void convolve(Image *a)
{
    Window w;
    Image to;
    char before[24];

    if (!fit_window(a, &w, &to))
        return;
    int groups = a->channels % 2 == 0 && draw(3) == 0 ? 2 : 1;
    to.channels = groups * (1 + draw(3));
    sprintf(before, "conv%dd(", a->rank);
    begin(a, before);
    fprintf(out, ", %d", to.channels);
    print_window(&w, a->rank);
    fprintf(out, ", groups = %d, act = %s%s)\n", groups, ONE_OF(acts), draw(4) ? "" : ", bias = 0");
    to.value = ++values;
    *a = to;
}

/* To a larger image. */
static void unconvolve(Image *a)
{
    int reach = 1 + draw(3), stride = 1 + draw(2);
    Image to = *a;
    char before[32];

    to.channels = 1 + draw(3);
    for (int i = 0; i < a->rank; i++)
        to.size[i] = (a->size[i] - 1) * stride + reach;
    if (places(&to) > 60)
        return;
    sprintf(before, "conv_transpose%dd(", a->rank);
    begin(a, before);
    fprintf(out, ", %d, %d, stride = %d, act = %s)\n", to.channels, reach, stride, ONE_OF(acts));
    to.value = ++values;
    *a = to;
}

static void pool(Image *a)
{
    Window w;
    Image to;

    if (!fit_window(a, &w, &to))
        return;
    int largest = draw(2);
    begin(a, largest ? "max_pool(sin(2*" : "avg_pool((");
    fprintf(out, ")");
    print_window(&w, a->rank);
    fprintf(out, largest || draw(2) ? ")\n" : ", count_include_pad = 0)\n");
    to.value = ++values;
    *a = to;
}

static void norm(Image *a)
{
    switch (draw(4)) {
    case 0:
        begin(a, "batch_norm(");
        fprintf(out, draw(3) ? ")\n" : ", momentum = 0.3, eps = 0.01)\n");
        break;
    case 1:
        begin(a, "group_norm(");
        fprintf(out, ", %d, eps = 0.1)\n", a->channels % 2 ? 1 : 2);
        break;
    case 2:
        begin(a, "layer_norm(");
        fprintf(out, ", eps = 0.1)\n");
        break;
    default: begin(a, "normalize("); fprintf(out, ", [1, 2], eps = 0.1)\n");
    }
    a->value = ++values;
}

/* The image, changed where it is. */
static void change(Image *a)
{
    static const char *const form[] = {"tanh(",     "relu(0.017 + ",      "0.7*sin(",
                                       "gelu(",     "dropout(",           "flip(",
                                       "softplus(", "leaky_relu(0.019 + "};
    begin(a, ONE_OF(form));
    fprintf(out, ")\n");
    a->value = ++values;
}

/* With another order of its axes: the channels are last, and something is done to them there. */
static void turn(Image *a)
{
    static const char *const form[] = {"softmax(%s)", "%s*[0.5, -1, 2, 0.7, 1, 0.3][0:%d]",
                                       "layer_norm(%s, eps = 0.1)", "dense(%s, %d, tanh)"};
    static const char *const there[] = {"[0, 2, 1]", "[0, 2, 3, 1]", "[0, 2, 3, 4, 1]"};
    static const char *const back[] = {"[0, 2, 1]", "[0, 3, 1, 2]", "[0, 4, 1, 2, 3]"};
    char of[16] = "x", name[80];
    const char *f = ONE_OF(form);

    if (a->channels > 6)
        return;
    if (a->value)
        sprintf(of, "y%d", a->value);
    sprintf(name, "permute(%s, %s)", of, there[a->rank - 1]);
    fprintf(out, "y%d = permute(", values + 1);
    fprintf(out, f, name, a->channels);
    fprintf(out, ", %s)\n", back[a->rank - 1]);
    a->value = ++values;
}

/* A part of it, or more of it. */
static void reshape(Image *a)
{
    switch (draw(6)) {
    case 0: /* channels from the last to the first */
        begin(a, "");
        fprintf(out, "[:, ::-1]\n");
        break;
    case 1: /* every second column, from the end */
        begin(a, "");
        fprintf(out, "[..., ::-2]\n");
        a->size[a->rank - 1] = (a->size[a->rank - 1] + 1) / 2;
        break;
    case 2:
        if (places(a) > 40)
            return;
        begin(a, "pad_wrap(");
        fprintf(out, ", [0, 0%s, 1])\n", a->rank == 1 ? "" : a->rank == 2 ? ", 0" : ", 0, 0");
        a->size[a->rank - 1] += 2;
        break;
    case 3:
        if (a->channels > 3)
            return;
        fprintf(out, "y%d = concat([", values + 1);
        print_name(a->value);
        fprintf(out, ", cos(");
        print_name(a->value);
        fprintf(out, ")], 1)\n");
        a->channels *= 2;
        break;
    case 4:
        if (places(a) > 20)
            return;
        begin(a, "resize_nearest(");
        fprintf(out, ", scale = 2)\n");
        for (int i = 0; i < a->rank; i++)
            a->size[i] *= 2;
        break;
    default:
        if (a->channels < 2)
            return;
        begin(a, "");
        fprintf(out, "[:, -1:0:-1]\n");
        a->channels--;
    }
    a->value = ++values;
}

/* What goes round a layer is added to it. */
static void residual(Image *a)
{
    fprintf(out, "y%d = ", values + 1);
    print_name(a->value);
    fprintf(out, " + conv%dd(", a->rank);
    print_name(a->value);
    fprintf(out, ", %d, 3, padding = 1, act = %s)\n", a->channels, ONE_OF(acts));
    a->value = ++values;
}

static void images(void)
{
    static void (*const steps[])(Image *) = {convolve, convolve, convolve,  convolve, pool,
                                             pool,     norm,     norm,      change,   turn,
                                             reshape,  residual, unconvolve};
    Image a = {.rank = 1 + draw(8) % 3, .channels = 1 + draw(3)};
    int most = a.rank == 1 ? 9 : a.rank == 2 ? 6 : 3;

    if (draw(2))
        a.rank = 2;
    fprintf(out, "dim m <= %d\ninput x[m, %d", 1 + draw(3), a.channels);
    for (int i = 0; i < a.rank; i++) {
        a.size[i] = 2 + draw(most - 1);
        fprintf(out, ", %d", a.size[i]);
    }
    fprintf(out, "], t[m]: int\n");
    for (int i = 2 + draw(5); i > 0; i--)
        ONE_OF(steps)(&a);
    if (draw(2)) {
        begin(&a, "mean(");
        fprintf(out, ", [%s])\n", a.rank == 1 ? "2" : a.rank == 2 ? "2, 3" : "2, 3, 4");
    } else {
        begin(&a, "flatten(");
        fprintf(out, ")\n");
    }
    fprintf(out, "z = dense(y%d, 3)\n", ++values);
}

/* ---- sequences ---- */

static void steps_of_cells(void)
{
    static const char *const cell[] = {"rnn_cell(_, _, %d)", "gru_cell(_, _, %d)",
                                       "lstm_cell(_, _, _, %d)"};
    static const char *const input[] = {"x[:, s]", "x[:, T - 1 - s]", "dense_in(x[:, s])",
                                        "layer_norm(x[:, s], eps = 0.1)",
                                        "tanh(x[:, s])*x[:, T - 1 - s]"};
    int n = 2 + draw(3), kind = draw(3), fixed = draw(2), layers = 1 + draw(2), list = draw(2);
    const char *in = ONE_OF(input);

    fprintf(out, fixed ? "dim m <= 2, i <= 2\nT = %d\n" : "dim m <= 2, T <= %d\n", 2 + draw(4));
    fprintf(out, "input x[m, T, 3], t[m]: int\n");
    if (strstr(in, "dense_in"))
        fprintf(out, "dense_in = dense(_, 2, tanh)\n");
    if (strstr(in, "layer_norm")) { /* with gains of its own it would not be alike */
        fprintf(out, "first = layer_norm(_, eps = 0.1)\n");
        in = "first(x[:, s])";
    }
    for (int i = 0; i < layers; i++) {
        fprintf(out, "cell%d = ", i);
        fprintf(out, cell[kind], n);
        fprintf(out, "\nh%d = zeros([m, %d])\n", i, n);
        if (kind == 2)
            fprintf(out, "c%d = zeros([m, %d])\n", i, n);
    }
    fprintf(out, list ? "all_h = []\nfor s in 0..T {\n" : "for s in 0..T {\n");
    for (int i = 0; i < layers; i++) {
        char from[16];
        sprintf(from, "h%d", i - 1);
        if (kind == 2)
            fprintf(out, "h%d, c%d = cell%d(%s, h%d, c%d)\n", i, i, i, i ? from : in, i, i);
        else
            fprintf(out, "h%d = cell%d(%s, h%d)\n", i, i, i ? from : in, i);
    }
    fprintf(out, list ? "all_h = append(all_h, h%d)\n}\n" : "}\n", layers - 1);
    if (list)
        fprintf(out, "y1 = %s + h%d\nz = dense(sum(y1*cos(y1), 0), 3)\n",
                fixed ? "stack(all_h)" : "1*all_h", layers - 1);
    else
        fprintf(out, "z = dense(h%d, 3)\n", layers - 1);
}

/* The library's sequences, in both directions, with rows of different lengths. */
static void library_sequence(void)
{
    static const struct {
        const char *name;
        int gates;
    } kind[] = {{"rnn", 1}, {"gru", 3}, {"lstm", 4}};
    int k = draw(3), both = 1 + draw(2), n = 2 + draw(2), s = 2 + draw(3), g = kind[k].gates;

    fprintf(out, "dim m <= 2\ninput x[m, %d, 3], t[m]: int\n", s);
    fprintf(
        out,
        "param W[%d, %d, 3] ~ normal(0, 0.4), R[%d, %d, %d] ~ normal(0, 0.4), B[%d, %d] = 0.1\n",
        both, g * n, both, g * n, n, both, 2 * g * n);
    fprintf(out, "y1, h%s = %s_sequence(permute(x, [1, 0, 2]), W, R, B%s%s)\n", k == 2 ? ", c" : "",
            kind[k].name, draw(2) ? ", lengths = 1 + clip(t, 0, 1)" : "",
            both == 1 && draw(2) ? ", reverse = 1" : "");
    fprintf(out, "z = dense(flatten(permute(h, [1, 0, 2])) + 0.3*mean(y1), 3)\n");
}

static void attention(void)
{
    static const char *const form[] = {
        "y1 = transformer_block(e, 2)\n",
        "y1 = e + multi_head_attention(rms_norm(e), 2, causal = 1)\n",
        "y1 = multi_head_attention(e, 1)\ny2 = transformer_block(y1, 2, causal = 0)\n",
        "q, k, v = split(dense(e, 12), 3, -1)\ny1 = scaled_dot_attention(q, k, v, tril(ones([S, S])))\n",
        "y1 = scaled_dot_attention(e, e, flip(e, 1))\n",
        "y1 = softmax(e @ e' - 9*(1 - tril(ones([S, S])))) @ e\n",
        "for i in 0..3 { e = transformer_block(e, 2) }\ny1 = 1*e\n"};
    int s = 2 + draw(4), labels = draw(2);

    fprintf(out, "dim m <= 2\nS = %d\ninput %s, t[m]: int\n", s,
            labels ? "x[m, S]: int" : "x[m, S, 4]");
    fprintf(out, labels ? "d = embedding(x, 3, 4)\n" : "d = dense(x, 4)\n");
    fprintf(out, draw(2) ? "param at[S, 4] ~ normal(0, 0.1)\ne = d + at\n" : "e = 0.9*d\n");
    fprintf(out, "%s", ONE_OF(form));
    fprintf(out, draw(2) ? "z = dense(layer_norm(y1)[:, -1], 3)\n" : "z = dense(mean(y1, 1), 3)\n");
}

/* ---- products, indices, parts ---- */

/* A product of random letters. */
static void print_einsum(int number)
{
    static const char letters[] = "abcd";
    static const int size[] = {2, 3, 4, 2};
    int count[4] = {0}, operands = 2 + draw(2), axes[3][3], rank[3];

    for (int o = 0; o < operands; o++) {
        rank[o] = 1 + draw(3);
        for (int i = 0; i < rank[o]; i++) {
            int again;
            do {
                again = 0;
                axes[o][i] = draw(4);
                for (int k = 0; k < i; k++)
                    again |= axes[o][k] == axes[o][i];
            } while (again);
            count[axes[o][i]]++;
        }
    }
    for (int o = 0; o < operands; o++) {
        fprintf(out, "param p%d_%d[", number, o);
        for (int i = 0; i < rank[o]; i++)
            fprintf(out, i ? ", %d" : "%d", size[axes[o][i]]);
        fprintf(out, "] ~ normal(0, 0.5)\n");
    }
    fprintf(out, "e%d = einsum(\"", number);
    for (int o = 0; o < operands; o++) {
        fprintf(out, o ? "," : "");
        for (int i = 0; i < rank[o]; i++)
            fputc(letters[axes[o][i]], out);
    }
    fprintf(out, "->");
    for (int i = 3; i >= 0; i--)
        if (count[i] && draw(2))
            fputc(letters[i], out);
    fprintf(out, "\"");
    for (int o = 0; o < operands; o++)
        fprintf(out, ", %sp%d_%d%s", draw(2) ? "sin(" : "(", number, o, ")");
    fprintf(out, ")\n");
}

static void products(void)
{
    static const char *const form[] = {
        "gather_nd(x', clip(t, 0, 2)[:, new])",
        "take_along(x, clip(t, 0, 3))[:, new]",
        "x[:, ::-1][:, 1::2]",
        "x[::-1, -1:0:-2]",
        "sort(x)",
        "largest(x, 2)[0]",
        "cumsum(x)",
        "x[:, [2, 0, 2, 1]]",
        "scatter_add(x, clip(t, 0, 2), 3)[0:1] + x",
        "scatter_elements_add(x, clip(t, 0, 3)[:, new], x[:, 0:1], 1)",
        "tril(x @ x') @ x",
        "(x @ x')[arange(m), arange(m)][:, new]*x",
        "triu(x' @ x, 1)[0:1, ::-1] + x",
        "resize_linear(x[:, new], 7)[:, 0]",
        "resize_cubic(x[:, new], 3)[:, 0]",
        "solve(eye(4)*2 + 0.1*x' @ x, x')'",
        "x @ inv(eye(4)*3 + x' @ x)",
        "kron(x[0:1], [[1, -1]])[:, 1:5]",
        "one_hot(clip(t, 0, 3), 4)*x + x[:, -1:]",
        "repeat(x, 2, 1)[:, ::2]",
        "pad(x, [0, 2], [0, 1])[:, -2::-1]",
        "where(x > 0.037, x, 0.3*x)",
        "x - stop(max(x, -1, keepdims = 1))",
        "logsumexp(x, -1, keepdims = 1)*x"};
    int products = 1 + draw(2), parts = 1 + draw(3);

    fprintf(out, "dim m <= 4\ninput x[m, 4], t[m]: int\n");
    for (int i = 0; i < products; i++)
        print_einsum(i);
    for (int i = 0; i < parts; i++)
        fprintf(out, "y%d = %s\n", i + 1, ONE_OF(form));
    fprintf(out, "z = dense(x, 3) + 0.1*sum(tanh(e0))");
    if (products > 1)
        fprintf(out, " + 0.2*sin(sum(e1))");
    for (int i = 0; i < parts; i++)
        fprintf(out, " + %smean(sin(y%d)%s)", i % 2 ? "0.5*" : "", i + 1, draw(2) ? "^2" : "");
    fprintf(out, "\n");
}

/* Loops that end by data: a number of passes that an input says. */
static void by_data(void)
{
    static const char *const body[] = {"h = tanh(h @ W + x)", "h, k = 0.5*k + 0.3*h, sin(h @ W)",
                                       "for j in 0..2 { h = 0.7*h + 0.2*sin(h @ W + j) }",
                                       "h = h - 0.1*grad(sum(cos(h @ W)*x), h)"};

    fprintf(out, "dim m <= 3\ninput x[m, 4], t[m]: int\nparam W[4, 4] ~ normal(0, 0.4)\n");
    fprintf(out, "h = 0.5*x\nk = tanh(x)\npasses = 0\n");
    fprintf(out, "for i in 0..%d while passes < %d + t[0] {\n%s\npasses = passes + 1\n}\n",
            2 + draw(4), draw(3), ONE_OF(body));
    fprintf(out, "z = dense(h + 0.1*k, 3)*(1 + 0.1*passes)\n");
}

/* ---- what is asked of it ---- */

static void print_asked(void)
{
    static const char *const loss[] = {"cross_entropy(z, t)",
                                       "cross_entropy(z, t, smoothing = 0.1)",
                                       "cross_entropy(z, t, weight = [1, 2, 0.5])",
                                       "mse(z, one_hot(t, 3))",
                                       "mean(bce_logits(z, one_hot(t, 3), identity))",
                                       "huber(z, 0.3*z^2 + 0.0123)",
                                       "mean(logsumexp(z, -1)) - mean(take_along(z, t))",
                                       "sum(log_cosh(z, 0*z))/m"};
    int kind = draw(6);

    fprintf(out, "J = %s\n", ONE_OF(loss));
    if (kind == 0)
        fprintf(out, "gradient J\n");
    else if (kind == 1) /* with the slope of another loss within */
        fprintf(out, "g = grad(mean(tanh(z)^2), z)\nminimize K = J + mean(g^2) with %s\n",
                ONE_OF(optimizers));
    else if (kind == 2) /* two losses of the same params, in turn */
        fprintf(out, "L = mean(z^2)\ngradient L\nminimize J with %s\n", ONE_OF(optimizers));
    else
        fprintf(out, "minimize J with %s\n", ONE_OF(optimizers));
    fprintf(out, "output p = softmax(z)\nmetric hits = accuracy(z, t), size = mean(z^2)\n");
    if (draw(3) == 0)
        fprintf(out, "metric low = min(z), high = max(abs(z - 0.0111))\n");
}

static void print_net(int number)
{
    static void (*const kinds[])(void) = {images,    images,           images,   steps_of_cells,
                                          attention, library_sequence, products, by_data};

    state = (unsigned long long)number * 7919 + 54321;
    for (int i = 0; i < 5; i++)
        draw(2);
    values = 0;
    kinds[number % 8]();
    print_asked();
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    for (int i = atoi(argv[1]); i < atoi(argv[1]) + atoi(argv[2]); i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%d.ng", argv[3], i);
        out = fopen(path, "w");
        if (!out)
            return 1;
        print_net(i);
        if (fclose(out))
            return 1;
    }
    return 0;
}
