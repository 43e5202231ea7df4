#include "syslog/tz.h"

#include <string.h>
#include <time.h>

#include "syslog/calendar.h"
#include "syslog/field-parse.h"

enum { QUARTER = 900, TZ_NAME_MAX_LEN = 5 };

/* Common names. Any other word after a time is not a time zone. */
static const char tz_names[][TZ_NAME_MAX_LEN] = {
    "ACDT", "ACST", "ADT", "AEDT", "AEST", "AKDT", "AKST", "ART",  "AST", "AWST", "BRST",
    "BRT",  "BST",  "CAT", "CDT",  "CEST", "CET",  "CLST", "CLT",  "CST", "EAT",  "EDT",
    "EEST", "EET",  "EST", "HKT",  "HST",  "ICT",  "IDT",  "IST",  "JST", "KST",  "MDT",
    "MEST", "MET",  "MSK", "MST",  "NDT",  "NST",  "NZDT", "NZST", "PDT", "PHT",  "PKT",
    "PST",  "SAST", "SGT", "WAT",  "WEST", "WET",  "WIB"};

/* +hh:mm, up to 23:59. */
static bool tz_parse_offset(const char *text, int32_t *offset)
{
    if (strlen(text) != 6 || (*text != '+' && *text != '-') || text[3] != ':')
        return false;
    for (int i = 1; i < 6; i++)
        if (i != 3 && !is_digit(text[i]))
            return false;
    int hours = (text[1] - '0') * 10 + (text[2] - '0');
    int minutes = (text[4] - '0') * 10 + (text[5] - '0');
    if (hours > 23 || minutes > 59)
        return false;
    *offset = (hours * 60 + minutes) * (*text == '-' ? -60 : 60);
    return true;
}

bool tz_parse(const char *text, struct tz *zone)
{
    bool utc = strcmp(text, "utc") == 0 || strcmp(text, "UTC") == 0 || strcmp(text, "Z") == 0;
    int32_t offset = 0;
    if (!utc && strcmp(text, "local") != 0 && !tz_parse_offset(text, &offset))
        return false;
    *zone = (struct tz){.fixed = strcmp(text, "local") != 0, .offset = offset};
    return true;
}

static int32_t tz_utc_offset(int64_t second)
{
    time_t t = (time_t)second;
    struct tm tm;
    return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* Clocks change at a quarter of an hour, and at most once in two days. */
static struct tz_slot tz_find_slot(int64_t wall)
{
    struct tz_slot slot = {.quarter = wall / QUARTER, .known = true};
    slot.before = tz_utc_offset(wall - CALENDAR_DAY);
    slot.after = tz_utc_offset(wall + CALENDAR_DAY);
    bool is_before = tz_utc_offset(wall - slot.before) == slot.before;
    bool is_after = tz_utc_offset(wall - slot.after) == slot.after;
    if (is_after && !is_before)
        slot.before = slot.after;
    else if (!is_after)
        slot.after = slot.before;
    return slot;
}

static int64_t tz_distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

int32_t tz_offset(struct tz *zone, int64_t wall, int64_t now)
{
    if (zone->fixed)
        return zone->offset;
    int64_t quarter = wall / QUARTER;
    struct tz_slot *slot = &zone->slots[(uint64_t)quarter % TZ_SLOTS];
    if (!slot->known || slot->quarter != quarter)
        *slot = tz_find_slot(wall);
    if (slot->before == slot->after)
        return slot->before;
    bool nearer = tz_distance(wall - slot->after, now) < tz_distance(wall - slot->before, now);
    return nearer ? slot->after : slot->before;
}

bool tz_is_end(const char *p, const char *end)
{
    if (p < end && *p == ':')
        p++;
    return p == end || *p == ' ' || *p == '\t';
}

static bool tz_two_digits(const char *p, const char *end, int *value)
{
    if (end - p < 2 || !is_digit(p[0]) || !is_digit(p[1]))
        return false;
    *value = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

const char *tz_read_offset(const char *p, const char *end, struct tz_suffix *suffix)
{
    int hours;
    int minutes = 0;
    if (p < end && (*p | 32) == 'z') {
        suffix->kind = TZ_UTC;
        return p + 1;
    }
    if (p == end || (*p != '+' && *p != '-') || !tz_two_digits(p + 1, end, &hours))
        return NULL;
    const char *q = p + 3;
    if (q < end && *q == ':' && tz_two_digits(q + 1, end, &minutes))
        q += 3;
    else if (tz_two_digits(q, end, &minutes))
        q += 2;
    if (hours > 23 || minutes > 59)
        return NULL;
    *suffix = (struct tz_suffix){TZ_OFFSET, *p == '-', hours * 60 + minutes};
    if (suffix->west)
        suffix->minutes = -suffix->minutes;
    return q;
}

static bool tz_is_known(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof tz_names / sizeof *tz_names; i++)
        if (*p == *tz_names[i] && strlen(tz_names[i]) == n && memcmp(tz_names[i], p, n) == 0)
            return true;
    return false;
}

/* On Cisco devices the name is configurable; a mnemonic, which begins with '%', follows it. */
static bool tz_cisco_mnemonic(const char *p, const char *end)
{
    return end - p >= 3 && memcmp(p, ": %", 3) == 0;
}

static const char *tz_read_name(const char *p, const char *end, struct tz_suffix *suffix)
{
    size_t n = 0;
    while (p + n < end && n <= TZ_NAME_MAX_LEN && p[n] >= 'A' && p[n] <= 'Z')
        n++;
    const char *q = p + n;
    if (n < 2 || n > TZ_NAME_MAX_LEN)
        return NULL;
    if (n == 3 && (memcmp(p, "UTC", 3) == 0 || memcmp(p, "GMT", 3) == 0)) {
        const char *next = tz_read_offset(q, end, suffix);
        if (next && suffix->kind == TZ_OFFSET)
            return next;
        suffix->kind = TZ_UTC;
        return q;
    }
    if (!tz_is_known(p, n) && !tz_cisco_mnemonic(q, end))
        return NULL;
    suffix->kind = TZ_NAME;
    return q;
}

const char *tz_read(const char *p, const char *end, struct tz_suffix *suffix)
{
    struct tz_suffix found = {0};
    const char *q = tz_read_offset(p, end, &found);
    q = q ? q : tz_read_name(p, end, &found);
    if (!q || !tz_is_end(q, end))
        return NULL;
    *suffix = found;
    return q;
}
