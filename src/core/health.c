/* Local health: see health.h. */
#include "core/health.h"

void health_better(struct swim *s)
{
    if (s->health > 0)
        s->health--;
}

void health_worse(struct swim *s, uint32_t by)
{
    if (!s->config.local_health)
        return;
    s->health += by;
    if (s->health > SWIM_HEALTH_MAX)
        s->health = SWIM_HEALTH_MAX;
}

void health_blame(struct swim *s)
{
    if (s->now < s->blame_allowed)
        return;
    s->blame_allowed = s->now + ms(s->config.probe_interval_ms);
    health_worse(s, 1);
}

swim_time health_probe_interval(const struct swim *s)
{
    return ms(s->config.probe_interval_ms) * (s->health + 1);
}

swim_time health_probe_timeout(const struct swim *s)
{
    return ms(s->config.probe_timeout_ms) * (s->health + 1);
}
