/* mutate.c - small faults for a source file of the compiler, one at a time: a test suite that does
 * not notice one is weak.
 *
 *     mutate FILE         lists the mutants, a line each: number, line, what becomes what
 *     mutate FILE N       prints the file with the Nth
 *
 * Of op_*.c only the derivatives are changed: the rules that are text (signs, terms and factors
 * left out, operands exchanged, comparisons, numbers) and the functions back_...; of other files
 * all functions. In C: operators, conditions, numbers, neighbouring arguments, opposite names,
 * statements left out.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Mutant { /* text[at .. at + size) becomes to */
    size_t at, size;
    char to[200];
} Mutant;

typedef struct Mutants {
    const char *text;
    Mutant *one;
    int count, room;
} Mutants;

static void mutant(Mutants *m, const char *at, size_t size, const char *to)
{
    if (strlen(to) == size && memcmp(at, to, size) == 0)
        return;
    if (m->count == m->room) {
        m->room = 2 * m->room + 64;
        m->one = realloc(m->one, (size_t)m->room * sizeof *m->one);
        if (!m->one)
            exit(3);
    }
    Mutant *o = &m->one[m->count++];
    o->at = (size_t)(at - m->text);
    o->size = size;
    snprintf(o->to, sizeof o->to, "%s", to);
}

static int is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static size_t word_size(const char *p)
{
    size_t n = 0;
    while (is_letter(p[n]))
        n++;
    return n;
}

static int is_word(const char *p, const char *word)
{
    return word_size(p) == strlen(word) && strncmp(p, word, strlen(word)) == 0;
}

/* ---- rules ---- */

/* After the operand that starts at p: a factor, or for a sum all up to the next sign. */
static const char *operand_end(const char *p, const char *end, int of_sum)
{
    int depth = 0;
    while (p < end && *p == ' ')
        p++;
    for (const char *start = p; p < end; p++) {
        if (depth == 0 &&
            (*p == ')' || *p == ',' || (strchr(of_sum ? "+-<=" : "+-*/<= ^", *p) && p > start)))
            break;
        depth += (*p == '(') - (*p == ')');
    }
    while (p[-1] == ' ')
        p--;
    return p;
}

static int is_binary(const char *p, const char *start)
{
    while (p > start && p[-1] == ' ')
        p--;
    return p > start && (is_letter(p[-1]) || p[-1] == ')');
}

static void rule_operator(Mutants *m, const char *p, const char *start, const char *end)
{
    int sum = *p == '+' || *p == '-';
    if (!is_binary(p, start)) {
        mutant(m, p, 1, "");
        return;
    }
    mutant(m, p, 1, *p == '+' ? "-" : *p == '-' ? "+" : *p == '*' ? "/" : "*");
    const char *from = p > start && p[-1] == ' ' ? p - 1 : p;
    mutant(m, from, (size_t)(operand_end(p + 1, end, sum) - from), "");
}

/* A name or a number. */
static void rule_word(Mutants *m, const char *p, size_t n, int operands)
{
    char to[200];
    static const char *const pair[][2] = {{"sin", "cos"},   {"cos", "sin"}, {"sinh", "cosh"},
                                          {"cosh", "sinh"}, {"dy", "1"},    {"y", "a"},
                                          {"b", "a"}};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++)
        if (is_word(p, pair[i][0])) {
            mutant(m, p, n, pair[i][1]);
            return;
        }
    if (isdigit((unsigned char)*p)) {
        snprintf(to, sizeof to, "%d%.*s", *p - '0' + 1, (int)n - 1, p + 1);
        mutant(m, p, n, to);
    } else if (is_word(p, "a"))
        mutant(m, p, n, operands > 1 ? "b" : "y");
    else if (p[n] == '(' && !is_word(p, "where"))
        mutant(m, p, n, "");
}

/* where(c, x, y) with x and y exchanged. */
static void rule_where(Mutants *m, const char *p, const char *end)
{
    const char *part[4];
    char to[200];
    part[0] = p + strlen("where(");
    for (int i = 0; i < 3; i++) {
        int depth = 0;
        const char *q = part[i];
        while (q < end && (depth > 0 || (*q != ',' && *q != ')'))) {
            depth += (*q == '(') - (*q == ')');
            q++;
        }
        part[i + 1] = q + 1;
    }
    snprintf(to, sizeof to, "%.*s,%.*s", (int)(part[3] - 1 - part[2]), part[2],
             (int)(part[2] - 1 - part[1]), part[1]);
    mutant(m, part[1], (size_t)(part[3] - 1 - part[1]), to);
}

