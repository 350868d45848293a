/*
 * What is derived from keys and from entropy, each under a label of its own.
 */
#ifndef SWIM_SEAL_SUBKEY_H
#define SWIM_SEAL_SUBKEY_H

#include "swim/seal.h"

#include <stddef.h>
#include <stdint.h>

/* The cluster's name as it goes into every subkey. */
struct cluster_name {
    uint8_t size;
    uint8_t bytes[SWIM_CLUSTER_MAX];
};

/* Envelope 2's key of one sender and start. */
void subkey_derive(const uint8_t key[SWIM_KEY_SIZE], const struct cluster_name *cluster,
                   uint64_t sender, uint64_t start, uint8_t ret[SWIM_KEY_SIZE]);
/* 32 bytes for another purpose, named by `label` (at most 32 characters). */
void subkey_labelled(const uint8_t key[SWIM_KEY_SIZE], const char *label,
                     uint8_t ret[SWIM_KEY_SIZE]);

#endif
