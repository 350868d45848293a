/*
 * Always-on assertions: they state bugs of ours or of the host's, and end in swim_panic().
 * Never assert on bytes from the network or on what the operating system answers.
 */
#ifndef SWIM_BASE_ASSERT_H
#define SWIM_BASE_ASSERT_H

/* The hook of include/swim/swim.h, declared again so that base depends on nothing. */
#if defined(__GNUC__)
__attribute__((noreturn, visibility("default")))
#endif
void swim_panic(const char *expression, const char *file, int line);

#define ASSERT(expression) ((expression) ? (void)0 : swim_panic(#expression, __FILE__, __LINE__))

#endif
