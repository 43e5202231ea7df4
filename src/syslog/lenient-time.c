#include "syslog/lenient-time.h"

#include "syslog/calendar.h"
#include "syslog/field-parse.h"
#include "syslog/rfc3164-tag.h"
#include "syslog/rfc3164-word.h"
#include "syslog/tz.h"

enum { LENIENT_FRACTION_MAX = 9 };

/* The parts of a time, which need not exist. */
struct lenient_parts {
    int year; /* -1 if missing */
    int month;
    int day;
    int hour;
    int minute;
    int second;
    struct slice fraction; /* digits */
    bool no_host;          /* letters before a TAG are a time zone, too */
    struct tz_suffix zone;
};

/* A number of `least` to `most` digits, after which there is no digit. */
static const char *lenient_number(const char *p, const char *end, int least, int most, int *value)
{
    int n = 0;
    *value = 0;
    for (; p && p + n < end && is_digit(p[n]) && n < most; n++)
        *value = *value * 10 + (p[n] - '0');
    return !p || n < least || (p + n < end && is_digit(p[n])) ? NULL : p + n;
}

static const char *lenient_char(const char *p, const char *end, char c)
{
    return p && p < end && *p == c ? p + 1 : NULL;
}

static const char *lenient_char_of(const char *p, const char *end, const char *set)
{
    return p && p < end && *p && strchr(set, *p) ? p + 1 : NULL;
}

/* One or two SP. */
static const char *lenient_space(const char *p, const char *end)
{
    p = lenient_char(p, end, ' ');
    return p && p < end && *p == ' ' ? p + 1 : p;
}

/* Three letters in lower case as a number. */
#define LETTERS(a, b, c) ((a) << 16 | (b) << 8 | (c))

/* The three letters at `p`, after which there must be another character; or 0. */
static int lenient_letters(const char *p, const char *end)
{
    if (!p || end - p < 4)
        return 0;
    return LETTERS((unsigned char)p[0], (unsigned char)p[1], (unsigned char)p[2]) |
           LETTERS(32, 32, 32);
}

static int lenient_month_of(int letters)
{
    switch (letters) {
    case LETTERS('j', 'a', 'n'):
        return 1;
    case LETTERS('f', 'e', 'b'):
        return 2;
    case LETTERS('m', 'a', 'r'):
        return 3;
    case LETTERS('a', 'p', 'r'):
        return 4;
    case LETTERS('m', 'a', 'y'):
        return 5;
    case LETTERS('j', 'u', 'n'):
        return 6;
    case LETTERS('j', 'u', 'l'):
        return 7;
    case LETTERS('a', 'u', 'g'):
        return 8;
    case LETTERS('s', 'e', 'p'):
        return 9;
    case LETTERS('o', 'c', 't'):
        return 10;
    case LETTERS('n', 'o', 'v'):
        return 11;
    case LETTERS('d', 'e', 'c'):
        return 12;
    default:
        return 0;
    }
}

static bool lenient_is_weekday(int letters)
{
    switch (letters) {
    case LETTERS('m', 'o', 'n'):
    case LETTERS('t', 'u', 'e'):
    case LETTERS('w', 'e', 'd'):
    case LETTERS('t', 'h', 'u'):
    case LETTERS('f', 'r', 'i'):
    case LETTERS('s', 'a', 't'):
    case LETTERS('s', 'u', 'n'):
        return true;
    default:
        return false;
    }
}

static const char *lenient_month(const char *p, const char *end, int *value)
{
    *value = lenient_month_of(lenient_letters(p, end));
    return *value ? p + 3 : NULL;
}

/* yyyy-mm-dd, yyyy/mm/dd or yyyy:mm:dd, and the separator before the time. */
static const char *lenient_numeric_date(const char *p, const char *end, struct lenient_parts *t)
{
    p = lenient_number(p, end, 4, 4, &t->year);
    if (!p || p == end || !lenient_char_of(p, end, "-/:"))
        return NULL;
    char separator = *p;
    p = lenient_number(p + 1, end, 2, 2, &t->month);
    p = lenient_number(lenient_char(p, end, separator), end, 2, 2, &t->day);
    return lenient_char_of(p, end, separator == ':' ? "-" : "Tt ");
}

