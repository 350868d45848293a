/* swimctl metrics: as Prometheus would read them, also from a member without an HTTP port. */
#include "ctl/verb.h"

#include "ctl/json_out.h"
#include "ctl/text.h"

enum exit_code verb_metrics(struct ctl *ctl)
{
    struct client_reply reply;
    json_t *root;
    enum exit_code code;

    if (ctl->is_json) {
        code = ctl_get(ctl, "/metrics/json", &root);
        if (code != EXIT_CODE_OK)
            return ctl_say(ctl, code);
        json_out_line(stdout, root);
        json_decref(root);
        return code;
    }
    code = ctl_get_text(ctl, "/metrics", &reply);
    if (code != EXIT_CODE_OK)
        return ctl_say(ctl, code);
    text_put_clean(stdout, reply.body, reply.size);
    client_reply_free(&reply);
    return code;
}
