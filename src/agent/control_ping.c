/* As many places as the core has pings under way, so there is always one. */
#include "agent/control_ping.h"

#include "agent/address.h"
#include "agent/control_routes.h"

static void on_gone(void *context)
{
    struct control_ping *ping = context;

    ping->later = NULL;
}

void control_ping_await(struct control_pings *pings, uint64_t id, struct http_reply *reply)
{
    struct control_ping *ping = NULL;

    for (uint32_t i = 0; i < SWIM_PINGS_MAX && ping == NULL; i++)
        if (pings->places[i].id == 0)
            ping = &pings->places[i];
    if (ping == NULL) {
        http_reply_text(reply, 503, "too many pings are under way: try again");
        return;
    }
    *ping = (struct control_ping){.id = id, .order = ++pings->count};
    ping->later = http_reply_later(reply, HTTPD_LATER_MAX_MS, on_gone, ping);
    if (ping->later == NULL)
        http_reply_text(reply, 503, "no memory");
}

static struct control_ping *find_oldest(struct control_pings *pings, uint64_t id)
{
    struct control_ping *oldest = NULL;

    for (uint32_t i = 0; i < SWIM_PINGS_MAX; i++) {
        struct control_ping *at = &pings->places[i];
        if (at->id == id && (oldest == NULL || at->order < oldest->order))
            oldest = at;
    }
    return oldest;
}

static void put_pong(struct http_reply *reply, const struct swim_event *event)
{
    struct json json;

    control_json_begin(&json, reply);
    json_key(&json, "id");
    json_u64_string(&json, event->member.id);
    json_key(&json, "addr");
    json_text(&json, address_text(&event->member.addr).text);
    json_key(&json, "rtt_seconds");
    json_double(&json, (double)event->rtt_ns / 1e9);
    control_json_end(&json, reply);
}

void control_ping_answer(struct control_pings *pings, const struct swim_event *event)
{
    struct control_ping *ping = find_oldest(pings, event->member.id);

    if (ping == NULL)
        return;
    if (ping->later != NULL) {
        struct http_reply *reply = httpd_later_reply(ping->later);
        if (event->rtt_ns != 0)
            put_pong(reply, event);
        else
            http_reply_text(reply, 504, "it has not answered in time");
        httpd_later_send(ping->later);
    }
    *ping = (struct control_ping){0};
}
