/* One generator for both programs: 32 bytes of the kernel's, in hexadecimal. */
#include "base/keygen.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>

#define KEY_SIZE 32

bool keygen_print(const char *tail)
{
    uint8_t key[KEY_SIZE];
    char hex[2 * KEY_SIZE + 1];
    bool ok;

    if (sodium_init() < 0)
        return false;
    randombytes_buf(key, sizeof key);
    (void)sodium_bin2hex(hex, sizeof hex, key, sizeof key);
    ok = fflush(stdout) == 0;
    (void)setvbuf(stdout, NULL, _IONBF, 0); /* no copy stays behind in a buffer */
    ok = ok && fputs(hex, stdout) >= 0 && fputs(tail, stdout) >= 0;
    sodium_memzero(key, sizeof key);
    sodium_memzero(hex, sizeof hex);
    return ok;
}
