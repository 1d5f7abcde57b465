/* cname.c - names of the model as identifiers of C and C++. */
#include "program/module.h"

#include <stdlib.h>
#include <string.h>

/* Keywords of C11 and C++20, alternative tokens, macros and functions of the headers that emitted
 * code or its users commonly include, and names that some systems always define. Sorted. */
/* clang-format off */
static const char *const reserved[] = {
    "BUFSIZ", "CHAR_BIT", "DOMAIN", "EDOM", "EOF", "ERANGE", "EXIT_FAILURE", "EXIT_SUCCESS", "FILE",
    "FP_FAST_FMA", "FP_INFINITE", "FP_NAN", "FP_NORMAL", "FP_SUBNORMAL", "FP_ZERO", "HUGE",
    "HUGE_VAL", "I", "INFINITY", "INT32_MAX", "INT32_MIN", "INT_MAX", "INT_MIN", "M_E", "M_PI",
    "NAN", "NULL", "OVERFLOW", "PLOSS", "RAND_MAX", "SEEK_SET", "SING", "SIZE_MAX", "TLOSS",
    "UINT64_MAX", "UNDERFLOW", "abort", "abs", "acos", "acosf", "acosh", "acoshf", "alignas",
    "alignof", "and", "and_eq", "asin", "asinf", "asinh", "asinhf", "asm", "assert", "atan",
    "atan2", "atan2f", "atanf", "atanh", "atanhf", "auto", "bitand", "bitor", "bool", "break",
    "calloc", "case", "catch", "cbrt", "ceil", "ceilf", "char", "char16_t", "char32_t", "char8_t",
    "class", "co_await", "co_return", "co_yield", "compl", "complex", "concept", "const",
    "const_cast", "consteval", "constexpr", "constinit", "continue", "copysign", "cos", "cosf",
    "cosh", "coshf", "decltype", "default", "delete", "do", "double", "dynamic_cast", "else",
    "enum", "environ", "erf", "erfc", "erfcf", "erff", "errno", "exit", "exp", "exp2", "expf",
    "explicit", "expm1", "expm1f", "export", "extern", "fabs", "fabsf", "false", "fdim", "float",
    "floor", "floorf", "fma", "fmax", "fmin", "fmod", "fmodf", "for", "fpclassify", "free", "frexp",
    "friend", "gamma", "goto", "hypot", "if", "ilogb", "imaginary", "inline", "int", "int16_t",
    "int32_t", "int64_t", "int8_t", "isfinite", "isinf", "isnan", "isnormal", "j0", "j1", "jn",
    "labs", "ldexp", "lgamma", "lgammaf", "linux", "log", "log10", "log1p", "log1pf", "log2",
    "logb", "logf", "long", "lrint", "main", "malloc", "memcpy", "memset", "modf", "mutable",
    "namespace", "nan", "nearbyint", "new", "noexcept", "not", "not_eq", "nullptr", "operator",
    "or", "or_eq", "pow", "powf", "printf", "private", "protected", "ptrdiff_t", "public", "rand",
    "realloc", "register", "reinterpret_cast", "remainder", "requires", "restrict", "return",
    "rint", "rintf", "round", "scalbn", "short", "signbit", "signed", "signgam", "sin", "sinf",
    "sinh", "sinhf", "size_t", "sizeof", "sqrt", "sqrtf", "static", "static_assert", "static_cast",
    "stderr", "stdin", "stdout", "struct", "switch", "tan", "tanf", "tanh", "tanhf", "template",
    "tgamma", "this", "thread_local", "throw", "true", "trunc", "try", "typedef", "typeid",
    "typename", "uint32_t", "uint64_t", "uint8_t", "union", "unix", "unsigned", "using", "virtual",
    "void", "volatile", "wchar_t", "while", "xor", "xor_eq", "y0", "y1", "yn",
};
/* clang-format on */

static int compare_name(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

static bool is_reserved(const char *name)
{
    size_t count = sizeof reserved / sizeof *reserved;
    if (begins(name, "ngrt_"))
        return true;
    return bsearch(name, reserved, count, sizeof *reserved, compare_name) != NULL;
}

/* An ASCII letter or a digit, whatever the locale. */
static bool is_kept(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

/* Letters and digits are kept, and the rest becomes `_`. A name that starts with `_` or a digit
 * gets an x before it. A name that is reserved in C or C++ gets a trailing `_`. */
const char *c_name(Ngc *ngc, const char *name)
{
    Text t = {.ngc = ngc};
    if (name[0] == '\0' || name[0] == '_' || is_digit(name[0]))
        text_add(&t, "x");

    for (const char *c = name; *c; c++)
        text_put(&t, is_kept(*c) ? c : "_", 1);

    if (is_reserved(t.at))
        text_add(&t, "_");
    return intern(ngc, t.at, t.size);
}

/* Names are interned, so equal names are equal pointers. */
const char *c_name_distinct(Ngc *ngc, Taken *taken, const char *name)
{
    const char *c = c_name(ngc, name);
    while (++*table_at(ngc, taken, c) > 1)
        c = intern_str(ngc, text_format(ngc, "%s_", c));
    return c;
}