/* Mmm dd, or Mmm dd yyyy. */
static const char *lenient_month_day(const char *p, const char *end, struct lenient_parts *t)
{
    p = lenient_month(p, end, &t->month);
    p = p ? lenient_number(lenient_space(p, end), end, 1, 2, &t->day) : NULL;
    if (!p)
        return NULL;
    if (p < end && *p == ',')
        p++;
    p = lenient_space(p, end);
    int year;
    const char *after_year = lenient_number(p, end, 4, 4, &year);
    if (!after_year)
        return p;
    t->year = year;
    return lenient_space(after_year, end);
}

/* yyyy Mmm dd, or dd Mmm yyyy. */
static const char *lenient_named_date(const char *p, const char *end, struct lenient_parts *t)
{
    int first;
    const char *q = lenient_number(p, end, 4, 4, &first);
    if (q) {
        q = lenient_month_day(lenient_space(q, end), end, t);
        if (t->year >= 0)
            return NULL;
        t->year = first;
        return q;
    }
    q = lenient_number(p, end, 1, 2, &t->day);
    q = lenient_month(lenient_space(q, end), end, &t->month);
    q = lenient_number(lenient_space(q, end), end, 4, 4, &t->year);
    return lenient_space(q, end);
}

/* Www, with or without a comma, which any date may follow. */
static const char *lenient_skip_weekday(const char *p, const char *end)
{
    if (!lenient_is_weekday(lenient_letters(p, end)))
        return p;
    const char *q = p + 3;
    if (q < end && *q == ',')
        q++;
    return lenient_space(q, end);
}

/* 1 to 9 digits after a '.' or ','. Returns `p` if there is no such character, NULL if no digits.
 */
static const char *lenient_fraction(const char *p, const char *end, struct slice *fraction)
{
    if (p == end || (*p != '.' && *p != ','))
        return p;
    const char *start = ++p;
    while (p < end && is_digit(*p) && p - start < LENIENT_FRACTION_MAX)
        p++;
    *fraction = slice_between(start, p);
    return p == start || (p < end && is_digit(*p)) ? NULL : p;
}

/* Returns 'a' or 'p' if the two letters at `p` are AM or PM, else 0. */
static int lenient_half_day(const char *p, const char *end)
{
    if (end - p < 2 || (p[1] | 32) != 'm')
        return 0;
    int letter = p[0] | 32;
    return letter == 'a' || letter == 'p' ? letter : 0;
}

static bool lenient_set_half_day(int half, struct lenient_parts *t)
{
    if (t->hour < 1 || t->hour > 12)
        return false;
    t->hour = t->hour % 12 + (half == 'p' ? 12 : 0);
    return true;
}

/*
 * AM or PM after the time of day, with its fraction if there was none before. Returns NULL if it
 * cannot be applied: the time is then unknown.
 */
static const char *lenient_twelve_hours(const char *p, const char *end, struct lenient_parts *t)
{
    const char *word = word_skip_blanks(p, end);
    int half = word > p ? lenient_half_day(word, end) : 0;
    if (!half)
        return p;
    const char *q = word + 2;
    if (q < end && (*q == '.' || *q == ',') && q + 1 < end && is_digit(q[1])) {
        if (t->fraction.len)
            return NULL;
        q = lenient_fraction(q, end, &t->fraction);
    }
    if (!q)
        return NULL;
    if (!word_ends(q, end) && *q != ':')
        return q == word + 2 ? p : NULL;
    if (word == p + 1 && *p == ' ')
        return lenient_set_half_day(half, t) ? q : NULL;
    return t->hour < 1 || t->hour > 12 ? p : NULL;
}

static const char *lenient_time_of_day(const char *p, const char *end, struct lenient_parts *t)
{
    p = lenient_number(p, end, 1, 2, &t->hour);
    p = lenient_number(lenient_char(p, end, ':'), end, 2, 2, &t->minute);
    p = lenient_number(lenient_char(p, end, ':'), end, 2, 2, &t->second);
    p = p ? lenient_fraction(p, end, &t->fraction) : NULL;
    return p && p < end && word_is_blank(*p) ? lenient_twelve_hours(p, end, t) : p;
}

