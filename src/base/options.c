#include "base/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/log.h"

struct option_unit {
    const char *suffix;
    uint64_t factor;
};

/* Binary in any case of letters, as in nats(1). Messages use the last suffix of a factor. */
static const struct option_unit option_size_units[] = {{"", 1},
                                                       {"KiB", 1 << 10},
                                                       {"KB", 1 << 10},
                                                       {"k", 1 << 10},
                                                       {"MiB", 1 << 20},
                                                       {"MB", 1 << 20},
                                                       {"M", 1 << 20},
                                                       {"GiB", 1 << 30},
                                                       {"GB", 1 << 30},
                                                       {"G", 1 << 30},
                                                       {"TiB", UINT64_C(1) << 40},
                                                       {"TB", UINT64_C(1) << 40},
                                                       {"T", UINT64_C(1) << 40},
                                                       {0}};
static const struct option_unit option_count_units[] = {{"", 1}, {"k", 1000}, {"M", 1000000}, {0}};
static const struct option_unit option_duration_units[] = {{"", NS_PER_S},
                                                           {"us", 1000},
                                                           {"ms", 1000000},
                                                           {"s", NS_PER_S},
                                                           {"m", 60 * NS_PER_S},
                                                           {"h", 3600 * NS_PER_S},
                                                           {"d", 24 * 3600 * NS_PER_S},
                                                           {"w", 7 * 24 * 3600 * NS_PER_S},
                                                           {0}};

/* Parses a decimal number with the suffix of a unit. Fraction digits after the ninth are ignored.
 */
static bool option_parse(const char *text, const struct option_unit *units, bool fraction,
                         uint64_t *value)
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
    int (*compare)(const char *, const char *) = units == option_size_units ? strcasecmp : strcmp;
    while (units->suffix && compare(units->suffix, p) != 0)
        units++;
    if (!units->suffix || whole > (UINT64_MAX - units->factor) / units->factor)
        return false;
    *value = whole * units->factor;
    if (billionths)
        *value += (uint64_t)((double)billionths * (double)units->factor / (double)billion + 0.5);
    return true;
}

/* Formats a value in the largest unit that divides it, for durations up to hours, in the syntax of
 * option_parse() if there is one: a duration may need nanoseconds. */
static void option_format(char *text, size_t size, uint64_t value, const struct option_unit *units)
{
    struct option_unit best = {"", 1};
    bool is_duration = units == option_duration_units;
    uint64_t largest = is_duration ? 3600 * NS_PER_S : UINT64_MAX;
    if (is_duration && value % 1000 != 0)
        best.suffix = "ns";
    for (; value && units->suffix; units++)
        if (value % units->factor == 0 && units->factor >= best.factor && units->factor <= largest)
            best = *units;
    snprintf(text, size, "%" PRIu64 "%s", value / best.factor, best.suffix);
}

static bool option_check_range(const char *flag, const char *text, const struct option_unit *units,
                               uint64_t number, uint64_t low, uint64_t high, uint64_t *value)
{
    static const uint64_t unlimited = UINT64_C(1000000000000000); /* not worth printing */
    char low_text[32];
    char high_text[32];
    if (number >= low && number <= high) {
        *value = number;
        return true;
    }
    option_format(low_text, sizeof low_text, low, units);
    option_format(high_text, sizeof high_text, high, units);
    if (number < low && high >= unlimited)
        log_printf("%s: '%s' is out of range (at least %s)", flag, text, low_text);
    else
        log_printf("%s: '%s' is out of range (%s to %s)", flag, text, low_text, high_text);
    return false;
}

bool option_size(const char *flag, const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
    uint64_t number;
    if (!option_parse(text, option_size_units, false, &number)) {
        log_printf("%s: '%s' is not a size: expected bytes, or a number with K, M, G or T", flag,
                   text);
        return false;
    }
    return option_check_range(flag, text, option_size_units, number, low, high, value);
}

