/* The figures in their three formats, and the choice between two of them. */
#include "support.h"

#include "agent/metrics.h"

static char output[65536];
static size_t output_size;

static void append(void *context, const char *data, size_t size)
{
    assert_ptr_equal(context, output);
    assert_true(output_size + size < sizeof output);
    memcpy(output + output_size, data, size);
    output_size += size;
    output[output_size] = '\0';
}

/* Every counter has a value of its own, so that none can stand in for another. */
static struct metrics figures(void)
{
    struct metrics metrics = {.rate_limited = 71, .rate_limited_members = 30, .http_requests = 72};
    uint64_t next = 1000;

#define NUMBER(name, help) metrics.swim.name = next++;
    SWIM_COUNTERS(NUMBER)
#undef NUMBER
    metrics.udp.send_too_large = 81;
    metrics.udp.receive_overflows = 82;
    metrics.swim.members[SWIM_ALIVE] = 5;
    metrics.swim.members[SWIM_SUSPECT] = 6;
    metrics.swim.members[SWIM_DEAD] = 7;
    metrics.swim.members[SWIM_LEFT] = 8;
    for (size_t i = 0; i < SWIM_RTT_BUCKETS; i++)
        metrics.swim.rtt_bucket[i] = i + 1;
    metrics.swim.rtt_count = SWIM_RTT_BUCKETS * (SWIM_RTT_BUCKETS + 1) / 2;
    metrics.swim.rtt_sum_ns = 1500000000;
    for (size_t i = 0; i < SWIM_DETECTION_BUCKETS; i++)
        metrics.swim.detection_bucket[i] = 2;
    metrics.swim.detection_count = 2 * SWIM_DETECTION_BUCKETS;
    metrics.swim.detection_sum_ns = 7250000000;
    metrics.swim.local_health = 4;
    metrics.swim.tombstones = 15;
    metrics.swim.view_differs_ns = 1500000000;
    metrics.view_digest = UINT64_C(0x123456789abcdef0);
    metrics.process_started = 1800000000.25;
    metrics.process = (struct process_stats){.cpu_ns = 2500000000,
                                             .resident_bytes = 91,
                                             .virtual_bytes = 92,
                                             .open_fds = 93,
                                             .max_fds = 94};
    return metrics;
}

typedef void renderer(const struct metrics *metrics, json_sink *sink, void *context);

static void render(renderer *as)
{
    struct metrics metrics = figures();

    output_size = 0;
    as(&metrics, append, output);
}

static bool has_line(const char *line)
{
    size_t size = strlen(line);

    for (const char *at = strstr(output, line); at != NULL; at = strstr(at + 1, line))
        if ((at == output || at[-1] == '\n') && at[size] == '\n')
            return true;
    return false;
}

#define assert_line(line)                                                                          \
    do {                                                                                           \
        if (!has_line(line))                                                                       \
            fail_msg("no line '%s' in:\n%s", line, output);                                        \
    } while (0)

