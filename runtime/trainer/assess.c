/* assess.c - what a model says, compared with what is true, row by row: for classes the confusion
 * matrix, precision, recall, F1 and the area under the ROC curve; for numbers a scatter plot. */
#include <math.h>
#include <stdlib.h>

#include "trainer.h"

enum { MOST_CLASSES = 200, NAME_WIDTH = 14 };

typedef struct Pair { /* a target and the output that predicts it */
    const Feed *truth;
    const ngrt_tensor *output;
    size_t elements;         /* of the output in a row: a score for each class; or one */
    size_t classes;          /* 0: both are numbers */
    const PrepColumn *words; /* the names of the classes; NULL: they are numbers, too */
    size_t rows;
    double *said; /* [rows][elements] */
    double *is;   /* [rows] */
} Pair;

/* ---- which target, and which output ---- */

/* The elements that an output has for each row; 0: it has no rows. */
static size_t row_elements(const Trainer *t, const ngrt_tensor *x)
{
    size_t elements = 1;
    int i, found = 0;

    for (i = 0; i < x->rank; i++) {
        int d = x->dim[i];

        /* the first axis must be the rows, with one place for each */
        if (d == 0 && !found && x->shape[i] == t->model->dim[0].max && i == 0)
            found = 1;
        else if (d == 0 || ngrt_axis_is_of_batch(t, x, i))
            return 0;
        else
            elements *= ngrt_axis_length(t, x, i);
    }
    return found ? elements : 0;
}

/* The words of a target, or NULL. */
static const PrepColumn *words_of(const Trainer *t, const Feed *f)
{
    const PrepInput *x = ngrt_prep_find(&t->prep, f->input->name);
    if (x && x->columns == 1 && x->column[0].words > 1)
        return &x->column[0];
    return NULL;
}

/* Can the output predict the target? Sets what they are. */
static int fits(const Trainer *t, Pair *p)
{
    int limit = p->truth->input->limit;
    int is_class;

    p->elements = row_elements(t, p->output);
    p->words = words_of(t, p->truth);
    is_class = p->truth->input->type == NGRT_I32 || p->words;
    p->classes = 0;
    if (p->words)
        p->classes = p->words->words;
    else if (limit > 1)
        p->classes = (size_t)limit;
    else if (is_class)
        p->classes = p->elements > 1 ? p->elements : 2;

    /* a class wants a score for each class; of two, one score for both; or the class itself */
    if (p->elements == 0 || p->classes > MOST_CLASSES)
        return 0;
    if (!is_class)
        return p->elements == 1;
    return p->elements == p->classes ||
           (p->elements == 1 && (p->classes == 2 || p->output->type == NGRT_I32));
}

/* Finds the first target with an output that predicts it. */
static int find_pair(const Trainer *t, const Set *set, Pair *p)
{
    int i, k;

    for (i = 0; i < set->feeds; i++) {
        p->truth = &set->feed[i];
        if (!p->truth->batched || p->truth->width != 1 || !(p->truth->input->flags & NGRT_TARGET))
            continue;
        for (k = 0; k < t->model->tensors; k++) {
            p->output = &t->model->tensor[k];
            if (p->output->role == NGRT_OUTPUT && fits(t, p))
                return 1;
        }
    }
    return 0;
}

/* ---- the rows ---- */

static int gather(Trainer *t, Set *set, Pair *p)
{
    ngrt_data said = {.type = ngrt_element_of(p->output->type), .at = t->work + p->output->offset};
    ngrt_data is = {.type = ngrt_element_of(p->truth->input->type), .at = p->truth->buffer};
    size_t first, count, i;
    int status = ngrt_rows_begin(t, set, 0, 0);

    for (first = 0; first < set->rows && !status; first += count) {
        int error;

        count = ngrt_set_batch(set, first);
        status = ngrt_set_fill(t, set, first, count);
        if (status)
            return status;
        error = t->model->eval(t->params, t->state, set->inputs, t->work);
        if (error)
            return ngrt_trainer_fail(t, FAILED, "evaluation: %s", ngrt_strerror(error));

        /* the rows of this batch, after those before it */
        for (i = 0; i < count * p->elements; i++)
            p->said[first * p->elements + i] = ngrt_data_value(&said, i);
        for (i = 0; i < count; i++)
            p->is[first + i] = ngrt_data_value(&is, i);
    }
    return status;
}

