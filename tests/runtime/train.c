/* train.c - the trainer on a small hand-written model in the form that ngc emits, which has an
 * input of each kind:
 *
 * dim m <= 8 input x[m, 2], z[2, m], c[m]: int, k[2], lr, y[m] param w[4] ~ uniform(-1, 1), b[3] =
 * 0 J = mean((x @ (w[0:2]*k) + z' @ w[2:4] + b[c] - y)^2);  metric mae, bad (a sum), by (a matrix:
 * how often c is bad, and good), and odd, which is a value of one batch
 *
 * Its data follows the model without noise, so that training must find the parameters. Writes files
 * into the current directory. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/ngrt_host.h"
#include "../faults/wrap.h"
#include "check.h"

typedef struct line_params {
    float w[4];
    float b[3];
} line_params;
typedef struct line_inputs {
    int m;
    const float *x;   /* [m][2] */
    const float *z;   /* [2][m] */
    const int32_t *c; /* [m] */
    const float *k;   /* [2] */
    float lr;
    const float *y; /* [m] */
} line_inputs;
typedef struct line_work {
    float J, mae;
    int32_t bad;
    float by[3][2], odd, e[8];
} line_work;
typedef struct line_totals {
    double m, J, mae, bad, by[3][2];
    int walk;
} line_totals;

static void line_init(void *params, void *state, uint64_t seed)
{
    line_params *p = params;
    (void)state;
    ngrt_uniformf(p->w, 4, seed, 0, -1.0, 1.0);
    memset(p->b, 0, sizeof p->b);
}

static int line_eval(const void *params, void *state, const void *inputs, void *work)
{
    const line_params *p = params;
    const line_inputs *in = inputs;
    line_work *t = work;
    int i, m = in->m;
    (void)state;
    if (m < 1 || m > 8)
        return NGRT_ESIZE;
    for (i = 0; i < m; i++)
        if (in->c[i] < 0 || in->c[i] >= 3)
            return NGRT_ELABEL;
    t->J = t->mae = 0.0f;
    t->bad = 0;
    memset(t->by, 0, sizeof t->by);
    t->odd = (float)m;
    for (i = 0; i < m; i++) {
        t->e[i] = in->x[2 * i] * p->w[0] * in->k[0] + in->x[2 * i + 1] * p->w[1] * in->k[1] +
                  in->z[i] * p->w[2] + in->z[m + i] * p->w[3] + p->b[in->c[i]] - in->y[i];
        t->J += t->e[i] * t->e[i] / (float)m;
        t->mae += fabsf(t->e[i]) / (float)m;
        t->bad += fabsf(t->e[i]) > 0.01f;
        t->by[in->c[i]][fabsf(t->e[i]) <= 0.01f]++;
    }
    return NGRT_OK;
}

static void line_start(void *totals)
{
    memset(totals, 0, sizeof(line_totals));
}

static int line_add(const void *params, void *state, const void *inputs, void *work, void *totals)
{
    const line_inputs *in = inputs;
    line_work *w = work;
    line_totals *t = totals;
    int i, error = line_eval(params, state, inputs, work);
    if (error || t->walk > 0)
        return error;
    t->m += in->m, t->J += (double)w->J * in->m, t->mae += (double)w->mae * in->m, t->bad += w->bad;
    for (i = 0; i < 6; i++)
        t->by[i / 2][i % 2] += w->by[i / 2][i % 2];
    return NGRT_OK;
}

/* As if it wanted a second walk. */
static int line_finish(void *totals)
{
    line_totals *t = totals;
    if (t->walk++ == 0)
        return NGRT_AGAIN;
    t->J /= t->m, t->mae /= t->m;
    return NGRT_OK;
}

static int line_step(void *params, void *state, const void *inputs, void *work)
{
    line_params *p = params;
    const line_inputs *in = inputs;
    line_work *t = work;
    int i, m = in->m, error = line_eval(params, state, inputs, work);
    if (error)
        return error;
    for (i = 0; i < m; i++) {
        float d = in->lr * 2.0f * t->e[i] / (float)m;
        p->w[0] -= d * in->x[2 * i] * in->k[0], p->w[1] -= d * in->x[2 * i + 1] * in->k[1];
        p->w[2] -= d * in->z[i], p->w[3] -= d * in->z[m + i];
        p->b[in->c[i]] -= d;
    }
    return NGRT_OK;
}

#define AT(member) offsetof(line_inputs, member)

