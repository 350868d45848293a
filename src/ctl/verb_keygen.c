/* swimctl keygen: needs no daemon. */
#include "ctl/verb.h"

#include "base/keygen.h"

enum exit_code verb_keygen(struct ctl *ctl)
{
    bool ok;

    if (ctl->is_json)
        (void)fputs("{\"key\":\"", stdout);
    ok = keygen_print(ctl->is_json ? "\"}\n" : "\n");
    return ok ? EXIT_CODE_OK
              : ctl_fail(ctl, EXIT_CODE_FAILURE, "the key could not be drawn or written");
}
