/* Invertible Bloom lookup tables of 32-bit keys, for docs/protocol.md section 8. See sketch.h. */
#include "core/sketch.h"

#include "base/assert.h"
#include "base/hash.h"

enum { CHECK_MASK = 0xffffff };

static uint64_t key_hash(uint32_t key)
{
    return hash_u64(key + HASH_GOLDEN);
}

static uint32_t key_check(uint64_t hash)
{
    return (uint32_t)hash_u64(hash) & CHECK_MASK;
}

/* The key's cell in a quarter: 16 bits of its hash, scaled down to the quarter's size. */
static uint32_t place_of(const struct sketch *sketch, uint64_t hash, unsigned quarter)
{
    uint32_t size = sketch->count / SKETCH_QUARTERS;
    uint32_t bits = (uint32_t)(hash >> 16 * quarter) & 0xffff;

    return quarter * size + (bits * size >> 16);
}

bool sketch_is_size(uint32_t count)
{
    return count >= SKETCH_QUARTERS && count <= SKETCH_CELLS_MAX && count % SKETCH_QUARTERS == 0;
}

void sketch_init(struct sketch *sketch, uint32_t count)
{
    ASSERT(sketch_is_size(count));
    sketch->count = count;
    memset(sketch->cells, 0, count * sizeof *sketch->cells);
}

void sketch_toggle(struct sketch *sketch, uint32_t key)
{
    uint64_t hash = key_hash(key);
    uint32_t check = key_check(hash);

    for (unsigned quarter = 0; quarter < SKETCH_QUARTERS; quarter++) {
        struct sketch_cell *cell = &sketch->cells[place_of(sketch, hash, quarter)];

        cell->keys ^= key;
        cell->checks ^= check;
    }
}

/* The cell holds one key, as far as can be told: it is where that key belongs, and its check is
 * right. */
static bool is_alone(const struct sketch *sketch, uint32_t at)
{
    const struct sketch_cell *cell = &sketch->cells[at];
    uint64_t hash = key_hash(cell->keys);
    unsigned quarter = at / (sketch->count / SKETCH_QUARTERS);

    return cell->checks == key_check(hash) && place_of(sketch, hash, quarter) == at;
}

static bool is_empty(const struct sketch *sketch)
{
    for (uint32_t i = 0; i < sketch->count; i++) {
        if (sketch->cells[i].keys || sketch->cells[i].checks)
            return false;
    }
    return true;
}

bool sketch_peel(struct sketch *sketch, uint32_t *keys, uint32_t *ret_count)
{
    uint32_t count = 0;
    uint32_t quiet = 0; /* cells looked at since a key was found */

    for (uint32_t at = 0; quiet < sketch->count; at = (at + 1) % sketch->count, quiet++) {
        if (!is_alone(sketch, at))
            continue;
        if (count == sketch->count) /* more keys than cells: somebody made this up */
            return false;
        keys[count] = sketch->cells[at].keys;
        sketch_toggle(sketch, keys[count++]);
        quiet = 0;
    }
    *ret_count = count;
    return is_empty(sketch);
}

void sketch_write(const struct sketch *sketch, struct writer *w)
{
    for (uint32_t i = 0; i < sketch->count; i++) {
        write_u32(w, sketch->cells[i].keys);
        write_u8(w, (uint8_t)(sketch->cells[i].checks >> 16));
        write_u16(w, (uint16_t)sketch->cells[i].checks);
    }
}

void sketch_read(struct sketch *sketch, struct reader *r)
{
    for (uint32_t i = 0; i < sketch->count; i++) {
        sketch->cells[i].keys = read_u32(r);
        sketch->cells[i].checks = (uint32_t)read_u8(r) << 16;
        sketch->cells[i].checks |= read_u16(r);
    }
}
