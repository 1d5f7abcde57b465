/* emit_comment.h - what the files share that write the comments of the emitted C. */
#ifndef EMIT_COMMENT_H
#define EMIT_COMMENT_H

#include "emit/emit.h"

enum { COMMENT_DEPTH = 3 }; /* of the expressions in comments */

/* ---- emit_words.c: expressions and names ---- */

/* An expression, short enough to read. */
const char *node_words(Emit *, const Node *, int depth);
/* "h", "dJ/dh", or what it is computed from. */
const char *comment_label(Emit *, const Node *);
/* "  [10, 784]"; "": it is a number. */
const char *shape_words(Emit *, const Node *);
/* Do two texts differ in more than blanks? */
bool words_differ(const char *, const char *);
/* The user's name of a value, or the name of an adjoint; not a name that comment_names lends. */
const char *kept_name(const Emit *, const Node *);
/* Does it have the name of an adjoint, dJ/dz? */
bool is_adjoint(const Node *);
/* Tables by id are of the graph's nodes; a program may have added a copy of one. */
bool is_in_graph(const Emit *, const Node *);

/* ---- emit_lines.c: lines of the model ---- */

/* Prepares the tables that the others use. */
void lines_find(Emit *);
/* A number for a line of the user's files; 0: the place is not in the user's files. */
int line_key(const Emit *, Loc);
/* 1 + the root of that name that is not a gradient or an update; 0: there is none. */
int *line_root(Emit *, const char *name);
/* The place in the model that a node is computed for. */
Loc line_loc(Emit *, const Node *);
/* "line 7: ", of an imported file "layers.ng, line 7: ". */
const char *line_words(Emit *, Loc);
/* The text of the user's line there: "z = w*x + b". */
const char *line_source(Emit *, Loc);

/* ---- emit_rule.c: a step of the reverse sweep as a rule ---- */

/* Prepare the tables that the others use, in this order. */
void rule_find_steps(Emit *);
void rule_find_holders(Emit *);
void rule_find_losses(Emit *);
/* The loss that a value is known to be derived from, or NULL. */
const char *rule_loss(const Emit *, const Node *);
/* The root of the gradient with this name in C; NULL: there is none. */
const Root *rule_root(Emit *, const char *cname);
/* The step that made what is stored. */
const Step *rule_step(Emit *, const Program *, const Store *);
/* "z = x @ W' + b  =>  dJ/dW = dJ/dz' @ x  [10, 784]", and why. NULL: n is not a step. */
const char *rule_text_of_step(Emit *, const Node *, const Step *, const char *stored,
                              const char **why);

#endif
