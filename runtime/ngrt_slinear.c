/* ngrt_slinear.c - linear equations in float. */
#include "ngrt.h"

#define real                float
#define real_log            logf
#define real_sqrt           sqrtf
#define NGRT_NAME(function) ngrt_s##function
#define getrf               sgetrf_
#include "ngrt_linear_real.h"
