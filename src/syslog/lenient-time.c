#include "syslog/lenient-time.h"

#include "syslog/calendar.h"
#include "syslog/field-parse.h"
#include "syslog/tz-name.h"

enum { DAY = 86400, FRACTION_MAX = 9 };

/* A time as it was read. */
struct reading {
    int year; /* -1: not said */
    int month;
    int day;
    int hour;
    int minute;
    int second;
    struct slice fraction; /* its digits */
    struct zone_reading zone;
};

/* Between `least` and `most` digits, and no digit behind them. */
static const char *number(const char *p, const char *end, int least, int most, int *value)
{
    int n = 0;
    *value = 0;
    for (; p && p + n < end && is_digit(p[n]) && n < most; n++)
        *value = *value * 10 + (p[n] - '0');
    return !p || n < least || (p + n < end && is_digit(p[n])) ? NULL : p + n;
}

static const char *sign(const char *p, const char *end, char c)
{
    return p && p < end && *p == c ? p + 1 : NULL;
}

static const char *one_of(const char *p, const char *end, const char *set)
{
    return p && p < end && *p && strchr(set, *p) ? p + 1 : NULL;
}

/* One SP, or two. */
static const char *space(const char *p, const char *end)
{
    p = sign(p, end, ' ');
    return p && p < end && *p == ' ' ? p + 1 : p;
}

/* The number, from 1, of a name of three letters in a list without gaps; 0: it is none of them. */
static int name_in(const char *list, const char *p, const char *end)
{
    if (!p || end - p < 4)
        return 0;
    for (int i = 0; list[i]; i += 3)
        if ((p[0] | 32) == list[i] && (p[1] | 32) == list[i + 1] && (p[2] | 32) == list[i + 2])
            return i / 3 + 1;
    return 0;
}

static const char *month(const char *p, const char *end, int *value)
{
    *value = name_in("janfebmaraprmayjunjulaugsepoctnovdec", p, end);
    return *value ? p + 3 : NULL;
}

/* yyyy-mm-dd, or with two '/' or ':' */
static const char *numeric_date(const char *p, const char *end, struct reading *t)
{
    p = number(p, end, 4, 4, &t->year);
    if (!p || p == end || !one_of(p, end, "-/:"))
        return NULL;
    char separator = *p;
    p = number(p + 1, end, 2, 2, &t->month);
    p = number(sign(p, end, separator), end, 2, 2, &t->day);
    return one_of(p, end, separator == ':' ? "-" : "Tt ");
}

/* Mmm dd, perhaps with yyyy behind it. */
static const char *month_day(const char *p, const char *end, struct reading *t)
{
    p = month(p, end, &t->month);
    p = number(space(p, end), end, 1, 2, &t->day);
    if (p && p < end && *p == ',')
        p++;
    p = space(p, end);
    int year;
    const char *behind = number(p, end, 4, 4, &year);
    if (!behind)
        return p;
    t->year = year;
    return space(behind, end);
}

/* yyyy Mmm dd, or dd Mmm yyyy. */
static const char *date_in_words(const char *p, const char *end, struct reading *t)
{
    int first;
    const char *q = number(p, end, 4, 4, &first);
    if (q) {
        q = month_day(space(q, end), end, t);
        if (t->year >= 0)
            return NULL;
        t->year = first;
        return q;
    }
    q = number(p, end, 1, 2, &t->day);
    q = month(space(q, end), end, &t->month);
    q = number(space(q, end), end, 4, 4, &t->year);
    return space(q, end);
}

/* Www, perhaps with a comma, before any date. */
static const char *weekday(const char *p, const char *end)
{
    if (!name_in("montuewedthufrisatsun", p, end))
        return p;
    const char *q = p + 3;
    if (q < end && *q == ',')
        q++;
    return space(q, end);
}

static const char *time_of_day(const char *p, const char *end, struct reading *t)
{
    p = number(p, end, 1, 2, &t->hour);
    p = number(sign(p, end, ':'), end, 2, 2, &t->minute);
    p = number(sign(p, end, ':'), end, 2, 2, &t->second);
    if (!p || p == end || (*p != '.' && *p != ','))
        return p;
    const char *start = ++p;
    while (p < end && is_digit(*p) && p - start < FRACTION_MAX)
        p++;
    t->fraction = slice_between(start, p);
    return p == start || (p < end && is_digit(*p)) ? NULL : p;
}

/* A zone and a year behind the time, in either order, and a ':' */
static const char *tail(const char *p, const char *end, struct reading *t)
{
    const char *q = zone_offset_read(p, end, &t->zone);
    p = q ? q : p;
    for (int i = 0; i < 2 && p < end && *p == ' '; i++) {
        int year;
        q = t->zone.kind == ZONE_UNSAID ? zone_read(p + 1, end, &t->zone) : NULL;
        if (!q && t->year < 0) {
            q = number(p + 1, end, 4, 4, &year);
            q = q && zone_stops(q, end) && (year / 100 == 19 || year / 100 == 20) ? q : NULL;
            t->year = q ? year : t->year;
        }
        p = q ? q : p;
    }
    if (!zone_stops(p, end))
        return NULL;
    return p < end && *p == ':' ? p + 1 : p;
}

