/*
 * Host headers against DNS rebinding: a stranger's page, under a name that suddenly means our
 * address, makes its visitor's browser ask us; but the browser sends that name along.
 */
#include "agent/http_host.h"

#include "agent/address.h"

#include <string.h>
#include <strings.h>

/* Without its port and brackets, into `name`. */
static bool split_host(const char *host, char *name, size_t cap)
{
    size_t size = *host == '[' ? strcspn(host, "]") : strcspn(host, ":");
    const char *rest = host + size;

    if (*host == '[') {
        if (*rest != ']')
            return false;
        host++;
        size--;
        rest++;
    }
    if (size == 0 || size >= cap || (*rest != '\0' && *rest != ':'))
        return false;
    memcpy(name, host, size);
    name[size] = '\0';
    return *rest == '\0' || rest[1 + strspn(rest + 1, "0123456789")] == '\0';
}

bool is_http_host_local(const char *host)
{
    char name[HOST_NAME_MAX_SIZE];
    struct swim_addr addr;

    if (!split_host(host, name, sizeof name))
        return false;
    return strcasecmp(name, "localhost") == 0 || address_parse_ip(name, &addr) == NULL;
}

bool is_http_host(const char *host, const char *name)
{
    char given[HOST_NAME_MAX_SIZE];

    return split_host(host, given, sizeof given) && strcasecmp(given, name) == 0;
}
