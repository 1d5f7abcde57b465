/* ngrt_dgemm.c - the matrix product in double. */
#include "ngrt.h"

#define real                double
#define NGRT_NAME(function) ngrt_d##function
#define cblas_gemm          cblas_dgemm
#include "ngrt_gemm_real.h"