/* Numbers that are all 0 or 1 are two classes. */
static void find_flags(Pair *p)
{
    size_t i;

    for (i = 0; i < p->rows && p->classes == 0; i++)
        if (p->is[i] != 0 && p->is[i] != 1)
            return;
    if (p->classes == 0)
        p->classes = 2;
}

/* ---- classes ---- */

/* From where on a single score is the second class: scores that are not probabilities are logits.
 */
static double threshold_of(const Pair *p)
{
    size_t i;

    for (i = 0; i < p->rows && p->elements == 1; i++)
        if (p->said[i] < 0 || p->said[i] > 1)
            return 0;
    return 0.5;
}

/* The class that the scores of a row are of. */
static size_t class_of(const Pair *p, size_t row, double threshold)
{
    const double *said = p->said + row * p->elements;
    size_t best = 0, i;

    if (p->elements == 1 && p->output->type == NGRT_I32)
        return said[0] >= 0 && said[0] < (double)p->classes ? (size_t)said[0] : 0;
    if (p->elements == 1)
        return said[0] >= threshold;
    for (i = 1; i < p->elements; i++)
        if (said[i] > said[best])
            best = i;
    return best;
}

/* The score of a class. */
static double score_of(const Pair *p, size_t row, size_t class)
{
    if (p->elements > 1)
        return p->said[row * p->elements + class];
    if (class)
        return p->said[row];
    return -p->said[row];
}

typedef struct Scored {
    double score;
    int is;
} Scored;

static int compare_scores(const void *a, const void *b)
{
    double x = ((const Scored *)a)->score;
    double y = ((const Scored *)b)->score;

    if (x == y)
        return 0;
    return x < y ? -1 : 1;
}

/* The area under the ROC curve of a class against the others: the chance that a row of the class
 * has the higher score, where equal scores count half. By the ranks of the class's rows; NaN
 * without rows of either. */
static double area(const Pair *p, size_t class, Scored *s)
{
    double ranks = 0, of = 0, others;
    size_t i, k;

    for (i = 0; i < p->rows; i++)
        s[i] = (Scored){score_of(p, i, class), p->is[i] == (double)class};
    qsort(s, p->rows, sizeof *s, compare_scores);
    for (i = 0; i < p->rows; i = k) {
        double rank;

        for (k = i + 1; k < p->rows && s[k].score == s[i].score;)
            k++;
        rank = (double)(i + k + 1) / 2; /* the mean of those from i + 1 to k */
        for (; i < k; i++)
            if (s[i].is) {
                ranks += rank;
                of++;
            }
    }

    /* Mann and Whitney: U = sum of ranks - n(n+1)/2, and the area is U / (n * others) */
    others = (double)p->rows - of;
    return (ranks - of * (of + 1) / 2) / (of * others);
}

/* The name of a class: its word, or its number. A word comes from a file, and its control
 * characters must not reach a terminal. */
