/* See beeper.h. */
#include "beeper.h"

#define BEEP_MARK 0xb0

static void beeper_receive(void *state, swim_time now, const struct swim_addr *from,
                           const void *data, size_t size)
{
    struct beeper *b = state;
    const uint8_t *bytes = data;
    struct arrival *arrival = &b->arrivals[b->arrival_count];

    assert_true(b->arrival_count < ARRIVALS_MAX);
    *arrival = (struct arrival){.at = now, .size = size, .from = *from, .is_intact = size >= 16};
    for (size_t i = 4; i < size; i++)
        arrival->is_intact = arrival->is_intact && bytes[i] == BEEP_MARK;
    for (size_t i = 0; i < 4 && i < size; i++)
        arrival->number = arrival->number << 8 | bytes[i];
    b->arrival_count++;
    if (b->is_echo) {
        b->echoes++;
        b->echo_to = *from;
    }
}

static void beeper_advance(void *state, swim_time now)
{
    ((struct beeper *)state)->last_advance = now;
}

static size_t write_beep(const struct beeper *b, uint8_t *buf, uint32_t number)
{
    memset(buf, BEEP_MARK, b->size);
    for (unsigned i = 0; i < 4; i++)
        buf[i] = (uint8_t)(number >> (24 - 8 * i));
    return b->size;
}

static size_t beeper_transmit(void *state, swim_time now, struct swim_addr *ret_to, void *buf,
                              size_t cap)
{
    struct beeper *b = state;

    assert_true(b->size <= cap);
    if (b->echoes > 0) {
        *ret_to = b->echo_to;
        return write_beep(b, buf, --b->echoes);
    }
    if (b->sent >= b->count || now < b->next)
        return 0;
    *ret_to = b->to;
    if (b->next == 0)
        b->next = now;
    size_t size = write_beep(b, buf, b->sent++);
    if (b->sent % b->burst == 0)
        b->next += b->interval_ns;
    return size;
}

static swim_time beeper_deadline(const void *state)
{
    const struct beeper *b = state;

    return b->sent < b->count ? b->next : SWIM_NEVER;
}

static const char *beeper_check(const void *state)
{
    (void)state;
    return NULL;
}

static bool beeper_find(const void *state, uint64_t id, enum swim_status *ret_status)
{
    (void)state, (void)id, (void)ret_status;
    return false;
}

static uint32_t beeper_count(const void *state, enum swim_status status)
{
    (void)state;
    return status == SWIM_ALIVE;
}

const struct sim_peer_ops beeper_ops = {
    .receive = beeper_receive,
    .advance = beeper_advance,
    .transmit = beeper_transmit,
    .deadline = beeper_deadline,
    .check = beeper_check,
    .find = beeper_find,
    .count = beeper_count,
};

struct beeper *beeper_new(const struct swim_addr *to, uint32_t count, uint64_t interval_ns)
{
    struct beeper *b = calloc(1, sizeof *b);

    assert_non_null(b);
    b->to = *to;
    b->count = count;
    b->interval_ns = interval_ns;
    b->burst = 1;
    b->size = 100;
    return b;
}

void beeper_start(struct sim *sim, uint32_t node, struct beeper *beeper)
{
    sim_start_peer(sim, node, &beeper_ops, beeper, 0);
}

struct duo duo_new(const char *name, const struct sim_net *net, uint32_t count,
                   uint64_t interval_ns)
{
    static const struct sim_net usual = {
        .delay_min_ns = SWIM_MS, .delay_max_ns = SWIM_MS, .delay = SIM_DELAY_CONSTANT};
    struct sim_config config = scenario_config(name, 4);
    struct duo duo;
    struct swim_addr to;

    config.net = net ? *net : usual;
    duo.sim = scenario_new(&config);
    sim_add(duo.sim);
    sim_add(duo.sim);
    to = sim_addr(duo.sim, 1);
    duo.sender = beeper_new(&to, count, interval_ns);
    to = sim_addr(duo.sim, 0);
    duo.receiver = beeper_new(&to, 0, SIM_SECOND);
    return duo;
}

void duo_start(struct duo *duo)
{
    beeper_start(duo->sim, 1, duo->receiver);
    beeper_start(duo->sim, 0, duo->sender);
}

void duo_end(struct duo *duo)
{
    scenario_end(duo->sim);
    free(duo->sender);
    free(duo->receiver);
}

uint64_t duo_delay(const struct duo *duo, uint32_t arrival)
{
    const struct arrival *a = &duo->receiver->arrivals[arrival];
    uint64_t sent_at = a->number / duo->sender->burst * duo->sender->interval_ns;

    return a->at - sim_local_time(duo->sim, 1, 0) - sent_at;
}

uint64_t ledger_dropped(const struct sim *sim, enum sim_drop drop)
{
    return sim_ledger(sim).dropped[drop];
}

void expect_dropped_only(const struct sim *sim, enum sim_drop drop)
{
    for (unsigned i = 0; i < SIM_DROPS; i++) {
        if (i != (unsigned)drop && ledger_dropped(sim, (enum sim_drop)i) != 0)
            fail_msg("%s: %llu datagrams", sim_drop_name((enum sim_drop)i),
                     (unsigned long long)ledger_dropped(sim, (enum sim_drop)i));
    }
}
