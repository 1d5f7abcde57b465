/* foreign.c - words of other languages and libraries -> what to write here instead.
 *
 * In: a word that means nothing in a model. Out: advice for a message, or NULL. */
#include "syntax/ast.h"

#include <string.h>

typedef struct Foreign {
    const char
        *words; /* separated by blanks; a word of one or two letters must have these capitals */
    const char *advice;
} Foreign;

/* Words that begin a statement elsewhere. */
static const Foreign statement[] = {
    {"let const var val auto float double real int bool tensor local static",
     "a value needs only '=': x = 3"},
    {"from using include require use",
     "the library needs no import; import \"FILE\" reads another model"},
    {"do repeat loop until",
     "for i in a..b { ... } repeats, for i in a..b while COND { ... } as long as COND is true"},
    {"class struct module type object",
     "a layer is a function, def f(x) { ... }; its weights are named by its call"},
    {"model net network sequential",
     "a model is the file itself; a layer is a function, def f(x) { ... }"},
    {"print printf echo show display",
     "ngc run prints every named value; output p = EXPR delivers one"},
    {"elif elsif elseif", "else if COND { ... }, on the line of the '}' before it"},
    {"function fn func fun lambda proc", "a function is def f(x) = EXPR, or def f(x) { ... }"},
    {"loss cost objective train fit optimize optimise optimizer solve",
     "minimize J = EXPR with sgd(lr = 0.1) trains"},
    {"backward backprop grad diff derivative",
     "gradient J delivers derivatives; grad(J, x) is one"},
    {"weight weights parameter parameters trainable",
     "param W[10, 3] ~ normal(0, 0.01) declares what is trained"},
    {"variable buffer register", "state v[3] = 0 is kept between steps, param W[3] is trained"},
    {"data placeholder feature features label labels target targets feed arg args",
     "input x[3], t: int declares what the caller feeds"},
    {"export yield emit result predict", "output p = EXPR delivers a value"},
    {"size shape batch constant",
     "dim m <= 64 is a size known at run time, dim n = 3 is one known at compile time"},
    {"assert raise throw require ensure", "fail(\"text\") in a def is an error at its call"},
    {"switch case match when unless",
     "if COND { ... } else { ... }; where(c, a, b) chooses by data"},
    {"try catch except finally begin end pass break continue goto global nonlocal del async await",
     NULL},
};

/* Functions, methods and members. '$' is the value that a method is called on. An advice that is
 * not an expression begins with '-'. */
