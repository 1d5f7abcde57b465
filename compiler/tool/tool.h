/* tool.h - what the commands of ngc do */
#ifndef TOOL_H
#define TOOL_H

#include "emit/emit_c.h"
#include "program/module.h"

/* ---- compile.c: from a text to a model ---- */

int source_library(Ngc *);             /* adds the library, before any other text; as source_add */
void source_restart(Ngc *);            /* forgets all texts and messages, and adds the library */
Model *model_compile(Ngc *, int file); /* after source_library; NULL: there were errors */

/* ---- report.c, manifest.c: what a module is ---- */

void report(const Module *, const Output *, FILE *); /* report.c */
void manifest_write(const Module *, Text *);         /* manifest.c */

/* ---- segments.c: --memory for loops ---- */

/* Passes of a segment (--segment) with which work fits, or is smallest; 0: it fits without, or the
 * model has no loop. */
int segment_to_fit(const Ngc *, const Model *, int file);

/* ---- weights.c: --weights ---- */

bool weights_load(Ngc *, Model *, const char *path); /* sets Var.data; false with a message */
int weights_freeze(Ngc *, Model *); /* cuts the model down to its outputs; 0, or the exit status */

/* ---- deps.c: what build tools read ---- */

bool deps_write(Ngc *, Text *, const char *given, const char *const *target, int targets,
                const char *extra);

/* ---- driver.c ---- */

/* Does not return where the program could be started. */
int train_main(Ngc *, Model *, const char *command, char **argv, int argc);

#endif
