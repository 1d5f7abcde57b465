/* run_check.c - `ngc check`: a comparison of each derivative with differences, by the reference
 * interpreter in double precision. */
#include "run/run_values.h"

#include "../runtime/ngrt.h"
#include <math.h>
#include <string.h>

/* One gradient being checked: J as a function of x along a direction. */
typedef struct Probe {
    Run *r;
    const Root *root;
    double *x;         /* where the interpreter reads x */
    double *at;        /* a copy of x as it was given */
    double *direction; /* of the step from there */
    double *gradient;  /* of J by x, there */
    double loss;       /* J there */
    double scale;      /* of errors: the largest slope by one element */
    int64_t count;     /* elements of x */
} Probe;

/* The loss with x moved by h along the direction. The graph as the user wrote it is evaluated, not
 * the simplified one. */
static double probe_loss(Probe *p, double h)
{
    Eval *e = p->r->e;
    Node *x = p->root->x;
    eval_forget(e);
    for (int64_t i = 0; i < p->count; i++)
        p->x[i] = p->at[i] + h * p->direction[i];

    if (x->op != OP_var) { /* a value in the middle: given, not computed */
        e->value[x->id] = p->x;
        e->known[x->id] = true;
    }
    return *eval_node(e, p->root->loss);
}

enum Verdict { GOOD, WRONG, KINK };
enum Side { LEFT, RIGHT };

/* Central differences with steps h and 2h, combined so that the error is of fourth order
 * (Richardson); and the slopes to the two sides by the same points, with errors of second order. */
static double probe_slope(Probe *p, double h, double side[2])
{
    double up = probe_loss(p, h) - p->loss;
    double far_up = probe_loss(p, 2 * h) - p->loss;
    double down = p->loss - probe_loss(p, -h);
    double far_down = p->loss - probe_loss(p, -2 * h);

    double one = (up + down) / (2 * h);
    double two = (far_up + far_down) / (4 * h);
    side[LEFT] = (4 * down - far_down) / (2 * h);
    side[RIGHT] = (4 * up - far_up) / (2 * h);
    /* errors of h^2 cancel: (4 D(h) - D(2h)) / 3 */
    return (4 * one - two) / 3;
}

/* Is the slope at the smaller step the gradient, or nearer to it than the slope at the larger step?
 */
static bool approaches(double wide, double close, double gradient, double slack)
{
    double error = fabs(close - gradient);
    return error <= slack || error <= 0.5 * fabs(wide - gradient);
}

/* Is a slope to one side undefined, or larger and larger as h shrinks? */
static bool diverges(double wide, double close, double slack)
{
    return isnan(close) || (fabs(close) > slack && fabs(close) > 2 * fabs(wide));
}

/* Are there two slopes, and the gradient between them? Where there is only one slope, the two sides
 * approach it as h shrinks. */
static bool is_between(const double *wide, const double *close, double gradient, double slack)
{
    double apart = fabs(close[RIGHT] - close[LEFT]);
    if (!(apart > slack) || !(apart > 0.3 * fabs(wide[RIGHT] - wide[LEFT])))
        return false;
    return gradient >= fmin(close[LEFT], close[RIGHT]) - slack &&
           gradient <= fmax(close[LEFT], close[RIGHT]) + slack;
}

/* Is this a kink, a jump or the edge of what the loss is defined on, and is the gradient right for
 * it? At a kink the gradient is between the slopes to the two sides. At an edge or a jump it is the
 * slope to the other side, or infinite as a slope is. Where both sides jump, any gradient is right.
 */
static bool probe_is_kink(Probe *p, double gradient, double scale)
{
    double slack = 1e-6 * scale + 1e-9 * fabs(p->loss);
    if (isinf(p->loss))
        return true;
    if (isnan(p->loss) || isnan(gradient))
        return false;

    double wide[2], close[2];
    bool away[2];
    /* two steps show whether slopes approach a value or grow as h shrinks */
    probe_slope(p, 1e-4, wide);
    probe_slope(p, 1e-5, close);
    for (int side = LEFT; side <= RIGHT; side++)
        away[side] = diverges(wide[side], close[side], slack);

    if (away[LEFT] && away[RIGHT])
        return !isnan(close[LEFT]) || !isnan(close[RIGHT]);
    if (away[LEFT])
        return approaches(wide[RIGHT], close[RIGHT], gradient, slack);
    if (away[RIGHT])
        return approaches(wide[LEFT], close[LEFT], gradient, slack);
    return is_between(wide, close, gradient, slack);
}

/* Does the slope agree with the gradient, by one of three steps? Near a kink only the small ones
 * do, and next to a jump of the curvature the slopes to both sides. Raises *worst to the error,
 * except at a kink. */
static enum Verdict probe_judge(Probe *p, double gradient, double scale, double *worst)
{
    double best = INFINITY;
    scale = fmax(scale, 1e-12);

    for (double h = 1e-3; h > 1e-8; h *= 0.03) {
        double side[2];
        double slope = probe_slope(p, h, side);
        double error = fabs(slope - gradient) / scale;
        double left = fabs(side[LEFT] - gradient) / scale;
        double right = fabs(side[RIGHT] - gradient) / scale;
        bool smooth = left <= 1e-5 && right <= 1e-5;

        if (isnan(slope) && isnan(gradient))
            error = 0;
        else if (h == 1e-3 && !smooth && probe_is_kink(p, gradient, scale))
            return KINK;
        best = fmin(best, error);
        if (smooth)
            best = fmin(best, fmax(left, right));
        if (best < 1e-7)
            break;
    }
    *worst = fmax(*worst, best);
    return best < 1e-6 ? GOOD : WRONG;
}

enum { SAMPLES = 24 };

