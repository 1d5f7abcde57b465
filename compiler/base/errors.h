/* errors.h - the codes of messages by their names. The number is what users see: 301 is NG0301, and
 * errors.txt has a page for it. tests/docs.sh checks that each code here has a page there, that
 * each page has a code here, and that each code is used. */
#ifndef ERRORS_H
#define ERRORS_H

typedef enum {
    NO_CODE = 0, /* a message about the command line, or one that needs no explanation */

    /* files */
    ERR_FILE = 1,      /* a file cannot be read */
    ERR_NOT_TEXT = 2,  /* not a text file */
    ERR_FILE_SIZE = 3, /* too large */

    /* spelling */
    ERR_TOKEN = 101,            /* a token that does not fit here */
    ERR_OPEN_BRACKET = 102,     /* a bracket is left open */
    ERR_CLOSING_BRACKET = 103,  /* a closing bracket has no partner */
    ERR_SPELLING = 104,         /* a number or a name that the language does not have */
    ERR_OPEN_STRING = 105,      /* a string does not end on its line */
    ERR_OPERATOR = 106,         /* an operator that the language does not have */
    ERR_CHARACTER = 107,        /* a character that the language does not have */
    ERR_NESTING = 108,          /* nested too deeply */
    ERR_PLACE = 110,            /* something in the wrong place */
    ERR_CALL_NEEDED = 111,      /* a call is needed */
    ERR_NUMBER_TOO_LARGE = 112, /* the number is too large */
    ERR_UNKNOWN_TYPE = 113,     /* an unknown type */
    ERR_UNDERFLOW = 114,        /* the number is too small (-Wunderflow) */

    /* names, calls and statements */
    ERR_UNKNOWN_NAME = 201,       /* an unknown name */
    ERR_UNKNOWN_MEMBER = 202,     /* an unknown path or member */
    ERR_DEFINED_TWICE = 203,      /* a name is defined twice */
    ERR_ASSIGNED = 204,           /* a variable is assigned to */
    ERR_LIBRARY_NAME = 205,       /* a library name is defined again (a note) */
    ERR_SAME_WEIGHT = 206,        /* two weights have the same name */
    ERR_RESERVED_NAME = 207,      /* step and training have a meaning of their own */
    ERR_FORMULA_INPUTS = 208,     /* names that formula mode takes as inputs (a note) */
    ERR_UNUSED_NAME = 209,        /* nothing uses this name (-Wunused-name) */
    ERR_UNKNOWN_ARGUMENT = 211,   /* an argument that the function does not have */
    ERR_ARGUMENT_TWICE = 212,     /* an argument is given twice */
    ERR_TOO_MANY_ARGUMENTS = 213, /* too many arguments */
    ERR_ARGUMENT_MISSING = 214,   /* an argument is missing */
    ERR_RECURSION = 215,          /* a function calls itself */
    ERR_NO_RETURN = 216,          /* a function returns nothing */
    ERR_NOT_A_FUNCTION = 217,     /* the value called is not a function */
    ERR_DECLARED_INSIDE = 218,    /* an input, output or metric inside a function */
    ERR_NAMES_AND_VALUES = 219,   /* the number of names and the number of values differ */
    ERR_LOOP_NESTING = 220,       /* loops nested too deeply */
    ERR_MODEL_SIZE = 221,         /* the model is too large */
    ERR_NOT_A_RANGE = 222,        /* neither a range nor a list */
    ERR_CONDITION = 223,          /* a condition that is not known at compile time */
    ERR_RETURN_OUTSIDE = 224,     /* return outside a function */
    ERR_IMPORT_CYCLE = 225,       /* a file imports itself */
    ERR_NOTHING_TO_COMPUTE = 226, /* nothing to compute */
    ERR_START_VALUE = 227,        /* a starting value that depends on what comes later */
    ERR_RUN_TIME_WEIGHT = 228,    /* a weight of run-time size */
    ERR_WHILE = 229,              /* a loop with while that cannot be one */

    /* shapes */
    ERR_INNER_DIMS = 301,          /* a matrix product whose inner dimensions differ */
    ERR_PRODUCT_WITH_SCALAR = 302, /* a matrix product with a scalar */
    ERR_SHAPES = 303,              /* shapes that do not fit together */
    ERR_LIST_SHAPES = 304,         /* a list that is not a tensor */
    ERR_TOO_MANY_AXES = 305,       /* too many axes */
    ERR_AXIS_RANGE = 306,          /* an axis out of range */
    ERR_AXIS_TWICE = 307,          /* an axis is named twice */
    ERR_TRANSPOSE = 308,           /* a transpose of fewer than two axes */
    ERR_INDEX_RANGE = 309,         /* an index out of range */
    ERR_SLICE = 310,               /* a slice that cannot be counted */
    ERR_EMPTY_SLICE = 311,         /* an empty slice */
    ERR_TOO_MANY_INDICES = 312,    /* too many indices */
    ERR_TWO_INT_INDICES = 313,     /* two int tensors in one index */
    ERR_DECLARED_SHAPE = 314,      /* another shape than the declared one */
    ERR_BRANCH_SHAPES = 315,       /* the two branches of an if training differ in shape */
    ERR_RESHAPE = 316,             /* reshape to another number of elements */
    ERR_AXIS_COUNT = 317,          /* a wrong number of axes */
    ERR_CONCAT = 318,              /* concat of shapes that differ */
    ERR_TARGET_SHAPE = 319,        /* prediction and target differ in shape */
    ERR_SIZE_TERMS = 320,          /* a size that is too complicated */
    ERR_TENSOR_SIZE = 321,         /* a tensor that is too large */
    ERR_TOO_MANY_DIMS = 322,       /* too many run-time dims */
    ERR_NOT_SQUARE = 323,          /* a square matrix is needed */
    ERR_EINSUM = 324,              /* letters of einsum that do not fit */

    /* values */
    ERR_NOT_A_TENSOR = 401,      /* a tensor is needed */
    ERR_NOT_CONSTANT = 402,      /* a number must be a compile-time constant */
    ERR_NOT_WHOLE = 403,         /* a whole number is needed */
    ERR_NUMBER_TOO_SMALL = 404,  /* the number is too small */
    ERR_NOT_A_LIST = 405,        /* a list is needed */
    ERR_NOT_AN_INT = 406,        /* an int is needed */
    ERR_TYPE = 407,              /* a type that is not possible here */
    ERR_LIBRARY_ARGUMENTS = 408, /* a function of the library refuses its arguments */
    ERR_LOG_SOFTMAX = 410,       /* the log of a softmax (-Wlog-softmax) */
    /* a softmax or sigmoid given to a loss that takes logits (-Wnot-logits) */
    ERR_NOT_LOGITS = 411,
    ERR_BROADCAST = 412,    /* a column [n, 1] compared with [n] (-Wbroadcast) */
    ERR_MASK_PRODUCT = 413, /* 0 and 1 times what is infinite (-Wmask-product) */
    ERR_NOT_CARRIED = 420,  /* a metric that cannot be carried from batch to batch */
    ERR_BATCH_VALUE = 421,  /* a loss or metric of one batch (-Wbatch-value) */
    ERR_RANKS = 422,        /* rows that cannot be divided among ranks */

    /* derivatives */
    /* a gradient with respect to something that is not a tensor */
    ERR_OVER_NOT_A_TENSOR = 501,
    ERR_OVER_INT = 502,          /* a gradient with respect to an int or a constant */
    ERR_OVER_NOT_A_PARAM = 503,  /* minimize over something that is not a param */
    ERR_LOSS_NOT_A_NUMBER = 504, /* the loss is not one number */
    ERR_LOSS_INT = 505,          /* the loss is int */
    ERR_ZERO_GRADIENT = 506,     /* the loss does not depend on this (-Wzero-gradient) */
    /* the loss depends on this only through steps (-Wzero-gradient) */
    ERR_ONLY_THROUGH_STEPS = 507,
    ERR_TWO_UPDATES = 508,     /* two updates of one variable */
    ERR_NOT_UPDATABLE = 509,   /* an update of something that is not a state or param */
    ERR_OPTIMIZER_SHAPE = 510, /* an optimizer's result has another shape */
    ERR_NO_PARAMS = 511,       /* the model has no params to optimize */
    ERR_THIRD_OF_DET = 512,    /* a third derivative of det (-Wsingular-matrix) */
    ERR_LAZY = 513,            /* lazy changes nothing (-Wlazy) */
    /* the gradient is with respect to a variable that a loop has changed (-Wover-variable) */
    ERR_OVER_VARIABLE = 514,
    ERR_ADJOINTS = 520, /* what a backward part returns does not fit the parameters */
    ERR_NO_RULE = 521,  /* a def that cannot have a backward part */
    ERR_UNRULED = 522,  /* it is computed from a param that has no adjoint */

    /* the emitted C */
    /* a name is changed in the emitted C (-Wrenamed-identifier) */
    ERR_RENAMED = 601,
    ERR_LARGE_OUTPUT = 602, /* very large C (-Wlarge-output) */
    ERR_MEMORY = 603,       /* work does not fit into --memory */
    ERR_FLOAT_RANGE = 604,  /* a number that 32-bit floats do not have (-Wfloat-range) */
} ErrorCode;

#endif
