/* damage.c - damaged models: each file is cut, and its bytes are changed. Nothing may crash, and
 * what is still a model must compile.
 *
 *     damage SEED COUNT FILE.onnx ...
 */
#include "onnx/onnx.h"
#include "tool/tool.h"

#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint64_t draw(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 20) % below;
}

/* Imports a file; false if its text is not a model. */
static bool import(const char *path)
{
    Ngc ngc = {.opt = {.optimize = 2, .digits = 9}};
    Written made = {.text = {.ngc = &ngc}};
    ImportOptions options = {0};
    bool good = true;
    source_restart(&ngc);
    parse(&ngc, 0);
    if (onnx_import(&ngc, path, NULL, 0, &options, &made)) {
        source_restart(&ngc);
        int file = source_add(&ngc, "model.ng", made.text.at, made.text.size, false);
        const Model *m = model_compile(&ngc, file);
        good = m || ngc.errors == 0 || ngc.diags->code != ERR_TOKEN;
        if (!good)
            printf("%s\n%s", ngc.diags->text, made.text.at);
        else if (m)
            weights_match(&ngc, m, &made);
    }
    arena_free(&ngc);
    return good;
}

static char *read_all(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *at = malloc(1 << 20);
    if (!f || !at)
        exit(2);
    *size = fread(at, 1, 1 << 20, f);
    fclose(f);
    return at;
}

/* Changes a few bytes: more often one bit than all of them. */
static void change(char *at, size_t size)
{
    for (uint64_t n = 1 + draw(4); n > 0; n--) {
        char *c = at + draw(size);
        switch (draw(4)) {
        case 0: *c = (char)draw(256); break;
        case 1: *c = (char)(*c + (draw(2) ? 1 : -1)); break;
        case 2: *c = (char)(draw(2) ? 0xFF : 0x7F); break;
        default: *c = (char)(*c ^ 1 << draw(8)); break;
        }
    }
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[2]) : 0, bad = 0;
    char path[] = "/tmp/damage.XXXXXX";
    state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    int fd = mkstemp(path);
    if (fd < 0)
        return 2;
    for (int i = 0; i < count && argc > 3; i++) {
        size_t size;
        char *at = read_all(argv[3 + i % (argc - 3)], &size);
        if (draw(5) == 0)
            size = draw(size);
        else
            change(at, size);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(at, 1, size, f) != size || fclose(f) != 0)
            return 2;
        bad += !import(path);
        free(at);
    }
    remove(path);
    printf("%d files, %d texts that are not models\n", count, bad);
    return bad > 0;
}
