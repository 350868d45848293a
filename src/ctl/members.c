/* Members as the daemon lists them: which one is meant, and in which order they are shown. */
#define _GNU_SOURCE
#include "ctl/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_DIGITS_MAX 20

/* ---- Order ------------------------------------------------------------------------------- */

/* Those without a name go last. strverscmp: node-2 before node-10, port 7000 before 10000. */
static int compare(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a;
    const json_t *right = *(json_t *const *)b;
    const char *left_name = ctl_text(left, "name");
    const char *right_name = ctl_text(right, "name");
    int order = (*left_name == '\0') - (*right_name == '\0');

    if (order == 0)
        order = strverscmp(left_name, right_name);
    if (order == 0)
        order = strverscmp(ctl_text(left, "addr"), ctl_text(right, "addr"));
    return order != 0 ? order : strverscmp(ctl_text(left, "id"), ctl_text(right, "id"));
}

/* A merge sort, since qsort may be a quick one: equal ones must not change places at each look. */
static void sort(json_t **items, json_t **room, size_t count,
                 int (*order)(const void *a, const void *b))
{
    size_t half = count / 2;
    size_t left = 0;
    size_t right = half;

    if (count < 2)
        return;
    sort(items, room, half, order);
    sort(items + half, room, count - half, order);
    for (size_t i = 0; i < count; i++) {
        bool takes_left =
            left < half && (right == count || order(&items[left], &items[right]) <= 0);
        room[i] = takes_left ? items[left++] : items[right++];
    }
    for (size_t i = 0; i < count; i++)
        items[i] = room[i];
}

void ctl_sort_members_by(json_t *members, int (*order)(const void *a, const void *b))
{
    size_t count = json_array_size(members);
    json_t **items = calloc(2 * count + 1, sizeof(json_t *));

    if (items == NULL)
        return; /* in no order, but all of them */
    for (size_t i = 0; i < count; i++)
        items[i] = json_incref(json_array_get(members, i));
    sort(items, items + count, count, order);
    for (size_t i = 0; i < count; i++)
        (void)json_array_set_new(members, i, items[i]);
    free((void *)items);
}

void ctl_sort_members(json_t *members)
{
    ctl_sort_members_by(members, compare);
}

/* ---- Which one --------------------------------------------------------------------------- */

static bool is_id(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits <= ID_DIGITS_MAX && text[digits] == '\0';
}

static bool is_live(const json_t *member)
{
    const char *status = ctl_text(member, "status");

    return strcmp(status, "alive") == 0 || strcmp(status, "suspect") == 0;
}

struct search {
    const char *name;
    bool is_live;
    size_t count;
    const char *id;
    char ids[200]; /* of all that have the name, for a message */
};

static void look(struct search *search, const json_t *members)
{
    search->count = 0;
    search->ids[0] = '\0';
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *member = json_array_get(members, i);
        if (strcmp(ctl_text(member, "name"), search->name) != 0 ||
            is_live(member) != search->is_live)
            continue;
        size_t size = strlen(search->ids);
        (void)snprintf(search->ids + size, sizeof search->ids - size, "%s%s",
                       search->count > 0 ? ", " : "", ctl_text(member, "id"));
        search->id = ctl_text(member, "id");
        search->count++;
    }
}

enum exit_code ctl_find_member(struct ctl *ctl, const char *text, char ret_id[24])
{
    struct search search = {.name = text, .is_live = true};
    enum exit_code code;
    json_t *root;

    if (is_id(text)) {
        (void)snprintf(ret_id, 24, "%s", text);
        return EXIT_CODE_OK;
    }
    code = ctl_get(ctl, "/members", &root);
    if (code != EXIT_CODE_OK)
        return code;
    look(&search, json_object_get(root, "members"));
    if (search.count == 0) {
        search.is_live = false;
        look(&search, json_object_get(root, "members"));
    }
    if (search.count == 1)
        (void)snprintf(ret_id, 24, "%.23s", search.id);
    else if (search.count == 0)
        code =
            ctl_note(ctl, EXIT_CODE_FAILURE,
                     "no member has the id or the name %.100s; swimctl members lists them", text);
    else
        code = ctl_note(ctl, EXIT_CODE_FAILURE,
                        "%zu members have the name %.100s: say which by its id, %s", search.count,
                        text, search.ids);
    json_decref(root);
    return code;
}
