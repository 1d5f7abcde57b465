/* words.c - prints words of ngc's own tables as a dictionary for fuzzers: `words text` those of the
 * language (its keywords are in the scanner, where seeds.sh finds them), `words command` those of
 * the command line, too. */
#include "lang/lower.h"
#include "tool/options.h"

#include <string.h>

static void print(const char *word, const char *after)
{
    printf("\"%s%s\"\n", word, after);
}

static void print_functions(void)
{
    const char *name[1000];
    int count = builtin_names(name, 1000);

    for (int i = 0; i < count; i++)
        print(name[i], "(");
}

/* An option, alone and with each of its values. */
static void print_option(const Option *o)
{
    const char *value = o->words;

    print(o->name, strlen(o->name) > 2 && o->value == 1 ? "=" : "");
    while (value && *value) {
        size_t n = strcspn(value, " ");

        printf("\"%s%s%.*s\"\n", o->name, strlen(o->name) > 2 ? "=" : "", (int)n, value);
        value += n;
        value += strspn(value, " ");
    }
}

int main(int argc, char **argv)
{
    print_functions();
    if (argc < 2 || strcmp(argv[1], "command") != 0)
        return 0;

    for (int i = 0; i < option_count; i++)
        print_option(&option_table[i]);
    for (int i = 0; i < command_count; i++)
        print(command_table[i].name, " ");
    for (int i = 0; i < warning_count; i++)
        print(warning_table[i].name, "");
    return 0;
}
