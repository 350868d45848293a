/*
 * SipHash-2-4 (Aumasson, Bernstein, INDOCRYPT 2012): a short keyed digest that nobody without the
 * key can predict. For what strangers are asked to repeat; not for secrecy.
 */
#ifndef SWIM_BASE_SIPHASH_H
#define SWIM_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY_SIZE 16

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], const void *data, size_t size);

#endif
