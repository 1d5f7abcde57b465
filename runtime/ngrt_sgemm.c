/* ngrt_sgemm.c - the matrix product in float. */
#include "ngrt.h"

#define real                float
#define NGRT_NAME(function) ngrt_s##function
#define cblas_gemm          cblas_sgemm
#include "ngrt_gemm_real.h"
