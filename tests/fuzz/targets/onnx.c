/* onnx.c - bytes are imported as a model in the ONNX format. The text that is made of them must be
 * of the language; it is compiled, and its weights are written. */
#include "onnx/onnx.h"
#include "target.h"
#include "tool/tool.h"

static void compile_text(Ngc *ngc, Written *made)
{
    Text bytes = {.ngc = ngc};

    ngc->opt.operations = 3000;
    source_restart(ngc);
    int file = source_add(ngc, "m.ng", made->text.at, made->text.size, false);
    const Model *m = file >= 0 ? model_compile(ngc, file) : NULL;
    if (!m && ngc->diags && ngc->diags->code >= ERR_TOKEN && ngc->diags->code <= ERR_UNDERFLOW)
        ngc_bug("an import wrote what is not of the language: %s", ngc->diags->text);

    const Var *const *var = m ? weights_match(ngc, m, made) : NULL;
    if (var)
        weights_bytes(ngc, made, var, &bytes);
}

int target(const uint8_t *data, size_t size)
{
    Ngc ngc = {.opt = {.optimize = 2, .digits = 9}};
    Written made = {.text = {.ngc = &ngc}};
    ImportOptions options = {.flat = choose(data, size) & 1};

    enter_directory();
    write_file("m.onnx", data, size);
    source_restart(&ngc);
    parse(&ngc, 0);
    if (onnx_import(&ngc, "m.onnx", NULL, 0, &options, &made))
        compile_text(&ngc, &made);
    diag_flush(&ngc, sink());
    arena_free(&ngc);
    return 0;
}
