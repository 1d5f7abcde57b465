/* ngrt_error.c - what the error codes say. */
#include "ngrt.h"

const char *ngrt_strerror(int error)
{
    switch (error) {
    case NGRT_OK: return "no error";
    case NGRT_AGAIN: return "all rows must be added once more";
    case NGRT_ESIZE: return "a run-time size is out of its range";
    case NGRT_ELABEL: return "a label or index is out of its range";
    case NGRT_ENOMEM: return "out of memory";
    case NGRT_EIO: return "a file cannot be read or written";
    case NGRT_EFORMAT: return "a file is damaged or of an unknown format";
    case NGRT_EMODEL: return "the data does not fit the model";
    default: return "unknown error";
    }
}
