/* tune.c - `--weights` where something is trained: which params are, and the model compiled again
 * with all others as constants.
 *
 * The names of weights are known only when the text was executed. So it is executed once to learn
 * them, and once more with the numbers of the params that are constants (Options.frozen). Then
 * weights.c gives the variables their elements. */
#include "tool/tool.h"

typedef struct Tune {
    Ngc *ngc;
    const Model *m; /* the model without constants */
    bool *chosen;   /* by Var.index: a param that is trained */
} Tune;

static bool is_param(const Var *v)
{
    return v->kind == VAR_PARAM;
}

static int count_chosen(const Tune *t)
{
    int n = 0;
    for (int i = 0; i < t->m->vars; i++)
        n += t->chosen[i];
    return n;
}

/* ---- which params ---- */

/* "; did you mean 'head.W'?", or nothing. */
static const char *guess_param(const Tune *t, const char *pattern)
{
    Ngc *ngc = t->ngc;
    const char **name = arena_array(ngc, t->m->vars + 1, sizeof *name);
    int names = 0;
    for (int i = 0; i < t->m->vars; i++)
        if (is_param(t->m->var[i]))
            name[names++] = t->m->var[i]->name;
    const char *guess = suggest(ngc, pattern, name, names);
    if (!guess)
        return "";
    return text_format(ngc, "; did you mean '%s'?", guess);
}

/* Those that the patterns of an option mean. False with a message: one means none. */
static bool choose_by_name(Tune *t, const char *option, const char **pattern, int patterns)
{
    for (int k = 0; k < patterns; k++) {
        bool found = false;
        for (int i = 0; i < t->m->vars; i++) {
            const Var *v = t->m->var[i];
            if (!is_param(v) || !name_matches(v->name, pattern[k]))
                continue;
            found = t->chosen[i] = true;
        }
        if (!found) {
            complain(t->ngc, "%s: no param is called '%s'%s", option, pattern[k],
                     guess_param(t, pattern[k]));
            return false;
        }
    }
    return true;
}

/* Does the model change this param? */
static bool is_changed(const Model *m, const Var *v)
{
    for (int i = 0; i < m->roots; i++) {
        const Root *r = &m->root[i];
        bool changes = r->kind == ROOT_UPDATE || (r->kind == ROOT_GRAD && r->group >= 0);
        if (changes && r->var == v)
            return true;
    }
    return false;
}

/* Those that the model changes; all, if it has no minimize. */
static void choose_by_text(Tune *t)
{
    for (int i = 0; i < t->m->vars; i++) {
        const Var *v = t->m->var[i];
        t->chosen[i] = is_param(v) && (t->m->groups == 0 || is_changed(t->m, v));
    }
}

/* Without --train, the text says what is trained. */
static bool choose(Tune *t)
{
    const Options *opt = &t->ngc->opt;
    if (!opt->train_given)
        choose_by_text(t);
    return choose_by_name(t, "--train", opt->train, opt->trains) &&
           choose_by_name(t, "--fresh", opt->fresh, opt->freshes);
}

/* Is any of them changed by a minimize? With a message. */
static bool check_chosen(const Tune *t)
{
    for (int i = 0; i < t->m->vars; i++)
        if (t->chosen[i] && is_changed(t->m, t->m->var[i]))
            return true;
    if (t->m->groups == 0)
        return true;
    complain(t->ngc, "--train: no minimize of the model is over what it names");
    return false;
}

/* ---- the model ---- */

/* Executes the text again, with constants. */
static Model *compile_again(Tune *t, int file)
{
    Ngc *ngc = t->ngc;
    const Source text = *ngc->file[file];
    bool *frozen = arena_array(ngc, t->m->vars + 1, sizeof *frozen);
    int params = 0;

    for (int i = 0; i < t->m->vars; i++)
        if (is_param(t->m->var[i]))
            frozen[params++] = !t->chosen[i];
    ngc->opt.frozen = frozen;
    ngc->opt.params = params;

    source_restart(ngc); /* its messages come once more */
    return model_compile(ngc, source_add(ngc, text.name, text.text, (size_t)text.size, false));
}

/* Only a minimize that does not name all params says that the others are constants. */
static bool leaves_out(Tune *t)
{
    int params = 0;
    for (int i = 0; i < t->m->vars; i++)
        params += is_param(t->m->var[i]);
    return t->m->over && count_chosen(t) < params;
}

Model *tune_model(Ngc *ngc, Model *m, int file, Command command, int *status)
{
    Tune t = {.ngc = ngc, .m = m};
    t.chosen = arena_array(ngc, m->vars + 1, sizeof *t.chosen);
    *status = 2;

    bool named = ngc->opt.trains + ngc->opt.freshes > 0;
    ngc->opt.as_saved = !named && (command == C_RUN || command == C_CHECK || command == C_EXPLAIN);
    if (!choose(&t) || (named && !check_chosen(&t)))
        return NULL;

    bool asked = named || (!ngc->opt.train_given && leaves_out(&t));
    if ((command == C_COMPILE || command == C_LIBRARY) && !asked)
        return m;

    *status = 1;
    return compile_again(&t, file);
}
