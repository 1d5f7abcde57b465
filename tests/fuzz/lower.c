/* lower.c - compiles mutations of the models named, for SECONDS of processor time: lower SECONDS
 * SEED DIR FILE... A mutation works on tokens: what it makes is nearly always a model, though a
 * strange one. Each is compiled by the compiler's own list of passes, verified after each, in a
 * process of its own; where it is small, the interpreter computes the graph before and after the
 * passes. A signal, a sanitizer's report, an internal error, another value, over 4 s (the
 * sanitizers take their share) or 288 MB (with them, 576) is a finding: the first of each kind is
 * kept in DIR. */
#include "emit/emit_c.h"
#include "run/run.h"
#include "tool/tool.h"

#include "../draw.h"
#include "../literal.h"
#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TOKENS = 4000,  /* of a text */
    POOL = 60000,   /* names and numbers of all models */
    KINDS = 200,    /* of findings */
    TEXT = 1 << 16, /* bytes of a text */
    LIMIT = 20      /* seconds of one run */
};

#ifdef __SANITIZE_ADDRESS__
enum { MEGABYTES = 576 }; /* it watches a gap after each piece of memory */
#else
enum { MEGABYTES = 288 };
#endif

typedef struct Tokens { /* a text as tokens; a line's end is the token "\n" */
    const char *token[TOKENS];
    int count;
} Tokens;

typedef struct Fuzz {
    uint64_t random;
    Tokens *model;
    int models;
    const char *name[POOL]; /* names and numbers of all models */
    int names;
    char *kind[KINDS]; /* findings so far */
    int kinds;
    const char *dir;
} Fuzz;

static const char *const number[] = {"0",          "1",      "2",   "3",     "-1",     "0.5",
                                     "7",          "8",      "9",   "1e999", "1e-400", "1e18",
                                     "2147483647", "100000", "1e9", "1/0"};
static const char *const sign[] = {"+", "-", "*", "/", "^", "@", "<", "<=", ">", "==", "!=", "|>"};
static const char *const wrap[] = {
    "sum",     "mean",    "max",       "-",       "exp",   "log",    "sqrt", "relu",  "softmax",
    "stop",    "abs",     "argmax",    "sigmoid", "prod",  "cumsum", "norm", "var",   "sign",
    "floor",   "flatten", "logsumexp", "len",     "trace", "diag",   "tril", "zeros", "eye",
    "squeeze", "dual",    "min",       "any",     "all",   "flip",
};
static const char *const after[] = {
    "'",     "[0]",    "[-1]",      "[:, 0]", "[..., 1]", "[::2]", "[::-1]", "[1:]", "[:, new]",
    "[0:2]", ".shape", ".shape[0]", "^2",     "^0.5",     "(2)",   "[:0]",   "[x]",
};
static const char *const line[] = {
    "dim q <= 5",
    "param P[q] = 1",
    "param P[3] ~ normal(0, 1)",
    "input X[3, 2]",
    "input Y[3]: int",
    "state S = 0",
    "update S = S + 1",
    "gradient J",
    "minimize J with sgd(lr = 0.1)",
    "minimize J with adam(lr = 1e-3, clip_norm = 1)",
    "maximize J with sgd(lr = 1, momentum = 0.9)",
    "output x",
    "metric J",
    "def f(x, k = 2) = k*x + f0",
    "def f(a) { return a, a }",
    "def f(a) = round(a) backward(dy) = dy",
    "def f(a, k = 2) = a^k backward(dy, y) { s = k*y/a; return dy*s, 0*dy }",
    "for i in 0..3 { x = x*2 }",
    "for t in 0..3 { x = sin(x + y[t]) }",
    "for t in 0..q { x, y = y, 0.5*x + t }",
    "for t in 0..2 { for u in 1..3 { x = x + y[u - 1]*t } }",
    "for t in 0..4 { l = append(l, tanh(x*t)) }",
    "for t in 0..3 { x = x - grad(sum(x^2), x) }",
    "if training { x = 2*x } else { x = x + 1 }",
    "if step { x = 1 }",
    "x, y = y, x",
    "cell = rnn_cell(_, _, 3)",
    "h = x |> dense(2) |> dense(1)",
    "g = grad(J, x)",
    "H = hessian(J, x)",
    "A = jacobian(x, y)",
    "t = jvp(x, y, 1)",
    "l = []",
    "l = append(l, x)",
    "s = stack(l)",
    "J = sum(x)",
    "J = mean(x^2)",
    "w = where(x > 0, x, 1/x)",
    "i = argmax(x)",
    "e = x[i]",
    "o = one_hot(Y, 4)",
    "c = concat([x, x])",
    "r = reshape(x, [-1])",
    "p = permute(x, [1, 0])",
    "z = pad(x, 1)",
    "sc = scatter_add(x, Y, 4)",
    "return x",
    "import \"m.ng\"",
    "b = broadcast_to(x, [3, 3])",
    "def g() = g()",
    "x = step",
    "v = full([q, 2], x)",
    "u = arange(q)",
    "gradient x over y, z",
    "n = norm(x, 0)",
};
#define PICK(f, list) list[pick(f, (int)(sizeof list / sizeof *list))]

