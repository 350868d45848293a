/* Times as people read them. */
#ifndef SWIM_CTL_DURATION_H
#define SWIM_CTL_DURATION_H

#include <stddef.h>
#include <stdint.h>

/* "1.23 ms" with three digits; "" for 0, which stands for unknown. */
void duration_of(double seconds, char *text, size_t cap);
/* "3d 4h", "5m 12s": the two largest units. */
void duration_of_seconds(uint64_t seconds, char *text, size_t cap);

#endif
