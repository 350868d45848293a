/* Suspects by the end of their time: see suspects.h. docs/protocol.md section 5. */
#include "core/suspects.h"

static uint32_t *cell(const struct swim *s, uint32_t place)
{
    return &suspects_of(s)[place - 1];
}

uint32_t suspects_at(const struct swim *s, uint32_t place)
{
    ASSERT(place > 0 && place <= s->suspect_count);
    return *cell(s, place);
}

swim_time suspects_due(const struct swim *s, uint32_t slot)
{
    return fates_of(s)[slot].due;
}

static bool is_before(const struct swim *s, uint32_t a, uint32_t b)
{
    swim_time ours = suspects_due(s, a);
    swim_time theirs = suspects_due(s, b);

    return ours != theirs ? ours < theirs : a < b;
}

static void put(struct swim *s, uint32_t place, uint32_t slot)
{
    *cell(s, place) = slot;
    doubts_of(s)[slot].place = place;
}

/* Moves `slot` from the hole at `place` to where it belongs, towards the root or away from it. */
static void settle(struct swim *s, uint32_t place, uint32_t slot)
{
    while (place > 1 && is_before(s, slot, *cell(s, place / 2))) {
        put(s, place, *cell(s, place / 2));
        place /= 2;
    }
    while (place <= s->suspect_count / 2) {
        uint32_t child = 2 * place;

        if (child < s->suspect_count && is_before(s, *cell(s, child + 1), *cell(s, child)))
            child++;
        if (!is_before(s, *cell(s, child), slot))
            break;
        put(s, place, *cell(s, child));
        place = child;
    }
    put(s, place, slot);
}

void suspects_add(struct swim *s, uint32_t slot, swim_time due)
{
    ASSERT(member_at(s, slot)->record.status == SWIM_SUSPECT && !doubts_of(s)[slot].place);
    fates_of(s)[slot].due = due;
    s->suspect_count++;
    settle(s, s->suspect_count, slot);
}

void suspects_remove(struct swim *s, uint32_t slot)
{
    uint32_t hole = doubts_of(s)[slot].place;
    uint32_t last = suspects_at(s, s->suspect_count);

    ASSERT(suspects_at(s, hole) == slot);
    s->suspect_count--;
    if (last != slot)
        settle(s, hole, last);
    doubts_of(s)[slot].place = 0;
    fates_of(s)[slot].due = 0;
}

void suspects_set_due(struct swim *s, uint32_t slot, swim_time due)
{
    uint32_t place = doubts_of(s)[slot].place;

    ASSERT(suspects_at(s, place) == slot);
    fates_of(s)[slot].due = due;
    settle(s, place, slot);
}

const char *suspects_check(const struct swim *s)
{
    for (uint32_t place = 1; place <= s->suspect_count; place++) {
        uint32_t slot = suspects_at(s, place);

        if (doubts_of(s)[slot].place != place)
            return "the heap of suspects points back";
        if (place > 1 && is_before(s, slot, suspects_at(s, place / 2)))
            return "the heap of suspects is in order";
    }
    return NULL;
}
