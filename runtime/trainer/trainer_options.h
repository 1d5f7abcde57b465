/* trainer_options.h - the options of train, eval and predict, described once: for the program that
 * trains (options.c), for `ngc --help`, its completions and its manual page, and for the table in
 * README.md, which tests/docs.sh compares.
 *
 *     X(name, kind, commands that take it, value, what the value is, help)
 *
 * The value is NO_VALUE, VALUE (after '=' or in the next argument) or MAY_FOLLOW (only after '=').
 */
#ifndef TRAINER_OPTIONS_H
#define TRAINER_OPTIONS_H

enum { NO_VALUE, VALUE, MAY_FOLLOW };

#define TRAINER_OPTIONS(X)                                                                         \
    X("--data", DATA, ALL, VALUE, "FILE",                                                          \
      "CSV, IDX, .npy or .npz, also by gzip: columns for the inputs in their order; "              \
      "or NAME=FILE,... for each; FILE:0-3 or FILE:length,width takes these columns")              \
    X("--val", VAL, TRAIN, VALUE, "FILE",                                                          \
      "validation data in the same forms, evaluated after each epoch")                             \
    X("--skip-rows", SKIP_ROWS, ALL, VALUE, "N", "lines to leave out at the start of a table")     \
    X("--delimiter", DELIMITER, ALL, VALUE, "C",                                                   \
      "what separates the cells of a table: a character, tab or space; by default, what its "      \
      "first lines show")                                                                          \
    X("--no-header", NO_HEADER, ALL, NO_VALUE, NULL, "the first line of a table is data")          \
    X("--missing", MISSING, ALL, VALUE, "WHAT",                                                    \
      "a cell without a value is an error (the default), or: drop leaves out its row, mean takes " \
      "its column's mean in the training data")                                                    \
    X("--scale", SCALE, TRAIN, VALUE, "NAME=X",                                                    \
      "multiply an input by a number, or by one such as 1/255; saved, and applied by eval and "    \
      "predict")                                                                                   \
    X("--standardize", STANDARDIZE, TRAIN, VALUE, "NAMES",                                         \
      "bring each element of these inputs to mean 0 and standard deviation 1 over the training "   \
      "data; saved, and applied by eval and predict")                                              \
    X("--data-memory", DATA_MEMORY, ALL, VALUE, "BYTES",                                           \
      "data up to this size is kept in memory (K, M and G are powers of 1024); default 256M")      \
    X("--split", SPLIT, MEASURES, VALUE, "SHARES",                                                 \
      "of --data for training, validation and test, as 0.7,0.15,0.15: by the seed, and of each "   \
      "class alike")                                                                               \
    X("--val-split", VAL_SPLIT, MEASURES, VALUE, "SHARE",                                          \
      "the share of --data that is for validation")                                                \
    X("--folds", FOLDS, TRAIN, VALUE, "N",                                                         \
      "train N times, each time without another N-th of --data; print what that part gives: mean " \
      "and deviation")                                                                             \
    X("--epochs", EPOCHS, TRAIN, VALUE, "N",                                                       \
      "passes over the data in all, including those before --load; default 10")                    \
    X("--batch", BATCH, ALL, VALUE, "N",                                                           \
      "rows at a time; by default the bound of the first run-time size, or all rows if fewer")     \
    X("--find-rate", FIND_RATE, TRAIN, VALUE, "NAME",                                              \
      "do not train, but find a learning rate: take steps while this scalar input grows, and "     \
      "show the loss by it")                                                                       \
    X("--accumulate", ACCUMULATE, TRAIN, VALUE, "N",                                               \
      "the gradient of a step is that of N batches")                                               \
    X("--set", SET, ALL, VALUE, "NAME=X", "the value of a scalar input, as NAME=X alone")          \
    X("--grid", GRID, TRAIN, VALUE, "NAME=X,...",                                                  \
      "train with each value of a scalar input, or each combination of several; the best is kept") \
    X("--seed", SEED, ALL, VALUE, "N",                                                             \
      "seed of the initial weights and the order of rows; by default that of --load, or 1")        \
    X("--no-shuffle", NO_SHUFFLE, TRAIN, NO_VALUE, NULL, "take the rows in the order of the file") \
    X("--load", LOAD, ALL, VALUE, "FILE",                                                          \
      "start from these weights: safetensors, .npz or .npy; training continues where it was")      \
    X("--save", SAVE, TRAIN, VALUE, "FILE",                                                        \
      "write the weights at the end, and during training at most once a second: "                  \
      ".npz, .npy, else safetensors")                                                              \
    X("--resume", RESUME, TRAIN, VALUE, "FILE",                                                    \
      "continue the training that this file is of, if there is one, and save to it")               \
    X("--checkpoint", CHECKPOINT, TRAIN, VALUE, "N",                                               \
      "save every N steps, or by time: 30s, 5m, 1h")                                               \
    X("--keep-best", KEEP_BEST, TRAIN, NO_VALUE, NULL,                                             \
      "end with the weights of the epoch whose first loss is lowest (of maximize: highest), of "   \
      "the validation data if there is any")                                                       \
    X("--patience", PATIENCE, TRAIN, VALUE, "N", "end when that loss has not fallen for N epochs") \
    X("--tolerance", TOLERANCE, TRAIN, VALUE, "X",                                                 \
      "it has fallen if it is lower by more than X; by default 0; without --patience, that is 10") \
    X("--max-steps", MAX_STEPS, TRAIN, VALUE, "N", "end after N steps in all")                     \
    X("--max-time", MAX_TIME, TRAIN, VALUE, "TIME", "end after this time: 30s, 5m, 1h")            \
    X("--log", LOG, TRAIN, VALUE, "FILE",                                                          \
      "write the values of each epoch as CSV; for a tensor each element, c[0,1]; '-' is "          \
      "standard output")                                                                           \
    X("--curve", CURVE, TRAIN, MAY_FOLLOW, "FILE",                                                 \
      "at the end, the loss of each epoch as a curve in characters, or in FILE all values: .svg "  \
      "or .png")                                                                                   \
    X("--assess", ASSESS, MEASURES, MAY_FOLLOW, "FILE",                                            \
      "at the end, compare what is predicted with what is true: the confusion matrix, precision, " \
      "recall, F1 and AUC of each class, or a scatter of numbers; also drawn in FILE, as SVG or "  \
      ".png")                                                                                      \
    X("--boundary", BOUNDARY, MEASURES, VALUE, "FILE",                                             \
      "of a model of two numbers, what it says in each place of their plane, .svg or .png")        \
    X("--threads", THREADS, ALL, VALUE, "N",                                                       \
      "threads that share the work of a large model; default 1")                                   \
    X("--quiet", QUIET, ALL, NO_VALUE, NULL, "print only results and errors")

/* Those that ngc has for other commands too, in its own table. */
#define TRAINER_OPTIONS_OF_NGC(X)                                                                 \
    X("--map", MAP, ALL, VALUE, "PAIRS",                                                          \
      "theirs=ours,...: what weights are called in their file and here; or a file of such pairs") \
    X("--weights", WEIGHTS, ALL, VALUE, "FILE",                                                   \
      "the weights that are not trained, and what was done to the data when they were")           \
    X("-o", OUT, PREDICT, VALUE, "FILE",                                                          \
      "write the outputs: .npy, .npz, else CSV; '-' is standard output (the default)")            \
    X("--diagnostics", DIAGNOSTICS, ALL, VALUE, "FORM",                                           \
      "text (the default), or json: one object a line for each message, and no lines of epochs")

#endif
