/* Who was asked for? The Host header decides whether a browser may read an answer. */
#ifndef SWIM_AGENT_HTTP_HOST_H
#define SWIM_AGENT_HTTP_HOST_H

#include <stdbool.h>

/* Is this Host (with or without port) localhost or an address, hence no name that somebody else's
 * DNS could point at us? */
bool is_http_host_local(const char *host);
/* Is it this name, whatever its port and case? */
bool is_http_host(const char *host, const char *name);

#endif
