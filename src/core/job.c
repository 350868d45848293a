/*
 * Anti-entropy, the sending half: each job walks some buckets of the view and sends whom
 * it finds there, one datagram of at most 1,200 bytes after another, paced so that it overflows
 * neither a receive buffer nor a plain peer's rate limit. docs/protocol.md section 8.
 */
#include "core/job.h"

#include "core/clock.h"
#include "core/member.h"
#include "core/meta_news.h"
#include "core/sync.h"
#include "core/sync_sketch.h"
#include "core/transmit.h"
#include "core/walk.h"

#include <string.h>

/* The default receive buffer of Linux holds 92 datagrams of this size: a third of it at once. */
enum { BURST = 32 };
/* After the burst: 500 a second (JOB_PACE) to a peer that reads at its own pace; 25 to a plain one,
 * which drops what exceeds 50 a second and a burst of 100, our other datagrams included. */
static const swim_time PACE_PLAIN = 40 * SWIM_MS;
/* Datagrams at once from a host that comes late: more would not be paced. */
enum { CATCH_UP = 8 };

/* Offset of the is_last byte of a BUCKETS record that is the first of its datagram. */
enum { IS_LAST_AT = WIRE_HEADER_SIZE + 2 + 3 + 2 };

static bool is_like(const struct job *job, enum job_kind kind, const struct swim_addr *to)
{
    return job->kind == kind && addr_equal(&job->to, to);
}

bool job_is_under_way(const struct swim *s, enum job_kind kind, const struct swim_addr *to)
{
    for (unsigned i = 0; i < s->jobs_end; i++) {
        if (is_like(job_at(s, i), kind, to))
            return true;
    }
    return false;
}

static bool is_answer(enum job_kind kind)
{
    return kind == JOB_REPLY || kind == JOB_SKETCH;
}

static bool overlap(const struct walk *a, const struct walk *b)
{
    bool is_met = a->bits != b->bits;

    for (uint32_t i = 0; i < sizeof a->mask; i++)
        is_met |= (a->mask[i] & b->mask[i]) != 0;
    return is_met;
}

/* It says already what the other one would. Answers don't meet in any bucket, so that all that are
 * under way to an address are of one table at most. */
static bool is_enough(const struct job *job, enum job_kind kind, const struct walk *walk)
{
    if (is_answer(kind))
        return is_answer(job->kind) && overlap(&job->walk, walk);
    return job->kind == kind && memcmp(job->walk.mask, walk->mask, sizeof walk->mask) == 0;
}

/* There is no need for another one of these buckets, or no room. */
static bool is_refused(struct swim *s, enum job_kind kind, const struct swim_addr *to,
                       const struct walk *walk)
{
    uint32_t most = kind == JOB_PUSH ? JOBS_MAX : JOBS_MAX - JOBS_FOR_PUSHES;
    uint32_t count = 0;

    for (unsigned i = 0; i < s->jobs_end; i++) {
        if (job_at(s, i)->kind == JOB_NONE || !addr_equal(&job_at(s, i)->to, to))
            continue;
        if (is_enough(job_at(s, i), kind, walk))
            return true;
        count++;
    }
    if (s->job_count < most && count < JOBS_PER_PEER)
        return false;
    s->stats.syncs_refused++;
    return true;
}

/* Jobs of one kind to one address share their pace. */
static void share_pace(struct swim *s, const struct job *with)
{
    for (unsigned i = 0; s->job_count > 1 && i < s->jobs_end; i++) {
        if (!is_like(job_at(s, i), with->kind, &with->to))
            continue;
        job_at(s, i)->burst = with->burst;
        job_at(s, i)->due = with->due;
    }
}

struct job *job_start(struct swim *s, enum job_kind kind, const struct source *source,
                      const struct walk *walk)
{
    struct job *job = NULL;
    uint32_t burst = BURST;
    swim_time due = s->now;

    if (!addr_is_usable(&source->addr) || is_refused(s, kind, &source->addr, walk))
        return NULL;
    for (unsigned i = 0; i < s->jobs_end; i++) {
        if (job_at(s, i)->kind == JOB_NONE) {
            job = job ? job : job_at(s, i);
        } else if (is_like(job_at(s, i), kind, &source->addr)) {
            burst = job_at(s, i)->burst;
            due = job_at(s, i)->due;
        }
    }
    ASSERT(job || s->jobs_end < JOBS_MAX);
    job = job ? job : job_at(s, s->jobs_end++);
    memset(job, 0, sizeof *job);
    job->kind = (uint8_t)kind;
    job->to = source->addr;
    job->due = due;
    job->burst = burst;
    job->walk = *walk;
    walk_restart(&job->walk);
    job->extended = source->slot && member_at(s, source->slot)->flags & MEMBER_CAPABLE;
    s->job_count++;
    return job;
}

