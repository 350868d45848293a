/* Anti-entropy by sketches: docs/protocol.md section 8. See sync_sketch.h; job.c sends. */
#include "core/sync_sketch.h"

#include "base/assert.h"
#include "base/hash.h"
#include "core/job.h"
#include "core/member.h"
#include "core/sketch.h"
#include "core/sync.h"
#include "core/walk.h"

#include <string.h>

enum {
    /* Cells per expected key; and so many more, since small sketches fail more often. */
    CELLS_PER_KEY = 2,
    CELLS_SPARE = 24,
    /* A sketch that could not be told apart was too small, or unlucky. */
    AGAIN_FACTOR = 2,
    DENSITY_UNIT = 16,
    /* That the last buckets differ, too, tells little: it could be many more, or chance. */
    UNTOLD = 2,
    /* What one sketch is of at most, so that no datagram takes long. */
    SLICE_MEMBERS = 4096,
    /* Roughly what an expected cell costs in all, keys and entries both ways included; and what
     * there is besides. */
    BYTES_PER_CELL = 16,
    BYTES_PER_CELL_AGAIN = 8, /* the entries are on their way anyhow */
    BYTES_BESIDES = 256,
    /* Whole buckets take one exchange less and no memory: sketches have to be much smaller. */
    ADVANTAGE = 2,
    /* Each bucket of a session is looked at so many times at most: what a hostile peer can make
     * us do for each request of ours. */
    LOOKS_MAX = 3,
    INCARNATION_BITS = 4,
    CONTENT_BITS = 8,
    TAG_SHIFT = INCARNATION_BITS + CONTENT_BITS,
};

/* ---- Keys ---- */

uint32_t sync_key(const struct swim *s, uint32_t slot, uint32_t salt)
{
    const struct record *record = &member_at(s, slot)->record;
    uint32_t tag = (uint32_t)(hash_combine(salt, record->id) >> (32 + TAG_SHIFT));
    uint32_t content = (uint32_t)hash_combine(salt, member_slot_digest(s, slot));

    return tag << TAG_SHIFT | (record->incarnation & 15) << CONTENT_BITS | (content & 255);
}

static bool are_of_one_member(uint32_t a, uint32_t b)
{
    return (a ^ b) >> TAG_SHIFT == 0;
}

/* Steps of incarnation from `old` to `new`, as far as their last bits tell: 0 .. 15. */
static uint32_t steps(uint32_t old, uint32_t new)
{
    return ((new >> CONTENT_BITS) - (old >> CONTENT_BITS)) & 15;
}

static void sort(uint32_t *keys, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint32_t key = keys[i];
        uint32_t j = i;

        for (; j > 0 && keys[j - 1] > key; j--)
            keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

/* The place of `key` among sorted ones; `count` if it is none of them. */
static uint32_t place_of(const uint32_t *keys, uint32_t count, uint32_t key)
{
    uint32_t low = 0;
    uint32_t high = count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && keys[low] == key ? low : count;
}

/* ---- Slices: the buckets that one sketch is of ---- */

static uint32_t count_buckets(const struct walk *walk)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < 1u << walk->bits; i++)
        count += walk_has_bucket(walk, i);
    return count;
}

/* Members that there are in so many buckets, most likely. */
static uint32_t members_in(const struct swim *s, uint32_t buckets, unsigned bits)
{
    return (uint32_t)((uint64_t)cluster_size(s) * buckets >> bits);
}

/* No more than anybody who keeps to the limits asks of us, table sizes being known roughly. */
static bool is_bearable(const struct swim *s, const struct walk *slice)
{
    return members_in(s, count_buckets(slice), slice->bits) <= 2 * SLICE_MEMBERS;
}

static uint32_t cells_max(const struct swim *s, unsigned bits)
{
    uint32_t room = sync_datagram_max(s) - WIRE_HEADER_SIZE - 2 - 3 - SYNC_VALUE_HEADER -
                    sync_mask_size(bits) - 4;
    uint32_t cells = room / SKETCH_CELL_SIZE;

    cells -= cells % SKETCH_QUARTERS;
    return cells < SKETCH_CELLS_MAX ? cells : SKETCH_CELLS_MAX;
}