static const Foreign function[] = {
    {"Linear FullyConnected Affine fc Dense", "dense(x, n)"},
    {"Conv1d Convolution1D", "conv1d(x, channels, size)"},
    {"Conv2d Convolution2D", "conv2d(x, channels, size)"},
    {"ConvTranspose2d Conv2DTranspose Deconv2d", "conv_transpose2d(x, channels, size)"},
    {"MaxPool1d MaxPool2d max_pool1d max_pool2d MaxPooling2D maxpool", "max_pool(x, size)"},
    {"AvgPool1d AvgPool2d avg_pool1d avg_pool2d AveragePooling2D avgpool", "avg_pool(x, size)"},
    {"AdaptiveAvgPool2d adaptive_avg_pool2d GlobalAveragePooling2D", "mean(x, [2, 3])"},
    {"BatchNorm1d BatchNorm2d BatchNormalization batchnorm", "batch_norm(x)"},
    {"LayerNorm LayerNormalization", "layer_norm(x)"},
    {"GroupNorm GroupNormalization", "group_norm(x, groups)"},
    {"RMSNorm", "rms_norm(x)"},
    {"LSTM LSTMCell", "lstm_cell(x, h, c, n)"},
    {"GRU GRUCell", "gru_cell(x, h, n)"},
    {"RNN RNNCell SimpleRNN", "rnn_cell(x, h, n)"},
    {"MultiheadAttention MultiHeadAttention attention", "multi_head_attention(x, heads)"},
    {"TransformerEncoderLayer TransformerDecoderLayer", "transformer_block(x, heads)"},
    {"Sequential Chain compose", "x |> dense(8, relu) |> dense(3)"},
    {"CrossEntropyLoss softmax_cross_entropy softmax_cross_entropy_with_logits "
     "sparse_categorical_crossentropy categorical_crossentropy crossentropy",
     "cross_entropy(z, t)"},
    {"MSELoss mse_loss mean_squared_error", "mse(p, t)"},
    {"L1Loss l1_loss mean_absolute_error", "mae(p, t)"},
    {"SmoothL1Loss smooth_l1_loss", "smooth_l1(p, t)"},
    {"HuberLoss huber_loss", "huber(p, t)"},
    {"BCELoss binary_cross_entropy binary_crossentropy", "bce(p, t)"},
    {"BCEWithLogitsLoss binary_cross_entropy_with_logits sigmoid_cross_entropy_with_logits",
     "bce_logits(z, t)"},
    {"NLLLoss nll_loss", "nll(p, t)"},
    {"KLDivLoss kl_div kl_divergence", "kl(p, q)"},
    {"CosineSimilarity cosine_similarity", "1 - cosine(p, t)"},
    {"LeakyReLU leakyrelu", "leaky_relu(x)"},
    {"LogSoftmax logsoftmax", "log_softmax(x)"},
    {"LogSigmoid log_sigmoid", "logsigmoid(x)"},
    {"Swish", "silu(x)"},
    {"matmul mm bmm mv multiply_matrices", "$ @ B"},
    {"transpose t T mT H swapaxes", "$', which exchanges the last two axes, or permute($, axes)"},
    {"view resize", "reshape($, [2, -1])"},
    {"reshape", "reshape($, [2, -1])"},
    {"dot", "dot($, b), or $ @ b"},
    {"ravel", "reshape($, [-1])"},
    {"flatten", "flatten($), which keeps the first axis, or reshape($, [-1])"},
    {"unsqueeze expand_dims", "expand($, axis)"},
    {"newaxis", "new within an index: x[:, new]"},
    {"cat concatenate hstack vstack", "concat([a, b], axis)"},
    {"size", "$.shape[0], an element of the list $.shape"},
    {"ndim dim rank", "len($.shape)"},
    {"numel", "count($)"},
    {"length", "len($)"},
    {"pow power", "$^2"},
    {"add plus", "$ + b"},
    {"sub subtract minus", "$ - b"},
    {"mul multiply times", "$*b"},
    {"div divide truediv true_divide", "$/b"},
    {"floor_divide floordiv", "floor($/b)"},
    {"fmod remainder", "mod($, b)"},
    {"neg negative", "0 - $"},
    {"reciprocal", "1/$"},
    {"eq equal", "$ == b"},
    {"ne not_equal", "$ != b"},
    {"gt greater", "$ > b"},
    {"ge greater_equal", "$ >= b"},
    {"lt less", "$ < b"},
    {"le less_equal", "$ <= b"},
    {"logical_and", "and($, b)"},
    {"logical_or", "or($, b)"},
    {"logical_not", "not($)"},
    {"heaviside", "$ > 0"},
    {"range xrange", "0..3, as in for i in 0..3 { ... }"},
    {"linspace", "a + (b - a)*arange(n)/(n - 1)"},
    {"enumerate zip map", "-a loop is for i in 0..n { ... }, with indices"},
    {"rand random uniform_", "noise(shape), or param W[3] ~ uniform(0, 1)"},
    {"randn normal_ random_normal", "param W[3] ~ normal(0, 1)"},
    {"zeros_like", "zeros($.shape)"},
    {"ones_like", "ones($.shape)"},
    {"full_like", "full($.shape, value)"},
    {"xavier_uniform_ xavier_uniform glorot_uniform", "param W[3, 4] ~ glorot()"},
    {"xavier_normal_ xavier_normal", "param W[3, 4] ~ glorot_normal()"},
    {"kaiming_uniform_ kaiming_uniform he_uniform", "param W[3, 4] ~ he()"},
    {"kaiming_normal_ kaiming_normal", "param W[3, 4] ~ he_normal()"},
    {"detach stop_gradient no_grad", "stop($)"},
    {"backward requires_grad requires_grad_ autograd",
     "gradient J, or minimize J = EXPR with sgd(lr = 0.1)"},
    {"grad gradient", "grad($, x), its derivative with respect to x"},
    {"item numpy tolist cpu cuda to device contiguous clone copy", "-a value is used as it is"},
    {"array asarray tensor Tensor as_tensor constant list tuple",
     "-a list is a tensor where one is wanted: [1, 2, 3]"},
    {"dict set", "-there are lists, and names"},
    {"append_ extend push", "append(list, value)"},
    {"clamp", "clip($, low, high)"},
    {"absolute fabs", "abs($)"},
    {"ln", "log($)"},
    {"log10", "log($)/log(10)"},
    {"exp2", "2^$"},
    {"rsqrt", "1/sqrt($)"},
    {"arcsin", "asin(x)"},
    {"arccos", "acos(x)"},
    {"arctan", "atan(x)"},
    {"arctan2", "atan2(y, x)"},
    {"amax", "max($, axis)"},
    {"amin", "min($, axis)"},
    {"topk", "top_k(z, t, k)"},
    {"gather take index_select", "$[t], or take_along($, t) for one of each row"},
    {"masked_fill masked_select", "where(c, a, b)"},
    {"chunk", "split($, n, axis)"},
    {"repeat_interleave", "repeat($, n, axis)"},
    {"inverse pinv", "inv($)"},
    {"slogdet", "logdet($)"},
    {"lstsq", "solve($, b)"},
    {"astype long float_ double type half bfloat16",
     "-a type is given where an input is declared, as in t: int"},
    {"int float",
     "-a type is given where an input is declared, as in t: int; floor($) is a whole number"},
    {"apply forward call", "-a layer is called as a function is: f(x)"},
    {"parameters state_dict named_parameters", "-weights are called by their names, as in h.W"},
    {"print printf", "-ngc run prints every named value"},
    {"isnan", "$ != $"},
};