static int pick(Fuzz *f, int below)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return below <= 0 ? 0 : (int)(f->random % (uint64_t)below);
}

/* ---- tokens ---- */

static bool is_word_start(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static bool is_word_part(char c)
{
    return is_word_start(c) || is_digit(c);
}

/* The bytes of a number: "12", "0.5", "1e-3". */
static size_t number_length(const char *s)
{
    size_t n = 1;

    while (isalnum((unsigned char)s[n]) || (s[n] == '.' && is_digit(s[n + 1])) ||
           (s[n] == '-' && s[n - 1] == 'e'))
        n++;
    return n;
}

static size_t token_length(const char *s)
{
    static const char *const pair[] = {"..", "<=", ">=", "==", "!=", "|>"};
    size_t n = 1;

    if (is_digit(*s))
        return number_length(s);
    if (is_word_start(*s)) {
        while (is_word_part(s[n]))
            n++;
        return n;
    }
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        if (strncmp(s, pair[i], 2) == 0)
            return 2;
    return 1;
}

static void tokens_read(Fuzz *f, Tokens *t, const char *s)
{
    while (*s && t->count < TOKENS / 2) {
        s += strspn(s, " \t\r");
        if (*s == '#')
            s += strcspn(s, "\n");
        if (!*s)
            break;
        size_t n = token_length(s);
        t->token[t->count++] = strndup(s, n);
        if (isalnum((unsigned char)*s) && f->names < POOL)
            f->name[f->names++] = t->token[t->count - 1];
        s += n;
    }
}

static void insert(Tokens *t, int at, const char *token)
{
    if (t->count == TOKENS)
        return;
    memmove(t->token + at + 1, t->token + at, (size_t)(t->count++ - at) * sizeof *t->token);
    t->token[at] = token;
}

static void cut(Tokens *t, int at, int n)
{
    if (n > t->count - at)
        n = t->count - at;
    memmove(t->token + at, t->token + at + n, (size_t)(t->count - at - n) * sizeof *t->token);
    t->count -= n;
}

static int line_start(const Tokens *t, int at)
{
    while (at > 0 && t->token[at - 1][0] != '\n')
        at--;
    return at;
}

static int line_length(const Tokens *t, int at)
{
    int n = 0;
    while (at + n < t->count && t->token[at + n][0] != '\n')
        n++;
    return at + n < t->count ? n + 1 : n;
}

static void insert_line(Fuzz *f, Tokens *t, const Tokens *from)
{
    int to = line_start(t, pick(f, t->count + 1));
    int at = line_start(from, pick(f, from->count)), n = line_length(from, at);
    const char *copy[TOKENS];

    memcpy(copy, from->token + at, (size_t)n * sizeof *copy);
    for (int i = n - 1; i >= 0; i--)
        insert(t, to, copy[i]);
}

/* A name or number, mostly one that is in the text already. */
static const char *any_word(Fuzz *f, const Tokens *t)
{
    for (int i = 0; i < 40 && pick(f, 10); i++) {
        const char *token = t->token[pick(f, t->count)];
        if (isalnum((unsigned char)*token))
            return token;
    }
    return f->name[pick(f, f->names)];
}

/* A token in place of another, mostly of the same kind. */
static const char *other_token(Fuzz *f, const Tokens *t, const char *old)
{
    if (is_digit(*old) && pick(f, 3))
        return PICK(f, number);
    if (isalnum((unsigned char)*old))
        return any_word(f, t);
    if (strchr("+-*/^@<>=!|", *old))
        return PICK(f, sign);
    return t->token[pick(f, t->count)];
}

/* One mutation. */
static void mutate(Fuzz *f, Tokens *t)
{
    int at = pick(f, t->count);
    const char *old = t->count ? t->token[at] : "\n";
    bool is_name = isalpha((unsigned char)*old);

    switch (pick(f, 12)) {
    case 0: cut(t, at, 1); break;
    case 1: cut(t, line_start(t, at), line_length(t, line_start(t, at))); break;
    case 2: insert_line(f, t, t); break;
    case 3: insert_line(f, t, &f->model[pick(f, f->models)]); break;
    case 4:
    case 5:
        insert(t, line_start(t, at), "\n");
        insert(t, line_start(t, at), PICK(f, line));
        break;
    case 6: insert(t, at, PICK(f, sign)); break;
    case 7:
        if (is_name) {
            insert(t, at + 1, ")");
            insert(t, at, "(");
            insert(t, at, PICK(f, wrap));
        }
        break;
    case 8:
        if (is_name)
            insert(t, at + 1, PICK(f, after));
        break;
    default:
        if (t->count)
            t->token[at] = other_token(f, t, old);
    }
}

/* Is a blank written after a token? Not at a line's end, around a point, or before a bracket. */
static bool has_blank(const Tokens *t, int i)
{
    char first = t->token[i][0];

    if (first == '\n' || first == '.')
        return false;
    return i + 1 == t->count || !strchr(".(['", t->token[i + 1][0]);
}

static size_t tokens_text(const Tokens *t, char *text)
{
    size_t n = 0;

    for (int i = 0; i < t->count && n + 200 < TEXT; i++)
        n += (size_t)snprintf(text + n, TEXT - n, "%s%s", t->token[i], has_blank(t, i) ? " " : "");
    return n;
}

/* ---- one run ---- */

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:allocator_may_return_null=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:exitcode=99:print_stacktrace=1";
}

