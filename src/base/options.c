#include "base/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/log.h"

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit sizes[] = {{"", 1}, {"k", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {0}};
static const struct unit counts[] = {{"", 1}, {"k", 1000}, {"M", 1000000}, {0}};
static const struct unit durations[] = {
    {"", NS_PER_S},         {"us", 1000}, {"ms", 1000000}, {"s", NS_PER_S}, {"m", 60 * NS_PER_S},
    {"h", 3600 * NS_PER_S}, {0}};

/* A decimal number in units; what is below one unit is cut off at nine digits. */
static bool parse(const char *text, const struct unit *units, bool fraction, uint64_t *value)
{
    static const uint64_t billion = 1000000000;
    const char *p = text;
    uint64_t whole = 0;
    uint64_t billionths = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (whole > UINT64_MAX / 10 - 1)
            return false;
        whole = whole * 10 + (uint64_t)(*p - '0');
    }
    if (p == text)
        return false;
    if (fraction && *p == '.') {
        uint64_t weight = billion / 10;
        for (p++; *p >= '0' && *p <= '9'; p++, weight /= 10)
            billionths += weight * (uint64_t)(*p - '0');
    }
    while (units->suffix && strcmp(units->suffix, p) != 0)
        units++;
    if (!units->suffix || whole > (UINT64_MAX - units->factor) / units->factor)
        return false;
    *value = whole * units->factor;
    if (billionths)
        *value += (uint64_t)((double)billionths * (double)units->factor / (double)billion + 0.5);
    return true;
}

static bool in_range(const char *flag, const char *text, uint64_t number, uint64_t low,
                     uint64_t high, uint64_t *value)
{
    if (number < low || number > high) {
        log_printf("%s: '%s' is too %s", flag, text, number < low ? "small" : "large");
        return false;
    }
    *value = number;
    return true;
}

bool option_size(const char *flag, const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
    uint64_t number;
    if (!parse(text, sizes, false, &number)) {
        log_printf("%s: '%s' is not a size: a number of bytes, with k, M or G", flag, text);
        return false;
    }
    return in_range(flag, text, number, low, high, value);
}

bool option_count(const char *flag, const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
    uint64_t number;
    if (!parse(text, counts, false, &number)) {
        log_printf("%s: '%s' is not a count: a number, with k or M", flag, text);
        return false;
    }
    return in_range(flag, text, number, low, high, value);
}

bool option_duration(const char *flag, const char *text, uint64_t low, uint64_t high,
                     uint64_t *value)
{
    uint64_t number;
    if (!parse(text, durations, true, &number)) {
        log_printf("%s: '%s' is not a duration: a number of seconds, or with us, ms, s, m or h",
                   flag, text);
        return false;
    }
    return in_range(flag, text, number, low, high, value);
}

bool option_rate(const char *flag, const char *text, uint64_t *things, uint64_t *ns)
{
    char number[32];
    char unit[8] = "1s";
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    if (slash)
        snprintf(unit, sizeof unit, "%s%s", slash[1] >= '0' && slash[1] <= '9' ? "" : "1",
                 slash + 1);
    snprintf(number, sizeof number, "%.*s", (int)length, text);
    if (length >= sizeof number || !parse(number, counts, false, things) || *things == 0 ||
        !strpbrk(unit, "smh") || !parse(unit, durations, false, ns) || *ns == 0) {
        log_printf(
            "%s: '%s' is not a rate: a number a second, or in another time as in 5/m, or max", flag,
            text);
        return false;
    }
    return true;
}

bool option_choice(const char *flag, const char *text, const char *const *words, int *value)
{
    char known[128] = "";
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *value = i;
            return true;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", words[i]);
    }
    log_printf("%s: '%s' is not one of %s", flag, text, known);
    return false;
}

bool option_stats(const char *text, uint64_t *interval)
{
    *interval = NS_PER_S;
    return !text ||
           option_duration("--stats", text, NS_PER_S / 100, 24 * 3600 * NS_PER_S, interval);
}

int print_usage_hint(void)
{
    log_printf("try '%s --help'", program_invocation_short_name);
    return STATUS_FAILED;
}

int print_help(const char *text)
{
    if (fputs(text, stdout) < 0 || fflush(stdout) != 0) {
        log_printf("stdout: %m");
        return STATUS_FAILED;
    }
    return STATUS_OK;
}

int print_version(void)
{
    char line[128];
    snprintf(line, sizeof line, "%s %s\n", program_invocation_short_name, SHNEK_VERSION);
    return print_help(line);
}
