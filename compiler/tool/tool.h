/* tool.h - what the commands of ngc do */
#ifndef TOOL_H
#define TOOL_H

#include "emit/emit_c.h"
#include "program/module.h"
#include "tool/options.h"

/* ---- compile.c: from a text to a model ---- */

int source_library(Ngc *);             /* adds the library, before any other text; as source_add */
void source_restart(Ngc *);            /* forgets all texts and messages, and adds the library */
Model *model_compile(Ngc *, int file); /* after source_library; NULL: there were errors */

/* ---- report.c, manifest.c: what a module is ---- */

void report(const Module *, const Output *, FILE *); /* report.c */
void manifest_write(const Module *, Text *);         /* manifest.c */

/* ---- segments.c: --memory for loops ---- */

typedef struct Segments { /* as --segment says */
    int passes, part;
} Segments;

/* Those with which work fits, or is smallest. No passes: it fits without, or the model has no loop.
 */
Segments segments_to_fit(const Ngc *, const Model *, int file);

/* ---- weights.c: --weights ---- */

bool weights_load(Ngc *, Model *, const char *path); /* sets Var.data; false with a message */
/* The elements of constants, and what the other variables start with. whole: the same model without
 * constants; prepared: the model does to its inputs what their training did. False with a message.
 */
bool weights_tune(Ngc *, Model *whole, Model *, bool prepared);
int weights_freeze(Ngc *, Model *); /* cuts the model down to its outputs; 0, or the exit status */

/* ---- tune.c: --weights where something is trained ---- */

/* The model with constants in place of the params that are not trained. The model as it is, if only
 * predict is asked for. NULL with a message and the exit status. */
Model *tune_model(Ngc *, Model *, int file, Command, int *status);

/* ---- deps.c: what build tools read ---- */

bool deps_write(Ngc *, Text *, const char *given, const char *const *target, int targets,
                const char *extra);

/* ---- driver.c ---- */

/* Does not return where the program could be started. */
int train_main(Ngc *, Model *, const char *command, char **argv, int argc);

/* Writes a shared library to `output`; 0, or the exit status. */
int library_main(Ngc *, Model *, const char *output);

/* Prints what there is to say. Of several ranks, only the first does, unless it does not end all of
 * them within two seconds, as where one rank alone has failed. */
void rank_messages(Ngc *);

#endif
