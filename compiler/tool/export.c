/* export.c - `ngc export`: a model and its weights in the ONNX format. */
#include "tool/options.h"
#include "tool/tool.h"

#ifdef NGC_ONNX

#include "onnx/export.h"
#include "onnx/onnx.h"

/* The elements of params and states: those of the file, or what they start with. */
static const double **variables(Ngc *ngc, Model *m)
{
    Eval *e = eval_new(ngc, m);
    const double **value = arena_array(ngc, m->vars + 1, sizeof *value);
    e->seed = 1;
    for (int i = 0; i < m->graph->dims; i++)
        e->dim[i] = m->graph->dim[i].max;
    for (int i = 0; i < m->vars; i++) {
        const Var *v = m->var[i];
        value[i] = v->data;
        if (v->kind != VAR_INPUT && !v->data)
            value[i] = eval_node(e, v->init);
    }
    return value;
}

int export_main(Ngc *ngc, const Args *a, Model *m)
{
    if (!a->output) {
        complain(ngc, "-o names the file that is written");
        return 2;
    }
    if (a->load && !weights_load(ngc, m, a->load))
        return 3;
    const Pb__Model *model = onnx_export(ngc, m, variables(ngc, m), a->training);
    if (!model)
        return 1;

    Text bytes = {.ngc = ngc};
    if (pb__model__get_packed_size(model) > INT32_MAX) {
        complain(ngc, "the model has more than 2 GB, which is more than the format allows");
        return 1;
    }
    onnx_write(ngc, model, &bytes);
    OutFile file = {.path = a->output, .text = bytes.at, .size = bytes.size};
    if (output_clash(ngc, &file, 1))
        return 2;
    if (a->load && output_is_same(a->output, a->load)) {
        complain(ngc, "'%s' is the file of --load; it is not overwritten", a->output);
        return 2;
    }
    return output_write(ngc, &file, 1) ? 0 : 3;
}

#else

int export_main(Ngc *ngc, const Args *a, Model *m)
{
    (void)m;
    return import_main(ngc, a); /* says what is missing */
}

#endif