/* Names of values. */
static const Foreign constant[] = {
    {"T", "-the transpose of x is x'"},
    {"e E", "exp(1)"},
    {"inf infinity Infinity", "inf"},
    {"nan NaN", "inf - inf"},
    {"True true", "1"},
    {"False false", "0"},
    {"None null nil", "-an argument may be left out, a new axis is x[:, new], "
                      "and a size known at run time is a dim: dim m <= 64"},
    {"self this", "-a def sees what the file defines above it"},
};

static const char modules[] =
    "np numpy torch nn F tf math jnp jax keras functional optim layers scipy linalg random "
    "activations losses special fft cp cupy mx ops utils init";

/* Are the first n characters of two words the same? */
static bool same_word(const char *a, const char *b, size_t n, bool capitals)
{
    for (size_t i = 0; i < n; i++) {
        bool same = capitals ? a[i] == b[i] : ascii_lower(a[i]) == ascii_lower(b[i]);
        if (!same)
            return false;
    }
    return true;
}

/* Is the word among others that are separated by blanks? */
static bool among(const char *words, const char *word, bool capitals)
{
    size_t size = strlen(word);
    for (const char *w = words; *w; w += strspn(w, " ")) {
        size_t n = strcspn(w, " ");
        if (n == size && same_word(w, word, n, capitals))
            return true;
        w += n;
    }
    return false;
}

static const char *look_up_as(const Foreign *table, size_t count, const char *word, bool capitals)
{
    for (size_t i = 0; i < count; i++)
        if (among(table[i].words, word, capitals))
            return table[i].advice;
    return NULL;
}

/* The word as it is written; a longer one also in other capitals. T is not t. */
static const char *look_up(const Foreign *table, size_t count, const char *word)
{
    const char *advice = look_up_as(table, count, word, true);
    /* a short word in other capitals is more likely a name */
    if (!advice && strlen(word) >= 3)
        advice = look_up_as(table, count, word, false);
    return advice;
}

const char *foreign_statement(const char *word)
{
    return look_up(statement, sizeof statement / sizeof *statement, word);
}

/* The advice as part of a message, with `of` for '$'. */
static const char *fill_in(Ngc *ngc, const char *advice, const char *of)
{
    if (!advice)
        return NULL;

    Text t = text_empty(ngc);
    /* '-': a remark; else the advice is text to write */
    if (*advice == '-')
        advice++;
    else
        text_add(&t, "write ");
    for (const char *c = advice; *c; c++)
        if (*c == '$')
            text_add(&t, "%s", of);
        else
            text_put(&t, c, 1);
    return t.at;
}

const char *foreign_function(Ngc *ngc, const char *word, const char *of)
{
    return fill_in(ngc, look_up(function, sizeof function / sizeof *function, word), of);
}

const char *foreign_constant(Ngc *ngc, const char *word)
{
    return fill_in(ngc, look_up(constant, sizeof constant / sizeof *constant, word), "x");
}

bool foreign_module(const char *word)
{
    return among(modules, word, true);
}