/*
 * Whether a TAG that is not a mnemonic follows the letters of a time zone: then they are HOSTNAME.
 */
static bool lenient_zone_is_host(const char *p, const char *end)
{
    struct tag tag;
    if (p == end || !word_is_blank(*p))
        return false;
    p = word_skip_blanks(p, end);
    return !tag_is_mnemonic(p, end) && tag_read(p, end, &tag);
}

static const char *lenient_zone(const char *p, const char *end, bool no_host,
                                struct tz_suffix *zone)
{
    struct tz_suffix found = {0};
    p = tz_read(p, end, &found);
    if (!p || (found.named && !no_host && lenient_zone_is_host(p, end)))
        return NULL;
    *zone = found;
    return p;
}

/* Whether a zone or a year may begin with `c`. */
static bool lenient_begins_suffix(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || c == 'z' || c == '+' || c == '-';
}

/* A time zone or a year after SP, whichever is missing. Returns `p` if there is none. */
static const char *lenient_suffix_part(const char *p, const char *end, struct lenient_parts *t)
{
    int year;
    const char *q = p + 1;
    if (q >= end || *p != ' ' || !lenient_begins_suffix(*q))
        return p;
    const char *next = t->zone.kind == TZ_NONE ? lenient_zone(q, end, t->no_host, &t->zone) : NULL;
    if (next || t->year >= 0)
        return next ? next : p;
    next = lenient_number(q, end, 4, 4, &year);
    if (!next || !tz_is_end(next, end) || (year / 100 != 19 && year / 100 != 20))
        return p;
    t->year = year;
    return next;
}

/* A time zone and a year after the time, in either order, and ':'. */
static const char *lenient_suffix(const char *p, const char *end, struct lenient_parts *t)
{
    const char *q = tz_read_offset(p, end, &t->zone);
    p = q ? q : p;
    p = lenient_suffix_part(p, end, t);
    p = lenient_suffix_part(p, end, t);
    if (!tz_is_end(p, end))
        return NULL;
    return p < end && *p == ':' ? p + 1 : p;
}

static bool lenient_exists(const struct lenient_parts *t)
{
    int year = t->year < 0 ? 2000 : t->year; /* a leap year */
    return t->month >= 1 && t->month <= 12 && t->day >= 1 &&
           t->day <= calendar_days_in(year, t->month) && t->hour <= 23 && t->minute <= 59 &&
           t->second <= 60;
}

static int64_t lenient_wall(const struct lenient_parts *t, int year)
{
    return calendar_days(year, t->month, t->day) * CALENDAR_DAY + t->hour * 3600 + t->minute * 60 +
           t->second;
}

static int64_t lenient_distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

/* The year in which the time exists and is nearest to now; of two, the earlier one. */
static int lenient_nearest_year(const struct lenient_parts *t, int64_t now, int this_year)
{
    bool leap_day = t->month == 2 && t->day == 29;
    int range = leap_day ? 8 : 1;
    int best = this_year;
    int64_t least = INT64_MAX;
    if (!leap_day &&
        lenient_distance(lenient_wall(t, this_year), now) < (int64_t)180 * CALENDAR_DAY)
        return this_year;
    for (int year = this_year - range; year <= this_year + range; year++) {
        int64_t distance = lenient_distance(lenient_wall(t, year), now);
        if (distance < least && (!leap_day || calendar_leap(year))) {
            least = distance;
            best = year;
        }
    }
    return best;
}

/* Computes what depends on `now` alone. */
static void lenient_update_year(struct lenient_time *r)
{
    if (r->year && r->cached_now == r->now)
        return;
    r->offset = tz_offset(&r->tz, r->now, r->now);
    r->year = calendar_year((r->now + r->offset) / CALENDAR_DAY);
    r->cached_now = r->now;
}

