/* wrap.h - a program that makes its own calls of the system fail: it is linked with wrap.c */
#ifndef WRAP_H
#define WRAP_H

void fault_in(long n);   /* the n-th call from now fails; 0: none */
int fault_is_left(void); /* has that call not been made yet? */

#endif