static Model *read_model(Ngc *ngc, const char *text, size_t size)
{
    source_library(ngc);
    int file = source_add(ngc, "m.ng", text, size, false);
    return file >= 0 ? model_compile(ngc, file) : NULL;
}

enum { ELEMENTS = 20000, POINTS = 5 };

/* Are there few enough elements in all nodes to compute them? */
static bool is_small(const Model *m)
{
    double elements = 0;

    for (int i = 0; i < m->graph->count && elements <= ELEMENTS; i++)
        elements += 1 + (double)size_max(m->graph, shape_count(m->graph, m->graph->node[i]->shape));
    return elements <= ELEMENTS;
}

/* An element of a variable; floats are moved by a little. */
static double make_value(const Var *v, double little, uint64_t *seed, uint64_t *noise)
{
    double u = draw_unit(seed);

    if (v->type == T_INT)
        return floor(u * (double)(v->limit > 0 ? v->limit : 3));
    return (1.6 * u - 0.7) * (1 + little * (draw_unit(noise) - 0.5));
}

static double *make_values(Eval *e, const Var *v, double little, uint64_t *seed, uint64_t *noise)
{
    int64_t dim[MAX_RANK], n = eval_shape(e, v->shape, dim);
    double *x = arena_alloc(e->ngc, (size_t)(n + 1) * sizeof *x);

    for (int64_t i = 0; i < n; i++)
        x[i] = make_value(v, little, seed, noise);
    return x;
}

/* All roots of a model, one after another, for variables drawn from the seed; floats are moved by a
 * little. The sizes of the roots are added up in *count. */