static const ngrt_dim line_dim[] = {{"m", 8, AT(m)}};
static const ngrt_tensor line_tensor[] = {
    {"x", NGRT_INPUT, NGRT_F32, 2, {8, 2}, {0, -1}, AT(x), 0, 0, 0},
    {"z", NGRT_INPUT, NGRT_F32, 2, {2, 8}, {-1, 0}, AT(z), 0, 0, 0},
    {"c", NGRT_INPUT, NGRT_I32, 1, {8}, {0}, AT(c), 0, 3, 0},
    {"k", NGRT_INPUT, NGRT_F32, 1, {2}, {-1}, AT(k), 0, 0, 0},
    {"lr", NGRT_INPUT, NGRT_F32, 0, {0}, {0}, AT(lr), 0, 0, 0},
    {"y", NGRT_INPUT, NGRT_F32, 1, {8}, {0}, AT(y), NGRT_TARGET, 0, 0},
    {"w", NGRT_PARAM, NGRT_F32, 1, {4}, {-1}, 0, 0, 0, 0},
    {"b", NGRT_PARAM, NGRT_F32, 1, {3}, {-1}, 16, 0, 0, 0},
    {"mae",
     NGRT_METRIC,
     NGRT_F32,
     0,
     {0},
     {0},
     offsetof(line_work, mae),
     0,
     0,
     offsetof(line_totals, mae)},
    {"bad",
     NGRT_METRIC,
     NGRT_I32,
     0,
     {0},
     {0},
     offsetof(line_work, bad),
     0,
     0,
     offsetof(line_totals, bad)},
    {"by",
     NGRT_METRIC,
     NGRT_F32,
     2,
     {3, 2},
     {-1, -1},
     offsetof(line_work, by),
     0,
     0,
     offsetof(line_totals, by)},
    {"odd", NGRT_METRIC, NGRT_F32, 0, {0}, {0}, offsetof(line_work, odd), 0, 0, 0},
    {"J", NGRT_LOSS, NGRT_F32, 0, {0}, {0}, offsetof(line_work, J), 0, 0, offsetof(line_totals, J)},
};
static const ngrt_model line_model = {NGRT_MODEL_VERSION,
                                      "line",
                                      NGRT_F32,
                                      sizeof(line_params),
                                      0,
                                      sizeof(line_inputs),
                                      sizeof(line_work),
                                      0,
                                      1,
                                      line_dim,
                                      13,
                                      line_tensor,
                                      line_init,
                                      NULL,
                                      line_eval,
                                      NULL,
                                      NULL,
                                      NULL,
                                      line_step,
                                      sizeof(line_totals),
                                      line_start,
                                      line_add,
                                      line_finish,
                                      NULL,
                                      NULL};

/* The same with values by default: z = 1, k = [2, 1], lr = 0.1. */
static const float easy_z[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, easy_k[] = {2, 1};
static const line_inputs easy_inputs = {8, NULL, easy_z, NULL, easy_k, 0.1f, NULL};

/* A model of fixed sizes in double: input a[3, 2], t[3]; J = mean((a @ w - t)^2), full batches. */
typedef struct full_inputs {
    const double *a, *t;
} full_inputs;

static int full_eval(const void *params, void *state, const void *inputs, void *work)
{
    const double *w = params;
    const full_inputs *in = inputs;
    double *t = work;
    int i;
    (void)state;
    t[0] = 0.0;
    for (i = 0; i < 3; i++) {
        t[1 + i] = in->a[2 * i] * w[0] + in->a[2 * i + 1] * w[1] - in->t[i];
        t[0] += t[1 + i] * t[1 + i] / 3.0;
    }
    return NGRT_OK;
}

static int full_step(void *params, void *state, const void *inputs, void *work)
{
    const full_inputs *in = inputs;
    double *w = params, *t = work;
    int i;
    full_eval(params, state, inputs, work);
    for (i = 0; i < 3; i++)
        w[0] -= 0.2 * t[1 + i] * in->a[2 * i], w[1] -= 0.2 * t[1 + i] * in->a[2 * i + 1];
    return NGRT_OK;
}

static const ngrt_tensor full_tensor[] = {
    {"a", NGRT_INPUT, NGRT_F64, 2, {3, 2}, {-1, -1}, offsetof(full_inputs, a), 0, 0, 0},
    {"t", NGRT_INPUT, NGRT_F64, 1, {3}, {-1}, offsetof(full_inputs, t), NGRT_TARGET, 0, 0},
    {"J", NGRT_LOSS, NGRT_F64, 0, {0}, {0}, 0, 0, 0, 0},
};
static const ngrt_model full_model = {NGRT_MODEL_VERSION,
                                      "full",
                                      NGRT_F64,
                                      16,
                                      0,
                                      sizeof(full_inputs),
                                      32,
                                      0,
                                      0,
                                      NULL,
                                      3,
                                      full_tensor,
                                      NULL,
                                      NULL,
                                      full_eval,
                                      NULL,
                                      NULL,
                                      NULL,
                                      full_step,
                                      0,
                                      NULL,
                                      NULL,
                                      NULL,
                                      NULL,
                                      NULL};

/* A model with labels: input x[m, 2], t[m]: int; p = x @ W + c; J = mean of (p - one_hot(t))^2,
 * summed over the classes. */
typedef struct kind_params {
    float W[2][3], c[3];
} kind_params;
typedef struct kind_inputs {
    int m;
    const float *x;
    const int32_t *t;
} kind_inputs;
typedef struct kind_work {
    float J, p[8][3];
} kind_work;

static int kind_predict(const void *params, void *state, const void *inputs, void *work)
{
    const kind_params *w = params;
    const kind_inputs *in = inputs;
    kind_work *v = work;
    int i, k;
    (void)state;
    for (i = 0; i < in->m; i++)
        for (k = 0; k < 3; k++)
            v->p[i][k] = in->x[2 * i] * w->W[0][k] + in->x[2 * i + 1] * w->W[1][k] + w->c[k];
    return NGRT_OK;
}

static int kind_eval(const void *params, void *state, const void *inputs, void *work)
{
    const kind_inputs *in = inputs;
    kind_work *v = work;
    int i, k;
    kind_predict(params, state, inputs, work);
    v->J = 0;
    for (i = 0; i < in->m; i++)
        for (k = 0; k < 3; k++) {
            float e = v->p[i][k] - (float)(in->t[i] == k);
            v->J += e * e / (float)in->m;
        }
    return NGRT_OK;
}

static int kind_step(void *params, void *state, const void *inputs, void *work)
{
    kind_params *w = params;
    const kind_inputs *in = inputs;
    kind_work *v = work;
    int i, k;
    kind_eval(params, state, inputs, work);
    for (i = 0; i < in->m; i++)
        for (k = 0; k < 3; k++) {
            float d = 0.2f / (float)in->m * (v->p[i][k] - (float)(in->t[i] == k));
            w->W[0][k] -= d * in->x[2 * i];
            w->W[1][k] -= d * in->x[2 * i + 1];
            w->c[k] -= d;
        }
    return NGRT_OK;
}

static const ngrt_dim kind_dim[] = {{"m", 8, offsetof(kind_inputs, m)}};
static const ngrt_tensor kind_tensor[] = {
    {"x", NGRT_INPUT, NGRT_F32, 2, {8, 2}, {0, -1}, offsetof(kind_inputs, x), 0, 0, 0},
    {"t", NGRT_INPUT, NGRT_I32, 1, {8}, {0}, offsetof(kind_inputs, t), NGRT_TARGET, 3, 0},
    {"W", NGRT_PARAM, NGRT_F32, 2, {2, 3}, {-1, -1}, 0, 0, 0, 0},
    {"c", NGRT_PARAM, NGRT_F32, 1, {3}, {-1}, offsetof(kind_params, c), 0, 0, 0},
    {"p", NGRT_OUTPUT, NGRT_F32, 2, {8, 3}, {0, -1}, offsetof(kind_work, p), 0, 0, 0},
    {"J", NGRT_LOSS, NGRT_F32, 0, {0}, {0}, offsetof(kind_work, J), NGRT_MEAN, 0, 0},
};
static const ngrt_model kind_model = {.version = NGRT_MODEL_VERSION,
                                      .name = "kind",
                                      .real = NGRT_F32,
                                      .sizeof_params = sizeof(kind_params),
                                      .sizeof_inputs = sizeof(kind_inputs),
                                      .sizeof_work = sizeof(kind_work),
                                      .dims = 1,
                                      .dim = kind_dim,
                                      .tensors = 6,
                                      .tensor = kind_tensor,
                                      .predict = kind_predict,
                                      .eval = kind_eval,
                                      .step = kind_step};

/* ---- running it ---- */

static char out[4096], err[65536]; /* what the last run printed */
static long fault;                 /* the call of the system that fails in it; 0: none */
static int fault_left;             /* it did not make as many */

static void read_text(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "rb");
    text[file ? fread(text, 1, room - 1, file) : 0] = 0;
    if (file)
        fclose(file);
}

