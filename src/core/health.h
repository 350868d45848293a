/*
 * Local health: how well this member itself seems to do, from 0 (good) to SWIM_HEALTH_MAX. One
 * that does badly, being overloaded or badly connected, takes its peers for dead; so it gives
 * them more time first: its probe interval and time-out are 1 + health times as long. Lifeguard
 * section IV.A ("LHA-Probe"); docs/protocol.md section 5.
 *
 *     an answered probe -1     no answer +1     no NACK either +1 each
 *     we had to refute  +1     we stood still +1
 */
#ifndef SWIM_CORE_HEALTH_H
#define SWIM_CORE_HEALTH_H

#include "core/instance.h"

void health_better(struct swim *s);
void health_worse(struct swim *s, uint32_t by);
/* Somebody doubted us: worse by 1, once a probe interval, whatever the number of doubts. */
void health_blame(struct swim *s);
/* The probe interval and the probe time-out as they are now. Without `local_health`: as
 * configured, always. */
swim_time health_probe_interval(const struct swim *s);
swim_time health_probe_timeout(const struct swim *s);

#endif