struct job *job_start_keys(struct swim *s, const struct source *source, const struct walk *walk,
                           uint32_t salt, uint32_t count)
{
    struct job *job = NULL;

    if (s->job_keys_used + count <= JOB_KEYS_MAX)
        job = job_start(s, JOB_MEND, source, walk);
    else
        s->stats.syncs_refused++;
    if (!job)
        return NULL;
    job->salt = salt;
    job->keys_at = s->job_keys_used;
    job->key_count = (uint16_t)count;
    job->keys_held = (uint16_t)count;
    s->job_keys_used += count;
    s->job_keys_held += count;
    return job;
}

uint32_t *job_keys(const struct swim *s, const struct job *job)
{
    return job_keys_of(s) + job->keys_at;
}

/* Keys are given back when the last of them are, since jobs end soon. */
static void finish(struct swim *s, struct job *job)
{
    s->job_keys_held -= job->keys_held;
    if (s->job_keys_held == 0)
        s->job_keys_used = 0;
    job->kind = JOB_NONE;
    s->job_count--;
    while (s->jobs_end && job_at(s, s->jobs_end - 1)->kind == JOB_NONE)
        s->jobs_end--;
}

void sync_stop(struct swim *s)
{
    for (unsigned i = 0; i < s->jobs_end; i++) {
        if (job_at(s, i)->kind != JOB_NONE)
            finish(s, job_at(s, i));
    }
    s->session.owed = 0;
    timer_stop(s, TIMER_SYNC);
}

swim_time sync_deadline(const struct swim *s)
{
    swim_time earliest = SWIM_NEVER;

    for (unsigned i = 0; i < s->jobs_end; i++) {
        if (job_at(s, i)->kind != JOB_NONE && job_at(s, i)->due < earliest)
            earliest = job_at(s, i)->due;
    }
    return earliest;
}

/* ---- What is sent ---- */

/* Not one of those that a job of keys is about. */
static bool is_passed_over(const struct swim *s, const struct job *job, uint32_t slot)
{
    return job->kind == JOB_MEND && !sync_is_mended(s, job, slot);
}

/* Its entry is to be sent. */
static bool is_wanted(const struct job *job, const struct member *m)
{
    return job->kind != JOB_RETURN || m->synced != job->skip_synced;
}

/* The member's names and tags are to be sent, by the second walk. */
static bool wants_meta(const struct swim *s, const struct job *job, uint32_t slot)
{
    const struct meta_slot *held = &meta_slots_of(s)[slot];

    if (!job->extended || !has_meta(&members_of(s)[slot]))
        return false;
    return job->kind != JOB_RETURN || held->synced != job->skip_synced;
}

/* Writes members from where the walk stands. True when it has come to its end. */
static bool write_members(struct swim *s, struct wire_builder *b, struct job *job,
                          uint32_t *ret_count)
{
    const struct intent style = {.extended = job->extended};
    uint32_t slot;

    *ret_count = 0;
    for (; (slot = walk_slot(s, &job->walk)) != 0; walk_step(&job->walk)) {
        if (is_passed_over(s, job, slot))
            continue;
        job->has_metas |= wants_meta(s, job, slot);
        if (!is_wanted(job, member_at(s, slot)))
            continue;
        if (!transmit_put_member(s, b, &style, slot))
            return false;
        ++*ret_count;
    }
    return true;
}

/* The second walk: names and tags of the same members, who are all known to the peer by now. */
static bool write_metas(struct swim *s, struct writer *value, struct job *job)
{
    uint32_t slot;

    for (; (slot = walk_slot(s, &job->walk)) != 0; walk_step(&job->walk)) {
        if (is_passed_over(s, job, slot) || !wants_meta(s, job, slot))
            continue;
        if (!meta_news_put_parts(s, value, slot, &job->part))
            return false;
        job->part = 0;
    }
    return true;
}

static void begin_second(struct job *job)
{
    job->is_second = true;
    walk_restart(&job->walk);
}

/* ---- Datagrams ---- */

/* Something that the peer has is wanted, and was not said yet. */
static bool has_wants(const struct job *job)
{
    return job->kind == JOB_MEND && job->key_count > job->own_count;
}

static void begin_sync(struct swim *s, struct wire_builder *b, struct job *job)
{
    uint8_t value[SYNC_VALUE_HEADER + BUCKETS_MAX / 8];
    unsigned mask_size = sync_mask_size(job->walk.bits);
    unsigned size = SYNC_VALUE_HEADER + (job->kind == JOB_REPLY ? mask_size : 0);

    if (has_wants(job)) {
        sync_write_want(s, b, job);
        job->key_count = job->own_count;
        return;
    }
    value[0] = job->kind == JOB_REPLY ? SYNC_REPLY : SYNC_RETURN;
    value[1] = job->walk.bits;
    value[2] = 0;
    memcpy(value + SYNC_VALUE_HEADER, job->walk.mask, mask_size);
    wire_put_record(b, WIRE_EXT_BUCKETS, value, (uint16_t)size);
    wire_put_view(b, s->digest, cluster_size(s));
}