static double *compute(Model *m, double little, uint64_t noise, int64_t *count)
{
    Ngc *ngc = m->graph->ngc;
    Eval *e = eval_new(ngc, m);
    uint64_t seed = 1;
    int64_t dim[MAX_RANK];

    e->seed = 7;
    e->training = 1;
    for (int d = 0; d < m->graph->dims; d++)
        e->dim[d] = m->graph->dim[d].max;
    for (int i = 0; i < m->vars; i++)
        e->var[i] = make_values(e, m->var[i], little, &seed, &noise);

    *count = 0;
    for (int i = 0; i < m->roots; i++)
        *count += eval_shape(e, m->root[i].node->shape, dim);
    double *all = arena_alloc(ngc, (size_t)(*count + 1) * sizeof *all), *to = all;
    for (int i = 0; i < m->roots; i++) {
        const double *x = eval_node(e, m->root[i].node);
        int64_t n = eval_shape(e, m->root[i].node->shape, dim);

        memcpy(to, x, (size_t)n * sizeof *x);
        to += n;
    }
    return all;
}

/* Is element k another value after the passes? Not compared is what is not finite, or moves when
 * the variables move by a little: a kink, or digits that are lost. */
static bool is_changed(const double *const want[POINTS], const double *got, int64_t k)
{
    double first = want[0][k], scale = fmax(1, fabs(first));

    if (!isfinite(first))
        return false;
    for (int i = 1; i < POINTS; i++)
        if (!(fabs(want[i][k] - first) <= 1e-7 * scale))
            return false;
    return !(fabs(got[k] - first) <= 1e-4 * scale);
}

/* The model before the passes and after them. A model of which other warnings are given is not
 * compared, as x[0] is another value each time it is written in the literal graph, and the gradient
 * with respect to it is 0. */
static void compare_values(Model *m, const char *text, size_t size)
{
    Ngc ngc = {.opt = m->graph->ngc->opt};
    int64_t count, counts;
    const double *want[POINTS];

    ngc.opt.literal = true;
    Model *literal = read_model(&ngc, text, size);
    if (literal)
        literal_match(literal, m);
    if (!literal || literal->roots != m->roots || literal->vars != m->vars)
        return; /* what must be constant is one only where constants are folded */
    if (!is_small(literal) || !is_small(m) || ngc.warnings != m->graph->ngc->warnings)
        return;

    for (int i = 0; i < POINTS; i++)
        want[i] = compute(literal, i ? 1e-9 : 0, (uint64_t)i, &counts);
    const double *got = compute(m, 0, 0, &count);
    for (int64_t k = 0; k < count && count == counts; k++)
        if (is_changed(want, got, k)) {
            fprintf(stderr, "internal error: the passes change a value: ");
            fprintf(stderr, "element %lld of all roots is %.17g, not %.17g\n", (long long)k, got[k],
                    want[0][k]);
            exit(97);
        }
}

static void compile(const char *text, size_t size, int level)
{
    Ngc ngc = {.opt = {.optimize = level, .comments = level ? 1 : 2, .digits = 9, .verify = true}};
    ngc.opt.unroll = size % 2; /* half of the models keep all loops that can stay */
    Output out = {.c = {.ngc = &ngc}, .h = {.ngc = &ngc}};
    Model *m = read_model(&ngc, text, size);

    if (!m) {
        diag_flush(&ngc, stdout);
        exit(ngc.errors ? 1 : 98);
    }
    m->name = "m";
    if (is_small(m))
        compare_values(m, text, size);
    emit_c(module_build(m), "m.h", &out);
    exit(ngc.errors ? 1 : 0);
}

/* How a run ended, in words. */
static void describe_end(int status, char *kind, size_t room)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        snprintf(kind, room, "over %d s", LIMIT);
    else if (WIFSIGNALED(status))
        snprintf(kind, room, "signal %d", WTERMSIG(status));
    else
        snprintf(kind, room, "exit status %d", WEXITSTATUS(status));
}

/* Does a line of the log say what went wrong? */
static bool is_report(const char *text)
{
    return strstr(text, "internal error") || strstr(text, "runtime error") ||
           strstr(text, "SUMMARY") || strstr(text, "Assertion");
}

