/* device.c - what a program without an operating system must provide: the vectors, the start, and
 * output. Output goes through the debugger (ARM's semihosting), which qemu also implements. */
#include "device.h"

#include <stddef.h>
#include <stdint.h>

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];

int main(void);

/* A call of the debugger. */
static int debugger(int call, const void *argument)
{
    register int r0 __asm__("r0") = call;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void say(const char *text)
{
    debugger(4, text);
}

void say_number(double value)
{
    char text[40], *at = text + sizeof text;
    uint64_t n = (uint64_t)((value < 0 ? -value : value) * 1e4 + 0.5);
    *--at = '\0';
    for (int i = 0; i < 6 || n > 0; i++) { /* four digits after the point */
        *--at = i == 4 ? '.' : (char)('0' + n % 10);
        n = i == 4 ? n : n / 10;
    }
    if (value < 0)
        *--at = '-';
    say(at);
}

static void stop(int status)
{
    static const char name[] = "done";
    (void)name;
    const uint32_t exit[2] = {0x20026,
                              (uint32_t)status}; /* the application exits, with its status */
    debugger(0x20, exit);
    for (;;)
        ;
}

#ifdef STACK /* main, and how many bytes of the stack it has used */
static int run(void)
{
    enum { MARK = 0x5a5a5a5a };
    volatile uint32_t *top = (volatile uint32_t *)__builtin_frame_address(0) - 64, *at;
    for (at = bss_end; at < top; at++)
        *at = MARK;
    const int status = main();
    for (at = bss_end; at < top && *at == MARK;)
        at++;
    say("stack: ");
    say_number((double)((uintptr_t)stack_top - (uintptr_t)at));
    say("\n");
    return status;
}
#else
#define run main
#endif

void reset(void);
void reset(void)
{
    for (uint32_t *to = data_start, *from = data_load; to < data_end;)
        *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;)
        *to++ = 0;
    *(volatile uint32_t *)0xE000ED88 |= 0xF << 20; /* switch the floating-point unit on */
    __asm__ volatile("dsb\n\tisb");
    stop(run());
}

static void fault(void)
{
    say("fault\n");
    stop(1);
}

__attribute__((section(".vectors"), used)) static void *const vectors[] = {
    stack_top,     (void *)reset, (void *)fault, (void *)fault,
    (void *)fault, (void *)fault, (void *)fault,
};
