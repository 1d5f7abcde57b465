/* embed.c - a tool of the build: prints files as C arrays, so that ngc carries the library and the
 * runtime's text.
 *
 *     embed name=file ...     const char name_text[] = {...}; const size_t name_size = ...;
 */
#include <stdio.h>
#include <string.h>

static int embed(const char *name, int length, const char *path)
{
    FILE *f = fopen(path, "rb");
    unsigned long size = 0;
    int c;
    if (!f) {
        perror(path);
        return 1;
    }
    printf("extern const char %.*s_text[];\n"
           "extern const size_t %.*s_size;\n"
           "const char %.*s_text[] = {\n",
           length, name, length, name, length, name);
    while ((c = getc(f)) != EOF)
        printf("%d,%s", c > 127 ? c - 256 : c, ++size % 24 ? "" : "\n");
    printf("0};\nconst size_t %.*s_size = %lu;\n\n", length, name, size);
    return ferror(f) | fclose(f);
}

int main(int argc, char **argv)
{
    printf("#include <stddef.h>\n\n");
    for (int i = 1; i < argc; i++) {
        const char *eq = strchr(argv[i], '=');
        if (!eq || embed(argv[i], (int)(eq - argv[i]), eq + 1))
            return 1;
    }
    return fflush(stdout) || ferror(stdout);
}
