/* label.c - what the file calls layers and weights. */
#include "onnx/onnx.h"

#include <string.h>

/* Does the word end in a suffix of a weight, as fc1_weight? Returns the length without it. */
static int without_suffix(const char *word, int n)
{
    static const char *const suffix[] = {"_weight", "_bias", "_kernel", "_w", "_b", "_W", "_B"};
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        int k = (int)strlen(suffix[i]);
        if (n > k && strncmp(word + n - k, suffix[i], (size_t)k) == 0)
            return n - k;
    }
    return n;
}

static bool is_weight_word(const char *word, int n)
{
    static const char *const words[] = {"weight",      "bias",       "W",
                                        "b",           "B",          "kernel",
                                        "gamma",       "beta",       "gain",
                                        "scale",       "embeddings", "MatMul",
                                        "BiasAdd",     "Conv2D",     "ReadVariableOp",
                                        "running_mean"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(word, (size_t)n, words[i]))
            return true;
    return false;
}

static bool is_made_up(const char *name)
{
    return begins(name, "onnx::") || is_digit(*name);
}

/* "layer1.0.conv1" of "layer1.0.conv1.weight" and of "model/layer1/conv1/kernel:0"; NULL: the name
 * has no part that says what the weight is. */
static const char *label_of_weight(Import *im, const char *name)
{
    if (!name || is_made_up(name))
        return NULL;
    char *text = (char *)text_format(im->ngc, "%s", name);
    text[strcspn(text, ":")] = 0;
    for (char *c = text; *c; c++)
        if (*c == '/')
            *c = '.';

    bool found = false;
    for (;;) {
        char *dot = strrchr(text, '.');
        const char *last = text;
        if (dot)
            last = dot + 1;
        int n = (int)strlen(last);
        int k = without_suffix(last, n);
        if (dot && is_weight_word(last, n)) {
            *dot = 0;
            found = true;
            continue;
        }
        if (!found && k < n) {
            text[(last - text) + k] = 0;
            found = true;
        }
        break;
    }
    return found ? text : NULL;
}

/* "layer1.0.conv1" of the node "/layer1/layer1.0/conv1/Conv". */
static const char *label_of_node(Import *im, const char *name)
{
    if (!name || !strchr(name, '/'))
        return NULL;
    Text t = {.ngc = im->ngc};
    const char *before = "";
    for (const char *at = name + (*name == '/'); strchr(at, '/');) {
        int n = (int)strcspn(at, "/");
        int b = (int)strlen(before);
        const char *word = text_format(im->ngc, "%.*s", n, at);
        /* of a word that continues the one before, as layer1 and layer1.0, only what is new */
        bool again = b > 0 && strncmp(word, before, (size_t)b) == 0 && word[b] == '.';
        if (again)
            text_add(&t, "%s", word + b);
        else
            text_add(&t, "%s%s", text_if(t.size, "."), word);
        before = word;
        at += n + 1;
    }
    return t.size ? t.at : NULL;
}

const char *weight_label(Ngc *ngc, const Known *k)
{
    const char *name = k->name ? k->name : k->called;
    const char *dot = NULL;
    if (name)
        dot = strrchr(name, '.');
    if (!name || is_made_up(name))
        return NULL;
    if (dot && same_text(dot, ".weight"))
        return text_format(ngc, "%.*s", (int)(dot - name), name);
    return name;
}

const char *layer_label(Import *im, const Known *W, const Known *b)
{
    const char *label = NULL;
    if (W && W->uses <= 1)
        label = label_of_weight(im, W->name);
    if (!label && b && b->uses <= 1)
        label = label_of_weight(im, b->name);
    if (!label)
        label = label_of_node(im, im->at->name);
    return label;
}
