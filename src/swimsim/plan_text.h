/*
 * plan_text.h - values as people write them: "200ms", "5%", "10Mbit", "normal:5ms..20ms". Pure
 * functions, all in whole numbers: what is written is what is read.
 *
 * A reader returns NULL when it has set *ret, else what would be allowed (static text, to follow
 * "must be"), and *ret is as before. A writer fills `text` with what its reader takes; cap of
 * PLAN_TEXT_SIZE is enough for all.
 */
#ifndef SWIM_SWIMSIM_PLAN_TEXT_H
#define SWIM_SWIMSIM_PLAN_TEXT_H

#include "sim/sim.h"

#include <stddef.h>
#include <stdint.h>

#define PLAN_TEXT_SIZE 128

/* "1h30m", "1.5s", "200ms", "50us", "7ns", "0"; at most PLAN_TIME_MAX_NS. */
const char *text_read_duration(const char *text, uint64_t *ret_ns);
void text_write_duration(uint64_t ns, char *text, size_t cap);

/* "5%", "0.5%": whole thousandths, 0% to 100%. */
const char *text_read_share(const char *text, uint32_t *ret_permille);
void text_write_share(uint32_t permille, char *text, size_t cap);

/* "10Mbit", "64kbit", "1MB" (a second), "0" for no limit; in bytes a second. */
const char *text_read_rate(const char *text, uint64_t *ret_bytes);
void text_write_rate(uint64_t bytes, char *text, size_t cap);

/* "64kB", "64KiB", "1MB", "1500B"; in bytes. */
const char *text_read_size(const char *text, uint32_t *ret_bytes);
void text_write_size(uint32_t bytes, char *text, size_t cap);

/* "5ms", "1ms..20ms" (uniform), "normal:1ms..20ms", "heavy:1ms..2s". Sets delay, delay_min_ns and
 * delay_max_ns of *ret. */
const char *text_read_delay(const char *text, struct sim_net *ret);
void text_write_delay(const struct sim_net *net, char *text, size_t cap);

/* "200ppm", "-5%": parts in a million, from -90% to +900%. */
const char *text_read_ppm(const char *text, int32_t *ret_ppm);
void text_write_ppm(int32_t ppm, char *text, size_t cap);

/* Decimal digits alone, min..max. The caller says what is allowed: it knows the bounds. */
bool text_read_count(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

#endif
