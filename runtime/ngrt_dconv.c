/* ngrt_dconv.c - convolutions in double. */
#include "ngrt.h"

#define real                double
#define NGRT_NAME(function) ngrt_d##function
#include "ngrt_conv_real.h"
