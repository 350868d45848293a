/*
 * What the tests of accusations share: a suspect among members whom nobody has heard of for long,
 * so that any accusation is believed, and a look at its dossier.
 */
#ifndef SWIM_TESTS_UNIT_ACCUSERS_H
#define SWIM_TESTS_UNIT_ACCUSERS_H

#include "support.h"

#include "harness.h"

#include "core/accusation.h"
#include "core/member.h"

enum {
    SENDER = 2,         /* who passes accusations on */
    SUSPECT = 5,        /* whom they are about */
    DATAGRAM_FULL = 69, /* accusations that fit into one datagram */
};

static inline struct swim *begin_among(uint32_t last, swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);

    return member_among(&config, last, ret_now);
}

/* A suspicion lasts an hour, whoever confirms it. */
static inline struct swim_config patient_config(void)
{
    struct swim_config config = quiet_config_of(1);

    config.suspect_timeout_ms = config.suspect_timeout_min_ms = 3600000;
    return config;
}

/* From SENDER, on time by its clock: a full datagram leaves no room for an echo. */
static inline void hear_all(struct swim *s, swim_time now, const struct wire_suspicion *all,
                            uint32_t count)
{
    const struct member *sender = member_at(s, member_find(s, SENDER));
    swim_time tick = s->config.heartbeat_interval_ms * SWIM_MS;
    struct message gossip = {
        .kind = WIRE_GOSSIP, .from = SENDER, .suspicions = all, .suspicion_count = count};

    gossip.heartbeat = sender->clock_heartbeat + (uint32_t)((now - sender->clock_at) / tick);
    gossip.incarnation = sender->record.incarnation;
    assert_int_equal(hear(s, now, &gossip), SWIM_OK);
}

static inline void entry_with(struct swim *s, swim_time now, uint32_t number, uint32_t incarnation,
                              enum swim_status status)
{
    struct wire_entry entry = entry_of(number);

    entry.incarnation = incarnation;
    entry.heartbeat = 1000000; /* later than any estimate */
    entry.status = (uint8_t)status;
    hear_entry(s, now, SENDER, entry);
}

static inline const struct dossier *dossier_of(const struct swim *s, uint32_t number)
{
    uint32_t index = accusation_dossier(s, member_find(s, number));

    return index ? &dossiers_of(s)[index] : NULL;
}

static inline uint32_t accuser_count(const struct swim *s, uint32_t number)
{
    const struct dossier *d = dossier_of(s, number);

    return d ? d->count : 0;
}

/* Each dossier is a suspect's or free, and what is to be told is a suspect's. */
static inline void check_dossiers(const struct swim *s)
{
    uint32_t held = 0;

    for (uint32_t slot = 1; slot <= s->slots_high; slot++)
        held += members_of(s)[slot].record.id && accusation_dossier(s, slot);
    assert_int_equal(held + s->dossiers_free.count, s->dossiers_high);
    for (uint32_t i = s->accusations.head; i; i = dossier_links(s)[i].next)
        assert_int_equal(accusation_dossier(s, dossiers_of(s)[i].slot), i);
    assert_null(swim_check(s));
}

#endif