/* Cells of a sketch of so many buckets, as if there were no limit. */
static uint32_t cells_for(uint32_t density, uint32_t buckets)
{
    uint32_t cells = density * buckets / DENSITY_UNIT + CELLS_SPARE;

    return (cells + SKETCH_QUARTERS - 1) / SKETCH_QUARTERS * SKETCH_QUARTERS;
}

/* Buckets of a slice whose sketch fits into a datagram; at least one. */
static uint32_t slice_buckets(const struct swim *s, const struct job *job)
{
    uint32_t by_cells =
        (cells_max(s, job->walk.bits) - CELLS_SPARE) * DENSITY_UNIT / (job->density + 1u);
    uint32_t by_members = (uint32_t)(((uint64_t)SLICE_MEMBERS << job->walk.bits) / cluster_size(s));
    uint32_t buckets = by_cells < by_members ? by_cells : by_members;

    return buckets ? buckets : 1;
}

/* Moves the next slice's buckets from the job to *ret. */
static uint32_t cut_slice(const struct swim *s, struct job *job, struct walk *ret)
{
    uint32_t most = slice_buckets(s, job);
    uint32_t taken = 0;

    *ret = (struct walk){.bits = job->walk.bits};
    for (uint32_t i = 0; i < 1u << job->walk.bits && taken < most; i++) {
        uint8_t bit = (uint8_t)(1u << i % 8);

        if (!walk_has_bucket(&job->walk, i))
            continue;
        job->walk.mask[i / 8] &= (uint8_t)~bit;
        ret->mask[i / 8] |= bit;
        taken++;
    }
    return taken;
}

static void toggle_slice(const struct swim *s, struct walk *slice, uint32_t salt,
                         struct sketch *sketch)
{
    uint32_t slot;

    for (walk_restart(slice); (slot = walk_slot(s, slice)) != 0; walk_step(slice))
        sketch_toggle(sketch, sync_key(s, slot, salt));
}

/* ---- The replier ---- */

uint32_t sync_density(uint32_t different, unsigned bits, uint32_t gap)
{
    uint32_t buckets = 1u << bits;
    uint64_t ids = 0; /* times DENSITY_UNIT */
    uint64_t apart = (uint64_t)gap * DENSITY_UNIT;
    uint64_t density;

    ASSERT(different > 0);
    /* So many ids fall into `buckets` buckets, on average, until `different` of them are hit. */
    for (uint32_t hit = 0; hit < different && (hit == 0 || hit + UNTOLD < buckets); hit++)
        ids += DENSITY_UNIT * buckets / (buckets - hit);
    if (ids < apart)
        ids = apart;
    /* Who is on both sides has a key on each; of those who are on one side there are `gap` or more. */
    density = CELLS_PER_KEY * (2 * ids - apart) / different + 1;
    return density < UINT16_MAX ? (uint32_t)density : UINT16_MAX;
}

static bool sketches_pay(const struct swim *s, const struct walk *differ, uint32_t density,
                         uint32_t cell_bytes)
{
    uint32_t buckets = count_buckets(differ);
    uint64_t whole = (uint64_t)members_in(s, buckets, differ->bits) * WIRE_ENTRY4_SIZE;
    uint64_t cells = (uint64_t)density * buckets / DENSITY_UNIT;

    return members_in(s, 1, differ->bits) <= SLICE_MEMBERS &&
           cells_for(density, 1) <= cells_max(s, differ->bits) &&
           whole > ADVANTAGE * (cells * cell_bytes + BYTES_BESIDES);
}

static void reply(struct swim *s, const struct source *source, const struct walk *differ,
                  uint32_t density, bool is_sketched)
{
    struct job *job = job_start(s, is_sketched ? JOB_SKETCH : JOB_REPLY, source, differ);

    if (!job)
        return;
    job->density = (uint16_t)density;
    if (is_sketched)
        job->salt = (uint32_t)prng_next(&s->prng);
}

void sync_reply(struct swim *s, const struct source *source, const struct walk *differ,
                uint32_t density)
{
    reply(s, source, differ, density, sketches_pay(s, differ, density, BYTES_PER_CELL));
}

static void begin_value(struct writer *w, enum sync_phase phase, const struct walk *walk)
{
    write_u8(w, (uint8_t)phase);
    write_u8(w, walk->bits);
    write_u8(w, 0); /* is_last: job.c knows */
    write_bytes(w, walk->mask, sync_mask_size(walk->bits));
}

