#include "syslog/tz.h"

#include <string.h>
#include <time.h>

#include "syslog/field-parse.h"

enum { QUARTER = 900, DAY = 86400 };

/* +hh:mm, up to 23:59. */
static bool parse_offset(const char *text, int32_t *offset)
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
    if (!utc && strcmp(text, "local") != 0 && !parse_offset(text, &offset))
        return false;
    *zone = (struct tz){.fixed = strcmp(text, "local") != 0, .offset = offset};
    return true;
}

static int32_t offset_at(int64_t second)
{
    time_t t = (time_t)second;
    struct tm tm;
    return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* Clocks are changed on the quarter of an hour, and not twice within two days. */
static struct tz_slot look_up(int64_t wall)
{
    struct tz_slot slot = {.quarter = wall / QUARTER, .known = true};
    slot.before = offset_at(wall - DAY);
    slot.after = offset_at(wall + DAY);
    bool is_before = offset_at(wall - slot.before) == slot.before;
    bool is_after = offset_at(wall - slot.after) == slot.after;
    if (is_after && !is_before)
        slot.before = slot.after;
    else if (!is_after)
        slot.after = slot.before;
    return slot;
}

static int64_t distance(int64_t a, int64_t b)
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
        *slot = look_up(wall);
    if (slot->before == slot->after)
        return slot->before;
    bool nearer = distance(wall - slot->after, now) < distance(wall - slot->before, now);
    return nearer ? slot->after : slot->before;
}
