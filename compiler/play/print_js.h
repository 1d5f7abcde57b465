/* print_js.h - a module in JavaScript, for a page that trains it. */
#ifndef PRINT_JS_H
#define PRINT_JS_H

#include "graph/eval.h"
#include "program/module.h"

/* Adds a JSON object: the text, the arrays that it works on with their starting values, and the
 * module's results. See README.md. */
void print_js(const Module *, Eval *, Text *);

#endif
