/* options_table.c - the command line as data: options, commands and warnings, with the text that
 * the help, the completions and the manual page print for each. */
#include "tool/options.h"

#include "../runtime/trainer/trainer_options.h"

const char *const option_group_title[OF_COUNT] = {
    [OF_MODEL] = "The model",
    [OF_C] = "The C",
    [OF_BUILD] = "For build tools",
    [OF_MESSAGES] = "Messages",
    [OF_RUN] = "run, check and explain",
    [OF_TRAIN] = "train, eval and predict",
    [OF_IMPORT] = "import and export",
    [OF_OTHER] = "Others",
};

/* A row for an option of the trainer. The help begins with the command that has it, unless all
 * have. */
#define HELP_ALL      ""
#define HELP_TRAIN    "train: "
#define HELP_MEASURES "train, eval: "
#define TRAINER_OPTION(name, kind, commands, value, metavar, help) \
    {name, O_TRAINER, OF_TRAIN, value, metavar, NULL, HELP_##commands help},

const Option option_table[] = {
    {"-D", O_DEFINE, OF_MODEL, 1, "NAME=INT", NULL, "give a dim another value, or another bound"},
    {"-I", O_INCLUDE, OF_MODEL, 1, "DIR", NULL, "look for imported files here too"},
    {"-e", O_EXPRESSION, OF_MODEL, 1, "TEXT", NULL,
     "the model is TEXT, an expression or statements"},
    {"--max-operations", O_OPERATIONS, OF_MODEL, 1, "N", NULL,
     "refuse a model whose text becomes more than N operations (default: 4000000)"},
    {"--stdin-name", O_STDIN_NAME, OF_MODEL, 1, "NAME", NULL,
     "what messages and the prefix call the model that '-' reads"},

    {"-o", O_OUTPUT, OF_C, 1, "FILE", NULL,
     "write the C to FILE and, where it ends in .c, the header beside it; '-' is standard output"},
    {"--header", O_HEADER, OF_C, 2, "FILE", NULL,
     "write the declarations to a header of their own"},
    {"--prefix", O_PREFIX, OF_C, 1, "NAME", NULL,
     "start all names in the C with NAME_ (default: the stem of the input file)"},
    {"--standalone", O_STANDALONE, OF_C, 0, NULL, NULL,
     "C that needs nothing but libm: what it uses of the runtime is in the file"},
    {"--real", O_REAL, OF_C, 1, "TYPE", "float double", "float (the default) or double"},
    {"-O", O_OPTIMIZE, OF_C, 1, "LEVEL", "0 2",
     "0: C to read, a statement for each step; 2: C to run (the default)"},
    {"--comments", O_COMMENTS, OF_C, 1, "WHAT", "none source derivation",
     "none, source, or derivation: the rule of calculus above each backward statement"},
    {"--keep", O_KEEP, OF_C, 1, "NAME", NULL, "keep a named value in work at -O2 too"},
    {"--without", O_WITHOUT, OF_C, 1, "PASS", pass_words,
     "leave out a pass, to measure it or to find its fault; may be repeated"},
    {"--no-share", O_NO_SHARE, OF_C, 0, NULL, NULL, "give every value memory of its own"},
    {"--pool-from", O_POOL_FROM, OF_C, 1, "NS", NULL,
     "share functions and loops estimated to take at least NS nanoseconds "
     "among the threads of work.pool (default: 100000 for a function, 2000 for a loop)"},
    {"--unroll", O_UNROLL, OF_C, 1, "PASSES", NULL,
     "expand loops of at most PASSES passes; longer ones whose passes are alike stay loops "
     "(default: what is shorter)"},
    {"--segment", O_SEGMENT, OF_C, 1, "PASSES", NULL,
     "keep what a loop carries only every PASSES passes, and compute the passes between again for "
     "its derivative; PASSES,PART: and these in parts of PART passes, which are computed again once "
     "more"},
    {"--memory", O_MEMORY, OF_C, 1, "BYTES", NULL,
     "let the work struct have at most BYTES (K, M and G are powers of 1024): "
     "backward computes as much of forward again as that takes"},
    {"--ranks", O_RANKS, OF_C, 0, NULL, NULL,
     "let the rows of a batch be divided among several processes: what is summed over rows goes "
     "through work.ranks"},
    {"--weights", O_WEIGHTS, OF_C, 1, "FILE", NULL,
     "write only predict, with the weights of FILE as constants: "
     "safetensors, .npz, .npy, or the memory of the params struct; where it is repeated, later "
     "files go before the first"},
    {"--train", O_TRAIN, OF_C, 1, "NAMES", NULL,
     "with --weights: train these params, as head.W,enc.*, from where FILE has them; "
     "all others are constants"},
    {"--fresh", O_FRESH, OF_C, 1, "NAMES", NULL,
     "with --weights: train these params, but from where the model starts them"},
    {"--map", O_MAP, OF_C, 1, "PAIRS", NULL,
     "theirs=ours,...: what weights are called in their file and here; or a file of such pairs"},
    {"--report", O_REPORT, OF_C, 0, NULL, NULL,
     "report FLOPs, parameters and memory; without -o, write nothing else"},

    {"-M", O_DEPS, OF_BUILD, 0, NULL, NULL,
     "print a make rule with all files that the model is read from, and write no C"},
    {"-MD", O_DEPS_TOO, OF_BUILD, 0, NULL, NULL,
     "write that rule beside the C, in a file that ends in .d"},
    {"-MF", O_DEPS_FILE, OF_BUILD, 1, "FILE", NULL, "write the rule to FILE"},
    {"-MT", O_DEPS_TARGET, OF_BUILD, 1, "TARGET", NULL,
     "the rule's target (default: the files that are written)"},
    {"--manifest", O_MANIFEST, OF_BUILD, 2, "FILE", NULL,
     "describe the C in JSON: functions, tensors, shapes, offsets; beside the C, in a file that "
     "ends in .json"},

    {"-W", O_WARNING, OF_MESSAGES, 1, "NAME", NULL,
     "switch a warning on, no-NAME off, all of them on; error: warnings are errors"},
    {"--diagnostics", O_DIAGNOSTICS, OF_MESSAGES, 1, "FORM", "text json",
     "text (the default), or json: an object on a line for each message"},
    {"--color", O_COLOR, OF_MESSAGES, 1, "WHEN", "auto always never", "auto, always or never"},

    {"--fill", O_FILL, OF_RUN, 0, NULL, NULL,
     "run: give inputs that have no value seeded normal numbers, and labels in range; print the "
     "inputs too"},
    {"--digits", O_DIGITS, OF_RUN, 1, "N", NULL,
     "run: print numbers with N significant digits (default: 9; 17 print a double exactly)"},

    {"--html", O_FORM, OF_RUN, 0, NULL, NULL,
     "explain: a page to look at and step through (the default)"},
    {"--text", O_FORM, OF_RUN, 0, NULL, NULL, "explain: the lesson as text"},
    {"--tex", O_FORM, OF_RUN, 0, NULL, NULL, "explain: the lesson for LaTeX"},
    {"--dot", O_FORM, OF_RUN, 0, NULL, NULL, "explain: the graph for Graphviz"},
    {"--json", O_FORM, OF_RUN, 0, NULL, NULL, "explain: all of it, for other programs"},
    {"--jacobians", O_JACOBIANS, OF_RUN, 0, NULL, NULL,
     "explain: the full Jacobians, and what they would cost; in --html, --text, --tex and --json, "
     "or alone"},
    {"--layout", O_LAYOUT, OF_RUN, 1, "LAYOUT", "rows columns numerator denominator",
     "explain: of dy/dx a row (the default) or a column for each element of y; numerator and "
     "denominator layout are the same two"},

    {"--loss", O_LOSS, OF_IMPORT, 1, "NAME", NULL,
     "import: train the model by this loss: cross_entropy, mse, ... (default: a comment to "
     "complete)"},
    {"--optimizer", O_OPTIMIZER, OF_IMPORT, 1, "CALL", NULL,
     "import: with this optimizer: 'adam(lr = 0.001)'"},
    {"--constant", O_CONSTANT, OF_IMPORT, 1, "NAMES", NULL,
     "import: initializers of these names, as the file has them, are not trained: 'rotary.*,mask'"},
    {"--flat", O_FLAT, OF_IMPORT, 0, NULL, NULL,
     "import: write each layer as a statement of its own, without defs and loops"},
    {"--force", O_FORCE, OF_IMPORT, 0, NULL, NULL,
     "import: write over a text that was changed since it was imported"},

    {"--training", O_TRAINING, OF_IMPORT, 0, NULL, NULL,
     "export: losses and gradients too, of the model as it is trained"},

    {"--check", O_CHECK, OF_OTHER, 0, NULL, NULL,
     "fmt: change nothing, list the files that would change, and exit with 1 if there are any"},
    {"-d", O_DUMP, OF_OTHER, 1, "LETTERS", NULL,
     "print after passes: l lowering, s simplification (the graph), f fusion, p planning (the "
     "programs), and others"},
    {"--verify", O_VERIFY, OF_OTHER, 0, NULL, NULL,
     "check after each pass that its result is sound"},
    {"--completion", O_COMPLETION, OF_OTHER, 1, "SHELL", "bash zsh fish",
     "print the completions for bash, zsh or fish"},
    {"--man", O_MAN, OF_OTHER, 0, NULL, NULL, "print the manual page, for man"},
    {"--help", O_HELP, OF_OTHER, 0, NULL, NULL, "print this"},
    {"--version", O_VERSION, OF_OTHER, 0, NULL, NULL,
     "print the version, with which optional libraries (+) ngc was built, and by what"},

    TRAINER_OPTIONS(TRAINER_OPTION) /* of train, eval and predict */
};
const int option_count = (int)(sizeof option_table / sizeof *option_table);

const CommandInfo command_table[] = {
    {"compile", C_COMPILE, "[options] FILE|-",
     "write C and a header: ngc model.ng -o model.c (the default command)"},
    {"run", C_RUN, "[options] FILE|-e TEXT [name=value ...]",
     "print every named value and every derivative"},
    {"check", C_CHECK, "[options] FILE [name=value ...]",
     "compare each derivative with central differences"},
    {"explain", C_EXPLAIN,
     "[--html|--text|--tex|--dot|--json] [--jacobians] [--data F] [-o OUT] FILE [name=value ...]",
     "explain how the values and the derivatives are computed, step by step"},
    {"train", C_TRAIN, "[options] FILE --data ... [--save F]",
     "train on real data through the emitted C (see ngc train FILE --help)"},
    {"eval", C_EVAL, "[options] FILE --data ... --load F",
     "print losses and metrics of a trained model, one 'name: value' a line"},
    {"predict", C_PREDICT, "[options] FILE --data ... --load F [-o OUT]",
     "print the outputs of a trained model, a line for each row of the data"},
    {"library", C_LIBRARY, "[options] FILE -o LIBRARY.so",
     "compile the C to a shared library with its manifest, for Python and other languages"},
    {"import", C_IMPORT, "[options] FILE.onnx [-o MODEL.ng] [--save F] [input=value ...]",
     "write a model in the ONNX format as text, and its weights to a file"},
    {"export", C_EXPORT, "[options] FILE [--load F] [--training] -o MODEL.onnx",
     "write a model and its weights in the ONNX format"},
    {"fmt", C_FMT, "[--check] FILE|- ...",
     "lay models out: indentation and blanks; comments and lines stay"},
    {"explain-error", C_EXPLAIN_ERROR, "CODE ...", "explain an error: ngc explain-error NG0301"},
};
const int command_count = (int)(sizeof command_table / sizeof *command_table);

const WarningInfo warning_table[] = {
    {"batch-value", "a loss of one batch, not of all the data"},
    {"broadcast", "a column [n, 1] compared with [n], which gives [n, n]"},
    {"float-range", "a number so large or so small that 32-bit floats do not have it"},
    {"large-output", "C of more than 4 MB"},
    {"lazy", "an optimizer's lazy = 1 that changes nothing"},
    {"log-softmax", "the log of a softmax"},
    {"mask-product", "a product with 0 and 1 over an infinite value or slope"},
    {"not-logits", "a softmax or sigmoid given to a loss that takes logits"},
    {"over-variable", "a gradient over a variable that a loop has changed"},
    {"renamed-identifier", "a name that is changed in the C"},
    {"singular-matrix", "a third derivative of det, which needs a regular matrix"},
    {"underflow", "a number so small that it becomes 0"},
    {"unused-name", "a name that nothing uses"},
    {"zero-gradient", "a gradient that is 0 wherever it exists"},
};
const int warning_count = (int)(sizeof warning_table / sizeof *warning_table);

const char *option_form(Ngc *ngc, const Option *o)
{
    bool word = o->name[1] == '-';
    bool joined = o->kind == O_OPTIMIZE || o->kind == O_WARNING;
    const char *metavar = text_or(o->metavar, "");

    if (o->value == 2)
        return text_format(ngc, "%s[=%s]", o->name, metavar);
    if (o->value && word)
        return text_format(ngc, "%s=%s", o->name, metavar);
    if (o->value && !joined)
        return text_format(ngc, "%s %s", o->name, metavar);
    return text_format(ngc, "%s%s", o->name, metavar);
}
