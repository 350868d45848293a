/* HTTP that listens on loopback is of no use to others, but to members that are there themselves. */
#include "agent/metrics_tag.h"

#include "agent/address.h"
#include "agent/log.h"

#include <string.h>

/* The address at which others reach HTTP; false: there is none. */
static bool find_address(const struct agent_config *config, const struct swim_addr *addr,
                         struct swim_addr *ret)
{
    *ret = config->http_bind;
    if (is_address_wildcard(&config->http_bind)) {
        *ret = *addr;
        if (config->http_bind.family == 4 && addr->family == 6)
            return false;
    } else if (is_address_loopback(&config->http_bind) && !is_address_loopback(addr)) {
        return false;
    }
    ret->port = (uint16_t)config->metrics_port;
    return true;
}

void metrics_tag_put(struct swim_meta *meta, const struct agent_config *config,
                     const struct swim_addr *addr)
{
    const char *text = config->metrics_advertise;
    enum swim_meta_error error = SWIM_META_OK;
    struct swim_addr found;

    if (config->metrics_port == 0 || strcmp(text, "off") == 0 ||
        swim_meta_get(meta, METRICS_TAG) != NULL)
        return;
    if (strcmp(text, "auto") != 0)
        error = swim_meta_set(meta, METRICS_TAG, text);
    else if (find_address(config, addr, &found))
        error = swim_meta_set(meta, METRICS_TAG, address_text(&found).text);
    if (error != SWIM_META_OK)
        LOG(LOG_WARN, "others are not told where the metrics are",
            LOG_TEXT("cause", swim_meta_error_name(error)));
}
