/* ngrt_sconv.c - convolutions in float. */
#include "ngrt.h"

#define real                float
#define NGRT_NAME(function) ngrt_s##function
#include "ngrt_conv_real.h"
