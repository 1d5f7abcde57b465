/* ngrt_dlinear.c - linear equations in double. */
#include "ngrt.h"

#define real                double
#define real_log            log
#define real_sqrt           sqrt
#define NGRT_NAME(function) ngrt_d##function
#define getrf               dgetrf_
#include "ngrt_linear_real.h"
