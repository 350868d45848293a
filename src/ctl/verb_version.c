/* swimctl version: of both, since one may have been updated without the other. */
#include "ctl/verb.h"

#include "ctl/json_out.h"
#include "ctl/text.h"
#include "swim/swim.h"

#include <string.h>

enum exit_code verb_version(struct ctl *ctl)
{
    char own[40];
    char clean[80];
    struct json json;
    json_t *info = NULL;
    enum exit_code code = ctl_get(ctl, "/info", &info); /* that none answers is an answer */
    const char *daemon = ctl_text(info, "version");

    (void)code;
    (void)snprintf(own, sizeof own, "%d.%d.%d", SWIM_VERSION_MAJOR, SWIM_VERSION_MINOR,
                   SWIM_VERSION_PATCH);
    if (ctl->is_json) {
        json_out_init(&json, stdout);
        json_object_begin(&json);
        json_key(&json, "swimctl");
        json_text(&json, own);
        json_key(&json, "swimd");
        if (info != NULL)
            json_text(&json, daemon);
        else
            json_none(&json);
        json_object_end(&json);
        (void)fputc('\n', stdout);
    } else {
        (void)printf("swimctl %s\nswimd   %s\n", own,
                     info != NULL ? text_clean(daemon, clean, sizeof clean) : "(none answers)");
    }
    json_decref(info);
    return EXIT_CODE_OK;
}
