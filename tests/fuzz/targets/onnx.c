/* onnx.c - bytes are imported as a model in the ONNX format. The text that is made of them must be
 * of the language; of one input in eight it is also compiled, and its weights are written.
 *
 * The library, which an import needs, is larger than most inputs. So it is read only after the file
 * has been. */
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

/* Is it a file in the format, with a graph? */
static bool can_read(void)
{
    Ngc ngc = {0};
    bool good = onnx_read(&ngc, "m.onnx") != NULL;

    diag_flush(&ngc, sink());
    arena_free(&ngc);
    return good;
}

int target(const uint8_t *data, size_t size)
{
    Ngc ngc = {.opt = {.optimize = 2, .digits = 9}};
    Written made = {.text = {.ngc = &ngc}};
    unsigned choice = choose(data, size);
    ImportOptions options = {.flat = choice & 1};

    enter_directory();
    write_file("m.onnx", data, size);
    if (!can_read())
        return 0;

    source_restart(&ngc);
    parse(&ngc, 0);
    if (onnx_import(&ngc, "m.onnx", NULL, 0, &options, &made) && (choice & 14) == 0)
        compile_text(&ngc, &made);
    diag_flush(&ngc, sink());
    arena_free(&ngc);
    return 0;
}
