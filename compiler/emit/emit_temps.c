/* emit_temps.c - the temporaries of a kernel: values that are used twice, long ones, and
 * loop-invariant ones. A level is a number of open loops: a temporary of level 1 is declared within
 * the first loop. */
#include "emit/emit.h"

enum { CUT = 12 }; /* operators in one expression */

const char *temp_new(Printer *pr)
{
    return print_format(pr, "t%d", pr->apart ? pr->temps++ : pr->b->temps++);
}

/* v is used at this level: with that many loops open. */
static void note_user(const Val *v, int level, int *wanted, Val *const *val, int vals)
{
    for (int i = 0; v && i < vals; i++)
        if (val[i] == v && level > wanted[i])
            wanted[i] = level;
}

/* By index of the value: the innermost level at which it is used. */
static const int *wanted_levels(const Printer *pr)
{
    const Kernel *k = pr->k;
    int *wanted = arena_array(pr->e->ngc, k->vals + 1, sizeof *wanted);

    /* users come after their operands */
    for (int i = k->vals - 1; i >= 0; i--) {
        const Val *user = k->val[i];
        for (int a = 0; a < 3; a++)
            note_user(user->arg[a], user->level, wanted, k->val, i);
    }
    for (int s = 0; s < k->stores; s++)
        note_user(k->store[s].val, k->axes, wanted, k->val, k->vals);
    return wanted;
}

/* A vector form may use an operand twice, and such a form cannot be within another. So the value
 * and its operands get names. */
static void name_operands(Val *v)
{
    if (!op_has(v->op, F_MACRO))
        return;

    /* an empty name is a wish: the declaration gives it one */
    if (!op_info[v->op]->test)
        v->temp = "";

    for (int i = 0; i < 3 && v->arg[i]; i++) {
        Val *arg = v->arg[i];
        bool is_condition = i == 0 && op_has(v->op, F_CONDITION) && op_info[arg->op]->test;
        if (arg->kind == V_OP && arg->uses > 0 && !is_condition)
            arg->temp = "";
    }
}

/* Operators in the text of a value; operands with a temporary have none. */
static int operators(const Val *v)
{
    int n = v->kind == V_OP;
    for (int a = 0; a < 3; a++)
        if (v->arg[a] && !v->arg[a]->temp)
            n += v->arg[a]->ops;
    return n;
}

/* hoist: the value is computed outside of the loop that uses it. */
static bool wants_temp(const Printer *pr, const Val *v, bool hoist)
{
    if (v->uses == 0)
        return false;
    if (v->kind == V_OP)
        return v->uses > 1 || v->ops > CUT || hoist;
    /* compilers may not hoist a load over stores that might overlap */
    return v->kind == V_LOAD && hoist && !place_is_number(program_place(pr->p, v->node), v->node);
}

/* Chooses which values get a temporary. Its name is empty until it is declared. */
static void choose_temps(Printer *pr)
{
    const Kernel *k = pr->k;
    const int *wanted = wanted_levels(pr);

    for (int i = 0; i < k->vals; i++) {
        Val *v = k->val[i];
        v->temp = NULL;
        v->test = NULL;
        v->ops = operators(v);
        if (wants_temp(pr, v, pr->apart && v->level < wanted[i]))
            v->temp = "";
        if (k->vector && v->kind == V_OP && v->uses > 0 && val_is_inner(k, v))
            name_operands(v);
    }

    /* Everything is computed before anything is stored: a store may overwrite what is loaded. */
    if (k->kind == K_LOOP && k->stores > 1)
        for (int s = 0; s < k->stores; s++)
            if (k->store[s].val->kind != V_CONST)
                k->store[s].val->temp = "";
}

/* Can the test of a guard be hoisted to this level? Only if it is of loop variables: a load may
 * itself be guarded. */
static bool is_test(const Printer *pr, const Val *v, int level)
{
    if (!pr->apart || v->kind != V_GUARD || !v->live)
        return false;
    bool hoisted = level > 0 && v->test_level == level && v->level > level;
    return hoisted && v->at->parts == 0;
}

/* Declares the test of guard number i, or takes an equal one of an earlier guard. */
static void declare_test(Printer *pr, Val *v, int i)
{
    /* padding along two axes asks the same of several values */
    for (int j = 0; j < i; j++) {
        const Val *w = pr->k->val[j];
        if (!is_test(pr, w, v->test_level))
            continue;
        if (w->size == v->size && w->span == v->span && index_equal(w->at, v->at)) {
            v->test = w->test;
            return;
        }
    }

    const char *text = print_test(pr, v);
    v->test = temp_new(pr);
    print_line(pr, "const int %s = %s;", v->test, text);
}

/* Declares the temporaries of a level: those that can be computed with that many loops open. */
void temps_declare(Printer *pr, int level)
{
    for (int i = 0; i < pr->k->vals; i++) {
        Val *v = pr->k->val[i];
        if (is_test(pr, v, level))
            declare_test(pr, v, i);
        if (v->level != level || v->temp == NULL)
            continue;
        /* else its own text would be its name */
        v->temp = NULL;
        const char *text = print_val(pr, v).text;
        v->temp = temp_new(pr);
        print_line(pr, "const %s %s = %s;", print_val_type(pr, v), v->temp, text);
    }
}

void print_temps(Printer *pr)
{
    choose_temps(pr);
    temps_declare(pr, 0);
}

/* Temporaries from this level on belonged to another copy of the loops. */
void temps_forget(Printer *pr, int level)
{
    for (int i = 0; i < pr->k->vals; i++)
        if (pr->k->val[i]->temp && pr->k->val[i]->level >= level)
            pr->k->val[i]->temp = "";
}

/* Does level have temporaries to declare? Then its loop needs braces. */
bool temps_any(const Printer *pr, int level)
{
    for (int i = 0; i < pr->k->vals; i++) {
        const Val *v = pr->k->val[i];
        if ((v->level == level && v->temp) || is_test(pr, v, level))
            return true;
    }
    return false;
}
