/*
 * Datagram protection in the daemon: between the socket and the member, in both directions.
 *
 *     socket --> limiter --> guard_receive --(opened, or in plaintext)--> swim_receive
 *     socket <-------------- guard_transmit <-------(sealed, or not)------ swim_transmit
 *
 * Without a key everything is in plaintext. With one, the mode says what becomes of plaintext
 * (enum plaintext_mode). Keys and mode can change while it runs; the envelope and the cluster's
 * name can't. Who is not let in is told to the log, once each (knock.h), and counted.
 */
#ifndef SWIM_AGENT_GUARD_H
#define SWIM_AGENT_GUARD_H

#include "agent/config.h"
#include "agent/keyfile.h"
#include "swim/seal.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard;

struct guard_stats {
    struct swim_seal_stats seal; /* zeros without a key; start again with the first key */
    uint32_t keys;
    uint64_t plaintext_refused;  /* datagrams in plaintext that were not heard */
    uint64_t plaintext_received; /* that were heard although there is a key */
};

/* Guards `swim`, which must outlive it, with these keys, copied (NULL: none); of *config it takes
 * envelope, cluster, plaintext mode and capacity. Starts are later than `last_start`, whatever the
 * clock says. NULL when there is no memory or no randomness. */
SWIM_MUST_CHECK struct guard *guard_new(const struct agent_config *config, struct swim *swim,
                                        uint64_t last_start, const struct keyset *keys);
/* Wipes all keys. NULL is allowed. */
void guard_free(struct guard *guard);

/* Writes the next datagram to send, as it goes over the wire (cap >= SWIM_SEALED_MAX), and its
 * destination. 0 when there is nothing to send. */
SWIM_MUST_CHECK size_t guard_transmit(struct guard *guard, swim_time now, struct swim_addr *ret_to,
                                      void *buf, size_t cap);
/* A datagram has arrived. Any size is legal. */
void guard_receive(struct guard *guard, swim_time now, const struct swim_addr *from,
                   const void *data, size_t size);

/*
 * From now on these keys, copied, the first being the primary one; an empty set: none, all is in
 * plaintext. What changed goes into the log, by key ids. Windows stay. NULL when done, else what
 * is wrong (static), and the keys are as before.
 */
SWIM_MUST_CHECK const char *guard_set_keys(struct guard *guard, const struct keyset *keys);
/* The keys held, NULL when there are none: valid until the next change. */
const struct keyset *guard_keys(const struct guard *guard);
enum swim_envelope guard_envelope(const struct guard *guard);
const char *guard_cluster(const struct guard *guard); /* "": none */
void guard_set_plaintext(struct guard *guard, enum plaintext_mode mode);
enum plaintext_mode guard_plaintext(const struct guard *guard);
struct guard_stats guard_stats(const struct guard *guard);

/* A key's id as people read it, valid within one expression: key_id_text(id).text. */
struct key_id_text {
    char text[9];
};
struct key_id_text key_id_text(uint32_t key_id);

#endif
