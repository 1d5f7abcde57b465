/* ngrt_order.c - the order of elements: of floats, doubles and ints. */
#include "ngrt.h"

#define real                float
#define NGRT_NAME(function) ngrt_s##function
#include "ngrt_order_real.h"
#undef real
#undef NGRT_NAME

#define real                double
#define NGRT_NAME(function) ngrt_d##function
#include "ngrt_order_real.h"
#undef real
#undef NGRT_NAME

#define real                int32_t
#define NGRT_NAME(function) ngrt_i##function
#include "ngrt_order_real.h"
