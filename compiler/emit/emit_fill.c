/* emit_fill.c - pieces of C text: lines of code, sizes, and the records' texts with their operands
 * filled in. */
#include "emit/emit.h"

#include <string.h>

/* A size as a factor: in parentheses if it is a sum. */
const char *print_factor(Printer *pr, Size s)
{
    const char *text = emit_size(pr->e, s, &pr->dims);
    if (!strchr(text, ' '))
        return text;
    return text_format(pr->e->ngc, "(%s)", text);
}

const char *print_format(Printer *pr, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    const char *text = text_vformat(pr->e->ngc, f, args);
    va_end(args);
    return text;
}

/* One line of code. */
void print_line(Printer *pr, const char *f, ...)
{
    va_list args;
    va_start(args, f);
    text_add(pr->out, "%*s%s\n", 4 * pr->indent, "", text_vformat(pr->e->ngc, f, args));
    va_end(args);
}

/* An operand at c in a C text. Between parentheses and commas it may be anything, and beside an
 * operator of a macro, which is a comparison, a sum. Elsewhere it gets parentheses if it binds less
 * tightly, or if it is a minus after a minus. */
static const char *operand_text(Printer *pr, Part p, int prec, const char *start, const char *c)
{
    char before = '\0';
    if (c > start)
        before = c[-1];
    char after = c[2];
    char opener = before;
    if (before == ' ')
        opener = c[-2];

    bool beside_sign = before == ' ' && p.prec >= PREC_SUM;
    bool opened = opener == '(' || opener == ',' || beside_sign;
    bool closed = after == ')' || after == ',';
    if (p.prec == PREC_CALL || (prec == PREC_CALL && opened && closed))
        return p.text;

    /* a - (b - c): on the right of an operator, an equal one needs parentheses too */
    bool looser = p.prec < prec || (p.prec == prec && c > start) || p.prec < PREC_SUM;
    bool two_minus = p.text[0] == '-' && before == '-';
    if (looser || two_minus)
        return print_format(pr, "(%s)", p.text);
    return p.text;
}

Part print_cast(Printer *pr, const char *type, Part p)
{
    const char *f = p.prec >= PREC_UNARY ? "(%s)%s" : "(%s)(%s)";
    return (Part){print_format(pr, f, type, p.text), PREC_UNARY};
}

/* Fills in a record's C text: $a $b $c (or $x) the operands, $acc an accumulator, $t the type, @
 * the suffix of float functions. If a function of floats gives an int, the operands are cast to
 * double and the result to int. */
Part print_fill(Printer *pr, const char *c, int prec, Type type, const Part *arg, const char *acc,
                const char *suffix)
{
    Emit *e = pr->e;
    Text t = {.ngc = e->ngc};
    Text own = {.ngc = e->ngc}; /* without the operands, which may have any names */
    /* libm has no functions of ints */
    bool cast = type == T_INT && prec == PREC_CALL;
    const char *start = c;
    if (cast)
        text_add(&t, "(int32_t)");

    for (; *c; c++) {
        if (*c == '@') {
            text_add(&t, "%s", cast ? "" : suffix);
            text_add(&own, "%s", cast ? "" : suffix);
        } else if (*c != '$') {
            text_put(&t, c, 1);
            text_put(&own, c, 1);
        } else if (c[1] == 't') {
            text_add(&t, "%s", emit_type(e, type));
            c++;
        } else if (begins(c, "$acc")) {
            text_add(&t, "%s", acc);
            c += strlen("acc");
        } else {
            Part p = arg[c[1] == 'x' ? 0 : c[1] - 'a'];
            if (cast)
                text_add(&t, "%s", print_cast(pr, "double", p).text);
            else
                text_add(&t, "%s", operand_text(pr, p, prec, start, c));
            c++;
        }
    }
    /* the sections of the runtime that the record's text calls */
    emit_calls(e, text_or(own.at, ""));
    return (Part){t.at, cast ? PREC_UNARY : prec};
}

/* An index without a loop variable is an int in C, and does not wrap below 0. */