/* Entries of the members, in the first walk. True when it has come to its end. */
static bool write_first(struct swim *s, struct wire_builder *b, struct job *job,
                        uint32_t *ret_count)
{
    bool is_push = job->kind == JOB_PUSH;
    bool is_done;

    if (job->echo) {
        wire_put_token(b, 0, job->echo);
        if (s->cluster_tag)
            wire_put_cluster(b, s->cluster_tag);
    }
    if (is_push)
        wire_put_chunk(b, job->table_version, job->chunk, job->chunk_count);
    else
        begin_sync(s, b, job);
    is_done = write_members(s, b, job, ret_count);
    /* A push has said how many chunks it is, and keeps its word even if the table shrinks. */
    if (!is_push)
        return is_done;
    job->has_metas = job->extended && s->meta_count > 0;
    return ++job->chunk == job->chunk_count;
}

static bool write_second(struct swim *s, struct wire_builder *b, struct job *job,
                         uint32_t *ret_count)
{
    uint8_t bytes[WIRE_SYNC_DATAGRAM_MAX];
    struct writer value;
    bool is_done;

    begin_sync(s, b, job);
    value = writer_of(bytes, wire_record_room(b, 0));
    is_done = write_metas(s, &value, job);
    *ret_count = (uint32_t)writer_size(&value);
    if (*ret_count)
        wire_put_record(b, WIRE_EXT_META, bytes, (uint16_t)*ret_count);
    return is_done;
}

/* Says at its place what the job's kind has to say. True when it is done. */
static bool write_content(struct swim *s, struct wire_builder *b, struct job *job,
                          uint32_t *ret_count)
{
    *ret_count = 0;
    if (job->kind == JOB_SKETCH)
        return sync_write_sketch(s, b, job);
    if (job->kind == JOB_AGAIN)
        return sync_write_again(b, job);
    return job->is_second ? write_second(s, b, job, ret_count) : write_first(s, b, job, ret_count);
}

/* A push has promised its chunks, a reply has to say that it ends, and questions are asked whether
 * or not there is anything to tell. */
static bool is_owed(const struct job *job)
{
    return job->kind == JOB_REPLY || job->kind == JOB_SKETCH || job->kind == JOB_AGAIN ||
           has_wants(job);
}

/* The job's next datagram, 0 when its present walk had nothing left to say. */
static size_t write_datagram(struct swim *s, struct job *job, uint8_t *buf)
{
    bool is_push = job->kind == JOB_PUSH && !job->is_second;
    bool must_go = is_push || is_owed(job);
    struct wire_header header = transmit_header(s, is_push ? WIRE_ANTI_ENTROPY : WIRE_SYNC);
    struct wire_builder b;
    uint32_t count;
    bool is_done;

    wire_begin(&b, buf, sync_datagram_max(s), &header);
    is_done = write_content(s, &b, job, &count);
    if (is_done && !job->is_second && job->has_metas) {
        begin_second(job);
        return count || is_push ? wire_finish(&b) : 0;
    }
    if (!is_push)
        buf[IS_LAST_AT] = is_done;
    if (is_done)
        finish(s, job);
    return is_done && !count && !must_go ? 0 : wire_finish(&b);
}

/* From one due time to the next: hosts come some milliseconds late, and the average is to be kept. */
static swim_time next_due(const struct swim *s, const struct job *job)
{
    swim_time pause = job->extended ? JOB_PACE : PACE_PLAIN;
    swim_time behind = (CATCH_UP - 1) * pause;

    return (s->now - job->due > behind ? s->now - behind : job->due) + pause;
}

static void pace(struct swim *s, struct job *job)
{
    if (job->burst) {
        job->burst--;
        job->due = s->now;
    }
    if (!job->burst)
        job->due = next_due(s, job);
    share_pace(s, job);
}

size_t job_transmit(struct swim *s, struct swim_addr *ret_to, void *buf, size_t cap)
{

    ASSERT(cap >= WIRE_SYNC_DATAGRAM_MAX);
    for (unsigned looks = 0; s->job_count && looks < JOBS_MAX; looks++) {
        unsigned at = s->job_cursor++ % JOBS_MAX;
        struct job *job = job_at(s, at);
        size_t size;

        if (at >= s->jobs_end || job->kind == JOB_NONE || job->due > s->now)
            continue;
        *ret_to = job->to;
        pace(s, job);
        size = write_datagram(s, job, buf);
        if (!size && job->kind != JOB_NONE)
            size = write_datagram(s, job, buf); /* of the second walk */
        if (!size)
            continue;
        s->stats.anti_entropy_sent++;
        s->stats.sync_bytes_sent += size;
        return size;
    }
    return 0;
}
