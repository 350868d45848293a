/* What a client would rather have, by its Accept header: RFC 9110, section 12.5.1, without wildcards. */
#ifndef SWIM_AGENT_HTTP_ACCEPT_H
#define SWIM_AGENT_HTTP_ACCEPT_H

/* The weight that `accept` (NULL: no such header) gives to the media type by its name, 0 when it
 * doesn't name it. A wildcard names nothing: it comes from clients that take what they get. */
double http_accept_quality(const char *accept, const char *type);

#endif