/* What came of one gradient's places. */
typedef struct Count {
    int of[KINK + 1]; /* by verdict */
    double worst;     /* the largest relative error */
    bool held;        /* what the loss has in stop(..) was not moved */
} Count;

static Probe probe_new(Run *r, const Root *root)
{
    Ngc *ngc = r->ngc;
    Eval *e = r->e;
    Node *x = root->x;
    Probe p = {.r = r, .root = root, .count = eval_count(e, x->shape)};
    size_t size = (size_t)p.count * sizeof(double);

    /* the values here, before anything is changed */
    run_ready(r);
    p.gradient = arena_copy(ngc, eval_node(e, root->node), size);
    p.loss = *eval_node(e, root->loss);
    p.at = arena_copy(ngc, eval_node(e, x), size);

    p.direction = arena_alloc(ngc, size);
    if (x->op == OP_var)
        p.x = r->var[x->attr.var->index];
    else
        p.x = arena_alloc(ngc, size);

    p.scale = 1e-6 * fabs(p.loss);
    for (int64_t i = 0; i < p.count; i++)
        if (isfinite(p.gradient[i]))
            p.scale = fmax(p.scale, fabs(p.gradient[i]));
    return p;
}

/* Compares the gradient at sampled elements, in a small tensor at all of them. */
static void check_elements(Probe *p, Count *count)
{
    for (int64_t k = 0; k < p->count && k < SAMPLES; k++) {
        int64_t i = k;
        if (p->count > SAMPLES)
            /* spread over the tensor by the golden ratio of 2^32 */
            i = (int64_t)((uint64_t)k * 2654435761u % (uint64_t)p->count);
        p->direction[i] = 1;
        count->of[probe_judge(p, p->gradient[i], p->scale, &count->worst)]++;
        p->direction[i] = 0;
    }
}

/* Compares the gradient along one random direction. */
static void check_direction(Probe *p, Count *count)
{
    double slope = 0;
    ngrt_normal(p->direction, (size_t)p->count, 7, 0, 0, 1);
    /* the slope along a direction d is gradient . d: one probe covers all elements */
    for (int64_t i = 0; i < p->count; i++)
        slope += p->gradient[i] * p->direction[i];
    count->of[probe_judge(p, slope, fmax(p->scale, fabs(slope)), &count->worst)]++;
}

static Count check_places(Probe *p)
{
    Count count = {0};

    check_elements(p, &count);
    if (p->count > SAMPLES)
        check_direction(p, &count);
    return count;
}

/* The same with the values of stop(..) as they are at the place itself: for the derivative, they
 * are constants. false: there are none. */
static bool check_held(Probe *p, Count *count)
{
    Eval *e = p->r->e;
    eval_hold(e);
    probe_loss(p, 0);
    bool any = eval_holds(e);
    if (any)
        *count = check_places(p);
    count->held = any;
    eval_release(e);
    return any;
}

static Count check_root(Run *r, const Root *root)
{
    Probe p = probe_new(r, root);
    double *room = r->e->value[root->x->id];

    /* stop(..) of the library does not change a slope, so it is not held at first */
    Count count = check_places(&p);
    Count held = count;
    if (count.of[WRONG] && check_held(&p, &held) && !held.of[WRONG])
        count = held;

    /* x as it was, for the gradients that are checked after this one */
    memcpy(p.x, p.at, (size_t)p.count * sizeof *p.x);
    r->e->value[root->x->id] = room;
    return count;
}

/* given: rules of the user are in it, which need not be slopes */
static void print_count(Text *out, const char *name, const Count *c, bool given)
{
    int smooth = c->of[GOOD] + c->of[WRONG];
    text_add(out, "%s: ", name);
    if (c->of[WRONG] && given)
        text_add(out, "not the slope at %d of %d places", c->of[WRONG], smooth);
    else if (c->of[WRONG])
        text_add(out, "WRONG at %d of %d places", c->of[WRONG], smooth);
    else
        text_add(out, "ok%s", text_if(c->held, " with the values of stop held"));
    text_add(out, ", largest relative error %.1e", c->worst);
    if (!c->of[WRONG])
        text_add(out, " at %d places", smooth);
    if (c->of[KINK])
        text_add(out, ", %d at a kink", c->of[KINK]);
    text_add(out, "\n");
}

/* A derivative differs from differences. If a def gives a rule that is in it, this is for the user
 * to judge: says so. Else it is a fault of ngc. */
static bool is_given(const Run *r, const Root *root)
{
    Loc first;
    const char *names = given_names(r->m->graph, root->loss, root->x, &first);
    if (names)
        diag(r->ngc, SEV_NOTE, NO_CODE, first,
             "%s follows the rules %s, and is not the slope of differences", root->name, names);
    return names != NULL;
}

int check_main(Ngc *ngc, Model *m, char **assign, int count, Text *out)
{
    Run *r = run_new(ngc, m);
    r->out = out;
    int failed = 0, derivatives = 0, given = 0;
    int status = run_start(r, assign, count, true);
    if (status != 0)
        return status;

    for (int i = 0; i < m->roots; i++) {
        if (m->root[i].kind != ROOT_GRAD)
            continue;
        Count c = check_root(r, &m->root[i]);
        bool by_user = c.of[WRONG] > 0 && is_given(r, &m->root[i]);
        derivatives++;
        given += by_user;
        failed += c.of[WRONG] > 0 && !by_user;
        print_count(out, m->root[i].name, &c, by_user);
    }

    if (!derivatives)
        diag(ngc, SEV_NOTE, NO_CODE, (Loc){.file = -1}, "the model asks for no derivative");
    text_add(out, "%d derivatives, %d wrong", derivatives, failed);
    if (given)
        text_add(out, ", %d by rules of defs", given);
    text_add(out, "\n");
    return failed ? 1 : 0;
}
