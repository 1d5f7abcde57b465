/* ngrt_order.c - the order of elements: of floats, doubles and ints. */
#include "ngrt.h"

#include <string.h>

#define real                float
#define real_key            uint32_t
#define NGRT_NAME(function) ngrt_s##function
#include "ngrt_order_real.h"
#undef real
#undef real_key
#undef NGRT_NAME

#define real                double
#define real_key            uint64_t
#define NGRT_NAME(function) ngrt_d##function
#include "ngrt_order_real.h"
#undef real
#undef real_key
#undef NGRT_NAME

#define real                int32_t
#define real_key            uint32_t
#define NGRT_NAME(function) ngrt_i##function
#include "ngrt_order_real.h"
