/* Watchers are told what happens; the ledger counts where every datagram is or ended. */
#include "sim/sim_private.h"

#include "base/assert.h"

void sim_watch(struct sim *sim, sim_watch_fn *watch, void *context)
{
    ASSERT(watch != NULL && sim->watcher_count < SIM_WATCHERS_MAX);
    sim->watchers[sim->watcher_count++] = (struct watcher){watch, context};
}

void sim_tell(struct sim *sim, const struct sim_happening *happening)
{
    for (uint32_t i = 0; i < sim->watcher_count; i++) {
        sim->watchers[i].watch(sim->watchers[i].context, sim, happening);
    }
}

void sim_tell_node(struct sim *sim, enum sim_happening_kind kind, uint32_t node, uint32_t peer)
{
    sim_tell(sim,
             &(struct sim_happening){.at = sim->now_ns, .kind = kind, .node = node, .peer = peer});
}

/* ---- The ledger -------------------------------------------------------------------------- */

struct sim_ledger sim_ledger(const struct sim *sim)
{
    return sim->ledger;
}

bool ledger_balances(const struct sim_ledger *ledger)
{
    uint64_t known = ledger->delivered + ledger->in_flight + ledger->waiting;

    for (unsigned i = 0; i < SIM_DROPS; i++) {
        known += ledger->dropped[i];
    }
    return ledger->sent + ledger->duplicated + ledger->injected == known;
}

const char *sim_drop_name(enum sim_drop drop)
{
    static const char *const names[SIM_DROPS] = {
        [SIM_DROP_LOSS] = "loss",       [SIM_DROP_PARTITION] = "partition",
        [SIM_DROP_CUT] = "cut",         [SIM_DROP_QUEUE] = "queue",
        [SIM_DROP_BUFFER] = "buffer",   [SIM_DROP_NOBODY] = "nobody",
        [SIM_DROP_STOPPED] = "stopped", [SIM_DROP_NAT] = "nat",
        [SIM_DROP_FILTER] = "filter",
    };

    return (unsigned)drop < SIM_DROPS ? names[drop] : "unknown";
}
