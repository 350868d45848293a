/*
 * What the files behind control.c share: its routes, and how they take requests apart and answer.
 * Each control_*.c holds the routes of one kind; the table of them all is in control.c.
 */
#ifndef SWIM_AGENT_CONTROL_ROUTES_H
#define SWIM_AGENT_CONTROL_ROUTES_H

#include "agent/control.h"
#include "agent/http_query.h"
#include "base/json.h"

#include <jansson.h>
#include <stdbool.h>

typedef void control_handler(const struct control_source *source,
                             const struct http_request *request, struct http_reply *reply);

/* control_info.c */
control_handler control_tell_info;
control_handler control_tell_metrics;
control_handler control_tell_metrics_json;
control_handler control_stream_events;
/* control_debug.c */
control_handler control_tell_log;
control_handler control_tell_config;
/* control_tags.c */
control_handler control_list_tags;
control_handler control_change_tags;
/* "name" and "tags" of this member, into an object. */
void control_put_own_tags(struct json *json, const struct swim *swim);
/* control_verbs.c */
control_handler control_list_peers;
control_handler control_join;
control_handler control_leave;
control_handler control_force_leave;
control_handler control_ping;
/* control_keyring.c: for members that have keys */
control_handler control_list_keys;
control_handler control_install_key;
control_handler control_use_key;
control_handler control_remove_key;
/* control_members.c */
control_handler control_list_members;
control_handler control_tell_rtt;

/* ---- Requests ---------------------------------------------------------------------------- */

/* The body, which must be one object. NULL when it isn't, and then the reply says so. Else a
 * reference that is the caller's. */
json_t *control_take_object(const struct http_request *request, const char *example,
                            struct http_reply *reply);
/* The one string that a body must consist of: {"name":"value"}. NULL when it doesn't, and then the
 * reply says so. Else a reference to *ret_root is the caller's, and the text lives as long. */
const char *control_take_text(const struct http_request *request, const char *name,
                              json_t **ret_root, struct http_reply *reply);
/* The id of a member that is asked for; false: it is none, and the reply says so. */
bool control_take_id(const char *text, uint64_t *ret, struct http_reply *reply);
/* Is the order done? Else the reply says why not. */
bool control_take_order(enum swim_order order, struct http_reply *reply);

/* ---- Answers ----------------------------------------------------------------------------- */

/* {...} and a newline: between the two, keys and values. */
void control_json_begin(struct json *json, struct http_reply *reply);
void control_json_end(struct json *json, struct http_reply *reply);

#endif