static const char *class_name(const Pair *p, size_t class, char *text, size_t room)
{
    char *c;

    if (p->words)
        snprintf(text, room, "%.*s", NAME_WIDTH, p->words->word[class]);
    else
        snprintf(text, room, "%zu", class);
    for (c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return text;
}

static void print_matrix(const Pair *p, const size_t *count)
{
    char name[80];
    size_t i, k;

    printf("\nconfusion: a row for each true class, a column for each predicted one\n%-*s",
           NAME_WIDTH, "");
    for (k = 0; k < p->classes; k++)
        printf(" %8.8s", class_name(p, k, name, sizeof name));
    for (i = 0; i < p->classes; i++) {
        printf("\n%-*s", NAME_WIDTH, class_name(p, i, name, sizeof name));
        for (k = 0; k < p->classes; k++)
            printf(" %8zu", count[i * p->classes + k]);
    }
    putchar('\n');
}

/* A number of a table, or '-' where it is 0/0. */
static void print_number(double value)
{
    if (isnan(value))
        printf(" %9s", "-");
    else
        printf(" %9.4f", value);
}

/* What is printed of a class. */
enum { PRECISION, RECALL, F1, AREA, FIGURES };

/* Sets the figures of class i; 0/0, of a class that no row has or gets, is NaN. Returns how many
 * rows are of the class. */
static size_t class_figures(const Pair *p, size_t i, const size_t *count, Scored *scored,
                            double *figure)
{
    size_t is = 0, said = 0;
    size_t both = count[i * p->classes + i];
    size_t k;

    for (k = 0; k < p->classes; k++) {
        is += count[i * p->classes + k];
        said += count[k * p->classes + i];
    }

    figure[PRECISION] = (double)both / (double)said;
    figure[RECALL] = (double)both / (double)is;
    figure[F1] = 2 * (double)both / (double)(is + said);
    if (p->output->type == NGRT_I32) /* classes without scores */
        figure[AREA] = (double)NAN;
    else
        figure[AREA] = area(p, i, scored);
    return is;
}

/* Prints precision, recall, F1 and the area of each class, and their means over the classes that
 * have them. */
static void print_classes(const Pair *p, const size_t *count, Scored *scored)
{
    double sum[FIGURES] = {0}, have[FIGURES] = {0};
    char name[80];
    size_t i;
    int j;

    printf("\n%-*s %8s %9s %9s %9s %9s\n", NAME_WIDTH, "class", "rows", "precision", "recall", "F1",
           "AUC");
    for (i = 0; i < p->classes; i++) {
        double figure[FIGURES];
        size_t rows = class_figures(p, i, count, scored, figure);

        printf("%-*s %8zu", NAME_WIDTH, class_name(p, i, name, sizeof name), rows);
        for (j = 0; j < FIGURES; j++) {
            print_number(figure[j]);
            if (!isnan(figure[j])) {
                sum[j] += figure[j];
                have[j]++;
            }
        }
        putchar('\n');
    }

    printf("%-*s %8zu", NAME_WIDTH, "mean", p->rows);
    for (j = 0; j < FIGURES; j++)
        print_number(sum[j] / have[j]);
    putchar('\n');
}

static int draw_matrix(const Trainer *t, const Pair *p, const size_t *count)
{
    enum { ROOM = 80 };
    char *text = ngrt_trainer_allocate(p->classes, ROOM);
    const char **name = ngrt_trainer_allocate(p->classes, sizeof *name);
    size_t i;
    int status = text && name ? DONE : ngrt_trainer_no_memory(t);

    for (i = 0; i < p->classes && !status; i++)
        name[i] = class_name(p, i, text + i * ROOM, ROOM);
    if (!status)
        status = ngrt_scatter_classes(t, count, name, p->classes);
    free(text);
    free(name);
    return status;
}

static int assess_classes(const Trainer *t, const Pair *p)
{
    size_t *count = ngrt_trainer_allocate(p->classes * p->classes, sizeof *count);
    size_t i;
    Scored *scored = ngrt_trainer_allocate(p->rows, sizeof *scored);
    double threshold = threshold_of(p);
    int good = count && scored;
    int status = DONE;
    if (!good)
        status = ngrt_trainer_no_memory(t);

    for (i = 0; i < p->rows && good; i++) {
        double is = p->is[i];

        if (is >= 0 && is < (double)p->classes)
            count[(size_t)is * p->classes + class_of(p, i, threshold)]++;
    }
    if (good) {
        print_matrix(p, count);
        print_classes(p, count, scored);
    }
    if (good && t->assess_path)
        status = draw_matrix(t, p, count);
    free(count);
    free(scored);
    return status;
}

/* ---- numbers ---- */

/* A plot in characters: a point for each row, from left to right by what is true, upward by what is
 * predicted. */
enum { PLOT_COLUMNS = 60, PLOT_LINES = 18 };

typedef struct Plot {
    double low, high;                    /* the range of both */
    int count[PLOT_LINES][PLOT_COLUMNS]; /* rows at each character */
} Plot;

static void count_rows(Plot *plot, const Pair *p)
{
    double scale = 0;
    size_t i;

    plot->low = INFINITY;
    plot->high = -INFINITY;
    for (i = 0; i < p->rows; i++) {
        plot->low = fmin(plot->low, fmin(p->is[i], p->said[i]));
        plot->high = fmax(plot->high, fmax(p->is[i], p->said[i]));
    }
    if (plot->high > plot->low)
        scale = 1 / (plot->high - plot->low);

    for (i = 0; i < p->rows; i++) {
        int column = (int)((p->is[i] - plot->low) * scale * (PLOT_COLUMNS - 1) + 0.5);
        int up = (int)((p->said[i] - plot->low) * scale * (PLOT_LINES - 1) + 0.5);
        plot->count[PLOT_LINES - 1 - up][column]++;
    }
}

/* Prints it, with the diagonal where both are equal. */
static void print_plot(const Plot *plot)
{
    static const char mark[] = " .:*#"; /* of 0, 1, 2, 3 and more rows */
    const int most = (int)sizeof mark - 2;
    int line, column;

    printf("\nprediction (upward) against truth; / is where they are equal\n");
    for (line = 0; line < PLOT_LINES; line++) {
        printf("%10s |", "");
        for (column = 0; column < PLOT_COLUMNS; column++) {
            int up = (column * (PLOT_LINES - 1) + PLOT_COLUMNS / 2) / (PLOT_COLUMNS - 1);
            int on_diagonal = line == PLOT_LINES - 1 - up;
            int n = plot->count[line][column];

            if (n == 0 && on_diagonal)
                putchar('/');
            else
                putchar(mark[n < most ? n : most]);
        }
        putchar('\n');
    }
    printf("%10s  %-28.4g%30.4g\n", "", plot->low, plot->high);
}

/* Prints R2 = 1 - sum (said - is)^2 / sum (is - mean)^2, and the mean errors. */
static void print_errors(const Pair *p)
{
    double mean = 0, squares = 0, away = 0, spread = 0;
    size_t i;

    for (i = 0; i < p->rows; i++)
        mean += p->is[i] / (double)p->rows;
    for (i = 0; i < p->rows; i++) {
        double error = p->said[i] - p->is[i];

        squares += pow(error, 2);
        away += fabs(error);
        spread += pow(p->is[i] - mean, 2);
    }
    printf("rows %zu, R2 %.4f, root of the mean square error %.6g, mean absolute error %.6g\n",
           p->rows, 1 - squares / spread, sqrt(squares / (double)p->rows), away / (double)p->rows);
}

static void print_scatter(const Pair *p)
{
    Plot plot = {0};

    count_rows(&plot, p);
    print_plot(&plot);
    print_errors(p);
}

/* ---- the command ---- */

int ngrt_assess_check(Trainer *t, int part)
{
    Pair p = {0};

    if (!t->assess || (t->model->dims > 0 && find_pair(t, &t->part[part], &p)))
        return DONE;
    return ngrt_trainer_fail(t, USAGE,
                             "--assess wants an output for each row, and a target that it is of: "
                             "labels and a score for each class, or numbers");
}

int ngrt_assess(Trainer *t, int part)
{
    Set *set = &t->part[part];
    Pair p = {0};
    int status;

    if (!t->assess)
        return DONE;
    find_pair(t, set, &p);
    p.rows = set->rows;
    p.said = ngrt_trainer_allocate(p.rows * p.elements, sizeof *p.said);
    p.is = ngrt_trainer_allocate(p.rows, sizeof *p.is);
    if (p.said && p.is)
        status = gather(t, set, &p);
    else
        status = ngrt_trainer_no_memory(t);
    if (!status)
        find_flags(&p);
    if (!status && p.classes > 0)
        status = assess_classes(t, &p);
    else if (!status)
        print_scatter(&p);
    if (!status && p.classes == 0 && t->assess_path)
        status = ngrt_scatter_numbers(t, p.output->name, p.is, p.said, p.rows);
    free(p.said);
    free(p.is);
    return status;
}
