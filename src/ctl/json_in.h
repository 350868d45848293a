/* An answer of the daemon's as JSON, within the time that there is for the whole of it. */
#ifndef SWIM_CTL_JSON_IN_H
#define SWIM_CTL_JSON_IN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL when it is none, an object with a key twice included, or when `deadline_ms` (client_now_ms)
 * has passed, whereupon *ret_is_late. */
json_t *json_in_parse(const char *text, size_t size, uint64_t deadline_ms, bool *ret_is_late);

#endif
