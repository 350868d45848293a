/*
 * The control socket: what changes a running member, for its owner alone. HTTP over a Unix socket,
 * bodies in JSON; docs/configuration.md, section "Control socket".
 *
 *     curl --unix-socket PATH http://localhost/keys
 *
 * control_socket.c makes and guards the socket, httpd.c serves, this answers. Keys come in, and
 * never go out: not in an answer, not in a log. What held one is wiped (wiping_heap.h).
 */
#ifndef SWIM_AGENT_CONTROL_H
#define SWIM_AGENT_CONTROL_H

#include "agent/config.h"
#include "agent/events.h"
#include "agent/httpd.h"
#include "agent/metrics.h"
#include "swim/seal.h"
#include "swim/swim.h"

#include <stdint.h>

/* Far above what any request here needs; the next verbs carry lists of addresses and tags. */
#define CONTROL_BODY_MAX (64 * 1024)
#define CONTROL_CONNECTIONS_MAX 16

/*
 * The keyring, as the control socket sees it: implemented by whoever holds the keys. Every call
 * runs within the loop, and does not block for longer than writing a small file takes.
 *
 * The three that change something apply the change to the running member, and then try to save it.
 * On SWIM_KEY_OK *ret_unsaved is NULL when it is saved, too, else what to say of why it is not
 * (static, or valid until the next call): the change holds until the next restart or reload. On an
 * error nothing has changed and *ret_unsaved is untouched.
 */
struct control_keys {
    void *context;
    int envelope; /* that is in use: enum swim_envelope */
    /* The ids of the keys held, at most SWIM_KEYS_MAX, the primary one first. Returns how many. */
    uint32_t (*list)(void *context, uint32_t ret_ids[SWIM_KEYS_MAX]);
    /* `key` is the caller's, who wipes it. */
    enum swim_key_error (*install)(void *context, const uint8_t key[SWIM_KEY_SIZE],
                                   const char **ret_unsaved);
    enum swim_key_error (*use)(void *context, uint32_t key_id, const char **ret_unsaved);
    enum swim_key_error (*remove)(void *context, uint32_t key_id, const char **ret_unsaved);
};

/* What only the daemon around the member knows. Texts live as long as the call of the route. */
struct control_facts {
    uint64_t pid;
    uint64_t uptime_ms;
    bool is_ready;
    bool is_leaving;
    struct swim_addr bound;  /* of the UDP socket */
    struct swim_addr http;   /* family 0: none */
    const char *cluster;     /* "": no name */
    const char *config_file; /* "": none */
    const char *plaintext;   /* plaintext_mode_name; means something where there are keys */
    const struct agent_config *config;
};

/* A peer that is joined by: as it was given, and what has come of it. */
#define CONTROL_PEER_ADDRESSES 32
struct control_peer {
    struct endpoint endpoint;
    bool is_configured; /* else it was added while the daemon runs */
    uint32_t address_count;
    struct swim_addr addresses[CONTROL_PEER_ADDRESSES]; /* of a name: none until it is resolved */
};

/* The daemon, as the control socket sees it. Every call runs within the loop, and returns at
 * once. */
struct control_host {
    void *context;
    void (*facts)(void *context, struct control_facts *ret);
    void (*collect)(void *context, struct metrics *ret);
    /* Peers to join by, by position; false beyond the last. */
    bool (*peer)(void *context, uint32_t at, struct control_peer *ret);
    /* Joins by it from now on. NULL when done, else why not (static). */
    const char *(*join)(void *context, const struct endpoint *endpoint);
    /* Leaves, and then ends the daemon; not before the answer is on its way. */
    void (*leave)(void *context);
    enum swim_order (*force_leave)(void *context, uint64_t id, bool prune);
    /* Gives this member another name, or other tags: told to the cluster at once. */
    void (*set_meta)(void *context, const struct swim_meta *meta);
    /* Begins a ping; `reply` becomes its answer when it is SWIM_ORDER_DONE. */
    enum swim_order (*ping)(void *context, uint64_t id, struct http_reply *reply);
};

/* What the answers are made of, and what the requests change. Read at each request, never kept. */
struct control_source {
    const struct swim *swim;
    struct events *events;
    /* NULL: this member has no keys, and can't be given any here. */
    const struct control_keys *keys;
    /* NULL (in tests): a member without a daemon. */
    const struct control_host *host;
};

/* Answers a request of somebody who may ask. */
void control_route(const struct control_source *source, const struct http_request *request,
                   struct http_reply *reply);

/* An http_handler that lets root and the daemon's own user through to control_route; `context` is
 * a struct control_source. */
void control_answer(void *context, const struct http_request *request, struct http_reply *reply);

#endif
