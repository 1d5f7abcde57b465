/* import.c - `ngc import`: a model in the ONNX format becomes a text of the language and a file of
 * weights. The text is compiled before anything is written: so it is valid, and the weights have
 * the names that it gives them. */
#include "tool/options.h"
#include "tool/tool.h"

#include <string.h>

#ifdef NGC_ONNX

#include "../runtime/host/host.h"
#include "onnx/onnx.h"

#include <sys/stat.h>

/* Compiles the text. NULL with messages. */
static const Model *compile_text(Ngc *ngc, const char *name, const Text *text)
{
    source_restart(ngc);
    int file = source_add(ngc, name, text->at, text->size, false);
    if (file >= 0)
        return model_compile(ngc, file);
    return NULL;
}

/* ---- a text that nobody has changed ----
 *
 * The first line of a text that is written to a file ends in a sum of the other lines. While that
 * is right, the text is as it was written. */

static const char FIRST[] = "# imported from ", SUM[] = ", sum ";

static unsigned sum_of(const char *text, size_t size)
{
    unsigned hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

/* The text with the sum in its first line. */
static Text with_sum(Ngc *ngc, const Text *text)
{
    Text out = {.ngc = ngc};
    size_t first = strcspn(text->at, "\n");
    size_t rest = text->size - first;
    text_put(&out, text->at, first);
    text_add(&out, "%s%08x", SUM, sum_of(text->at + first, rest));
    text_put(&out, text->at + first, rest);
    return out;
}

/* Has an import written the file, and nobody changed it? An empty one has nothing to lose. */
static bool is_as_written(const char *path)
{
    ngrt_message message;
    Bytes file = {0};
    unsigned sum;
    bool good = false;
    if (ngrt_file_read(&file, path, &message))
        return true; /* there is none, or writing says why not */

    const char *end = memchr(file.at, '\n', file.size);
    size_t digits = 8;
    size_t line = 0;
    if (end)
        line = (size_t)(end - file.at);
    if (line > sizeof FIRST + sizeof SUM + digits && memcmp(file.at, FIRST, strlen(FIRST)) == 0) {
        const char *at = end - digits - strlen(SUM);
        good = memcmp(at, SUM, strlen(SUM)) == 0 && sscanf(at + strlen(SUM), "%8x", &sum) == 1 &&
               sum == sum_of(end, file.size - line);
    }
    good |= file.size == 0;
    ngrt_bytes_free(&file);
    return good;
}

static bool may_write(Ngc *ngc, const Args *a)
{
    struct stat st;
    bool is_file = a->output && stat(a->output, &st) == 0 && S_ISREG(st.st_mode);
    if (a->force || !is_file || is_as_written(a->output))
        return true;
    complain(ngc,
             "'%s' is there already, and not as an import wrote it: -o FILE names another "
             "file, or --force overwrites this one",
             a->output);
    return false;
}

static int write_files(Ngc *ngc, const Args *a, const Written *made, const Model *m)
{
    OutFile file[2] = {{.path = text_or(a->output, "-")}};
    Text bytes = {.ngc = ngc};
    int files = 1;
    const Var *const *var = weights_match(ngc, m, made);
    if (!var)
        return 1;

    Text text = made->text;
    if (a->output && !same_text(a->output, "-"))
        text = with_sum(ngc, &made->text);
    file[0].text = text.at;
    file[0].size = text.size;
    if (a->save) {
        if (!weights_bytes(ngc, made, var, &bytes))
            return 1;
        file[files++] = (OutFile){.path = a->save, .text = bytes.at, .size = bytes.size};
    }
    source_restart(ngc);
    source_add(ngc, a->file, "", 0, false); /* it is not overwritten */
    if (output_clash(ngc, file, files) || !may_write(ngc, a))
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
    if (im->outputs == 0) {
        complain(ngc, "%s: no output has elements, so there is nothing to compute", a->file);
        return 1;
    }

    const char *name = a->output && !same_text(a->output, "-") ? a->output : "model.ng";
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
