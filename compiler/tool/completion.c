/* completion.c - the tables of options as completions for shells, and as the manual page ngc(1). */
#include "tool/options.h"

#include <string.h>

static bool completes_files(const Option *o)
{
    return o->metavar && same_text(o->metavar, "FILE");
}

static bool completes_directories(const Option *o)
{
    return o->metavar && same_text(o->metavar, "DIR");
}

static void print_words(FILE *f)
{
    for (int i = 0; i < option_count; i++) {
        const Option *o = &option_table[i];
        const char *w = text_or(o->words, "");
        if (o->kind == O_OPTIMIZE)
            for (; *w; w += strspn(w, " ")) {
                fprintf(f, "-O%.*s ", (int)strcspn(w, " "), w);
                w += strcspn(w, " ");
            }
        else if (o->kind != O_WARNING)
            fprintf(f, "%s%s ", o->name, text_if(o->name[1] == '-' && o->value == 1, "="));
    }
    fprintf(f, "-Wall -Werror");
    for (int i = 0; i < warning_count; i++)
        fprintf(f, " -W%s -Wno-%s", warning_table[i].name, warning_table[i].name);
}

/* In bash '=' is a word of its own, so the option is the word before it. A list that is made of the
 * output of a command would be divided at blanks: names of files are taken line by line. */
static void print_bash(FILE *f)
{
    fprintf(
        f,
        "# bash completion for ngc\n"
        "_ngc_names()\n"
        "{\n"
        "    local name\n"
        "    while IFS= read -r name; do COMPREPLY+=(\"$name\"); done < <(compgen \"$@\" -- \"$word\")\n"
        "}\n"
        "_ngc()\n"
        "{\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]} assigned=\n"
        "    if [[ $word == = ]]; then\n"
        "        word= assigned=1\n"
        "    elif [[ $last == = ]]; then\n"
        "        last=${COMP_WORDS[COMP_CWORD-2]} assigned=1\n"
        "    fi\n"
        "    case $last in\n");
    for (int i = 0; i < option_count; i++) {
        const Option *o = &option_table[i];
        if (o->words && o->kind != O_OPTIMIZE)
            fprintf(f, "    %s) COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n", o->name,
                    o->words);
        else if (completes_files(o) || completes_directories(o))
            fprintf(f, "    %s) _ngc_names %s; return ;;\n", o->name,
                    completes_files(o) ? "-f" : "-d");
        else if (o->value == 1 && o->kind != O_WARNING && o->kind != O_OPTIMIZE)
            fprintf(f, "    %s) return ;;\n", o->name);
    }
    /* NAME=FILE, as of --data */
    fprintf(f, "    esac\n    if [[ $assigned ]]; then _ngc_names -f; return; fi\n"
               "    if [[ $word == -* ]]; then\n        COMPREPLY=($(compgen -W '");
    print_words(f);
    fprintf(f, "' -- \"$word\"))\n"
               "        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
               "        return\n"
               "    fi\n"
               "    local kind=ng\n"
               "    [[ ${COMP_WORDS[1]} == import ]] && kind=onnx\n"
               "    _ngc_names -f -X \"!*.$kind\"\n"
               "    _ngc_names -d\n"
               "    [[ $COMP_CWORD == 1 ]] && COMPREPLY+=($(compgen -W '");
    for (int i = 0; i < command_count; i++)
        fprintf(f, "%s%s", text_if(i, " "), command_table[i].name);
    fprintf(f, "' -- \"$word\"))\n}\ncomplete -o filenames -F _ngc ngc\n");
}

/* Text within single quotes, with a backslash before each character of `escape`: for zsh "[]:", as
 * in an argument of _arguments; for fish a backslash. */
static void print_escaped(FILE *f, const char *text, const char *escape)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs(strchr(escape, '[') ? "'\\'" : "\\", f);
        else if (strchr(escape, *text))
            fputc('\\', f);
        fputc(*text, f);
    }
}

/* How the value follows the option: "-" in the same word, "=-" after '=', "+" either way. */
static const char *zsh_suffix(const Option *o)
{
    if (o->value == 0)
        return "";
    if (o->kind == O_OPTIMIZE || o->kind == O_WARNING)
        return "-";
    return o->name[1] == '-' ? "=-" : "+";
}

/* What -W can be followed by. */
static void print_warning_words(FILE *f)
{
    fprintf(f, "all error");
    for (int i = 0; i < warning_count; i++)
        fprintf(f, " %s no-%s", warning_table[i].name, warning_table[i].name);
}

static void print_zsh(FILE *f)
{
    fprintf(f, "#compdef ngc\n_ngc() {\n    local -a commands\n    commands=(\n");
    for (int i = 0; i < command_count; i++) {
        fprintf(f, "        '%s:", command_table[i].name);
        print_escaped(f, command_table[i].help, "[]:");
        fprintf(f, "'\n");
    }
    fprintf(f, "    )\n    (( CURRENT == 2 )) && _describe command commands\n    _arguments \\\n");
    for (int i = 0; i < option_count; i++) {
        const Option *o = &option_table[i];
        fprintf(f, "        '*%s%s[", o->name, zsh_suffix(o));
        print_escaped(f, o->help, "[]:");
        fprintf(f, "]");
        if (o->value) {
            fprintf(f, "%s%s:", o->value == 2 ? "::" : ":", o->metavar);
            if (o->kind == O_WARNING) {
                fprintf(f, "(");
                print_warning_words(f);
                fprintf(f, ")");
            } else if (o->words) {
                fprintf(f, "(%s)", o->words);
            } else if (completes_files(o) || completes_directories(o)) {
                fprintf(f, completes_files(o) ? "_files" : "_files -/");
            }
        }
        fprintf(f, "' \\\n");
    }
    fprintf(f, "        '*:file:_files -g \"*.(ng|onnx)\"'\n}\n_ngc \"$@\"\n");
}

