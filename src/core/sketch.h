/*
 * Sketches: two sets of keys tell each other how they differ, in a size that depends on the
 * difference alone (Goodrich, Mitzenmacher, "Invertible Bloom Lookup Tables", 2011; Eppstein et
 * al., "What's the Difference?", 2011). Format: docs/protocol.md section 8.
 *
 *     each key is in 4 cells, one in each quarter:     a cell: XOR of its keys | XOR of their checks
 *
 * One side sends the sketch of its keys, the other toggles its own in it: what both have cancels
 * out. A cell whose check is that of its key holds that key alone; toggled once more, it leaves
 * other cells alone with one of theirs, and so on. Pure functions.
 */
#ifndef SWIM_CORE_SKETCH_H
#define SWIM_CORE_SKETCH_H

#include "base/bytes.h"

enum {
    SKETCH_QUARTERS = 4,
    SKETCH_CELL_SIZE = 7, /* key u32, check u24 */
    SKETCH_CELLS_MAX = 160,
};

struct sketch_cell {
    uint32_t keys;
    uint32_t checks; /* 24 bits */
};

struct sketch {
    uint32_t count; /* of cells, a multiple of 4 */
    struct sketch_cell cells[SKETCH_CELLS_MAX];
};

/* Asserted: `count` is one that sketch_is_size allows. */
void sketch_init(struct sketch *sketch, uint32_t count);
bool sketch_is_size(uint32_t count);
/* Puts a key in, or takes it out. */
void sketch_toggle(struct sketch *sketch, uint32_t key);
/* Takes out all keys, into `keys`, which has room for SKETCH_CELLS_MAX. False when some are left
 * that can't be told apart: nothing found can be relied on then. At most `count` are taken out. */
bool sketch_peel(struct sketch *sketch, uint32_t *keys, uint32_t *ret_count);
void sketch_write(const struct sketch *sketch, struct writer *w);
/* From as many cells as `sketch` was made with. */
void sketch_read(struct sketch *sketch, struct reader *r);

#endif
