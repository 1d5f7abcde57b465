/* onnx.h - models in the ONNX format: `ngc import` and `ngc export`.
 *
 * An import has four steps. wire.c reads the file. walk.c goes over its nodes: node_*.c turn each
 * into lines of the language (Line), and fold.c computes what is known already, such as shapes.
 * outline.c joins lines into statements and finds what repeats. print.c names all and writes the
 * text. */
#ifndef ONNX_H
#define ONNX_H

#include "graph/graph.h"
#include "lang/lower.h"

#include "../runtime/host/host.h"
#include "format.pb-c.h"

/* ---- the format ---- */

typedef enum { /* of an element, as the format numbers them */
               EL_FLOAT = 1,
               EL_UINT8 = 2,
               EL_INT8 = 3,
               EL_UINT16 = 4,
               EL_INT16 = 5,
               EL_INT32 = 6,
               EL_INT64 = 7,
               EL_STRING = 8,
               EL_BOOL = 9,
               EL_FLOAT16 = 10,
               EL_DOUBLE = 11,
               EL_UINT32 = 12,
               EL_UINT64 = 13,
               EL_BFLOAT16 = 16,
} Element;

enum { /* Pb__Attribute.type */
       AT_FLOAT = 1,
       AT_INT = 2,
       AT_STRING = 3,
       AT_TENSOR = 4,
       AT_GRAPH = 5,
       AT_FLOATS = 6,
       AT_INTS = 7,
       AT_STRINGS = 8,
};

bool element_is_int(int element);    /* an integer; not a bool, which is float in the language */
bool element_is_number(int element); /* of a type that ngc has */
/* Is it an integer of at most 16 bits? The least and the largest. */
bool element_is_short(int element, double *lo, double *hi);

/* ---- wire.c: a file and its messages ---- */

/* NULL with a message. */
Pb__Model *onnx_read(Ngc *, const char *path);
Pb__Tensor *onnx_read_tensor(Ngc *,
                             const char *path); /* a file of one tensor, as tests have them */
void onnx_write(Ngc *, const Pb__Model *, Text *);

/* ---- tensor.c: tensors whose elements are known ---- */

/* Its elements are those of a tensor of the file, numbers, or sizes. */
typedef struct Known {
    int element; /* Element */
    int rank;
    int64_t dim[MAX_RANK];
    int64_t count;
    ngrt_data data;     /* at: NULL, or the elements */
    double *number;     /* or these */
    Size *size;         /* or these, which may depend on run-time dims */
    const char *name;   /* of the initializer that it is, or NULL */
    const char *called; /* its name, if it is not trained: then it has no other */

    /* initial.c, of an initializer */
    int uses;           /* operands of nodes that it is, or that its twins are */
    uint64_t mix;       /* a number that does not depend on the order of its elements */
    int order;          /* its place in the file */
    bool even;          /* all elements are equal */
    bool inside;        /* a graph in a node reads it, perhaps repeatedly */
    bool merged;        /* each use is a weight of its own */
    struct Known *twin; /* the weight that it is once more, or NULL */
    bool turned;        /* transposed */
    struct Line *line;  /* its declaration, if it is one weight in all places; or NULL */
} Known;

/* NULL with a message in *why. folder: where the model's external data is. */
Known *known_of_tensor(Ngc *, const Pb__Tensor *, const char *folder, const char **why);
Known *known_new(Ngc *, int element, int rank, const int64_t *dim);   /* with numbers, all 0 */
Known *known_sizes(Ngc *, int rank, const int64_t *dim);              /* with sizes, all 0 */
bool known_number(const Graph *, const Known *, int64_t i, double *); /* false: it is a size */
Size known_size(Graph *, const Known *, int64_t i);
bool known_whole(const Graph *, const Known *, int64_t i, int64_t *);
Size size_of_number(Graph *, int64_t);                        /* also of a negative one */
bool known_same(const Graph *, const Known *, const Known *); /* all elements are equal */
bool known_even(const Graph *, const Known *, double *);      /* all its elements are this number */

