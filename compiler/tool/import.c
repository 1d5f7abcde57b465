/* import.c - `ngc import`: a model in the ONNX format becomes a text of the language and a file of
 * weights. The text is compiled before anything is written: so it is valid, and the weights have
 * the names that it gives them. */
#include "tool/options.h"
#include "tool/tool.h"

#include <string.h>

#ifdef NGC_ONNX

#include "onnx/onnx.h"

/* Compiles the text. NULL with messages. */
static const Model *compile_text(Ngc *ngc, const char *name, const Text *text)
{
    source_restart(ngc);
    int file = source_add(ngc, name, text->at, text->size, false);
    return file >= 0 ? model_compile(ngc, file) : NULL;
}

static int write_files(Ngc *ngc, const Args *a, const Written *made, const Model *m)
{
    OutFile file[2] = {{.path = a->output ? a->output : "-"}};
    Text bytes = {.ngc = ngc};
    int files = 1;
    const Var *const *var = weights_match(ngc, m, made);
    if (!var)
        return 1;

    file[0].text = made->text.at;
    file[0].size = made->text.size;
    if (a->save) {
        if (!weights_bytes(ngc, made, var, &bytes))
            return 1;
        file[files++] = (OutFile){.path = a->save, .text = bytes.at, .size = bytes.size};
    }
    source_restart(ngc);
    source_add(ngc, a->file, "", 0, false); /* it is not overwritten */
    if (output_clash(ngc, file, files))
        return 2;
    return output_write(ngc, file, files) ? 0 : 3;
}

int import_main(Ngc *ngc, const Args *a)
{
    ImportOptions options = {a->loss, a->optimizer, a->flat};
    Written made = {.text = {.ngc = ngc}};
    source_restart(ngc);
    parse(ngc, 0);
    Import *im = onnx_import(ngc, a->file, a->rest, a->rests, &options, &made);
    if (!im)
        return 1;

    const char *name = a->output && strcmp(a->output, "-") != 0 ? a->output : "model.ng";
    const Model *m = compile_text(ngc, name, &made.text);
    if (!m)
        return 1;
    return write_files(ngc, a, &made, m);
}

#else

int import_main(Ngc *ngc, const Args *a)
{
    complain(ngc,
             "%s: this ngc was built without protobuf-c, with which it reads ONNX: install "
             "libprotobuf-c-dev and protobuf-c-compiler, and build it again",
             a->file);
    return 2;
}

#endif
