/* lower.c - compiles mutations of the models named, for SECONDS of processor time: lower SECONDS
 * SEED DIR FILE... A mutation works on tokens: what it makes is nearly always a model, though a
 * strange one. Each is compiled by the compiler's own list of passes, verified after each, in a
 * process of its own; where it is small, the interpreter computes the graph before and after the
 * passes. A signal, a sanitizer's report, an internal error, another value, over 4 s (the
 * sanitizers take their share) or 256 MB is a finding: the first of each kind is kept in DIR. */
#include "ngc.h"

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
    TOKENS = 4000,
    POOL = 60000,
    KINDS = 200,
    TEXT = 1 << 16,
    LIMIT = 20 /* seconds of one run */
};

typedef struct Model_ { /* a text as tokens; a line's end is the token "\n" */
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
    "for i in 0..3 { x = x*2 }",
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

static size_t token_length(const char *s)
{
    static const char *const pair[] = {"..", "<=", ">=", "==", "!=", "|>"};
    size_t n = 1;
    if (isalpha((unsigned char)*s) || *s == '_')
        while (isalnum((unsigned char)s[n]) || s[n] == '_')
            n++;
    else if (isdigit((unsigned char)*s))
        while (isalnum((unsigned char)s[n]) || (s[n] == '.' && isdigit((unsigned char)s[n + 1])) ||
               (s[n] == '-' && s[n - 1] == 'e'))
            n++;
    else
        for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
            if (strncmp(s, pair[i], 2) == 0)
                n = 2;
    return n;
}

static void tokens_read(Fuzz *f, Tokens *t, const char *s)
{
    while (*s && t->count < TOKENS / 2) {
        s += strspn(s, " \t\r");
        s += *s == '#' ? strcspn(s, "\n") : 0;
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
    n = n > t->count - at ? t->count - at : n;
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
    int to = line_start(t, pick(f, t->count + 1)), at = line_start(from, pick(f, from->count)),
        n = line_length(from, at);
    const char *copy[TOKENS];
    memcpy(copy, from->token + at, (size_t)n * sizeof *copy);
    for (int i = n - 1; i >= 0; i--)
        insert(t, to, copy[i]);
}

/* A name or number, mostly one that stands in the text already. */
static const char *any_word(Fuzz *f, const Tokens *t)
{
    for (int i = 0; i < 40 && pick(f, 10); i++) {
        const char *token = t->token[pick(f, t->count)];
        if (isalnum((unsigned char)*token))
            return token;
    }
    return f->name[pick(f, f->names)];
}

/* One mutation; a token is mostly replaced by one of its kind. */
static void mutate(Fuzz *f, Tokens *t)
{
    int at = pick(f, t->count);
    const char *old = t->count ? t->token[at] : "\n";
    bool word = isalnum((unsigned char)*old);
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
        if (isalpha((unsigned char)*old)) {
            insert(t, at + 1, ")");
            insert(t, at, "(");
            insert(t, at, PICK(f, wrap));
        }
        break;
    case 8:
        if (isalpha((unsigned char)*old))
            insert(t, at + 1, PICK(f, after));
        break;
    default:
        if (t->count)
            t->token[at] = isdigit((unsigned char)*old) && pick(f, 3) ? PICK(f, number)
                           : word                                     ? any_word(f, t)
                           : strchr("+-*/^@<>=!|", *old)              ? PICK(f, sign)
                                                                      : t->token[pick(f, t->count)];
    }
}

static size_t tokens_text(const Tokens *t, char *text)
{
    size_t n = 0;
    for (int i = 0; i < t->count && n + 200 < TEXT; i++)
        n += (size_t)snprintf(text + n, TEXT - n, "%s%s", t->token[i],
                              t->token[i][0] == '\n' ||
                                      (i + 1 < t->count && strchr(".(['", t->token[i + 1][0])) ||
                                      t->token[i][0] == '.'
                                  ? ""
                                  : " ");
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

static double draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
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
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        int64_t n = eval_shape(e, v->shape, dim);
        double *x = arena_alloc(ngc, (size_t)(n + 1) * sizeof *x);
        for (int64_t k = 0; k < n; k++) {
            double u = draw(&seed);
            x[k] = v->type == T_INT ? floor(u * (double)(v->limit > 0 ? v->limit : 3))
                                    : (1.6 * u - 0.7) * (1 + little * (draw(&noise) - 0.5));
        }
        e->var[i] = x;
    }

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

/* The model before the passes and after them. What is not finite, or moves when the variables move
 * by a little (a kink, digits that are lost), is not compared; nor is a model of which other
 * warnings are given, as x[0] is another value each time it is written in the literal graph, and
 * the gradient by it 0. */
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
    for (int64_t k = 0; k < count && count == counts; k++) {
        double scale = fmax(1, fabs(want[0][k]));
        bool firm = isfinite(want[0][k]);
        for (int i = 1; i < POINTS; i++)
            firm &= fabs(want[i][k] - want[0][k]) <= 1e-7 * scale;
        if (firm && !(fabs(got[k] - want[0][k]) <= 1e-4 * scale)) {
            fprintf(stderr, "internal error: the passes change a value: ");
            fprintf(stderr, "element %lld of all roots is %.17g, not %.17g\n", (long long)k, got[k],
                    want[0][k]);
            exit(97);
        }
    }
}