/* ---- lines: what nodes become ---- */

/* How tight an expression binds, from the loosest operator. */
typedef enum {
    BIND_ANY,
    BIND_COMPARE,
    BIND_SUM,
    BIND_TERM,
    BIND_NEG,
    BIND_POWER,
    BIND_ATOM, /* a name, a call, an index */
} Binds;

typedef struct Line Line;
typedef struct GraphScope GraphScope; /* node_control.c */

typedef struct Operand { /* what a line computes, or one of several */
    Line *line;          /* NULL: none */
    int part;            /* of a line with parts */
} Operand;

typedef enum {
    LINE_VALUE,   /* an expression */
    LINE_LITERAL, /* a number, or a list of numbers: always written where it is used */
    LINE_DIM,
    LINE_INPUT,
    LINE_PARAM,
    LINE_STATE,
} LineKind;

typedef struct Weight {
    Known *value;
    const int *perm; /* how its axes are to be in the file of weights; NULL: as they are */
    Shape shape;     /* after that */
    bool state;      /* not trained */
} Weight;

/* An expression of the language. In form, $BI is operand I, which must bind at least like B:
 * "$20 + $31" is a sum of operands 0 and 1. */
struct Line {
    LineKind kind;
    const char *form; /* of a declaration: what follows the name */
    Binds binds;
    Operand *arg;
    int args;
    int parts;      /* values of the list that it is; 0: one value */
    Weight *weight; /* in the order in which the language makes its params and states */
    int weights;
    const char *label; /* what the file calls it: "layer1.0.conv1", or NULL */
    unsigned new_axes; /* of an index that inserts axes: a bit for each; else 0 */
    int64_t units;     /* of a dense layer without a bias: how many it has; else 0 */
    Node **node;       /* of each part: shape and type */
    int id;
    const char *name;            /* of a dim */
    struct Statement *statement; /* that it became, or NULL */
};

/* What a name of the file means. */
typedef struct Meaning {
    Known *known;    /* its elements, or NULL */
    Operand operand; /* where they are not known, or were needed as an operand */
    int element;     /* Element */
} Meaning;

typedef struct Import {
    Ngc *ngc;
    const char *path, *folder;
    const Pb__Model *model;
    const Pb__Graph *graph;
    bool named_numbers; /* a number that is an initializer is a weight */
    int64_t own_opset;  /* of the file */
    int64_t opset;      /* of the current node */

    Lower *lower; /* in which each line is executed, for its shape */
    Graph *g;
    Table names; /* interned: 1 + the place in meaning */
    Meaning *meaning;
    int meanings, meaning_room;
    Line **line;
    int lines, line_room;

    Pb__Node **node; /* of the graph, after pattern.c has joined some of them */
    int nodes;
    const Pb__Node *at; /* the node that is being taken */
    bool failed;        /* something was reported of it */
    int problems;

    Table taken; /* names that the text has; "dim " before a word: 1 + the place in dim_name */
    const char **dim_name;
    int dim_names, dim_name_room;
    const char *index;                               /* of loops in the text */
    Table written;                                   /* names of outputs */
    Table uses;                                      /* by name: operands of nodes, and outputs */
    void (*take)(struct Import *, const Pb__Node *); /* turns a node into lines: walk.c */
    GraphScope *scope; /* of the graph in a node that is being taken, or NULL */
    int scopes;        /* that there have been, and passes over them */
    int64_t inner_nodes;

    char **fixed; /* NAME=VALUE: inputs that are known */
    int fixes;
    Operand *output;
    const char **output_name; /* as the file calls them */
    int outputs;
    Text remarks; /* at the end of the text: outputs without elements */
} Import;

enum {
    ANY_NUMBER = INT_MAX, /* of operands */
    OWN_TYPE = -1,        /* that of no operand */
};

