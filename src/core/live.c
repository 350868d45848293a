/* The order of probes, and random choice: see live.h. docs/protocol.md section 5, "Order". */
#include "core/live.h"

#include <string.h>

static enum live_part part_of(const struct swim *s, uint32_t place)
{
    const uint32_t *ends = s->live_ends;

    return (enum live_part)((place > ends[LEFT_SUSPECT]) + (place > ends[LEFT_ALIVE]) +
                            (place > ends[RIGHT_ALIVE]));
}

static enum live_part on_other_side(enum live_part part)
{
    return (enum live_part)(RIGHT_SUSPECT - part);
}

static enum live_part with_other_status(enum live_part part)
{
    return (enum live_part)(part ^ 1);
}

/* A hole in one part becomes one in another, at one of its ends: the parts between, each in turn,
 * fill it from their far end. */
static uint32_t move_hole(struct swim *s, uint32_t hole, enum live_part from, enum live_part to)
{
    uint32_t *ends = s->live_ends;
    unsigned part = from;

    for (; part < to; part++)
        hole = live_fill(s, hole, ends[part]--);
    for (; part > to; part--)
        hole = live_fill(s, hole, ++ends[part - 1]);
    return hole;
}

static void move(struct swim *s, uint32_t place, enum live_part from, enum live_part to)
{
    uint32_t slot = live_of(s)[place];

    live_put(s, move_hole(s, place, from, to), slot);
}

void live_add_suspect(struct swim *s, uint32_t slot, bool is_left)
{
    enum live_part part = is_left ? LEFT_SUSPECT : RIGHT_SUSPECT;

    live_put(s, move_hole(s, live_count(s) + 1, OUTSIDE, part), slot);
}

void live_remove(struct swim *s, uint32_t slot)
{
    uint32_t place = members_of(s)[slot].place;

    move_hole(s, place, part_of(s, place), OUTSIDE);
    members_of(s)[slot].place = 0;
}

void live_change_status(struct swim *s, uint32_t slot)
{
    uint32_t place = members_of(s)[slot].place;
    enum live_part part = part_of(s, place);

    move(s, place, part, with_other_status(part));
}

/* What move() would do with one who is alive, for whom there is nothing to cross but the middle. */
static void cross_middle(struct swim *s, uint32_t place, uint32_t slot)
{
    uint32_t *middle = &s->live_ends[LEFT_ALIVE];
    uint32_t edge = *middle + s->is_rightward;

    *middle = edge - 1 + s->is_rightward;
    live_put(s, place, live_of(s)[edge]);
    live_put(s, edge, slot);
}

uint32_t live_next_probe(struct swim *s)
{
    uint32_t unprobed = live_unprobed(s);
    uint32_t place;
    uint32_t slot;

    if (unprobed == 0) {
        if (live_count(s) == 0)
            return 0;
        s->is_rightward = !s->is_rightward;
        unprobed = live_count(s);
    }
    place = (s->is_rightward ? s->live_ends[LEFT_ALIVE] : 0) + prng_below(&s->prng, unprobed) + 1;
    slot = live_of(s)[place];
    if (members_of(s)[slot].record.status == SWIM_ALIVE)
        cross_middle(s, place, slot);
    else
        move(s, place, part_of(s, place), on_other_side(part_of(s, place)));
    return slot;
}

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t slot = *a;

    *a = *b;
    *b = slot;
}

/* The first steps of a Fisher-Yates shuffle of `n` slots, taken back afterwards: nobody's place
 * changes. Meanwhile `ret_slots` has what each one was exchanged with. */
static uint32_t sample(struct swim *s, uint32_t *slots, uint32_t n, uint32_t count,
                       uint32_t *ret_slots)
{
    count = count < n ? count : n;
    for (uint32_t i = 0; i < count; i++) {
        ret_slots[i] = i + prng_below(&s->prng, n - i);
        swap(&slots[i], &slots[ret_slots[i]]);
    }
    for (uint32_t i = count; i-- > 0;) {
        uint32_t slot = slots[i];

        swap(&slots[i], &slots[ret_slots[i]]);
        ret_slots[i] = slot;
    }
    return count;
}

uint32_t live_sample(struct swim *s, uint32_t count, uint32_t *ret_slots)
{
    return sample(s, live_of(s) + 1, live_count(s), count, ret_slots);
}

uint32_t live_sample_alive(struct swim *s, uint32_t count, uint32_t except, uint32_t *ret_slots)
{
    uint32_t *alive = live_of(s) + 1 + s->live_ends[LEFT_SUSPECT];
    uint32_t n = alive_count(s);
    uint32_t *left_out;
    uint32_t found;

    if (!except || !members_of(s)[except].place ||
        members_of(s)[except].record.status != SWIM_ALIVE)
        return sample(s, alive, n, count, ret_slots);
    left_out = &live_of(s)[members_of(s)[except].place];
    swap(left_out, &alive[n - 1]);
    found = sample(s, alive, n - 1, count, ret_slots);
    swap(left_out, &alive[n - 1]);
    return found;
}

void live_copy(struct swim *s, const struct swim *from)
{
    uint32_t count = live_count(from);

    ASSERT(alive_count(from) == count);
    memcpy(live_of(s), live_of(from), (count + 1) * sizeof(uint32_t));
    s->live_ends[LEFT_SUSPECT] = 0;
    s->live_ends[LEFT_ALIVE] = s->live_ends[RIGHT_ALIVE] = s->live_ends[RIGHT_SUSPECT] = count;
    s->is_rightward = false;
}

const char *live_check(const struct swim *s)
{
    for (unsigned part = LEFT_ALIVE; part < OUTSIDE; part++) {
        if (s->live_ends[part] < s->live_ends[part - 1])
            return "the parts of live[] follow each other";
    }
    for (uint32_t place = 1; place <= live_count(s); place++) {
        const struct member *m = member_at(s, live_of(s)[place]);
        enum live_part part = part_of(s, place);
        bool is_alive = part == LEFT_ALIVE || part == RIGHT_ALIVE;

        if (m->place != place)
            return "live[] points back";
        if (m->record.status != (is_alive ? SWIM_ALIVE : SWIM_SUSPECT))
            return "the alive and the suspects have their own parts of live[]";
    }
    return NULL;
}
