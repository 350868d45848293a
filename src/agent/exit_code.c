/* How a start ends that can't succeed: one line on standard error. */
#include "agent/exit_code.h"

#include <stdarg.h>
#include <stdio.h>

enum exit_code exit_code_fail(enum exit_code code, const char *format, ...)
{
    va_list arguments;

    (void)fputs("swimd: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return code;
}
