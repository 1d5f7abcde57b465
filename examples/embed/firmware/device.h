/* device.h - output. */
#ifndef DEVICE_H
#define DEVICE_H

void say(const char *text);
void say_number(double value); /* with four digits after the point */

#endif
