/*
 * A main() for fuzz targets without libFuzzer, so that every build compiles and runs them: feeds
 * each file of the corpus directories given, then mutations of them from SWIM_TEST_SEED. What a
 * target finds ends the process, by an assertion or a sanitizer.
 */
#include "base/prng.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INPUT_MAX 65536
#define FILES_MAX 4096
#define MUTATIONS 20000
#define SECONDS_MAX 10 /* of processor time for them: some targets are slow */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    uint8_t *data;
    size_t size;
};

static struct input inputs[FILES_MAX];
static uint32_t input_count;

static void run_one(const uint8_t *data, size_t size)
{
    /* A block of exactly this size, so that a sanitizer sees a read past its end. */
    uint8_t *copy = malloc(size ? size : 1);
    if (copy == NULL) {
        abort();
    }
    if (size) {
        memcpy(copy, data, size);
    }
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void load(const char *path)
{
    static uint8_t buf[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    if (f == NULL || input_count == FILES_MAX) {
        fprintf(stderr, "replay: cannot take %s\n", path);
        exit(1);
    }
    struct input *input = &inputs[input_count++];
    input->size = fread(buf, 1, sizeof buf, f);
    input->data = malloc(input->size + 1);
    if (input->data == NULL) {
        abort();
    }
    memcpy(input->data, buf, input->size);
    fclose(f);
}

static void load_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        fprintf(stderr, "replay: no directory %s\n", path);
        exit(1);
    }
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        char file[4096];
        int length = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && length > 0 && (size_t)length < sizeof file) {
            load(file);
        }
    }
    closedir(directory);
}

static void mutate(struct prng *prng)
{
    static uint8_t buf[INPUT_MAX];
    const struct input *input = &inputs[prng_below(prng, input_count)];
    size_t size = input->size;
    memcpy(buf, input->data, size);
    if (prng_below(prng, 4) == 0) {
        size = prng_below(prng, (uint32_t)size + 1);
    }
    for (uint32_t i = prng_below(prng, 8); i > 0 && size > 0; i--) {
        buf[prng_below(prng, (uint32_t)size)] = (uint8_t)prng_next(prng);
    }
    run_one(buf, size);
}

int main(int argc, char **argv)
{
    const char *text = getenv("SWIM_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
    printf("SWIM_TEST_SEED=%llu\n", (unsigned long long)seed);
    fflush(stdout);
    for (int i = 1; i < argc; i++) {
        load_directory(argv[i]);
    }
    if (input_count == 0) {
        fprintf(stderr, "replay: the corpus is empty\n");
        return 1;
    }
    for (uint32_t i = 0; i < input_count; i++) {
        run_one(inputs[i].data, inputs[i].size);
    }
    struct prng prng;
    prng_init(&prng, seed);
    clock_t end = clock() + (clock_t)SECONDS_MAX * CLOCKS_PER_SEC;
    int count = 0;
    for (; count < MUTATIONS && clock() < end; count++) {
        mutate(&prng);
    }
    printf("%u inputs, %d mutations\n", (unsigned)input_count, count);
    return 0;
}