bool sync_write_sketch(struct swim *s, struct wire_builder *b, struct job *job)
{
    uint8_t value[WIRE_SYNC_DATAGRAM_MAX];
    struct writer w = writer_of(value, sizeof value);
    struct walk slice;
    struct sketch sketch;
    uint32_t cells = cells_for(job->density, cut_slice(s, job, &slice));
    uint32_t most = cells_max(s, slice.bits);

    sketch_init(&sketch, cells < most ? cells : most);
    toggle_slice(s, &slice, job->salt, &sketch);
    begin_value(&w, SYNC_SKETCH, &slice);
    write_u32(&w, job->salt);
    sketch_write(&sketch, &w);
    wire_put_record(b, WIRE_EXT_BUCKETS, value, (uint16_t)writer_size(&w));
    return count_buckets(&job->walk) == 0;
}

/* ---- The asker ---- */

/* A slice's BUCKETS record, behind its header. */
static struct reader read_slice(const struct wire_datagram *dg, struct walk *ret)
{
    struct reader r = reader_of(dg->buckets, dg->buckets_size);

    read_bytes(&r, SYNC_VALUE_HEADER);
    *ret = (struct walk){.bits = dg->buckets[1]};
    memcpy(ret->mask, read_bytes(&r, sync_mask_size(ret->bits)), sync_mask_size(ret->bits));
    return r;
}

/* The keys of a slice that differ, in rising order, and which of them are our members'. */
struct difference {
    struct walk slice;
    uint32_t salt;
    uint32_t count;
    uint32_t keys[SKETCH_CELLS_MAX];
    bool are_ours[SKETCH_CELLS_MAX];
};

static void find_ours(const struct swim *s, struct difference *d)
{
    uint32_t slot;

    memset(d->are_ours, 0, sizeof d->are_ours);
    for (walk_restart(&d->slice); (slot = walk_slot(s, &d->slice)) != 0; walk_step(&d->slice)) {
        uint32_t place = place_of(d->keys, d->count, sync_key(s, slot, d->salt));

        if (place < d->count)
            d->are_ours[place] = true;
    }
}

/* Where both sides hold a member, the older record need not travel. Their incarnations' last bits
 * tell which it is, unless they are equal, or too far apart. (A guess that was wrong is set right as
 * any stale claim is.) Members are next to each other, since tags are the keys' highest bits. */
static void drop_older(struct difference *d)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < d->count; i++) {
        bool is_pair = i + 1 < d->count && are_of_one_member(d->keys[i], d->keys[i + 1]) &&
                       d->are_ours[i] != d->are_ours[i + 1];
        uint32_t ahead = is_pair ? steps(d->keys[i], d->keys[i + 1]) : 0;
        uint32_t newer = ahead < 8 ? i + 1 : i;

        if (ahead % 8 == 0)
            newer = i;
        else
            i++;
        d->keys[kept] = d->keys[newer];
        d->are_ours[kept++] = d->are_ours[newer];
    }
    d->count = kept;
}

/* Our members go, and what is not ours is asked for. */
static void mend(struct swim *s, const struct source *source, const struct difference *d)
{
    struct job *job = job_start_keys(s, source, &d->slice, d->salt, d->count);
    uint32_t *ours;
    uint32_t *theirs;

    if (!job)
        return;
    for (uint32_t i = 0; i < d->count; i++)
        job->own_count = (uint16_t)(job->own_count + d->are_ours[i]);
    ours = job_keys(s, job);
    theirs = ours + job->own_count;
    for (uint32_t i = 0; i < d->count; i++) {
        if (d->are_ours[i])
            *ours++ = d->keys[i];
        else
            *theirs++ = d->keys[i];
    }
}

/* Another sketch of the same buckets, with more cells; when that was tried already: the buckets. */
static void ask_again(struct swim *s, const struct source *source, const struct walk *slice,
                      uint32_t cells)
{
    uint32_t density = AGAIN_FACTOR * DENSITY_UNIT * cells / count_buckets(slice);
    bool is_last_try = s->session.looks > (LOOKS_MAX - 1u) << s->session.bits;
    struct job *job = job_start(s, JOB_AGAIN, source, slice);

    if (!job)
        return;
    s->session.owed++;
    job->density = (uint16_t)(density < UINT16_MAX && !is_last_try ? density : UINT16_MAX);
}

