/* swimctl leave: asks, and waits until the daemon has left and ended. */
#include "ctl/verb.h"

#include "ctl/json_out.h"

#include <poll.h>

#define LOOK_AGAIN_MS 20

/* Gone, or another one in its place: a service manager may start it again at once. */
static enum exit_code await_end(struct ctl *ctl, uint64_t pid)
{
    uint64_t deadline_ms = client_now_ms() + ctl->client.timeout_ms;

    while (client_now_ms() < deadline_ms) {
        json_t *info = NULL;
        enum exit_code code = ctl_get(ctl, "/info", &info);
        bool is_another = code == EXIT_CODE_OK && ctl_number(info, "pid") != pid;
        json_decref(info);
        if (code == EXIT_CODE_UNREACHABLE || is_another)
            return EXIT_CODE_OK;
        (void)poll(NULL, 0, LOOK_AGAIN_MS);
    }
    return ctl_note(ctl, EXIT_CODE_TIMEOUT, "the daemon has not left within %g s",
                    ctl->client.timeout_ms / 1000.0);
}

enum exit_code verb_leave(struct ctl *ctl)
{
    json_t *root = NULL;
    enum exit_code code = ctl_get(ctl, "/info", &root);
    uint64_t pid = ctl_number(root, "pid");

    json_decref(root);
    if (code == EXIT_CODE_OK)
        code = ctl_post(ctl, "/leave", "", &root);
    if (code != EXIT_CODE_OK)
        return ctl_say(ctl, code);
    json_decref(root);
    code = await_end(ctl, pid);
    if (code == EXIT_CODE_OK)
        (void)puts(ctl->is_json ? "{\"left\":true}" : "left");
    return ctl_say(ctl, code);
}