static void mutate_rule(Mutants *m, const char *start, const char *end, int operands)
{
    char to[200];
    snprintf(to, sizeof to, "-(%.*s)", (int)(end - start), start);
    mutant(m, start, (size_t)(end - start), to);
    for (const char *p = start; p < end; p++) {
        if (strchr("+-*/", *p))
            rule_operator(m, p, start, end);
        else if (*p == '<')
            mutant(m, p, 1 + (p[1] == '='), p[1] == '=' ? "<" : "<=");
        else if (strncmp(p, "==", 2) == 0) {
            mutant(m, p, 2, "!=");
            p++;
        } else if (is_letter(*p)) {
            size_t n = word_size(p);
            if (is_word(p, "where"))
                rule_where(m, p, end);
            rule_word(m, p, n, operands);
            p += isdigit((unsigned char)*p) ? strspn(p, "0123456789.") - 1 : n - 1;
        }
    }
}

/* The texts in .rule = {..}: each by itself, left out, and the first two exchanged. */
static void mutate_rules(Mutants *m, const char *p)
{
    const char *start[3], *end[3], *close = strchr(p, '}');
    char to[200];
    int n = 0, operands = 0;
    for (p = strchr(p, '{'); p && p < close && n < 3; p++)
        if (*p == '"') {
            start[n] = p + 1;
            end[n] = strchr(p + 1, '"');
            p = end[n++];
            operands++;
        } else if (strncmp(p, "NULL", 4) == 0)
            operands++;
    for (int i = 0; i < n; i++) {
        mutate_rule(m, start[i], end[i], operands);
        mutant(m, start[i] - 1, (size_t)(end[i] - start[i] + 2), "NULL");
    }
    if (n < 2)
        return;
    snprintf(to, sizeof to, "%.*s, %.*s", (int)(end[1] - start[1] + 2), start[1] - 1,
             (int)(end[0] - start[0] + 2), start[0] - 1);
    mutant(m, start[0] - 1, (size_t)(end[1] - start[0] + 2), to);
}

/* ---- C ---- */

static const char *const opposite[][2] = {
    {"true", "false"},  {"OP_add", "OP_sub"},  {"OP_mul", "OP_div"},         {"OP_sum", "OP_max"},
    {"OP_eq", "OP_ne"}, {"OP_lt", "OP_le"},    {"OP_det", "OP_logdet"},      {"ta", "tb"},
    {"lo", "step"},     {"OP_neg", "OP_copy"}, {"graph_pad", "graph_slice"}, {"a", "b"},
    {"v", "w"}};

static const char *const operators[][2] = {
    {" + ", " - "},      {" - ", " + "},        {" * ", " + "},        {" / ", " * "},
    {" % ", " / "},      {" < ", " <= "},       {" <= ", " < "},       {" > ", " >= "},
    {" >= ", " > "},     {" == ", " != "},      {" != ", " == "},      {" && ", " || "},
    {" || ", " && "},    {" & ", " | "},        {" << ", " >> "},      {" ? ", " && 0 ? "},
    {" ? ", " || 1 ? "}, {"if (", "if (0 && "}, {"if (", "if (1 || "}, {" |= ", " = "},
    {" &= ", " = "},     {" += ", " -= "}};

static void c_word(Mutants *m, const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof opposite / sizeof *opposite; i++)
        for (int side = 0; side < 2; side++)
            if (is_word(p, opposite[i][side]))
                mutant(m, p, n, opposite[i][1 - side]);
    /* the 0 of = {0}, which is assigned later or meant for all, and the length of a list */
    int start = strncmp(p - 1, "{0}", 3) == 0,
        length = p[-1] == '[' && strncmp(p + 1, "] = {", 5) == 0;
    if (isdigit((unsigned char)*p) && n == 1 && !start && !length) {
        char to[2] = {*p == '1' ? '0' : (char)(*p + 1), 0};
        mutant(m, p, n, to);
    }
    size_t k = strncmp(p + n, ", ", 2) == 0 ? word_size(p + n + 2)
                                            : 0; /* ", a, b" with a and b exchanged */
    if (k > 0 && strncmp(p - 2, ", ", 2) == 0 && strchr(",)", p[n + 2 + k])) {
        char to[200];
        snprintf(to, sizeof to, "%.*s, %.*s", (int)k, p + n + 2, (int)n, p);
        mutant(m, p, n + 2 + k, to);
    }
}