/* Adds the year and the offset if they are missing. */
static void lenient_complete(struct lenient_time *r, struct lenient_parts *t)
{
    bool has_offset = t->zone.kind == TZ_UTC || t->zone.kind == TZ_OFFSET;
    lenient_update_year(r);
    if (t->year < 0)
        t->year = lenient_nearest_year(t, r->now + (has_offset ? t->zone.minutes * 60 : r->offset),
                                       r->year);
    if (has_offset)
        return;
    t->zone.minutes = tz_offset(&r->tz, lenient_wall(t, t->year), r->now) / 60;
    t->zone.kind = t->zone.minutes ? TZ_OFFSET : TZ_UTC;
    t->zone.west = t->zone.minutes < 0;
}

static char *lenient_write_two(char *to, int value)
{
    to[0] = (char)('0' + value / 10);
    to[1] = (char)('0' + value % 10);
    return to + 2;
}

static char *lenient_write_part(char *to, char sign, int value)
{
    *to = sign;
    return lenient_write_two(to + 1, value);
}

static struct slice lenient_write(const struct lenient_parts *t, char *text)
{
    char *to = lenient_write_two(lenient_write_two(text, t->year / 100), t->year % 100);
    to = lenient_write_part(to, '-', t->month);
    to = lenient_write_part(to, '-', t->day);
    to = lenient_write_part(to, 'T', t->hour);
    to = lenient_write_part(to, ':', t->minute);
    to = lenient_write_part(to, ':', t->second);
    if (t->fraction.len) {
        *to++ = '.';
        memcpy(to, t->fraction.data, t->fraction.len);
        to += t->fraction.len;
    }
    if (t->zone.kind == TZ_UTC) {
        *to++ = 'Z';
        return slice_between(text, to);
    }
    int minutes = t->zone.minutes < 0 ? -t->zone.minutes : t->zone.minutes;
    to = lenient_write_part(to, t->zone.west ? '-' : '+', minutes / 60);
    to = lenient_write_part(to, ':', minutes % 60);
    return slice_between(text, to);
}

/* The parts after the date. */
static const char *lenient_rest(const char *p, const char *end, struct lenient_parts *t)
{
    p = p ? lenient_time_of_day(p, end, t) : NULL;
    p = p ? lenient_suffix(p, end, t) : NULL;
    return p && lenient_exists(t) ? p : NULL;
}

static const char *lenient_iso(const char *p, const char *end, struct lenient_parts *t)
{
    *t = (struct lenient_parts){.year = -1};
    return lenient_rest(lenient_numeric_date(p, end, t), end, t);
}

/* A date that begins with a digit. */
static const char *lenient_date(const char *p, const char *end, struct lenient_parts *t)
{
    const char *q = lenient_numeric_date(p, end, t);
    if (q)
        return q;
    *t = (struct lenient_parts){.year = -1, .no_host = t->no_host};
    return lenient_named_date(p, end, t);
}

static const char *lenient_any(const char *p, const char *end, bool no_host,
                               struct lenient_parts *t)
{
    bool digit = p < end && is_digit(*p);
    int letters = digit ? 0 : lenient_letters(p, end);
    if (!digit && !lenient_month_of(letters) && !lenient_is_weekday(letters))
        return NULL;
    *t = (struct lenient_parts){.year = -1, .no_host = no_host};
    if (digit)
        return lenient_rest(lenient_date(p, end, t), end, t);
    return lenient_rest(lenient_month_day(lenient_skip_weekday(p, end), end, t), end, t);
}

static const char *lenient_finish(struct lenient_time *r, const char *p, struct lenient_parts *t,
                                  struct slice *timestamp)
{
    if (!p)
        return NULL;
    lenient_complete(r, t);
    *timestamp = lenient_write(t, r->text);
    return p;
}

const char *lenient_time_read_iso(struct lenient_time *r, const char *p, const char *end,
                                  struct slice *timestamp)
{
    struct lenient_parts t;
    return lenient_finish(r, lenient_iso(p, end, &t), &t, timestamp);
}

const char *lenient_time_read(struct lenient_time *r, const char *p, const char *end,
                              struct slice *timestamp)
{
    struct lenient_parts t;
    return lenient_finish(r, lenient_any(p, end, r->no_host, &t), &t, timestamp);
}

const char *lenient_time_skip(const char *p, const char *end)
{
    struct lenient_parts t;
    return lenient_any(p, end, false, &t);
}