bool option_count(const char *flag, const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
    uint64_t number;
    if (!option_parse(text, option_count_units, false, &number)) {
        log_printf("%s: '%s' is not a count: expected a number, optionally with k or M", flag,
                   text);
        return false;
    }
    return option_check_range(flag, text, option_count_units, number, low, high, value);
}

bool option_duration(const char *flag, const char *text, uint64_t low, uint64_t high,
                     uint64_t *value)
{
    uint64_t number;
    if (!option_parse(text, option_duration_units, true, &number)) {
        log_printf("%s: '%s' is not a duration: expected seconds, or a number with us, ms, s, m, "
                   "h, d or w",
                   flag, text);
        return false;
    }
    return option_check_range(flag, text, option_duration_units, number, low, high, value);
}

bool option_rate(const char *flag, const char *text, uint64_t *count, uint64_t *interval_ns)
{
    char number[32];
    char interval[8] = "1s";
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    if (slash)
        snprintf(interval, sizeof interval, "%s%s", slash[1] >= '0' && slash[1] <= '9' ? "" : "1",
                 slash + 1);
    snprintf(number, sizeof number, "%.*s", (int)len, text);
    if (len >= sizeof number || !option_parse(number, option_count_units, false, count) ||
        *count == 0 || !strpbrk(interval, "smhdw") ||
        !option_parse(interval, option_duration_units, false, interval_ns) || *interval_ns == 0) {
        log_printf("%s: '%s' is not a rate: expected a number per second, a number per interval "
                   "such as 5/m, or max",
                   flag, text);
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

bool option_stats(const char *text, uint64_t *interval_ns)
{
    *interval_ns = NS_PER_S;
    return !text ||
           option_duration("--stats", text, NS_PER_S / 100, 24 * 3600 * NS_PER_S, interval_ns);
}

static const char *option_name(const struct option *options, int value)
{
    while (options->name && options->val != value)
        options++;
    return options->name;
}

bool option_check_requirements(const struct option_set *given, const struct option *options,
                               const struct option_requirement *requirements)
{
    for (const struct option_requirement *r = requirements; r->option; r++) {
        if (!given->has[r->option] || given->has[r->required])
            continue;
        log_printf("--%s: requires --%s", option_name(options, r->option),
                   option_name(options, r->required));
        return false;
    }
    return true;
}

static const char *suggestion; /* for print_usage_hint(), or NULL */

enum { OPTION_NAME_MAX = 64, OPTION_EDITS_MAX = 2 };

/* Returns how many characters must be inserted, deleted or replaced to turn a into b (Levenshtein).
 */
static unsigned option_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned row[OPTION_NAME_MAX + 1];
    for (unsigned j = 0; j <= b_len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
            unsigned shorter = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = replaced < shorter + 1 ? replaced : shorter + 1;
        }
    }
    return row[b_len];
}

void option_suggest(const char *argument, const struct option *options)
{
    const char *best = NULL;
    unsigned best_distance = OPTION_EDITS_MAX + 1;
    if (strncmp(argument, "--", 2) != 0)
        return;
    size_t len = strcspn(argument + 2, "=");
    for (; options->name && len < OPTION_NAME_MAX; options++) {
        size_t name_len = strlen(options->name);
        unsigned distance = name_len > OPTION_NAME_MAX
                                ? best_distance
                                : option_distance(argument + 2, len, options->name, name_len);
        if (distance < best_distance && 2 * distance < len) {
            best_distance = distance;
            best = options->name;
        }
    }
    suggestion = best;
}

int print_usage_hint(void)
{
    if (suggestion)
        log_printf("did you mean '--%s'? Else try '%s --help'", suggestion,
                   program_invocation_short_name);
    else
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

const char *program_version(void)
{
    return SHNEK_VERSION;
}

int print_version(void)
{
    char line[128];
    snprintf(line, sizeof line, "%s %s\n", program_invocation_short_name, program_version());
    return print_help(line);
}
