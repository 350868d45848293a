/* Targets for Prometheus: labels made of any tags, bounded, and targets that are host and port. */
#include "support.h"

#include "agent/sd.h"

#include <event2/buffer.h>
#include <jansson.h>

static _Alignas(16) uint8_t arena[8 << 20];

static struct swim *begin(struct swim_meta *ret_meta)
{
    struct swim_config config;

    memset(arena, 0, sizeof arena);
    swim_config_default(&config);
    config.id = 7;
    config.addr = (struct swim_addr){.family = 4, .ip = {10, 0, 0, 5}, .port = 7000};
    config.members_max = 16;
    config.meta_memory = 65536;
    assert_true(swim_footprint(&config) <= sizeof arena);
    assert_int_equal(swim_meta_init(ret_meta, "db \"1\""), SWIM_META_OK);
    return swim_init(arena, sizeof arena, &config, SWIM_MS);
}

static void add(struct swim_meta *meta, const char *key, const char *value)
{
    assert_int_equal(swim_meta_set(meta, key, value), SWIM_META_OK);
}

/* The answer, which must be a list; the caller's. */
static json_t *ask(struct swim *swim, const struct swim_meta *meta, const char *query)
{
    struct http_request request = {.query = query};
    struct http_reply reply = {.status = 200, .body = evbuffer_new()};

    swim_set_meta(swim, SWIM_MS, meta);
    sd_answer(swim, &request, &reply);
    assert_int_equal(reply.status, 200);
    json_t *root = json_loadb((const char *)evbuffer_pullup(reply.body, -1),
                              evbuffer_get_length(reply.body), JSON_REJECT_DUPLICATES, NULL);
    evbuffer_free(reply.body);
    assert_true(json_is_array(root));
    return root;
}

static const char *target_of(const json_t *root)
{
    const json_t *targets = json_object_get(json_array_get(root, 0), "targets");

    return json_string_value(json_array_get(targets, 0));
}

static const char *label_of(const json_t *root, const char *label)
{
    return json_string_value(
        json_object_get(json_object_get(json_array_get(root, 0), "labels"), label));
}

static void test_labels(void **state)
{
    (void)state;
    struct swim_meta meta;
    struct swim *swim = begin(&meta);

    add(&meta, "a-b", "first");
    add(&meta, "a.b", "second");
    add(&meta, "role", "d\"b");
    add(&meta, "\xC3\xA9", "e");
    json_t *root = ask(swim, &meta, "port=9100");
    assert_string_equal(target_of(root), "10.0.0.5:9100");
    assert_string_equal(label_of(root, "__meta_swim_id"), "7");
    assert_string_equal(label_of(root, "__meta_swim_name"), "db \"1\"");
    assert_string_equal(label_of(root, "__meta_swim_addr"), "10.0.0.5:7000");
    assert_string_equal(label_of(root, "__meta_swim_tag_a_b"), "first");
    assert_string_equal(label_of(root, "__meta_swim_tag_role"), "d\"b");
    assert_string_equal(label_of(root, "__meta_swim_tag___"), "e");
    json_decref(root);
}

static void test_many_tags(void **state)
{
    (void)state;
    struct swim_meta meta;
    struct swim *swim = begin(&meta);
    char key[SWIM_TAG_KEY_MAX + 1];

    memset(key, 'k', SWIM_TAG_KEY_MAX);
    key[SWIM_TAG_KEY_MAX] = '\0';
    for (int i = 0; i < 10; i++) { /* the longest keys there are */
        (void)snprintf(key, 4, "a%02d", i);
        key[3] = 'k';
        add(&meta, key, "");
    }
    for (int i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof key, "b%d", i);
        add(&meta, key, "v");
    }
    json_t *root = ask(swim, &meta, "port=1");
    assert_int_equal(json_object_size(json_object_get(json_array_get(root, 0), "labels")),
                     4 + SD_TAGS_MAX);
    json_decref(root);
}

static void test_targets(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        const char *target; /* NULL: none */
    } cases[] = {{"10.0.0.5:9100", "10.0.0.5:9100"},
                 {"[::1]:80", "[::1]:80"},
                 {"node-1.example:9", "node-1.example:9"},
                 {"", NULL},
                 {"9100", NULL},
                 {":9100", NULL},
                 {"a b:1", NULL},
                 {"http://x:1/", NULL},
                 {"x:0", NULL},
                 {"x:65536", NULL}};
    struct swim_meta meta;
    struct swim *swim = begin(&meta);

    json_t *root = ask(swim, &meta, "");
    assert_int_equal(json_array_size(root), 0);
    json_decref(root);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        add(&meta, "metrics", cases[i].said);
        root = ask(swim, &meta, "");
        const char *target = target_of(root);
        if ((target == NULL) != (cases[i].target == NULL) ||
            (target != NULL && strcmp(target, cases[i].target) != 0))
            fail_msg("%s: %s", cases[i].said, target);
        json_decref(root);
    }
    root = ask(swim, &meta, "status=dead&port=9100");
    assert_int_equal(json_array_size(root), 0);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_many_tags),
        cmocka_unit_test(test_targets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