/* Runs the trainer with these arguments, separated by blanks, or another command, which comes
 * before them; its status. */
static int run_model(const ngrt_model *model, const char *arguments)
{
    char text[512] = "", *argv[32];
    int argc = 0,
        trains = strncmp(arguments, "eval ", 5) != 0 && strncmp(arguments, "predict ", 8) != 0,
        status, keep_out, keep_err;
    char *word;
    snprintf(text, sizeof text, "train %s", arguments);
    for (word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    fflush(stdout);
    fflush(stderr);
    keep_out = dup(1), keep_err = dup(2);
    if (!freopen("out", "w", stdout) || !freopen("err", "w", stderr))
        exit(3);
    fault_in(fault);
    status = (trains ? ngrt_train_main : ngrt_model_main)(model, argc, argv);
    fault_left = fault_is_left();
    fault_in(0);
    fflush(stdout);
    fflush(stderr);
    dup2(keep_out, 1), dup2(keep_err, 2);
    close(keep_out), close(keep_err);
    read_text("out", out, sizeof out);
    read_text("err", err, sizeof err);
    return status;
}

static int run_line(const char *arguments)
{
    return run_model(&line_model, arguments);
}

/* Whether a run of the line model ends with this status and a message that holds this text. */
static int fails(const char *arguments, int status, const char *want)
{
    int got = run_line(arguments), good = got == status && strstr(err, want) && !*out;
    if (!good)
        fprintf(stderr, "train %s\n  status %d: %s", arguments, got, err);
    return good;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        exit(3);
}

/* Values by default are used for all that the data does not have. */
static void test_defaults(void)
{
    ngrt_tensor tensor[sizeof line_tensor / sizeof *line_tensor];
    ngrt_model easy = line_model;
    char first[sizeof out];
    int i;
    memcpy(tensor, line_tensor, sizeof tensor);
    for (i = 0; i < (int)(sizeof tensor / sizeof *tensor); i++)
        if (strchr("zk", *tensor[i].name) || strcmp(tensor[i].name, "lr") == 0)
            tensor[i].flags |= NGRT_DEFAULT;
    easy.tensor = tensor;
    easy.defaults = &easy_inputs;
    write_text("xcy.csv", "1,2,0,3\n2,1,1,4\n0,1,2,-1\n1,1,0,7\n2,0,1,5\n");
    write_text("ones.csv", "1,1\n1,1\n1,1\n1,1\n1,1\n");
    write_text("xzcy.csv", "1,2,1,1,0,3\n2,1,1,1,1,4\n0,1,1,1,2,-1\n1,1,1,1,0,7\n2,0,1,1,1,5\n");
    CHECK(run_model(&easy, "--data xcy.csv --epochs 3 --batch 2") == 0 && strlen(out) > 10);
    memcpy(first, out, sizeof out);
    CHECK(run_model(&easy, "--data xzcy.csv --epochs 3 --batch 2") == 0 && strcmp(out, first) == 0);
    CHECK(run_model(&easy, "--data xcy.csv --data z=ones.csv --epochs 3 --batch 2") == 0 &&
          strcmp(out, first) == 0);
    CHECK(run_model(&easy, "--data xcy.csv --data k=k.csv lr=0.1 --epochs 3 --batch 2") == 0 &&
          strcmp(out, first) == 0);
    CHECK(run_model(&easy, "--data xcy.csv --val xcy.csv --epochs 3 --batch 2 --quiet") == 0 &&
          strstr(out, "mae: "));
    CHECK(run_model(&easy, "--data xcy.csv lr=0.2 --epochs 3 --batch 2") == 0 &&
          strcmp(out, first) != 0);
    CHECK(run_model(&easy, "--data ones.csv") == 3 &&
          strstr(err, "ones.csv: 2 columns, but the inputs take 4: x 2, c 1, y 1"));
    CHECK(run_model(&easy, "--epochs 1") == 2 && strstr(err, "no data"));
}

/* rows of x0 x1 z0 z1 c y, with y from the parameters 1, -2, 0.5, 3; 0.1, 0.2, 0.3 and k = 2, 1;
 * and the same in four files. */
static void write_data(int rows)
{
    FILE *all = fopen("all.csv", "w"), *x = fopen("x.csv", "w"), *z = fopen("z.csv", "w"),
         *c = fopen("c.csv", "w");
    FILE *y = fopen("y.csv", "w");
    int i, j;
    if (!all || !x || !z || !c || !y)
        exit(3);
    fprintf(all, "x0,x1,z0,z1,c,y\n");
    for (i = 0; i < rows; i++) {
        double v[4], t;
        for (j = 0; j < 4; j++)
            v[j] = (i * (7 + 4 * j) % 16) / 8.0 - 1.0;
        t = 2.0 * v[0] - 2.0 * v[1] + 0.5 * v[2] + 3.0 * v[3] + 0.1 * (1 + i % 3);
        fprintf(all, "%g,%g,%g,%g,%d,%.9g\n", v[0], v[1], v[2], v[3], i % 3, t);
        fprintf(x, "%g %g\n", v[0], v[1]);
        fprintf(z, "%g;%g\n", v[2], v[3]);
        fprintf(c, "%d\n", i % 3);
        fprintf(y, "%.9g\n", t);
    }
    fclose(all), fclose(x), fclose(z), fclose(c), fclose(y);
    write_text("k.csv", "2\n1\n");
}

static double result(const char *name)
{
    const char *at = strstr(out, name);
    return at ? atof(at + strlen(name)) : NAN;
}

static void test_training(void)
{
    char first[sizeof out], log[4096];
    CHECK(run_line("--data all.csv --data k=k.csv lr=0.1 --epochs 300") == 0);
    CHECK(result("J: ") < 1e-6 && result("mae: ") < 1e-3 && result("bad: ") == 0.0);
    CHECK(strncmp(out, "J: ", 3) == 0 && strstr(err, "Epoch 300/300 - "));
    CHECK(strstr(err, "s - J: ") && strstr(err, " - mae: "));
    memcpy(first, out, sizeof out);
    CHECK(
        run_line(
            "--data x=x.csv,z=z.csv,c=c.csv,y=y.csv --data=k=k.csv lr=0.1 --epochs=300 --quiet") ==
        0);
    CHECK(strcmp(out, first) == 0 && !*err);
    CHECK(
        run_line("--data all.csv --data k=k.csv lr=0.1 --epochs 3 --batch 3 --val all.csv,k=k.csv "
                 "--log=log.csv") == 0);
    CHECK(strstr(err, " - val_J: ") && strstr(err, " - val_mae: "));
    read_text("log.csv", log, sizeof log);
    CHECK(strncmp(log, "epoch,seconds,J,mae,bad,\"by[0,0]\",\"by[0,1]\",\"by[1,0]\",", 54) == 0 &&
          strstr(log, "\n3,"));
    memcpy(first, out, sizeof out);
    CHECK(
        run_line(
            "--data all.csv --data k=k.csv lr=0.1 --epochs 3 --batch 3 --val k=k.csv --val all.csv") ==
        0);
    CHECK(strcmp(out, first) == 0);
    CHECK(run_line("--data all.csv,k=k.csv lr=0.1 --epochs 3 --batch 3 --seed 2") == 0 &&
          strcmp(out, first) != 0);
}

/* Where nothing is learned, the epoch's loss (weighted by rows, over a partial last batch) is that
 * of eval over any batches. */
static void test_means(void)
{
    double loss, bad;
    CHECK(run_line("--data all.csv,k=k.csv lr=0 --epochs 1 --batch 8") == 0);
    loss = result("J: "), bad = result("bad: ");
    CHECK(loss > 0.5 && bad > 10 && bad == floor(bad));
    CHECK(run_line("--data all.csv,k=k.csv lr=0 --epochs 1 --batch 5 --no-shuffle --log log.csv") ==
          0);
    CHECK(fabs(result("J: ") - loss) < 1e-5 * loss && result("bad: ") == bad);
    read_text("log.csv", err, sizeof err);
    CHECK(fabs(atof(strchr(strchr(strchr(err, '\n'), ',') + 1, ',') + 1) - loss) < 1e-5 * loss);
    CHECK(run_line("--data all.csv,k=k.csv lr=0 --epochs 0") == 0 &&
          fabs(result("J: ") - loss) < 1e-5 * loss);
}

/* Numbers of a tensor are printed as one, and logged each; ints are ints; what is a value of one
 * batch is told only where there is one, and never averaged. */
static void test_values(void)
{
    char log[4096];
    CHECK(
        run_line(
            "--data all.csv,k=k.csv lr=0 --epochs 1 --batch 3 --no-shuffle --log log.csv --val all.csv --val k=k.csv") ==
        0);
    CHECK(strstr(out, "bad: 20\nby: [[7, 0], [7, 0], [6, 0]]\n") && !strstr(out, "odd"));
    CHECK(strstr(err, " - bad: 20 - by: [[7, 0], [7, 0], [6, 0]]") && !strstr(err, "- odd"));
    CHECK(strstr(
        err,
        "note: odd is a value of one batch, and the 20 rows of --data are not one: it is not reported"));
    read_text("log.csv", log, sizeof log);
    CHECK(strstr(log, "\"by[2,1]\",odd,val_J,") && strstr(log, ",20,7,0,7,0,6,0,,"));
    write_text("few.csv", "1,2,3,4,2,5\n1,2,3,4,0,5\n");
    CHECK(run_line("--data few.csv,k=k.csv lr=0 --epochs 1 --quiet") == 0 &&
          strstr(out, "odd: 2\n") && !*err);
}

static void test_full(void)
{
    write_text("full.csv", "1,0,2\n0,1,3\n1,1,5\n");
    write_text("a.csv", "1,0\n0,1\n1,1\n");
    write_text("t.csv", "2,3,5\n");
    CHECK(run_model(&full_model, "--data full.csv --epochs 200 --quiet") == 0 &&
          result("J: ") < 1e-12);
    CHECK(run_model(&full_model, "--data a=a.csv,t=t.csv --epochs 200") == 0 &&
          result("J: ") < 1e-12);
    CHECK(run_model(&full_model, "--data full.csv --batch 2") == 2);
    write_text("short.csv", "1,0,2\n0,1,3\n");
    CHECK(run_model(&full_model, "--data short.csv") == 3);
    CHECK(strstr(err, "short.csv has 2 rows, but the input a takes 3"));
    write_text("a.csv", "1,0,1\n0,1,1\n");
    CHECK(run_model(&full_model, "--data a=a.csv,t=t.csv") == 3 &&
          strstr(err, "has 2 rows, but the input a takes 3"));
}

static void test_failures(void)
{
    CHECK(run_line("--help") == 0 && strstr(out, "--epochs"));
    CHECK(fails("", 2, "no data"));
    CHECK(fails("--data", 2, "--data takes a file"));
    CHECK(fails("--data all.csv --frobnicate", 2, "unknown argument: --frobnicate"));
    CHECK(fails("--data all.csv --epochs -1", 2, "--epochs"));
    CHECK(fails("--data all.csv --epochs 3x", 2, "--epochs"));
    CHECK(fails("--data all.csv --batch 0", 2, "--batch"));
    CHECK(fails("--data all.csv,k=k.csv lr=1 --batch 9", 2, "over the model's bound: m <= 8"));
    CHECK(fails("--data q=all.csv", 2, "no input of that name"));
    CHECK(fails("--data all.csv,k=k.csv", 2, "the input lr has no value: give lr=value"));
    CHECK(fails("--data all.csv,k=k.csv lr=fast", 2, "not a number"));
    CHECK(fails("--data all.csv,k=k.csv lr=1e39", 2, "lr=1e39: too large for a float"));
    CHECK(fails("--data all.csv,k=k.csv lr=1 m=4", 2, "set by --batch"));
    CHECK(fails("--data all.csv,k=k.csv lr=1 q=4", 2, "no scalar input"));
    CHECK(fails("--data all.csv lr=1", 2, "give --data k=FILE"));
    CHECK(fails("--data x=x.csv,k=k.csv lr=1", 2, "the input z has no data"));
    CHECK(fails("--data all.csv --data x.csv lr=1", 2, "two files"));
    CHECK(fails("--data all.csv,lr=k.csv", 2, "scalar"));
    CHECK(fails("--data none.csv,k=k.csv lr=1", 3, "none.csv: "));
    CHECK(fails("--data x.csv,k=k.csv lr=1", 3,
                "x.csv: 2 columns, but the inputs take 6: x 2, z 2, c 1, y 1"));
    CHECK(fails("--data all.csv,k=x.csv lr=1", 3, "x.csv: 40 numbers, but the input k takes 2"));
    CHECK(fails("--data all.csv,k=k.csv lr=1 --log=/no/such/dir/log.csv", 3,
                "/no/such/dir/log.csv: "));
    CHECK(fails("--data x=k.csv,z=z.csv,c=c.csv,y=y.csv,k=k.csv lr=1", 3,
                "k.csv: 1 columns, but the inputs take 2: x 2"));
    write_text("two.csv", "1,2\n3,4\n");
    CHECK(fails("--data x=two.csv,z=z.csv,c=c.csv,y=y.csv,k=k.csv lr=1", 3,
                "two.csv has 2 rows, z.csv has 20"));
    write_text("bad.csv", "x,x,z,z,c,y\n1,2,3,4,2,5\n1,2,3,4,3,5\n");
    CHECK(fails("--data bad.csv,k=k.csv lr=1", 3,
                "bad.csv:3:9: c is 3, but must be a whole number in [0, 3)"));
    write_text("bad.csv", "1,2,3,4,1.5,5\n");
    CHECK(fails("--data bad.csv,k=k.csv lr=1", 3, "bad.csv:1:9: c is 1.5"));
    CHECK(fails("--data all.csv,k=k.csv lr=1e9 --epochs 100", 1, "; training stopped"));
    CHECK(strstr(err, "error: step "));
}

/* Options that are wrong, each by itself: the status, and what the message says. */
static void test_options(void)
{
    static const char *const wrong[][2] = {
        {"--skip-rows x", "--skip-rows takes a whole number from 0 on"},
        {"--delimiter 1", "--delimiter cannot be '1'; it is a character, tab or space"},
        {"--delimiter ab", "--delimiter cannot be 'ab'"},
        {"--delimiter=", "--delimiter cannot be ''"},
        {"--missing all", "--missing cannot be 'all'; it is error, drop or mean"},
        {"--scale x", "--scale takes NAME=X, where X is a number or as 1/255"},
        {"--scale x=", "--scale takes NAME=X"},
        {"--scale x=1/", "--scale takes NAME=X"},
        {"--scale x=1/0", "--scale takes NAME=X"},
        {"--scale x=0", "--scale takes NAME=X"},
        {"--scale x=2y", "--scale takes NAME=X"},
        {"--scale lr=2", "--scale lr: the model line has no such input of rows"},
        {"--scale x=2,q=3", "--scale q: the model line has no such input of rows"},
        {"--standardize q", "--standardize q: the model line has no such input of rows"},
        {"--standardize x,x", "--standardize: the input x is scaled twice"},
        {"--standardize c lr=1", "the input c has whole numbers: it cannot be scaled"},
        {"--data-memory many", "--data-memory takes a number of bytes, as 64M"},
        {"--data-memory 5MB", "--data-memory takes a number of bytes"},
        {"--data-memory -1K", "--data-memory takes a number of bytes"},
        {"--split 0.5", "--split takes two or three shares, such as 0.7,0.15,0.15"},
        {"--split 0.9,0.9", "of at most 1 in all"},
        {"--split 0.5,0.2,0.1,0.1", "--split takes two or three shares"},
        {"--split 0.5,x", "--split takes two or three shares"},
        {"--val-split 1", "--val-split takes a share between 0 and 1"},
        {"--val-split 0.2,0.2", "--val-split takes a share between 0 and 1"},
        {"--split 0.5,0.5 --val-split 0.5", "--val-split: the data is split already"},
        {"--split 0.5,0.5 --folds 2", "data that is split does not go with --folds"},
        {"--split 0.5,0.5 --val all.csv", "data that is split does not go with --val"},
        {"--folds 1", "--folds takes a whole number from 2 on"},
        {"--folds 1000000", "--folds takes at most"},
        {"--folds 2 --grid lr=1,2", "--folds and --grid do not go together"},
        {"--folds 2 --log log.csv", "--folds measures and keeps nothing"},
        {"--folds 2 --curve", "--folds measures and keeps nothing"},
        {"--grid lr=1,2 --curve", "--grid is several trainings"},
        {"--grid q=1", "--grid q=1: the model line has no scalar input of that name"},
        {"--grid x=1", "--grid x=1: the model line has no scalar input of that name"},
        {"--find-rate c", "--find-rate c: the model line has no scalar input of that name"},
        {"--find-rate q", "--find-rate q: the model line has no scalar input of that name"},
        {"--find-rate lr --folds 2", "--find-rate does not train"},
        {"--find-rate lr --log log.csv", "--find-rate does not train"},
        {"--set lr", "--set takes NAME=X"},
        {"--seed -1", "--seed takes a whole number from 0 on"},
        {"--threads 0", "--threads takes a whole number from 1 on"},
        {"--threads 1000000", "--threads takes at most"},
        {"--checkpoint 5 lr=1", "--checkpoint wants --save or --resume"},
        {"--checkpoint 5m lr=1", "--checkpoint wants --save or --resume"},
        {"--checkpoint 5d", "--checkpoint takes a time, as 30s, 5m or 1h"},
        {"--max-time 0", "--max-time takes a time"},
        {"--max-time soon", "--max-time takes a time"},
        {"--max-time 2hh", "--max-time takes a time"},
        {"--tolerance -1", "--tolerance takes a number from 0 on"},
        {"--tolerance 1x", "--tolerance takes a number from 0 on"},
        {"--curve=c.gif", "--curve draws .svg or .png, not c.gif"},
        {"--assess=c", "--assess draws .svg or .png, not c"},
        {"--boundary b.txt", "--boundary draws .svg or .png, not b.txt"},
        {"--map a=b lr=1", "--map wants --load or --save"},
        {"--diagnostics xml", "--diagnostics cannot be 'xml'; it is text or json"},
        {"--resume r.npz --load r.npz", "--resume loads and saves"},
        {"--resume r.npz --save r.npz", "--resume loads and saves"},
        {"--epochs", "--epochs takes a number"},
        {"--map", "--map takes a file or pairs"},
        {"--diagnostics", "--diagnostics takes a form"},
        {"--delimiter", "--delimiter takes a value"},
        {"--log", "--log takes a file"},
        {"--quiet=1", "unknown argument: --quiet=1"},
        {"--no-such", "unknown argument: --no-such"},
        {"word", "unknown argument: word"},
        {"lr=1e", "lr=1e: not a number"},
        {"--assess lr=1", "--assess wants an output for each row"},
        {"--boundary b.svg lr=1", "--boundary wants a model with an output for each row"},
    };
    size_t i;
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char arguments[200];
        snprintf(arguments, sizeof arguments, "--data all.csv,k=k.csv %s", wrong[i][0]);
        CHECK(fails(arguments, 2, wrong[i][1]));
    }
    CHECK(fails("--split 0.5,0.5", 2, "there is no --data to be split"));
    CHECK(
        fails("--data all.csv,k=k.csv lr=1 --batch 2 --val-split 0.001", 2, "too few to be split"));
    CHECK(run_line("--data all.csv,k=k.csv lr=0.1 --epochs 1 --diagnostics json --q") == 2 &&
          strstr(err, "{\"severity\": \"error\", \"message\": \"unknown argument: --q\""));
}

