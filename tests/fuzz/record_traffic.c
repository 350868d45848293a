/*
 * Writes what members say to each other, for the corpora of the fuzz targets over datagrams: a
 * simulated cluster is born, with plain members and a second cluster beside it, is lossy, is split
 * and healed, members die, are suspected, return and leave. Of datagrams that are made alike (same
 * kind, flags, records, entries by tens) one is kept.
 *
 *     record_traffic FOLDER...      the same files into each
 */
#include "base/hash.h"
#include "plain/plain_v1.h"
#include "sim/sim.h"
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first ones are plain. */
enum { NODES = 16, PLAIN = 2, SHAPES_MAX = 4096 };

static const char *const kind_names[] = {
    [WIRE_GOSSIP] = "GOSSIP", [WIRE_PING] = "PING",   [WIRE_PING_REQ] = "PING_REQ",
    [WIRE_ACK] = "ACK",       [WIRE_LEAVE] = "LEAVE", [WIRE_ANTI_ENTROPY] = "ANTI_ENTROPY",
    [WIRE_NACK] = "NACK",     [WIRE_SYNC] = "SYNC",
};

struct recorder {
    char **folders;
    int folder_count;
    uint32_t count;
    uint64_t shapes[SHAPES_MAX];
};

static void demand(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "record_traffic: %s\n", what);
        exit(1);
    }
}

/* Kind, flags, the types of records in their order, and how many entries about. */
static uint64_t shape_of(const struct sim_datagram *d)
{
    struct wire_datagram datagram;
    uint64_t shape =
        hash_u64(d->data[1] | (uint64_t)d->data[20] << 8 | (uint64_t)d->data[21] << 16);
    size_t at = WIRE_HEADER_SIZE + 2;

    demand(wire_decode(d->data, d->size, &datagram) == SWIM_OK, "a member says what can't be read");
    if (datagram.header.flags & WIRE_FLAG_EXTENDED) {
        size_t end = at + load_u16(d->data + WIRE_HEADER_SIZE);
        for (; at < end; at += 3u + load_u16(d->data + at + 1))
            shape = hash_combine(shape, d->data[at]);
    }
    return hash_combine(shape, (datagram.entry_count + 9) / 10);
}

static void write_file(const struct recorder *r, const struct sim_datagram *d)
{
    for (int i = 0; i < r->folder_count; i++) {
        char path[512];
        FILE *file;

        snprintf(path, sizeof path, "%s/traffic_%03u_%s", r->folders[i], (unsigned)r->count,
                 kind_names[d->data[1]]);
        file = fopen(path, "wb");
        demand(file && fwrite(d->data, 1, d->size, file) == d->size && fclose(file) == 0, path);
    }
}

static bool record(void *context, const struct sim_datagram *d)
{
    struct recorder *r = context;
    uint64_t shape = shape_of(d);

    for (uint32_t i = 0; i < r->count; i++)
        if (r->shapes[i] == shape)
            return true;
    if (r->count == SHAPES_MAX)
        return true;
    write_file(r, d);
    r->shapes[r->count++] = shape;
    return true;
}

static void start_plain(struct sim *sim, uint32_t node)
{
    struct swim_addr addr = sim_addr(sim, node);
    struct swim_addr seed = sim_addr(sim, PLAIN);
    struct plain *plain =
        plain_new(node + 1, &addr, node + 1, sim_local_time(sim, node, sim_now(sim)));

    demand(plain != NULL, "no memory");
    plain_join(plain, &seed);
    sim_start_peer(sim, node, &plain_ops, plain, node + 1);
}

static void populate(struct sim *sim)
{
    for (uint32_t i = 0; i < NODES; i++) {
        (void)sim_add(sim);
        if (i > 0)
            sim_seed_node(sim, i, i == NODES - 1 ? 1 : 0);
    }
    /* One of another cluster knocks. */
    strcpy(sim_member_config(sim, NODES - 1)->cluster, "blue");
    for (uint32_t i = 0; i < NODES; i++) {
        if (i < PLAIN)
            start_plain(sim, i);
        else
            sim_start(sim, i);
    }
}

static void live(struct sim *sim)
{
    struct sim_net lossy;
    struct sim_config config;

    sim_config_default(&config, 1, NODES);
    lossy = config.net;
    lossy.loss_permille = 200;
    demand(sim_run(sim, 30 * SIM_SECOND), "the start");
    sim_crash(sim, 5);
    sim_pause(sim, 6, 8 * SIM_SECOND);
    sim_set_net(sim, &lossy);
    demand(sim_run(sim, 40 * SIM_SECOND), "a death, with losses");
    sim_restart_same_id(sim, 5);
    sim_restart_new_id(sim, 7);
    for (uint32_t i = 0; i < NODES / 2; i++)
        sim_split(sim, i, 1);
    demand(sim_run(sim, 40 * SIM_SECOND), "a partition");
    sim_heal(sim);
    demand(sim_run(sim, 60 * SIM_SECOND), "its end");
    sim_leave(sim, 8);
    demand(sim_run(sim, 30 * SIM_SECOND), "a leave");
}

int main(int argc, char **argv)
{
    static struct recorder recorder;
    struct sim_config config;
    struct sim *sim;

    sim_config_default(&config, 1, NODES);
    sim = sim_new(&config);
    demand(sim != NULL && argc > 1, "wants folders");
    recorder.folders = argv + 1;
    recorder.folder_count = argc - 1;
    sim_filter(sim, record, &recorder);
    populate(sim);
    live(sim);
    sim_free(sim);
    printf("%u datagrams\n", (unsigned)recorder.count);
    return 0;
}
