/*
 * The live page that `/` answers browsers with: docs/dashboard.md. It is written in src/agent/page/;
 * tools/embed-page makes one document of it and generates the definitions of these.
 */
#ifndef SWIM_AGENT_PAGE_H
#define SWIM_AGENT_PAGE_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t page_html[];
extern const size_t page_html_size;

/* The Content-Security-Policy that it is served with: its own script and style by their hashes, its
 * own origin to fetch from, and nothing else. */
extern const char page_policy[];

#endif