/* Tables in other forms: separators, lines that are skipped, times and sizes with units. */
static void test_forms(void)
{
    char first[sizeof out];
    CHECK(run_line("--data all.csv,k=k.csv lr=0.1 --epochs 2 --quiet") == 0);
    memcpy(first, out, sizeof out);
    CHECK(run_line("--data x=x.csv,z=z.csv,c=c.csv,y=y.csv,k=k.csv lr=0.1 --epochs 2 --quiet "
                   "--data-memory 1M --max-time 5m --tolerance 0") == 0);
    CHECK(strcmp(out, first) == 0);
    CHECK(run_line("--data all.csv,k=k.csv lr=0.1 --epochs 9 --quiet --max-steps 6 --max-time 1h "
                   "--set lr=0.1 --delimiter ,") == 0);
    CHECK(strcmp(out, first) == 0);
    CHECK(run_line("--data all.csv,k=k.csv lr=1e-9 --epochs 50 --tolerance 0.5") == 0 &&
          strstr(err, "Epoch 11/50") && !strstr(err, "Epoch 13/50"));
    write_text("tabs.csv", "# a title\nx0\tx1\tz0\tz1\tc\ty\n1\t2\t3\t4\t2\t5\n1\t2\t3\t4\t0\t5\n");
    write_text("kt.csv", "# a title\n2\n1\n");
    CHECK(run_line(
              "--data tabs.csv,k=kt.csv lr=0 --epochs 1 --quiet --skip-rows 1 --delimiter tab") ==
              0 &&
          strstr(out, "odd: 2\n"));
    write_text("rows.csv", "1 2 3 4 2 5\n1 2 3 4 0 5\n");
    CHECK(
        run_line("--data rows.csv,k=k.csv lr=0 --epochs 1 --quiet --no-header --delimiter space") ==
            0 &&
        strstr(out, "odd: 2\n"));
    CHECK(run_line("--data rows.csv,k=k.csv --grid lr=0,0.001 --epochs 1 --quiet") == 0);
    CHECK(run_line("--data all.csv,k=k.csv --find-rate lr --seed 3") == 0 &&
          strncmp(out, "lr: ", 4) == 0);
    CHECK(run_line("--data all.csv,k=k.csv lr=0.01 --epochs 2 --folds 4 --scale x=1/2") == 0);
    CHECK(run_line("--data all.csv,k=k.csv lr=0.01 --epochs 2 --val-split 0.25 --standardize x,z "
                   "--curve --keep-best --patience 1") == 0);
    CHECK(
        run_line(
            "--data all.csv,k=k.csv lr=0.01 --epochs 2 --split 0.5,0.25,0.25 --threads 1 --save s.npz "
            "--checkpoint 2") == 0);
    CHECK(run_line(
              "--data all.csv,k=k.csv lr=0.01 --epochs 3 --split 0.5,0.25,0.25 --resume s.npz") ==
          0);
    CHECK(fails(
        "--data all.csv,k=k.csv lr=0.01 --epochs 3 --resume s.npz", 2,
        "its training has rows of data, in number 10, and not 20: --resume continues it as it was"));
    CHECK(fails("--data all.csv,k=k.csv lr=0.01 --load none.npz", 3, "none.npz: "));
}