/* A line that is a statement and no declaration may be left out. */
static void c_statement(Mutants *m, const char *line, const char *end)
{
    const char *p = line + strspn(line, " ");
    size_t n = word_size(p);
    if (p == line || end[-1] != ';' || n == 0 || is_word(p, "return") || is_word(p, "break") ||
        is_word(p, "continue") || is_word(p, "for"))
        return;
    if (strchr("([.", p[n]) || strncmp(p + n, "->", 2) == 0 || strncmp(p + n, " = ", 3) == 0 ||
        strncmp(p + n, " |= ", 4) == 0)
        mutant(m, p, (size_t)(end - p), ";");
}

static void mutate_line(Mutants *m, const char *line, const char *end)
{
    c_statement(m, line, end);
    for (const char *p = line; p < end; p++) {
        if (strncmp(p, "/*", 2) == 0)
            return;
        if (*p == '"') {
            for (p++; p < end && *p != '"'; p++)
                p += *p == '\\';
            continue;
        }
        for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
            if (strncmp(p, operators[i][0], strlen(operators[i][0])) == 0)
                mutant(m, p, strlen(operators[i][0]), operators[i][1]);
        if (*p == '!' && p[1] != '=')
            mutant(m, p, 1, "");
        if (is_letter(*p)) {
            size_t n = word_size(p);
            c_word(m, p, n);
            p += n - 1;
            if (strncmp(p - 1, "if (", 4) == 0)
                continue;
        }
    }
}

/* ---- a file ---- */

static const char *line_end(const char *p)
{
    return p + strcspn(p, "\n");
}

static void mutate_file(Mutants *m, const char *path)
{
    int records = strstr(path, "op_") != NULL, body = 0;
    for (const char *line = m->text, *head = line; *line;
         line = *line_end(line) ? line_end(line) + 1 : line_end(line)) {
        const char *end = line_end(line);
        if (*line == '{' || *line == '}')
            body = *line == '{' && (!records || strncmp(head, "static void back_", 17) == 0);
        else if (body && strncmp(line + strspn(line, " "), "* ", 2) != 0) /* not in a comment */
            mutate_line(m, line, end);
        if (isalpha((unsigned char)*line))
            head = line;
        if (records && strncmp(line, "RECORD(", 7) == 0) {
            const char *start = strchr(line, '"') + 1;
            mutate_rule(m, start, strchr(start, '"'), 1);
        }
        const char *rule = strstr(line, ".rule = {"), *back = strstr(head, ".back"),
                   *next = strstr(head, ";\n");
        if (records && rule && rule < end && *line == ' ' && !(back && next && back < next))
            mutate_rules(m, rule);
    }
}

/* How many lines lie before. */
static int line_number(const Mutants *m, size_t at)
{
    int n = 1;
    for (size_t i = 0; i < at; i++)
        n += m->text[i] == '\n';
    return n;
}

int main(int argc, char **argv)
{
    static char text[1 << 20];
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!f)
        return 2;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    Mutants m = {.text = text};
    mutate_file(&m, argv[1]);
    int n = argc > 2 ? atoi(argv[2]) : 0;
    if (argc > 2 && (n < 1 || n > m.count))
        return 2;
    if (argc > 2) {
        const Mutant *o = &m.one[n - 1];
        printf("%.*s%s%s", (int)o->at, text, o->to, text + o->at + o->size);
        return 0;
    }
    for (int i = 0; i < m.count; i++) {
        const Mutant *o = &m.one[i];
        const char *start = text + o->at, *line = start;
        while (line > text && line[-1] != '\n')
            line--;
        line += strspn(line, " ");
        printf("%d %d '%.*s' -> '%s' in: %.*s\n", i + 1, line_number(&m, o->at), (int)o->size,
               start, o->to, (int)(line_end(line) - line), line);
    }
    return 0;
}