static void print_fish(FILE *f)
{
    for (int i = 0; i < command_count; i++) {
        fprintf(f, "complete -c ngc -n __fish_is_first_arg -a %s -d '", command_table[i].name);
        print_escaped(f, command_table[i].help, "\\");
        fprintf(f, "'\n");
    }
    for (int i = 0; i < option_count; i++) {
        const Option *o = &option_table[i];
        if (o->name[1] == '-')
            fprintf(f, "complete -c ngc -l %s", o->name + 2);
        else
            fprintf(f, "complete -c ngc %s %s", strlen(o->name) == 2 ? "-s" : "-o", o->name + 1);

        if (o->value == 1 && completes_files(o))
            fprintf(f, " -r -F");
        else if (o->value == 1 && completes_directories(o))
            fprintf(f, " -x -a '(__fish_complete_directories)'");
        else if (o->value == 1)
            fprintf(f, " -x");

        if (o->kind == O_WARNING) {
            fprintf(f, " -a '");
            print_warning_words(f);
            fprintf(f, "'");
        } else if (o->words) {
            fprintf(f, " -a '%s'", o->words);
        }
        fprintf(f, " -d '");
        print_escaped(f, o->help, "\\");
        fprintf(f, "'\n");
    }
}

int completion_print(const char *shell, FILE *f)
{
    if (same_text(shell, "bash"))
        print_bash(f);
    else if (same_text(shell, "zsh"))
        print_zsh(f);
    else if (same_text(shell, "fish"))
        print_fish(f);
    else
        return false;
    return true;
}

/* ---- the manual page ---- */

/* Text for troff: hyphens stay hyphens, and no line is a request. */
static void print_roff(FILE *f, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (c == text && (*c == '.' || *c == '\''))
            fputs("\\&", f);
        if (*c == '-')
            fputs("\\-", f);
        else if (*c == '\\')
            fputs("\\e", f);
        else if (*c == '\'')
            fputs("\\(aq", f);
        else
            fputc(*c, f);
    }
}

/* A paragraph about a term. */
static void print_entry(FILE *f, const char *term, const char *text)
{
    fprintf(f, ".TP\n.B ");
    print_roff(f, term);
    fprintf(f, "\n");
    print_roff(f, text);
    fprintf(f, "\n");
}

static void print_synopsis(FILE *f)
{
    fprintf(f, ".TH NGC 1 \"\" \"ngc " NGC_VERSION "\" \"User Commands\"\n"
               ".SH NAME\n"
               "ngc \\- models into C with symbolic backpropagation\n"
               ".SH SYNOPSIS\n");
    for (int i = 0; i < command_count; i++) {
        fprintf(f, ".B ngc\n");
        print_roff(f, i ? command_table[i].name : "[compile]");
        fprintf(f, " ");
        print_roff(f, command_table[i].usage);
        fprintf(f, "\n.br\n");
    }
}

static void print_description(FILE *f)
{
    fprintf(
        f,
        ".SH DESCRIPTION\n"
        "ngc compiles a description of a computation graph into C99 that evaluates it, differentiates it and trains it.\n"
        "The language is described in\n"
        ".BR ngc\\-language (5),\n"
        "the C and the runtime in\n"
        ".BR ngrt (3).\n"
        ".SH COMMANDS\n");
    for (int i = 0; i < command_count; i++)
        print_entry(f, command_table[i].name, command_table[i].help);
}

/* The options, group by group, and the names of warnings. */
static void print_options(Ngc *ngc, FILE *f)
{
    fprintf(f, ".SH OPTIONS\n");
    for (int g = 0; g < OF_COUNT; g++) {
        fprintf(f, ".SS ");
        print_roff(f, option_group_title[g]);
        fprintf(f, "\n");
        for (int i = 0; i < option_count; i++)
            if ((int)option_table[i].group == g)
                print_entry(f, option_form(ngc, &option_table[i]), option_table[i].help);
    }

    fprintf(f, ".SH WARNINGS\n");
    for (int i = 0; i < warning_count; i++)
        print_entry(f, warning_table[i].name, warning_table[i].help);
}

static void print_environment(FILE *f)
{
    fprintf(
        f,
        ".SH EXIT STATUS\n"
        "0 success; 1 an error in the model or a failed check; 2 usage; 3 cannot read or write; 4 a fault of ngc.\n"
        "Nothing is written on an error.\n"
        ".SH ENVIRONMENT\n"
        ".TP\n"
        ".B CC\n"
        "the C compiler of ngc train\n"
        ".TP\n"
        ".B NO_COLOR\n"
        "no colours\n"
        ".TP\n.B XDG_CACHE_HOME\nwhere ngc train keeps programs\n");
}

void manual_print(Ngc *ngc, FILE *f)
{
    print_synopsis(f);
    print_description(f);
    print_options(ngc, f);
    print_environment(f);

    fprintf(f, ".SH EXAMPLES\n.nf\n");
    print_roff(f, "ngc run -e '2*(a*b + c)' a=3 b=2 c=5\n"
                  "ngc model.ng -o model.c\n"
                  "ngc -MD -MF model.d model.ng -o model.c\n");
    fprintf(f, ".fi\n.SH SEE ALSO\n.BR ngc\\-language (5),\n.BR ngrt (3)\n");
}