typedef struct OnnxOp {
    const char *name;
    /* An expression of the operands, if there is no function. */
    const char *form;
    Binds binds;
    void (*take)(Import *); /* of the current node */
    int operands;           /* at most; 0: as many as the form has, or one */
    int typed_by;           /* the operand whose type the results have, or OWN_TYPE */
    bool joined;            /* pattern.c makes it of several nodes; files cannot have it */
    const char *attributes; /* that are understood, separated by blanks */
    const char *needs;      /* those of them that have no default */
    const char *says;       /* what it becomes, for the manual */
} OnnxOp;

/* ---- node.c: the node that is being taken ---- */

/* Reports a problem of the current node, once. */
void problem(Import *, const char *format, ...);

/* Is it one of these words, which are separated by blanks? Either may be NULL: then it is not. */
bool has_word(const char *words, const char *word);

Meaning *meaning_new(Import *, const char *name);
/* NULL: the file does not define it, or name is NULL. */
Meaning *meaning_of(Import *, const char *name);

bool has_input(const Pb__Node *, int i);
const Meaning *input_of(Import *, int i); /* of the current node; NULL with a problem */
Known *input_known(Import *, int i);      /* its elements, or NULL: they are not known */
Known *want_known(Import *, int i, const char *what);  /* with a problem */
Known *given_known(Import *, int i, const char *what); /* NULL also where input i is absent */
Operand operand(Import *, int i);                      /* line NULL with a problem */
Node *operand_node(Operand);
int input_rank(Import *, int i); /* -1 with a problem */
bool input_shape(Import *, int i, Shape *);
int input_element(Import *, int i);

Operand literal(Import *, double);
Operand operand_of_known(Import *, Known *);
Operand declare(Import *, Known *, const char *label); /* a param or state */

/* A line with these operands. An operand without a line, or a line that the language refuses,
 * gives one without a line, after a problem. */
Operand emit(Import *, Binds, const char *form, int args, ...); /* Operand ... */
/* The same with one operand and a form that is printed: emit_of(im, x, BIND_ATOM, "f($00, %d)", i)
 */
__attribute__((format(printf, 4, 5))) Operand emit_of(Import *, Operand, Binds, const char *format,
                                                      ...);
Operand towards_0(Import *, Operand); /* the whole number */
Operand permuted(Import *, Operand, const int64_t *perm, int rank);
Operand last_axis_to(Import *, Operand, int64_t axis, int rank); /* it becomes this axis */
Operand emit_line(Import *, Line *);
Line *line_new(Import *, Binds, const char *form, int args, const Operand *);
void line_weight(Import *, Line *, Known *, const int *perm);

void result(Import *, int i, Operand); /* output i of the current node */

/* Emits a line as its output 0, unless it failed. */
void result_emit(Import *, Binds, const char *form, int args, ...);

void result_known(Import *, int i, Known *);
bool gives_truth(const char *op); /* are its results 0 and 1? */
bool wants_output(const Pb__Node *, int i);
bool is_param(const Import *, const Known *); /* is it a weight that is trained? */
/* Are its matrices one number below and on the diagonal, and another one above? */
bool is_triangle(Import *, const Known *, double *lower, double *upper);
bool is_shared(const Known *);           /* is it one weight in several places? */
int uses_of(Import *, const char *name); /* by how many operands and outputs it is read */

/* Attributes of the current node. */
const Pb__Attribute *attribute(const Import *, const char *name);
int64_t attribute_int(const Import *, const char *name, int64_t otherwise);
double attribute_float(const Import *, const char *name, double otherwise);
const char *attribute_text(const Import *, const char *name, const char *otherwise);
int attribute_ints(Import *, const char *name, int64_t *out, int room); /* -1: not there */

/* Axes: an attribute, or an operand from an opset on. -1: not there; -2 with a problem. */
int axes_of(Import *, const char *name, int input, int64_t *out, int rank);
int64_t axis_of(Import *, int64_t axis, int rank); /* not negative; -1 with a problem */
int64_t axis_attribute(Import *, int64_t otherwise,
                       int rank); /* the same of `axis`; -1 if it failed */

