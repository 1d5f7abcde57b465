/* device.h - words to the outside. */
#ifndef DEVICE_H
#define DEVICE_H

void say(const char *text);
void say_number(double value); /* with four digits behind the point */

#endif
