/*
 * Finding scenarios by name, and listing them with the sentence that each begins with.
 */
#define _GNU_SOURCE
#include "swimsim/library.h"

#include "swimsim/plan_toml.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 1024

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

static const char *folder(void)
{
    const char *told = getenv("SWIM_SCENARIOS");

    if (told != NULL && *told != '\0')
        return told;
    return is_folder("scenarios") ? "scenarios" : SWIM_SCENARIOS_DIR;
}

bool library_load(struct plan *plan, const char *name, struct plan_error *ret_error)
{
    char path[PATH_SIZE];

    if (is_file(name))
        return plan_load(plan, name, ret_error);
    (void)snprintf(path, sizeof path, "%s/%s.toml", folder(), name);
    if (strchr(name, '/') == NULL && is_file(path))
        return plan_load(plan, path, ret_error);
    (void)snprintf(ret_error->text, sizeof ret_error->text,
                   "%.200s: there is no such file, and no scenario of this name in %.200s "
                   "(swimsim list shows them)",
                   name, folder());
    ret_error->action = UINT32_MAX;
    return false;
}

static int is_scenario(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);

    return size > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + size - 5, ".toml") == 0;
}

/* By name, without the suffix: "kill" before "kill-ten". */
static int compare(const struct dirent **a, const struct dirent **b)
{
    size_t one = strlen((*a)->d_name) - 5;
    size_t two = strlen((*b)->d_name) - 5;
    int order = memcmp((*a)->d_name, (*b)->d_name, one < two ? one : two);

    return order != 0 ? order : one < two ? -1 : one > two;
}

static bool list_one(FILE *out, const char *name, struct plan *plan, struct plan_error *ret_error)
{
    char path[PATH_SIZE];

    plan_default(plan);
    (void)snprintf(path, sizeof path, "%s/%s", folder(), name);
    if (!plan_load(plan, path, ret_error))
        return false;
    (void)fprintf(out, "%-24s %s\n", plan->name, plan->title);
    return true;
}

bool library_list(FILE *out, struct plan_error *ret_error)
{
    struct dirent **entries = NULL;
    struct plan *plan = malloc(sizeof *plan);
    int count = scandir(folder(), &entries, is_scenario, compare);
    bool is_good = count > 0 && plan != NULL;

    if (count <= 0)
        (void)snprintf(ret_error->text, sizeof ret_error->text,
                       "%.300s: there are no scenarios; SWIM_SCENARIOS names another folder",
                       folder());
    for (int i = 0; i < count; i++) {
        is_good = is_good && list_one(out, entries[i]->d_name, plan, ret_error);
        free(entries[i]);
    }
    free(entries);
    free(plan);
    return is_good;
}