static void assert_every_counter(bool is_open)
{
    char line[256];
    uint64_t next = 1000;

#define CHECK(name, help)                                                                          \
    if (strncmp(#name, "drop_", 5) == 0) {                                                         \
        (void)snprintf(line, sizeof line, "swim_drops_total{reason=\"%s\"} %llu", &(#name)[5],     \
                       (unsigned long long)next);                                                  \
        assert_line(line);                                                                         \
    } else {                                                                                       \
        (void)snprintf(line, sizeof line, "swim_%s_total %llu", #name, (unsigned long long)next);  \
        assert_line(line);                                                                         \
        (void)snprintf(line, sizeof line, "# TYPE swim_%s%s counter", #name,                       \
                       is_open ? "" : "_total");                                                   \
        assert_line(line);                                                                         \
        (void)snprintf(line, sizeof line, "# HELP swim_%s%s %s", #name, is_open ? "" : "_total",   \
                       help);                                                                      \
        assert_line(line);                                                                         \
    }                                                                                              \
    next++;
    SWIM_COUNTERS(CHECK)
#undef CHECK
}

/* Version 1's names: dashboards rely on them. */
static const char *const v1_counters[] = {"gossip_rounds",
                                          "gossip_sent",
                                          "gossip_recv",
                                          "pings_sent",
                                          "pings_recv",
                                          "acks_sent",
                                          "acks_recv",
                                          "ping_reqs_sent",
                                          "ping_reqs_recv",
                                          "probe_failures",
                                          "merges_new",
                                          "merges_updated",
                                          "merges_stale",
                                          "rate_limited",
                                          "anti_entropy_sent",
                                          "reliable_retries",
                                          "probe_direct_timeouts",
                                          "reliable_exhausted"};

static void test_text(void **state)
{
    (void)state;
    char name[80];

    render(metrics_render_text);
    assert_every_counter(false);
    for (size_t i = 0; i < COUNT_OF(v1_counters); i++) {
        (void)snprintf(name, sizeof name, "\nswim_%s_total ", v1_counters[i]);
        assert_non_null(strstr(output, name));
    }
    assert_line("# TYPE swim_drops_total counter");
    assert_line("swim_members_alive 5");
    assert_line("swim_members_suspect 6");
    assert_line("swim_members_dead 7");
    assert_line("swim_members_left 8");
    assert_line("swim_rate_limited_total 71");
    assert_line("swim_rate_limited_senders_total{sender=\"member\"} 30");
    assert_line("swim_rate_limited_senders_total{sender=\"stranger\"} 41");
    assert_line("swim_socket_send_errors_total{cause=\"too_large\"} 81");
    assert_line("swim_socket_receive_overflows_total 82");
    assert_null(strstr(output, "# EOF"));
    assert_int_equal(output[output_size - 1], '\n');
}

static void test_histogram(void **state)
{
    (void)state;

    render(metrics_render_text);
    assert_line("# TYPE swim_probe_rtt_seconds histogram");
    assert_line("swim_probe_rtt_seconds_bucket{le=\"0.0001\"} 1");
    assert_line("swim_probe_rtt_seconds_bucket{le=\"0.00025\"} 3"); /* cumulative */
    assert_line("swim_probe_rtt_seconds_bucket{le=\"1.0\"} 91");
    assert_line("swim_probe_rtt_seconds_bucket{le=\"+Inf\"} 105");
    assert_line("swim_probe_rtt_seconds_count 105");
    assert_line("swim_probe_rtt_seconds_sum 1.5");
}

static void test_detection(void **state)
{
    (void)state;

    render(metrics_render_text);
    assert_line("# TYPE swim_detection_seconds histogram");
    assert_line("swim_detection_seconds_bucket{le=\"1.0\"} 2");
    assert_line("swim_detection_seconds_bucket{le=\"2.5\"} 4");
    assert_line("swim_detection_seconds_bucket{le=\"600.0\"} 24");
    assert_line("swim_detection_seconds_bucket{le=\"+Inf\"} 26");
    assert_line("swim_detection_seconds_sum 7.25");
    assert_line("swim_detection_seconds_count 26");
}

static void test_gauges(void **state)
{
    (void)state;

    render(metrics_render_text);
    assert_line("swim_local_health 4");
    assert_line("swim_tombstones 15");
    assert_line("swim_view_digest 2596069104"); /* the low half */
    assert_line("swim_view_differs_seconds 1.5");
    assert_line("# TYPE process_cpu_seconds_total counter");
    assert_line("process_cpu_seconds_total 2.5");
    assert_line("process_resident_memory_bytes 91");
    assert_line("process_virtual_memory_bytes 92");
    assert_line("process_open_fds 93");
    assert_line("process_max_fds 94");
    assert_line("process_start_time_seconds 1800000000.250");
    render(metrics_render_open);
    assert_line("# TYPE process_cpu_seconds counter");
    assert_line("process_cpu_seconds_total 2.5");
}

static void test_open(void **state)
{
    (void)state;

    render(metrics_render_open);
    assert_every_counter(true);
    assert_line("# TYPE swim_drops counter");
    assert_line("# TYPE swim_build info");
    assert_non_null(strstr(output, "\nswim_build_info{"));
    assert_null(strstr(output, "_total counter"));
    assert_true(output_size > 6);
    assert_string_equal(output + output_size - 7, "\n# EOF\n");
}

/* HELP, TYPE, samples: each family once, in one piece. */
static void test_families(void **state)
{
    (void)state;
    static renderer *const renderers[] = {metrics_render_text, metrics_render_open};

    for (size_t r = 0; r < COUNT_OF(renderers); r++) {
        render(renderers[r]);
        char *line = output;
        char family[80] = "";
        while (*line != '\0') {
            char *end = strchr(line, '\n');
            char name[80];
            char again[96];
            assert_non_null(end);
            *end = '\0';
            if (sscanf(line, "# HELP %79s", name) == 1) {
                (void)strcpy(family, name);
                (void)snprintf(again, sizeof again, "# TYPE %s ", name);
                assert_null(strstr(end + 1, line));
                assert_memory_equal(end + 1, again, strlen(again));
            } else if (*line != '#') {
                assert_memory_equal(line, family, strlen(family));
            }
            line = end + 1;
        }
    }
}

static void test_json(void **state)
{
    (void)state;
    static const char *const gauges[] = {
        "\"gossip_queue_depth\":",   "\"local_health\":",    "\"outbox_datagrams\":",
        "\"table_slots_used\":",     "\"table_slots_max\":", "\"probe_rtt_seconds_count\":",
        "\"probe_rtt_seconds_sum\":"};
    char pair[96];
    uint64_t next = 1000;

    render(metrics_render_json);
#define CHECK(name, help)                                                                          \
    (void)snprintf(pair, sizeof pair, "\"%s\":%llu", #name, (unsigned long long)next++);           \
    assert_non_null(strstr(output, pair));
    SWIM_COUNTERS(CHECK)
#undef CHECK
    assert_non_null(strstr(output, "\"rate_limited\":71"));
    assert_non_null(strstr(output, "\"alive\":5,\"suspect\":6,\"dead\":7"));
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++)
        assert_non_null(strstr(output, gauges[i]));
    assert_non_null(strstr(output, "\"detection_seconds_count\":26"));
    assert_non_null(strstr(output, "\"tombstones\":15"));
    assert_non_null(strstr(output, "\"view_digest\":2596069104"));
    assert_int_equal(output[0], '{');
    assert_null(strchr(output + 1, '{')); /* flat */
    assert_null(strstr(output, "swim_"));
    assert_null(strstr(output, "_total"));
}

static void test_accept(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool is_open;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"*/*", false},
        {"text/plain", false},
        {"application/openmetrics-text", true},
        {"application/openmetrics-text; version=1.0.0", true},
        {"Application/OpenMetrics-Text;version=1.0.0", true},
        {"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;"
         "version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
         true},
        {"text/plain;q=0.5, application/openmetrics-text;q=0.1", false},
        {"text/plain;q=0.1, application/openmetrics-text; q=0.5", true},
        {"application/openmetrics-text;q=0", false},
        {"application/openmetrics-text;q=0.0,*/*", false},
        {"application/openmetrics-textual", false},
        {"xapplication/openmetrics-text", false},
        {"text/html,application/xhtml+xml,*/*;q=0.8", false},
        {",,, ,;q=1,;;;", false},
        {";q=", false},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (metrics_wants_open(cases[i].accept) != cases[i].is_open)
            fail_msg("Accept: %s", cases[i].accept != NULL ? cases[i].accept : "(none)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),      cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_detection), cmocka_unit_test(test_gauges),
        cmocka_unit_test(test_open),      cmocka_unit_test(test_families),
        cmocka_unit_test(test_json),      cmocka_unit_test(test_accept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
