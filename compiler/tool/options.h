/* options.h - the command line as data: the tables for the help, the completions, the manual page
 * and the reader. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "graph/passes.h"

typedef enum {
    O_OUTPUT,
    O_HEADER,
    O_PREFIX,
    O_STANDALONE,
    O_REAL,
    O_OPTIMIZE,
    O_DEFINE,
    O_INCLUDE,
    O_COMMENTS,
    O_REPORT,
    O_KEEP,
    O_DUMP,
    O_VERIFY,
    O_EXPRESSION,
    O_OPERATIONS,
    O_WARNING,
    O_COLOR,
    O_NO_SHARE,
    O_POOL_FROM,
    O_UNROLL,
    O_SEGMENT,
    O_MEMORY,
    O_RANKS,
    O_WITHOUT,
    O_FILL,
    O_DIGITS,
    O_HELP,
    O_VERSION,
    O_DEPS,
    O_DEPS_TOO,
    O_DEPS_FILE,
    O_DEPS_TARGET,
    O_MANIFEST,
    O_WEIGHTS,
    O_TRAIN,
    O_FRESH,
    O_STDIN_NAME,
    O_DIAGNOSTICS,
    O_CHECK,
    O_COMPLETION,
    O_MAN,
    O_FORM,
    O_JACOBIANS,
    O_LAYOUT,
    O_MAP,
    O_TRAINER,
    O_LOSS,
    O_OPTIMIZER,
    O_CONSTANT,
    O_FLAT,
    O_FORCE,
    O_TRAINING,
} OptionKind;

typedef enum {
    OF_MODEL,
    OF_C,
    OF_BUILD,
    OF_MESSAGES,
    OF_RUN,
    OF_TRAIN,
    OF_IMPORT,
    OF_OTHER,
    OF_COUNT
} OptionGroup;

typedef struct Option {
    const char *name;    /* as it is written: --real=double, or -I DIR and -IDIR */
    OptionKind kind;     /* what it does */
    OptionGroup group;   /* where the help lists it */
    int value;           /* 0: none; 1: required; 2: may follow after '=' */
    const char *metavar; /* of the value: shells complete FILE and DIR */
    const char *words;   /* all possible values, separated by blanks, or NULL: any */
    const char *help;
} Option;

typedef enum {
    C_COMPILE,
    C_RUN,
    C_CHECK,
    C_TRAIN,
    C_EVAL,
    C_PREDICT,
    C_LIBRARY,
    C_IMPORT,
    C_EXPORT,
    C_FMT,
    C_EXPLAIN,
    C_EXPLAIN_ERROR
} Command;

typedef struct CommandInfo {
    const char *name;
    Command command;
    const char *usage, *help;
} CommandInfo;

typedef struct WarningInfo {
    const char *name, *help;
} WarningInfo;

extern const Option option_table[];
extern const int option_count;
extern const CommandInfo command_table[];
extern const int command_count;
extern const WarningInfo warning_table[];
extern const int warning_count;
extern const char *const option_group_title[OF_COUNT];

/* What the command line says. */
typedef struct Args {
    Command command;
    const char *command_name;
    const char *file; /* the model, "-" for standard input */
    const char *expression;
    const char *form; /* of an explanation: "text" */
    const char *data; /* files for its inputs, or NULL */
    const char *output, *header, *manifest;
    const char *save, *load, *loss, *optimizer; /* of import and export */
    bool flat, force, training;
    const char *deps_file, *deps_target;
    bool want_header, want_manifest, report, fill, deps_only, deps, check;
    char **rest; /* name=value, a trainer's arguments, files to format, codes to explain */
    int rests;
} Args;

const char *option_form(Ngc *, const Option *); /* options_table.c: "--real=TYPE" */

/* options.c: -1 to continue; otherwise the exit status, and all is done or said. */
int options_read(Ngc *, Args *, int argc, char **argv);
void options_ranks(Options *); /* as --ranks does */

/* completion.c: the tables for shells and for man */
int completion_print(const char *shell, FILE *); /* false: there is none for that shell */
void manual_print(Ngc *, FILE *);

int export_main(Ngc *, const Args *, Model *); /* export.c */
int import_main(Ngc *, const Args *);          /* import.c */
int fmt_main(Ngc *, const Args *);             /* fmt.c */
int explain_error_main(Ngc *, const Args *);   /* explain_error.c */

#endif