const char *number_text(Import *, double);
const char *sizes_text(Import *, const Size *, int count); /* "[m, 3]" */
const char *ints_text(Import *, const int64_t *, int count);

/* ---- check.c: what is wrong with a file, before its nodes are taken ---- */

int64_t check_opset(Import *); /* of ONNX's own operators; 1 with a problem */
void check_names(Import *);    /* what is defined twice */
void check_nodes(Import *);    /* operators and attributes that are not supported */

/* ---- constant.c: initializers that are not trained ---- */

void constants_find(Import *);

/* ---- initial.c: initializers as weights ---- */

void weights_find(Import *);

/* ---- label.c: what the file calls layers ---- */

const char *weight_label(Ngc *, const Known *); /* the path of a weight that is declared */
/* What the file calls the layer that has these weights: "layer1.0.conv1", or NULL. */
const char *layer_label(Import *, const Known *W, const Known *b);

/* ---- pattern.c: nodes that are one function ---- */

/* Nodes that pattern.c makes have this domain, and mean the operators of this opset. */
#define joined_domain "joined"
enum { JOINED_OPSET = 20 };

void patterns_find(Import *);

/* ---- fold.c: nodes whose results are known ---- */

bool fold(Import *); /* true: the current node was one, and its results are known */

/* ---- fold_known.c: what the files that fold share ---- */

enum { FOLD_MOST = 1 << 20 }; /* elements of a result */

Known *fold_new(Import *im, int element, int rank, const int64_t *dim, bool sizes);
/* Sets element i of y to element k of x. y has numbers only if all sources have. */
void fold_put(Import *im, Known *y, int64_t i, const Known *x, int64_t k);
bool fold_has_sizes(const Known *k);
/* The shape that a known list of numbers gives; false: it is not one. */
bool fold_list(Import *im, const Known *list, int64_t *dim);
/* The place in x of an element of what it is broadcast to. */
int64_t fold_place(const Known *x, int rank, const int64_t *at);

/* ---- fold_move.c, fold_math.c: of known operands; NULL: it is not possible ---- */

Known *fold_concat(Import *);
Known *fold_gather(Import *);
Known *fold_slice(Import *);
Known *fold_to_shape(Import *);
Known *fold_transpose(Import *);
Known *fold_squeeze(Import *);
Known *fold_unsqueeze(Import *);
Known *fold_binary(Import *);
Known *fold_cast(Import *);
Known *fold_expand(Import *);
Known *fold_reduce(Import *);
Known *fold_same(Import *);
Known *fold_unary(Import *);
Known *fold_where(Import *);

/* ---- fold_data.c: of known data; NULL: it is not possible ---- */

Known *fold_scatter(Import *);
Known *fold_nonzero(Import *);
Known *fold_unique(Import *);
Known *fold_suppression(Import *);

/* ---- empty.c: tensors without elements ---- */

bool is_empty(const Known *); /* also NULL: no */
void result_empty(Import *, int i, int element, const Shape *);
bool take_empty(Import *); /* true: it took the current node, as an operand has none */

/* ---- node_*.c: operators ---- */

/* Each file has a table of its operators, which ends with a row without a name. */
extern const OnnxOp onnx_math[];      /* node_math.c: elementwise */
extern const OnnxOp onnx_shape[];     /* node_shape.c: shapes and places */
extern const OnnxOp onnx_fill[];      /* node_fill.c: copies, padding, numbers */
extern const OnnxOp onnx_reduce[];    /* node_reduce.c: reductions, products, losses */
extern const OnnxOp onnx_layer[];     /* node_layer.c: products and normalisations with weights */
extern const OnnxOp onnx_window[];    /* node_window.c: convolutions, pooling, resizing */
extern const OnnxOp onnx_data[];      /* fold_data.c: what can be had only of known data */
extern const OnnxOp onnx_control[];   /* node_control.c: graphs in nodes */
extern const OnnxOp onnx_recurrent[]; /* node_recurrent.c */
extern const OnnxOp onnx_quantize[];  /* node_quantize.c: whole numbers with a scale */
extern const OnnxOp onnx_signal[];    /* node_signal.c: spectra and windows */
extern const OnnxOp *const onnx_tables[];
const OnnxOp *onnx_find(const char *name);
const char *onnx_refusal(const char *name); /* why there is no such operator, or NULL */

