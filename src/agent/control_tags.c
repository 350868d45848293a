/* /tags: this member's own name and tags, read and changed. A request is done as a whole, or not at
 * all. docs/configuration.md, section "Control socket". */
#include "agent/control_routes.h"

#include "base/assert.h"

#include <stdio.h>
#include <string.h>

#define TAGS_EXAMPLE "{\"set\":{\"KEY\":\"VALUE\",...},\"delete\":[\"KEY\",...]}, or one of the two"
#define UNSAVED                                                                                    \
    "the configuration is not written: its tags are back with the next reload or restart"

/* Nothing, for a member that never was given any. */
static void own_meta(const struct swim *swim, struct swim_meta *ret)
{
    struct swim_member self;
    enum swim_meta_error error = swim_meta_init(ret, "");

    ASSERT(error == SWIM_META_OK);
    if (swim_member_at(swim, 0, &self))
        (void)swim_member_meta(swim, self.id, ret);
}

void control_put_own_tags(struct json *json, const struct swim *swim)
{
    struct swim_meta meta;
    struct swim_tag tag;

    own_meta(swim, &meta);
    json_key(json, "name");
    json_text(json, meta.name);
    json_key(json, "tags");
    json_object_begin(json);
    for (uint32_t i = 0; swim_meta_tag(&meta, i, &tag); i++) {
        json_key(json, tag.key);
        json_text(json, tag.value);
    }
    json_object_end(json);
}

void control_list_tags(const struct control_source *source, const struct http_request *request,
                       struct http_reply *reply)
{
    struct json json;

    (void)request;
    control_json_begin(&json, reply);
    control_put_own_tags(&json, source->swim);
    control_json_end(&json, reply);
}

/* ---- Changes ----------------------------------------------------------------------------- */

/* NULL when it is taken, else what is wrong (static), and with which key (or none: of all). */
static const char *delete_all(const json_t *keys, struct swim_meta *meta, const char **ret_key)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *key = json_string_value(json_array_get(keys, i));
        if (key == NULL)
            return "the body must be " TAGS_EXAMPLE;
        *ret_key = key;
        if (!swim_meta_delete(meta, key))
            return "this member has no such tag";
    }
    return NULL;
}

static const char *set_all(json_t *tags, struct swim_meta *meta, const char **ret_key)
{
    const char *key;
    json_t *value;

    json_object_foreach(tags, key, value)
    {
        const char *text = json_string_value(value);
        *ret_key = key;
        if (text == NULL)
            return "the value of a tag must be a string";
        enum swim_meta_error error = swim_meta_set(meta, key, text);
        if (error != SWIM_META_OK)
            return swim_meta_error_name(error);
    }
    return NULL;
}

static const char *change(json_t *root, struct swim_meta *meta, const char **ret_key)
{
    json_t *set = json_object_get(root, "set");
    const json_t *delete = json_object_get(root, "delete");
    size_t known = (set != NULL ? 1u : 0u) + (delete != NULL ? 1u : 0u);
    const char *wrong;

    if (known == 0 || json_object_size(root) != known || (set != NULL && !json_is_object(set)) ||
        (delete != NULL && !json_is_array(delete)))
        return "the body must be " TAGS_EXAMPLE;
    wrong = delete_all(delete, meta, ret_key);
    return wrong != NULL ? wrong : set_all(set, meta, ret_key);
}

static void refuse(struct http_reply *reply, const char *wrong, const char *key)
{
    char text[2 * SWIM_NAME_MAX + 128]; /* a longer key is cut off */

    (void)snprintf(text, sizeof text, "tag %.*s: %s", 2 * SWIM_NAME_MAX, key != NULL ? key : "",
                   wrong);
    http_reply_text(reply, 400, key != NULL ? text : wrong);
}

void control_change_tags(const struct control_source *source, const struct http_request *request,
                         struct http_reply *reply)
{
    json_t *root = control_take_object(request, TAGS_EXAMPLE, reply);
    const char *key = NULL;
    struct swim_meta meta;
    struct json json;

    if (root == NULL)
        return;
    own_meta(source->swim, &meta);
    const char *wrong = change(root, &meta, &key);
    if (wrong != NULL)
        refuse(reply, wrong, key);
    json_decref(root);
    if (wrong != NULL)
        return;
    source->host->set_meta(source->host->context, &meta);
    control_json_begin(&json, reply);
    control_put_own_tags(&json, source->swim);
    json_key(&json, "saved");
    json_bool(&json, false);
    json_key(&json, "reason");
    json_text(&json, UNSAVED);
    control_json_end(&json, reply);
}
