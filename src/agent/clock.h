/* The daemon's clock: nanoseconds that count suspended time too, as swim.h wants them. */
#ifndef SWIM_AGENT_CLOCK_H
#define SWIM_AGENT_CLOCK_H

#include <stdint.h>

uint64_t clock_now_ns(void);

#endif
