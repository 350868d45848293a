/*
 * reduce.h - a failing scenario, made small: the same checker still complains of what is left.
 *
 * Delta debugging on the plan: a change is tried (without these actions, with fewer nodes, with a
 * simpler network, with a default setting, shorter) and kept if the run still fails by the same
 * checker, until no change is left that does, or the budget is used up.
 */
#ifndef SWIM_SWIMSIM_REDUCE_H
#define SWIM_SWIMSIM_REDUCE_H

#include "swimsim/plan.h"

#include <stdbool.h>
#include <stdint.h>

struct reduce_result {
    char failure[512]; /* what the reduced plan fails with */
    uint32_t runs;     /* how many were made */
    uint32_t kept;     /* changes that were kept */
};

/* True while another run may be made: a budget of real time, say. */
typedef bool reduce_may_go_on(void *context);

/* How a plan is run. Fills in the failure ("checker: ...") and its virtual time; true: it failed. */
typedef bool reduce_fails(void *context, const struct plan *plan, char *ret_failure, size_t size,
                          uint64_t *ret_failed_at_ns);

struct reduce_options {
    reduce_fails *fails;         /* NULL: guard_run with all checkers */
    reduce_may_go_on *may_go_on; /* NULL: always */
    void *context;               /* of both */
};

/*
 * Makes `plan` smaller in place; it must fail (asserted by a first run: false, and nothing is
 * changed, when it does not).
 */
bool reduce_plan(struct plan *plan, const struct reduce_options *options,
                 struct reduce_result *ret_result);

/* The checker's name: what stands before the colon of a failure. Returns its length. */
size_t reduce_checker(const char *failure);

/* Makes the plan last just as long as agreement and silence need after its last fault. */
void reduce_settle(struct plan *plan);

#endif
