/*
 * Values with units, read and written. Fractions are read digit by digit into whole small units:
 * no floating point, so the same text means the same number everywhere.
 */
#include "swimsim/plan_text.h"

#include "swimsim/plan.h"

#include <stdio.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)
#define DURATION_ALLOWED "a time with its unit: \"200ms\", \"1.5s\", \"10m\", \"2h\" (to 1000h)"
#define SHARE_ALLOWED "a share from \"0%\" to \"100%\", in steps of 0.1%"
#define RATE_ALLOWED "a rate: \"64kbit\", \"10Mbit\", \"1MB\" (a second), or \"0\" for no limit"
#define SIZE_ALLOWED "a size: \"1500B\", \"64kB\", \"64KiB\", \"1MB\" (to 1GB)"
#define DELAY_ALLOWED                                                                              \
    "a delay: \"5ms\", \"1ms..20ms\" (uniform), \"normal:1ms..20ms\" or \"heavy:1ms..2s\""
#define PPM_ALLOWED "a rate of the clock: \"200ppm\", \"-5%\" (from -90% to +900%)"

struct unit {
    const char *name;
    uint64_t size;
};

/* ---- Numbers with units ------------------------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const struct unit *find_unit(const struct unit *units, const char *text, size_t size)
{
    for (; units->name != NULL; units++)
        if (strlen(units->name) == size && memcmp(units->name, text, size) == 0)
            return units;
    return NULL;
}

/* A decimal number that ends at *end: digits, and perhaps a fraction of up to 9 digits, as
 * `whole` and `fraction` / `scale`. */
struct decimal {
    uint64_t whole;
    uint64_t fraction;
    uint64_t scale;
};

static bool read_decimal(const char **at, struct decimal *ret)
{
    const char *text = *at;

    *ret = (struct decimal){.scale = 1};
    if (!is_digit(*text))
        return false;
    for (; is_digit(*text); text++) {
        if (ret->whole > UINT64_C(1000000000000000))
            return false;
        ret->whole = ret->whole * 10 + (uint64_t)(*text - '0');
    }
    if (*text == '.') {
        if (!is_digit(*++text))
            return false;
        for (; is_digit(*text); text++) {
            if (ret->scale == SECOND_NS)
                return false;
            ret->fraction = ret->fraction * 10 + (uint64_t)(*text - '0');
            ret->scale *= 10;
        }
    }
    *at = text;
    return true;
}

/* So many of a unit; false when it is no whole number of the smallest unit, or above `max`. */
static bool multiply(const struct decimal *number, uint64_t unit, uint64_t max, uint64_t *ret)
{
    uint64_t part;

    if (number->whole > max / unit)
        return false;
    if (number->fraction > UINT64_MAX / unit || number->fraction * unit % number->scale != 0)
        return false;
    part = number->fraction * unit / number->scale;
    if (number->whole * unit > max - part)
        return false;
    *ret = number->whole * unit + part;
    return true;
}

/* One number with one of the units, up to the first character that is in `stop`. */
static bool read_quantity(const char **at, const struct unit *units, uint64_t max, uint64_t *ret)
{
    const char *text = *at;
    const struct unit *unit;
    struct decimal number;
    size_t size;

    if (!read_decimal(&text, &number))
        return false;
    size = strcspn(text, "0123456789.");
    unit = find_unit(units, text, size);
    if (unit == NULL || !multiply(&number, unit->size, max, ret))
        return false;
    *at = text + size;
    return true;
}

static void write_quantity(uint64_t value, const struct unit *units, char *text, size_t cap)
{
    for (; units[1].name != NULL && value % units->size != 0; units++)
        ;
    (void)snprintf(text, cap, "%llu%s", (unsigned long long)(value / units->size), units->name);
}

