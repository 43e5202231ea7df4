#include "syslog/tz.h"

#include <string.h>
#include <time.h>

#include "base/slice.h"
#include "syslog/calendar.h"
#include "syslog/field-parse.h"
#include "syslog/tz-name.h"

enum { QUARTER = 900, TZ_LETTERS_MIN = 2, TZ_LETTERS_MAX = 5, TZ_GMT_MAX = 14 * 60 };

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

static void tz_set_offset(struct tz_suffix *suffix, bool west, int minutes)
{
    *suffix = (struct tz_suffix){.kind = TZ_OFFSET, .west = west, .minutes = minutes};
    if (west)
        suffix->minutes = -minutes;
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
    tz_set_offset(suffix, *p == '-', hours * 60 + minutes);
    return q;
}

static const char *tz_skip_digits(const char *p, const char *end)
{
    while (p < end && is_digit(*p))
        p++;
    return p;
}

/* Returns the sign at `p`, or 0. */
static int tz_sign(const char *p, const char *end)
{
    return p < end && (*p == '+' || *p == '-') ? *p : 0;
}

/* The offset after GMT: a sign and h, hh, h:mm, hh:mm or hhmm, up to 14 hours. */
static const char *tz_read_gmt_offset(const char *p, const char *end, struct tz_suffix *suffix)
{
    int minutes = 0;
    const char *digits = p + 1;
    const char *q = tz_skip_digits(digits, end);
    int hours = 0;
    if (q - digits == 4)
        q -= 2;
    if (q == digits || q - digits > 2)
        return NULL;
    for (; digits < q; digits++)
        hours = hours * 10 + (*digits - '0');
    if (q < end && *q == ':' && !tz_is_end(q, end))
        q++;
    if (tz_two_digits(q, end, &minutes))
        q += 2;
    if (minutes > 59 || hours * 60 + minutes > TZ_GMT_MAX)
        return NULL;
    tz_set_offset(suffix, *p == '-', hours * 60 + minutes);
    return q;
}

/* Whether ": %" or " : %" follows, as after the zone of a Cisco device, whose name is arbitrary. */
static bool tz_is_before_cisco(const char *p, const char *end)
{
    bool separate = p < end && *p == ' ';
    if (separate)
        p++;
    if (end - p < 3 || p[0] != ':' || p[1] != ' ')
        return false;
    for (p += 2; separate && p < end && *p == ' ';)
        p++;
    return p < end && *p == '%';
}

static const char *tz_read_name(const char *p, const char *end, struct tz_suffix *suffix)
{
    int minutes;
    const char *q = p;
    while (q < end && q - p <= TZ_LETTERS_MAX && *q >= 'A' && *q <= 'Z')
        q++;
    struct slice word = slice_between(p, q);
    if (word.len < TZ_LETTERS_MIN || word.len > TZ_LETTERS_MAX)
        return NULL;
    int sign = tz_sign(q, end);
    if (word.len == 3 && (memcmp(p, "UTC", 3) == 0 || memcmp(p, "GMT", 3) == 0)) {
        suffix->kind = TZ_UTC;
        return sign ? tz_read_gmt_offset(q, end, suffix) : q;
    }
    if (sign) {
        suffix->kind = TZ_UNKNOWN;
        const char *next = tz_skip_digits(q + 1, end);
        return word.len == 2 && memcmp(p, "TZ", 2) == 0 && next > q + 1 ? next : NULL;
    }
    if (!tz_name_read(word, &minutes)) {
        suffix->kind = TZ_UNKNOWN;
        return tz_is_before_cisco(q, end) ? q : NULL;
    }
    if (minutes == TZ_NAME_AMBIGUOUS)
        suffix->kind = TZ_UNKNOWN;
    else
        tz_set_offset(suffix, minutes < 0, minutes < 0 ? -minutes : minutes);
    suffix->named = true;
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