/* Labels that are words: what is compared, drawn and predicted. */
static void test_words(void)
{
    char text[4096];
    write_text("words.csv",
               "a;b;t\n1;0;red\n0;1;green\n-1;-1;\"deep; \"\"blue\"\"\"\n2;0;red\n0;2;green\n"
               "-2;-1;\"deep; \"\"blue\"\"\"\n");
    CHECK(
        run_model(&kind_model,
                  "--data words.csv --epochs 200 --quiet --assess --boundary b.svg --save k.npz") ==
        0);
    CHECK(strstr(out, "red") && strstr(out, "green") && strstr(out, "deep; \"blue\"") &&
          strstr(out, "precision"));
    read_text("b.svg", text, sizeof text);
    CHECK(strstr(text, "<svg") && strstr(text, "<rect"));
    CHECK(run_model(&kind_model,
                    "eval --data words.csv --load k.npz --assess=a.svg --boundary b.png") == 0 &&
          strstr(out, "J: "));
    CHECK(run_model(&kind_model, "eval --data words.csv --split 0.5,0.5 --load k.npz") == 0);
    CHECK(run_model(&kind_model, "predict --data words.csv --load k.npz") == 0);
    CHECK(strstr(out, "green,red,t\n"));
    CHECK(strstr(out, ",red\n") && strstr(out, ",green\n") &&
          strstr(out, ",\"deep; \"\"blue\"\"\"\n"));
    write_text("places.csv", "1,0\n0,1\n-1,-1\n");
    CHECK(run_model(&kind_model, "predict --data places.csv --load k.npz -o p.csv --no-header") ==
              0 &&
          !*out);
    read_text("p.csv", text, sizeof text);
    CHECK(strstr(text, ",red\n") && strstr(text, ",green\n"));
    CHECK(run_model(&kind_model, "predict --data places.csv --load k.npz -o p.npz") == 0);
    CHECK(run_model(&kind_model, "predict --data places.csv --load k.npz -o p.safetensors") == 0);
    CHECK(run_model(&kind_model, "predict --data places.csv --load k.npz -o /no/such/p.csv") == 3);
    CHECK(run_model(&kind_model, "predict --load k.npz") == 2 && strstr(err, "no data"));
    CHECK(run_model(&kind_model, "predict --data places.csv --missing drop") == 2 &&
          strstr(err, "--missing=drop would leave out some"));
    CHECK(run_model(&kind_model, "eval --data places.csv --epochs 3") == 2 &&
          strstr(err, "unknown argument: --epochs"));
    CHECK(run_model(&line_model, "predict --data all.csv") == 2 &&
          strstr(err, "has nothing to predict: no output"));
    write_text("other.csv", "a;b;t\n1;0;yellow\n");
    CHECK(run_model(&kind_model, "eval --data other.csv --load k.npz") == 3 &&
          strstr(err, "other.csv:2:5: 'yellow' is none of the 3 words that training knew for t"));
    write_text("four.csv", "a;b;t\n1;0;i\n1;0;j\n1;0;k\n1;0;l\n");
    CHECK(run_model(&kind_model, "--data four.csv") == 3 &&
          strstr(err, "4 different words, but t has 3 classes"));
    CHECK(run_model(&kind_model, "eval --help") == 0 && strstr(out, "--assess"));
    CHECK(run_model(&kind_model, "predict --help") == 0 && !strstr(out, "--epochs"));
}

