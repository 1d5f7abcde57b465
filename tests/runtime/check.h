/* check.h - the checks of the runtime's tests: each counts failures and goes on; main returns
 * check_end(). */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

static int checks_done, checks_failed;

/* Counts one check; says which failed. */
static void check_that(int good, const char *text, const char *file, int line)
{
    checks_done++;
    if (good)
        return;
    checks_failed++;
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, text);
}

#define CHECK(condition) check_that(!!(condition), #condition, __FILE__, __LINE__)

/* Says the result; 0 if nothing failed. */
static int check_end(const char *name)
{
    printf("%s: %d checks, %d failed\n", name, checks_done, checks_failed);
    return checks_failed != 0;
}

#endif