/* node_shape.c: an index of these parts, NULL for a whole axis; and one of one axis, "$60[:, 2:4]"
 */
const char *index_form(Import *, const char *const *part, int count);
const char *range_form(Import *, int64_t axis, const char *range);

Operand convolution(Import *, Operand x, Operand kernel); /* node_window.c */

/* node_layer.c: a weight with this many axes that a layer of its own can have, or NULL; ends a
 * layer with its weights. */
Known *own_weight(Import *, int i, int rank);
Operand finish_layer(Import *, Line *, const Known *W, const Known *b);

/* ---- statement.c: lines become statements ---- */

typedef struct Statement Statement;

typedef struct Ref { /* a value that a statement reads */
    Statement *of;
    int part;
} Ref;

typedef enum { ST_LINE, ST_CALL, ST_LOOP } StatementKind;

/* In text, each value that is read is the byte 1. */
struct Statement {
    StatementKind kind;
    LineKind declares; /* LINE_VALUE: an assignment */
    const char *text;
    Ref *ref;
    int refs, ref_room;
    int parts;         /* values that it is taken apart into; 0: one */
    const char *label; /* the path in the file of its layer, or of what it calls */
    Weight **weight;   /* in the order in which the language makes them */
    int weights;
    bool output;
    bool constant; /* it depends on no input and no weight */
    int uses;
    int passes;        /* of a loop: it calls a def so often */
    struct Def *of;    /* of a call and a loop */
    Statement *before; /* of a loop: what has its name before it, or NULL */
    Statement *moved;  /* the call that computes it now, or NULL */
    const char *hint;  /* a word for its name */
    const char *name, **part_name;
    int at; /* outline.c: its place, and the last place that reads it */
    int last;
};

typedef struct Def { /* statements that occur several times with other numbers */
    const char *name;
    Statement **body; /* those of the first place */
    int count;
    Statement **entry; /* what it reads from outside, in order: its first parameters */
    int entries;
    const char **number; /* parameters that are numbers */
    int numbers;
} Def;

typedef struct Page {
    Statement **statement;
    int statements;
    Def **def;
    int defs, def_room;
} Page;

void make_statements(Import *, Page *);

/* ---- outline.c: what repeats becomes a def, and calls of it in a row a loop ---- */

void outline(Import *, Page *);
Statement *statement_now(Statement *); /* the one that computes its value now */

/* ---- print.c: names and text ---- */

typedef struct ImportOptions {
    const char *loss, *optimizer; /* or NULL */
    bool flat;                    /* no defs and loops */
} ImportOptions;

typedef struct Written { /* what an import makes */
    Text text;           /* of the model */
    Weight **weight;     /* in the order in which the text makes its params and states */
    int weights;
} Written;

/* ---- name.c ---- */

bool is_taken(Import *, const char *name); /* by the language, its library or this text */
bool is_good_name(const char *name);       /* did a person give it? */
/* An identifier that the text does not have yet. again: the one that this word has got before. */
const char *name_fresh(Import *, const char *word, bool again);

void import_print(Import *, const ImportOptions *, Written *);

/* ---- what other rooms call ---- */

/* A model as text and weights; NULL with messages. given: NAME=VALUE for inputs. */
Import *onnx_import(Ngc *, const char *path, char **given, int count, const ImportOptions *,
                    Written *);

/* The variable of each weight, in their order; NULL with a message: the model has others. */
const Var **weights_match(Ngc *, const Model *, const Written *);
double weight_at(const Graph *, const Weight *, int64_t i); /* element i, as it is in the file */

/* A safetensors file with the weights by the names of these variables; false with a message. */
bool weights_bytes(Ngc *, const Written *, const Var *const *, Text *);

#endif