bool text_read_count(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;

    if (!is_digit(*text))
        return false;
    for (; is_digit(*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (*text != '\0' || value < min || value > max)
        return false;
    *ret = value;
    return true;
}

/* ---- Times ------------------------------------------------------------------------------- */

static const struct unit time_units[] = {
    {"h", 3600 * SECOND_NS},
    {"m", 60 * SECOND_NS},
    {"s", SECOND_NS},
    {"ms", 1000000},
    {"us", 1000},
    {"ns", 1},
    {NULL, 0},
};

const char *text_read_duration(const char *text, uint64_t *ret_ns)
{
    uint64_t sum = 0;
    uint64_t part;

    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return NULL;
    }
    do {
        if (!read_quantity(&text, time_units, PLAN_TIME_MAX_NS - sum, &part))
            return DURATION_ALLOWED;
        sum += part;
    } while (*text != '\0');
    *ret_ns = sum;
    return NULL;
}

void text_write_duration(uint64_t ns, char *text, size_t cap)
{
    if (ns == 0)
        (void)snprintf(text, cap, "0");
    else if (ns % (60 * SECOND_NS) != 0 || ns <= 120 * SECOND_NS)
        write_quantity(ns, time_units + 2, text, cap);
    else
        write_quantity(ns, time_units, text, cap);
}

/* ---- Shares, rates, sizes ---------------------------------------------------------------- */

static const struct unit share_units[] = {{"%", 10}, {NULL, 0}};

const char *text_read_share(const char *text, uint32_t *ret_permille)
{
    uint64_t permille = 0;

    if (strcmp(text, "0") != 0 &&
        (!read_quantity(&text, share_units, 1000, &permille) || *text != '\0'))
        return SHARE_ALLOWED;
    *ret_permille = (uint32_t)permille;
    return NULL;
}

void text_write_share(uint32_t permille, char *text, size_t cap)
{
    if (permille % 10 == 0)
        (void)snprintf(text, cap, "%u%%", (unsigned)permille / 10);
    else
        (void)snprintf(text, cap, "%u.%u%%", (unsigned)permille / 10, (unsigned)permille % 10);
}

/* In bits, so that "1kbit" is a whole number too. */
static const struct unit rate_units[] = {
    {"Gbit", 1000000000}, {"Mbit", 1000000}, {"kbit", 1000}, {"bit", 1}, {"GB", 8000000000},
    {"MB", 8000000},      {"kB", 8000},      {"B", 8},       {NULL, 0},
};

const char *text_read_rate(const char *text, uint64_t *ret_bytes)
{
    uint64_t bits = 0;

    if (strcmp(text, "0") != 0 &&
        (!read_quantity(&text, rate_units, UINT64_C(8000000000000), &bits) || *text != '\0' ||
         bits % 8 != 0))
        return RATE_ALLOWED;
    *ret_bytes = bits / 8;
    return NULL;
}

void text_write_rate(uint64_t bytes, char *text, size_t cap)
{
    static const struct unit units[] = {
        {"Gbit", 1000000000}, {"Mbit", 1000000}, {"kbit", 1000}, {"bit", 1}, {NULL, 0}};

    if (bytes == 0)
        (void)snprintf(text, cap, "0");
    else
        write_quantity(8 * bytes, units, text, cap);
}

static const struct unit size_units[] = {
    {"GB", 1000000000},   {"MB", 1000000}, {"kB", 1000}, {"GiB", 1024 * 1024 * 1024},
    {"MiB", 1024 * 1024}, {"KiB", 1024},   {"B", 1},     {NULL, 0},
};

const char *text_read_size(const char *text, uint32_t *ret_bytes)
{
    uint64_t bytes = 0;

    if (strcmp(text, "0") != 0 &&
        (!read_quantity(&text, size_units, 1000000000, &bytes) || *text != '\0'))
        return SIZE_ALLOWED;
    *ret_bytes = (uint32_t)bytes;
    return NULL;
}

void text_write_size(uint32_t bytes, char *text, size_t cap)
{
    if (bytes == 0)
        (void)snprintf(text, cap, "0");
    else
        write_quantity(bytes, size_units, text, cap);
}

/* ---- Delays ------------------------------------------------------------------------------ */

static bool has_prefix(const char **at, const char *prefix)
{
    size_t size = strlen(prefix);

    if (strncmp(*at, prefix, size) != 0)
        return false;
    *at += size;
    return true;
}

/* "A..B": cut at the dots, since a quantity may hold a dot itself. */
static const char *read_range(const char *text, uint64_t *ret_min, uint64_t *ret_max)
{
    const char *dots = strstr(text, "..");
    char first[PLAN_TEXT_SIZE];
    uint64_t min;
    uint64_t max;

    if (dots == NULL || (size_t)(dots - text) >= sizeof first)
        return DELAY_ALLOWED;
    memcpy(first, text, (size_t)(dots - text));
    first[dots - text] = '\0';
    if (text_read_duration(first, &min) != NULL || text_read_duration(dots + 2, &max) != NULL ||
        min > max)
        return DELAY_ALLOWED;
    *ret_min = min;
    *ret_max = max;
    return NULL;
}

const char *text_read_delay(const char *text, struct sim_net *ret)
{
    enum sim_delay kind = has_prefix(&text, "normal:")  ? SIM_DELAY_NORMAL
                          : has_prefix(&text, "heavy:") ? SIM_DELAY_HEAVY
                                                        : SIM_DELAY_UNIFORM;
    uint64_t constant;

    (void)(kind == SIM_DELAY_UNIFORM && has_prefix(&text, "uniform:"));
    if (kind == SIM_DELAY_UNIFORM && text_read_duration(text, &constant) == NULL) {
        ret->delay = SIM_DELAY_CONSTANT;
        ret->delay_min_ns = constant;
        ret->delay_max_ns = constant;
        return NULL;
    }
    if (read_range(text, &ret->delay_min_ns, &ret->delay_max_ns) != NULL)
        return DELAY_ALLOWED;
    ret->delay = kind;
    return NULL;
}

void text_write_delay(const struct sim_net *net, char *text, size_t cap)
{
    const char *kind = net->delay == SIM_DELAY_NORMAL  ? "normal:"
                       : net->delay == SIM_DELAY_HEAVY ? "heavy:"
                                                       : "";
    char min[40];
    char max[40];

    text_write_duration(net->delay_min_ns, min, sizeof min);
    text_write_duration(net->delay_max_ns, max, sizeof max);
    if (net->delay == SIM_DELAY_CONSTANT)
        (void)snprintf(text, cap, "%s", min);
    else
        (void)snprintf(text, cap, "%s%s..%s", kind, min, max);
}

/* ---- Clocks ------------------------------------------------------------------------------ */

static const struct unit ppm_units[] = {{"%", 10000}, {"ppm", 1}, {NULL, 0}};

const char *text_read_ppm(const char *text, int32_t *ret_ppm)
{
    bool is_negative = *text == '-';
    uint64_t ppm = 0;

    if (*text == '-' || *text == '+')
        text++;
    if (strcmp(text, "0") != 0 &&
        (!read_quantity(&text, ppm_units, is_negative ? 900000 : 9000000, &ppm) || *text != '\0'))
        return PPM_ALLOWED;
    *ret_ppm = is_negative ? -(int32_t)ppm : (int32_t)ppm;
    return NULL;
}

void text_write_ppm(int32_t ppm, char *text, size_t cap)
{
    uint32_t size = ppm < 0 ? (uint32_t)-ppm : (uint32_t)ppm;

    if (size % 10000 == 0)
        (void)snprintf(text, cap, "%s%u%%", ppm < 0 ? "-" : "", (unsigned)size / 10000);
    else
        (void)snprintf(text, cap, "%s%uppm", ppm < 0 ? "-" : "", (unsigned)size);
}
