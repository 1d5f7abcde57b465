/* limits.h - what one thread of this processor can do at most, measured when it is called. */

/* Floating-point operations in a microsecond: multiply-adds that touch no memory, in the widest
 * vectors that the processor has. INFINITY on other processors than x86_64. */
double limit_flops(void);

/* Bytes in a microsecond, read and written by y = x + 2*z over arrays that no cache holds; 0
 * without memory. */
double limit_bytes(void);
