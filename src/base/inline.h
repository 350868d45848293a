/*
 * For what each datagram or entry comes through: a compiler can't know what is rare. What is rare is a
 * function apart (NOINLINE), so that what is frequent saves no registers for it.
 */
#ifndef SWIM_BASE_INLINE_H
#define SWIM_BASE_INLINE_H

#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE __attribute__((always_inline)) inline
/* Where the rare case is too short for a function, and would else be laid between the frequent ones. */
#define LIKELY(condition) __builtin_expect((condition), 1)

#endif