/* Makes findings of one kind equal: numbers become 0, unless they are a place in a file. */
static void drop_numbers(char *kind)
{
    bool has_place = strstr(kind, ".c:") != NULL;

    for (char *c = kind; *c; c++) {
        if (*c == '\n')
            *c = ' ';
        else if (!has_place && is_digit(*c))
            *c = '0';
    }
}

/* The line of the log that says what went wrong, without its numbers; "": nothing did. */
static void finding(FILE *log, int status, const struct rusage *use, char *kind, size_t room)
{
    double seconds = (double)use->ru_utime.tv_sec + (double)use->ru_utime.tv_usec * 1e-6;
    char text[512];

    kind[0] = '\0';
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) {
        if (seconds > 4)
            snprintf(kind, room, "slow");
        else if (use->ru_maxrss > MEGABYTES * 1024)
            snprintf(kind, room, "large");
        return;
    }

    describe_end(status, kind, room);
    rewind(log);
    while (fgets(text, sizeof text, log))
        if (is_report(text)) {
            snprintf(kind, room, "%s", text);
            break;
        }
    drop_numbers(kind);
}

/* Keeps a finding, the first of its kind: its text goes to a file. */
static void keep_finding(Fuzz *f, const char *kind, int level, const char *text, size_t size)
{
    char path[512];

    for (int i = 0; i < f->kinds; i++)
        if (strcmp(f->kind[i], kind) == 0)
            return;
    if (f->kinds < KINDS)
        f->kind[f->kinds++] = strdup(kind);

    snprintf(path, sizeof path, "%s/found%d.ng", f->dir, f->kinds);
    printf("%s (-O%d): %s\n", path, level, f->kind[f->kinds - 1]);
    FILE *out = fopen(path, "w");
    if (out) {
        fwrite(text, 1, size, out);
        fclose(out);
    }
}

/* Compiles a text in a process of its own; was it compiled? */
static bool run(Fuzz *f, const char *text, size_t size)
{
    char kind[512];
    int status, level = pick(f, 2) * 2;
    struct rusage use;
    FILE *log = tmpfile();

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(log), 2);
        dup2(open("/dev/null", O_WRONLY), 1);
        setrlimit(RLIMIT_CPU, &(struct rlimit){LIMIT, LIMIT + 5});
        compile(text, size, level);
    }
    if (!log || child < 0 || wait4(child, &status, 0, &use) < 0)
        return false;

    finding(log, status, &use, kind, sizeof kind);
    fclose(log);
    if (kind[0])
        keep_finding(f, kind, level, text, size);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Processor time of all runs so far, in seconds. */
static double spent(void)
{
    struct rusage use;

    getrusage(RUSAGE_CHILDREN, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

/* Reads a model; one that is long or has other ends of lines is left out. */
static void read_file(Fuzz *f, const char *path)
{
    static char text[TEXT];
    FILE *in = fopen(path, "r");

    if (!in)
        return;
    size_t n = fread(text, 1, 12000, in);
    fclose(in);
    text[n] = '\0';
    if (n && n < 12000 && !strchr(text, '\r'))
        tokens_read(f, &f->model[f->models++], text);
}

int main(int argc, char **argv)
{
    static Fuzz f;
    static Tokens t;
    static char text[TEXT];
    long runs, good = 0;

    if (argc < 5) {
        fprintf(stderr, "usage: lower SECONDS SEED DIR FILE...\n");
        return 2;
    }
    double end = atof(argv[1]);
    f.random = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
    f.dir = argv[3];
    f.model = calloc((size_t)argc, sizeof *f.model);
    for (int i = 4; i < argc; i++)
        read_file(&f, argv[i]);

    for (runs = 0; spent() < end; runs++) {
        t = f.model[pick(&f, f.models)];
        for (int n = 1 + pick(&f, 4); n > 0; n--)
            mutate(&f, &t);
        good += run(&f, text, tokens_text(&t, text));
    }
    printf("%ld models, %ld of them compiled, %d findings\n", runs, good, f.kinds);
    return f.kinds > 0;
}