static bool exists(const struct reading *t)
{
    int year = t->year < 0 ? 2000 : t->year; /* which has all days that any year has */
    return t->month >= 1 && t->month <= 12 && t->day >= 1 &&
           t->day <= calendar_days_in(year, t->month) && t->hour <= 23 && t->minute <= 59 &&
           t->second <= 60;
}

static int64_t wall(const struct reading *t, int year)
{
    return calendar_days(year, t->month, t->day) * DAY + t->hour * 3600 + t->minute * 60 +
           t->second;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

/* That in which the time exists and is nearest to now; of two, the earlier one. */
static int nearest_year(const struct reading *t, int64_t now, int this_year)
{
    bool leap_day = t->month == 2 && t->day == 29;
    int around = leap_day ? 8 : 1;
    int best = this_year;
    int64_t least = INT64_MAX;
    if (!leap_day && distance(wall(t, this_year), now) < (int64_t)180 * DAY)
        return this_year;
    for (int year = this_year - around; year <= this_year + around; year++) {
        int64_t away = distance(wall(t, year), now);
        if (away < least && (!leap_day || calendar_leap(year))) {
            least = away;
            best = year;
        }
    }
    return best;
}

/* What is the same as long as `now` is. */
static void look_at_clock(struct lenient_time *r)
{
    if (r->year && r->year_of == r->now)
        return;
    r->offset = tz_offset(&r->tz, r->now, r->now);
    r->year = calendar_year((r->now + r->offset) / DAY);
    r->year_of = r->now;
}

/* Fills in the year and the offset where they were not said. */
static void complete(struct lenient_time *r, struct reading *t)
{
    bool said = t->zone.kind == ZONE_UTC || t->zone.kind == ZONE_OFFSET;
    look_at_clock(r);
    if (t->year < 0)
        t->year = nearest_year(t, r->now + (said ? t->zone.minutes * 60 : r->offset), r->year);
    if (said)
        return;
    t->zone.minutes = tz_offset(&r->tz, wall(t, t->year), r->now) / 60;
    t->zone.kind = t->zone.minutes ? ZONE_OFFSET : ZONE_UTC;
    t->zone.west = t->zone.minutes < 0;
}

static char *write_two(char *to, int value)
{
    to[0] = (char)('0' + value / 10);
    to[1] = (char)('0' + value % 10);
    return to + 2;
}

static char *write_behind(char *to, char sign, int value)
{
    *to = sign;
    return write_two(to + 1, value);
}

static struct slice write(const struct reading *t, char *text)
{
    char *to = write_two(write_two(text, t->year / 100), t->year % 100);
    to = write_behind(to, '-', t->month);
    to = write_behind(to, '-', t->day);
    to = write_behind(to, 'T', t->hour);
    to = write_behind(to, ':', t->minute);
    to = write_behind(to, ':', t->second);
    if (t->fraction.len) {
        *to++ = '.';
        memcpy(to, t->fraction.data, t->fraction.len);
        to += t->fraction.len;
    }
    if (t->zone.kind == ZONE_UTC) {
        *to++ = 'Z';
        return slice_between(text, to);
    }
    int minutes = t->zone.minutes < 0 ? -t->zone.minutes : t->zone.minutes;
    to = write_behind(to, t->zone.west ? '-' : '+', minutes / 60);
    to = write_behind(to, ':', minutes % 60);
    return slice_between(text, to);
}

static const char *finish(struct lenient_time *r, const char *p, const char *end, struct reading *t,
                          struct slice *timestamp)
{
    p = time_of_day(p, end, t);
    p = p ? tail(p, end, t) : NULL;
    if (!p || !exists(t))
        return NULL;
    complete(r, t);
    *timestamp = write(t, r->text);
    return p;
}

const char *lenient_time_read_iso(struct lenient_time *r, const char *p, const char *end,
                                  struct slice *timestamp)
{
    struct reading t = {.year = -1};
    p = numeric_date(p, end, &t);
    return p ? finish(r, p, end, &t, timestamp) : NULL;
}

const char *lenient_time_read(struct lenient_time *r, const char *p, const char *end,
                              struct slice *timestamp)
{
    struct reading t = {.year = -1};
    if (p == end)
        return NULL;
    const char *q = p;
    if (is_digit(*p)) {
        q = numeric_date(p, end, &t);
        if (!q) {
            t = (struct reading){.year = -1};
            q = date_in_words(p, end, &t);
        }
    } else {
        q = month_day(weekday(p, end), end, &t);
    }
    return q ? finish(r, q, end, &t, timestamp) : NULL;
}
