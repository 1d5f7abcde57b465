/* command.c - ngc as a whole: the first line is its arguments, the rest is the file m.ng. Models
 * that would take long are refused after lowering, as the time that a model takes is its own. */
#include "explain/explain.h"
#include "target.h"
#include "tool/tool.h"

int ngc_main(int argc, char **argv); /* main.c, with its main under this name */

enum { MOST_OPERATIONS = 1000, MOST_WORK = 100000 };

Model *__real_model_compile(Ngc *ngc, int file);
Model *__wrap_model_compile(Ngc *ngc, int file);

/* Elements that are computed for all nodes, with all passes of loops. */
static double elements_of(const Model *m)
{
    const Graph *g = m->graph;
    double sum = 0;

    for (int i = 0; i < g->count; i++) {
        const Node *n = g->node[i];
        double count = 1 + (double)size_max(g, shape_count(g, n->shape));

        for (int k = 0; k < n->nargs; k++) /* a product reads all of both */
            count += (double)size_max(g, shape_count(g, n->arg[k]->shape));
        for (int level = 0; level < MAX_LEVELS; level++)
            if (n->in[level])
                count *= (double)size_max(g, n->in[level]->passes);
        sum += count;
    }
    return sum;
}

Model *__wrap_model_compile(Ngc *ngc, int file)
{
    ngc->opt.operations = MOST_OPERATIONS;
    Model *m = __real_model_compile(ngc, file);

    if (!m || elements_of(m) <= MOST_WORK)
        return m;
    complain(ngc, "the model would take too long here");
    return NULL;
}

int target(const uint8_t *data, size_t size)
{
    char *argv[WORDS + 1];

    enter_directory();
    int argc = read_words(data, size, "m.ng", argv);
    if (argc < 0)
        return -1;
    ngc_main(argc, argv);
    free_words(argv, argc);
    return 0;
}
