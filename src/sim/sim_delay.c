/*
 * How long a link takes. Whole numbers only: floating point, and above all libm, differ from one
 * platform to another in the last bit, and a run must not.
 */
#include "sim/sim_private.h"

#include "base/fixed.h"

#define ONE_Q16 UINT32_C(65536)

/* value * fraction / 2^32, for a fraction below 2^32. */
static uint64_t scale_q32(uint64_t value, uint64_t fraction)
{
    return (value >> 32) * fraction + (((value & UINT32_MAX) * fraction) >> 32);
}

/* The bias of a multiplication instead of a modulo, 2^-32 of the range, is of no interest here. */
/* Uniform in [0, range]. */
static uint64_t uniform(struct prng *prng, uint64_t range_ns)
{
    return scale_q32(range_ns, prng_next(prng) >> 32);
}

/* The sum of twelve uniforms in [0, 1) less 6 has mean 0 and deviation 1, and is as good as
 * normal up to three deviations. Each of the uniforms has 16 bits. */
static uint64_t draw_normal(struct prng *prng, const struct sim_net *net)
{
    uint64_t mean = net->delay_min_ns + (net->delay_max_ns - net->delay_min_ns) / 2;
    uint64_t deviation = (net->delay_max_ns - net->delay_min_ns) / 4;
    uint32_t sum = 6; /* the middle of twelve numbers from 0 to 65535 is 6 below 6 * 65536 */

    for (unsigned i = 0; i < 3; i++) {
        uint64_t word = prng_next(prng);
        for (unsigned k = 0; k < 4; k++, word >>= 16) {
            sum += (uint32_t)(word & UINT16_MAX);
        }
    }
    if (sum >= 6 * ONE_Q16) {
        return mean + deviation * (sum - 6 * ONE_Q16) / ONE_Q16;
    }
    uint64_t below = deviation * (6 * ONE_Q16 - sum) / ONE_Q16;
    return below < mean ? mean - below : 0;
}

/* 2^x in 16.16, for x in 16.16 below 30: the product of 2^(2^-k) over the bits of x's fraction. */
static uint64_t exp2_q16(uint32_t x)
{
    /* 2^(1/2), 2^(1/4), ... with 30 bits after the point */
    static const uint32_t roots[16] = {
        1518500250, 1276901417, 1170923762, 1121280436, 1097253708, 1085434106,
        1079572136, 1076653033, 1075196443, 1074468888, 1074105294, 1073923544,
        1073832680, 1073787251, 1073764537, 1073753181,
    };
    uint64_t product = UINT64_C(1) << 30;

    for (unsigned k = 0; k < 16; k++) {
        if (x >> (15 - k) & 1) {
            product = product * roots[k] >> 30;
        }
    }
    return (product << (x >> 16)) >> 14;
}

/* Pareto with shape 1.5: scale / u^(1 / 1.5) = scale * 2^(2/3 * -log2 u), u uniform in (0, 1]. */
static uint64_t draw_heavy(struct prng *prng, const struct sim_net *net)
{
    uint32_t u = (uint32_t)(prng_next(prng) >> 32); /* times 2^-32; 0 counts as 1 */
    uint32_t exponent = (32 * ONE_Q16 - log2_q16(u != 0 ? u : 1)) / 3 * 2;
    uint64_t factor = exp2_q16(exponent); /* below 2^(16 + 22) */
    uint64_t scale = net->delay_min_ns != 0 ? net->delay_min_ns : 1;

    if (scale >= (net->delay_max_ns << 16) / factor) {
        return net->delay_max_ns;
    }
    return scale * factor >> 16;
}

static uint64_t draw_kind(struct prng *prng, const struct sim_net *net)
{
    switch (net->delay) {
    case SIM_DELAY_CONSTANT: return net->delay_min_ns;
    case SIM_DELAY_NORMAL: return draw_normal(prng, net);
    case SIM_DELAY_HEAVY: return draw_heavy(prng, net);
    case SIM_DELAY_UNIFORM: break;
    }
    return net->delay_min_ns + uniform(prng, net->delay_max_ns - net->delay_min_ns);
}

uint64_t delay_draw(struct prng *prng, const struct sim_net *net)
{
    uint64_t delay_ns = draw_kind(prng, net);

    if (net->jitter_ns > 0) {
        delay_ns += uniform(prng, net->jitter_ns);
    }
    if (net->reorder_permille > 0 && prng_below(prng, 1000) < net->reorder_permille) {
        delay_ns += uniform(prng, 4 * net->delay_max_ns);
    }
    return delay_ns;
}

const char *sim_net_check(const struct sim_net *net)
{
    const uint32_t shares[] = {net->loss_permille, net->duplicate_permille, net->corrupt_permille,
                               net->reorder_permille};

    for (unsigned i = 0; i < sizeof shares / sizeof *shares; i++) {
        if (shares[i] > 1000) {
            return "loss, duplicate, corrupt and reorder are 1000 thousandths at most";
        }
    }
    if (net->delay_min_ns > net->delay_max_ns) {
        return "delay_min is above delay_max";
    }
    if (net->delay_max_ns > SIM_DELAY_MAX_NS || net->jitter_ns > SIM_DELAY_MAX_NS) {
        return "delay_max and jitter are one hour at most";
    }
    if ((unsigned)net->delay > SIM_DELAY_HEAVY) {
        return "delay is no known distribution";
    }
    return net->bandwidth > SIM_BANDWIDTH_MAX ? "bandwidth is 10,000,000,000 at most" : NULL;
}