static void compile(const char *text, size_t size, int level)
{
    Ngc ngc = {.opt = {.optimize = level, .comments = level ? 1 : 2, .digits = 9, .verify = true}};
    Output out = {.c = {.ngc = &ngc}, .h = {.ngc = &ngc}};
    Model *m = read_model(&ngc, text, size);

    if (!m) {
        diag_flush(&ngc, stdout);
        exit(ngc.errors ? 1 : 98);
    }
    m->name = "m";
    if (is_small(m))
        compare_values(m, text, size);
    emit_c(&ngc, m, "m.h", &out);
    exit(ngc.errors ? 1 : 0);
}

/* The line of the log that says what went wrong, without its numbers; "": nothing did. */
static void finding(FILE *log, int status, const struct rusage *use, char *kind, size_t room)
{
    char text[512];
    double seconds = (double)use->ru_utime.tv_sec + (double)use->ru_utime.tv_usec * 1e-6;
    kind[0] = '\0';
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) {
        if (seconds > 4 || use->ru_maxrss > 256 * 1024)
            snprintf(kind, room, "%s", seconds > 4 ? "slow" : "large");
        return;
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        snprintf(kind, room, "over %d s", LIMIT);
    else if (WIFSIGNALED(status))
        snprintf(kind, room, "signal %d", WTERMSIG(status));
    else
        snprintf(kind, room, "exit status %d", WEXITSTATUS(status));
    rewind(log);
    while (fgets(text, sizeof text, log))
        if (strstr(text, "internal error") || strstr(text, "runtime error") ||
            strstr(text, "SUMMARY") || strstr(text, "Assertion")) {
            snprintf(kind, room, "%s", text);
            break;
        }
    for (char *c = kind; *c; c++)
        *c = isdigit((unsigned char)*c) && !strstr(kind, ".c:") ? '0' : *c == '\n' ? ' ' : *c;
}

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
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!kind[0])
        return good;
    for (int i = 0; i < f->kinds; i++)
        if (strcmp(f->kind[i], kind) == 0)
            return good;
    if (f->kinds < KINDS)
        f->kind[f->kinds++] = strdup(kind);
    snprintf(kind, sizeof kind, "%s/found%d.ng", f->dir, f->kinds);
    printf("%s (-O%d): %s\n", kind, level, f->kind[f->kinds - 1]);
    FILE *out = fopen(kind, "w");
    if (out) {
        fwrite(text, 1, size, out);
        fclose(out);
    }
    return good;
}

/* Processor time of all runs so far, in seconds. */
static double spent(void)
{
    struct rusage use;

    getrusage(RUSAGE_CHILDREN, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

int main(int argc, char **argv)
{
    static Fuzz f;
    static char text[TEXT];
    if (argc < 5) {
        fprintf(stderr, "usage: lower SECONDS SEED DIR FILE...\n");
        return 2;
    }
    f.random = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
    f.dir = argv[3];
    f.model = calloc((size_t)argc, sizeof *f.model);
    for (int i = 4; i < argc; i++) {
        FILE *in = fopen(argv[i], "r");
        size_t n = in ? fread(text, 1, 12000, in) : 0;
        text[n] = '\0';
        if (n && n < 12000 && !strchr(text, '\r'))
            tokens_read(&f, &f.model[f.models++], text);
        if (in)
            fclose(in);
    }
    double end = atof(argv[1]);
    long runs = 0, good = 0;
    for (; spent() < end; runs++) {
        static Tokens t;
        t = f.model[pick(&f, f.models)];
        for (int n = 1 + pick(&f, 4); n > 0; n--)
            mutate(&f, &t);
        good += run(&f, text, tokens_text(&t, text));
    }
    printf("%ld models, %ld of them compiled, %d findings\n", runs, good, f.kinds);
    return f.kinds > 0;
}
