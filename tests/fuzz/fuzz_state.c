/*
 * The state file (docs/configuration.md, "State"): any bytes against its reader. What is read as good
 * is written again as the very same bytes, so nothing but what this program writes is ever read. An
 * input that begins with '+' is a body without a checksum, and gets the right one.
 */
#include "agent/address.h"
#include "agent/state.h"

#include "base/assert.h"
#include "base/siphash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_good(const struct state *state, const char *text, size_t size)
{
    static char again[STATE_TEXT_MAX];

    ASSERT(state->id != 0 && state->member_count <= STATE_MEMBERS_MAX);
    ASSERT(strlen(state->cluster) <= SWIM_CLUSTER_MAX);
    for (uint32_t i = 0; i < state->member_count; i++)
        ASSERT(state->members[i].port != 0);
    ASSERT(state_render(state, again, sizeof again) == size && memcmp(again, text, size) == 0);
}

/* Returns whether it was good. */
static bool check(const char *text, size_t size)
{
    static struct state state;
    static struct state untouched;
    const char *wrong = NULL;
    enum state_verdict verdict;

    memset(&state, 0x5A, sizeof state);
    untouched = state;
    verdict = state_parse(text, size, &state, &wrong);
    if (verdict == STATE_GOOD) {
        check_good(&state, text, size);
        return true;
    }
    ASSERT(wrong != NULL && *wrong != '\0');
    ASSERT(memcmp(&state, &untouched, sizeof state) == 0);
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[SIPHASH_KEY_SIZE] = "swim state file";
    static char text[STATE_TEXT_MAX];
    enum { LINE = 26 };

    if (size > sizeof text - LINE - 1)
        return 0;
    memcpy(text, data, size);
    if (size == 0 || text[0] != '+') {
        (void)check(text, size);
        return 0;
    }
    size--;
    memmove(text, text + 1, size);
    (void)snprintf(text + size, LINE + 1, "checksum %016" PRIx64 "\n", siphash(key, text, size));
    /* Whatever is good is so with this checksum alone. */
    if (check(text, size + LINE)) {
        text[size + 9] = (char)(text[size + 9] ^ 1);
        ASSERT(!check(text, size + LINE));
    }
    return 0;
}