/* It belongs to what we asked for, and looking at it costs no more than our question was worth. */
static bool is_expected(struct swim *s, const struct wire_datagram *dg, const struct walk *slice)
{
    uint32_t buckets = count_buckets(slice);

    if (!sync_is_in_session(s, dg) || s->session.bits != slice->bits || !buckets ||
        !is_bearable(s, slice) || s->session.looks + buckets > (uint32_t)LOOKS_MAX << slice->bits)
        return false;
    s->session.looks = (uint16_t)(s->session.looks + buckets);
    return true;
}

void sync_hear_sketch(struct swim *s, const struct wire_datagram *dg, const struct source *source)
{
    struct difference d;
    struct sketch sketch;
    struct reader r = read_slice(dg, &d.slice);

    if (!is_expected(s, dg, &d.slice))
        return;
    if (dg->buckets[2] && s->session.owed)
        s->session.owed--;
    d.salt = read_u32(&r);
    sketch_init(&sketch, (uint32_t)reader_left(&r) / SKETCH_CELL_SIZE);
    sketch_read(&sketch, &r);
    toggle_slice(s, &d.slice, d.salt, &sketch);
    if (!sketch_peel(&sketch, d.keys, &d.count)) {
        ask_again(s, source, &d.slice, sketch.count);
        return;
    }
    if (!d.count)
        return;
    sort(d.keys, d.count);
    find_ours(s, &d);
    drop_older(&d);
    mend(s, source, &d);
}

bool sync_write_again(struct wire_builder *b, const struct job *job)
{
    uint8_t value[SYNC_VALUE_HEADER + BUCKETS_MAX / 8 + 2];
    struct writer w = writer_of(value, sizeof value);

    begin_value(&w, SYNC_AGAIN, &job->walk);
    write_u16(&w, job->density);
    wire_put_record(b, WIRE_EXT_BUCKETS, value, (uint16_t)writer_size(&w));
    return true;
}

void sync_write_want(struct swim *s, struct wire_builder *b, const struct job *job)
{
    uint8_t value[SYNC_VALUE_HEADER + BUCKETS_MAX / 8 + 4 + 4 * SKETCH_CELLS_MAX];
    struct writer w = writer_of(value, sizeof value);
    const uint32_t *keys = job_keys(s, job);

    begin_value(&w, SYNC_WANT, &job->walk);
    write_u32(&w, job->salt);
    for (uint32_t i = job->own_count; i < job->key_count; i++)
        write_u32(&w, keys[i]);
    wire_put_record(b, WIRE_EXT_BUCKETS, value, (uint16_t)writer_size(&w));
}

/* ---- The replier, once more ---- */

void sync_hear_again(struct swim *s, const struct wire_datagram *dg, const struct source *source)
{
    struct walk slice;
    struct reader r = read_slice(dg, &slice);

    uint32_t density = read_u16(&r);

    if (count_buckets(&slice))
        reply(s, source, &slice, density, sketches_pay(s, &slice, density, BYTES_PER_CELL_AGAIN));
}

void sync_hear_want(struct swim *s, const struct wire_datagram *dg, const struct source *source)
{
    struct walk slice;
    struct reader r = read_slice(dg, &slice);
    uint32_t salt = read_u32(&r);
    uint32_t count = (uint32_t)reader_left(&r) / 4;
    struct job *job = NULL;

    if (is_bearable(s, &slice))
        job = job_start_keys(s, source, &slice, salt, count);
    if (!job)
        return;
    for (uint32_t i = 0; i < count; i++)
        job_keys(s, job)[i] = read_u32(&r);
    sort(job_keys(s, job), count);
    job->own_count = job->key_count;
}

bool sync_is_mended(const struct swim *s, const struct job *job, uint32_t slot)
{
    return place_of(job_keys(s, job), job->own_count, sync_key(s, slot, job->salt)) <
           job->own_count;
}

bool sync_is_sketch_size(uint8_t phase, unsigned bits, uint32_t size)
{
    uint32_t head = SYNC_VALUE_HEADER + sync_mask_size(bits);
    uint32_t content = size - head - 4; /* behind the salt */

    if (phase == SYNC_AGAIN)
        return size == head + 2;
    if (size < head + 4)
        return false;
    if (phase == SYNC_WANT)
        return content % 4 == 0 && content >= 4 && content / 4 <= SKETCH_CELLS_MAX;
    return content % SKETCH_CELL_SIZE == 0 && sketch_is_size(content / SKETCH_CELL_SIZE);
}