/* The k-th call of the system fails, for every k: an error that says so, or the same results. */
static void test_faults(void)
{
    static const struct {
        const ngrt_model *model;
        const char *arguments;
    } runs[] = {
        {&line_model,
         "--data few.csv,k=k.csv lr=0.01 --epochs 1 --val few.csv,k=k.csv --standardize x "
         "--keep-best --patience 3 --log log.csv --curve --save f.npz --checkpoint 1"},
        {&line_model, "--data few.csv,k=k.csv lr=0.01 --epochs 2 --standardize x --resume f.npz"},
        {&line_model,
         "--data x=x.csv,z=z.csv,c=c.csv,y=y.csv,k=k.csv --grid lr=0.01,0.1 --epochs 1 "
         "--val-split 0.5"},
        {&line_model, "--data few.csv,k=k.csv lr=0.01 --epochs 1 --folds 2 --missing mean"},
        {&line_model, "--data few.csv,k=k.csv --find-rate lr --quiet"},
        {&kind_model, "eval --data words.csv --load k.npz --assess"},
        {&kind_model, "predict --data words.csv --load k.npz -o p.csv"},
        {&kind_model, "predict --data words.csv --load k.npz -o p.npz"},
    };
    size_t i;
    write_text("few.csv", "x0,x1,z0,z1,c,y\n1,2,3,4,2,5\n1,3,3,4,0,5\n2,2,3,4,1,4\n0,1,3,4,0,5\n");
    for (i = 0; i < sizeof runs / sizeof *runs; i++) {
        int failed = 0, status = -1, ran = 0;
        for (fault = 1; fault < 1500 && !(ran && fault_left); fault++) {
            status = run_model(runs[i].model, runs[i].arguments);
            ran = 1;
            failed += status != 0;
            CHECK(status == 0 || status == 1 || status == 3);
            CHECK(status == 0 || strstr(err, "error: "));
        }
        fault = 0;
        CHECK(status == 0 && fault_left && failed > 20);
    }
}

int main(void)
{
    write_data(20);
    test_training();
    test_means();
    test_values();
    test_full();
    test_defaults();
    test_failures();
    test_options();
    test_forms();
    test_words();
    test_faults();
    return check_end("train");
}
