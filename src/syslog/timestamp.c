#include "syslog/timestamp.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "syslog/calendar.h"

static const char *timestamp_fail(const struct parse_input *in, const char *reason, const char *p)
{
    return parse_fail(in, "TIMESTAMP", reason, p);
}

static const char *timestamp_separator(const struct parse_input *in, const char *p, char c,
                                       const char *reason)
{
    if (!p)
        return NULL;
    return p < in->end && *p == c ? p + 1 : timestamp_fail(in, reason, p);
}

/* Two digits that are a number from low to high. */
static const char *timestamp_number(const struct parse_input *in, const char *p, int low, int high,
                                    const char *reason, int *number)
{
    if (!p)
        return NULL;
    if (p == in->end || !is_digit(*p))
        return timestamp_fail(in, "expected a digit", p);
    int tens = (*p - '0') * 10;
    if (tens > high || tens + 9 < low)
        return timestamp_fail(in, reason, p);
    p++;
    if (p == in->end || !is_digit(*p))
        return timestamp_fail(in, "expected a digit", p);
    *number = tens + (*p - '0');
    if (*number > high || *number < low)
        return timestamp_fail(in, reason, p);
    return p + 1;
}

static const char *timestamp_date(const struct parse_input *in, const char *p)
{
    int century = 0, year = 0, month = 1, day;
    p = timestamp_number(in, p, 0, 99, "", &century);
    p = timestamp_number(in, p, 0, 99, "", &year);
    p = timestamp_separator(in, p, '-', "expected '-'");
    p = timestamp_number(in, p, 1, 12, "no such month", &month);
    p = timestamp_separator(in, p, '-', "expected '-'");
    if (!p)
        return NULL;
    int last_day = calendar_days_in(century * 100 + year, month);
    return timestamp_number(in, p, 1, last_day, "no such day", &day);
}

static const char *timestamp_hour_minute(const struct parse_input *in, const char *p)
{
    int number;
    p = timestamp_number(in, p, 0, 23, "no such hour", &number);
    p = timestamp_separator(in, p, ':', "expected ':'");
    return timestamp_number(in, p, 0, 59, "no such minute", &number);
}

/* The digits of TIME-SECFRAC. */
static const char *timestamp_secfrac(const struct parse_input *in, const char *p)
{
    const char *start = p;
    while (p < in->end && is_digit(*p)) {
        if (p - start == 6)
            return timestamp_fail(in, "TIME-SECFRAC is longer than 6 digits", p);
        p++;
    }
    return p > start ? p : timestamp_fail(in, "expected a digit", p);
}

static const char *timestamp_offset(const struct parse_input *in, const char *p)
{
    if (p < in->end && *p == 'Z')
        return p + 1;
    if (p < in->end && (*p == '+' || *p == '-'))
        return timestamp_hour_minute(in, p + 1);
    return timestamp_fail(in, "expected 'Z', '+' or '-'", p);
}

const char *timestamp_parse(const struct parse_input *in, const char *p)
{
    int second;
    p = timestamp_date(in, p);
    p = timestamp_separator(in, p, 'T', "expected 'T'");
    p = timestamp_hour_minute(in, p);
    p = timestamp_separator(in, p, ':', "expected ':'");
    p = timestamp_number(in, p, 0, 59, "no such second", &second);
    if (p && p < in->end && *p == '.')
        p = timestamp_secfrac(in, p + 1);
    return p ? timestamp_offset(in, p) : NULL;
}

enum { HEAD_LEN = 19 /* 2026-11-22T10:00:00 */, TAIL_MAX = 6 /* +01:00 */ };

static int timestamp_digits(const char *p, int digits)
{
    int n = 0;
    while (digits-- > 0)
        n = n * 10 + (*p++ - '0');
    return n;
}

/* Seconds since 1970 of a valid TIMESTAMP at `p`. */
static int64_t timestamp_seconds(const char *p, struct slice tail)
{
    int64_t day = calendar_days(timestamp_digits(p, 4), timestamp_digits(p + 5, 2),
                                timestamp_digits(p + 8, 2));
    int64_t minute = (day * 24 + timestamp_digits(p + 11, 2)) * 60 + timestamp_digits(p + 14, 2);
    int64_t second = minute * 60 + timestamp_digits(p + 17, 2);
    if (*tail.data == 'Z')
        return second;
    int offset =
        (timestamp_digits(tail.data + 1, 2) * 60 + timestamp_digits(tail.data + 4, 2)) * 60;
    return *tail.data == '-' ? second + offset : second - offset;
}

static bool timestamp_same_second(const struct timestamp_reader *r, const char *head,
                                  struct slice tail)
{
    return r->tail_len && tail.len == r->tail_len && memcmp(r->head, head, HEAD_LEN) == 0 &&
           memcmp(r->tail, tail.data, tail.len) == 0;
}

static bool timestamp_read_second(struct timestamp_reader *r, struct slice timestamp,
                                  struct slice tail)
{
    struct defect unused;
    struct parse_input in = {timestamp.data, timestamp.data + timestamp.len, &unused};
    r->tail_len = 0;
    if (timestamp_parse(&in, timestamp.data) != in.end)
        return false;
    int64_t second = timestamp_seconds(timestamp.data, tail);
    if (second < 0)
        return false;
    r->second_ns = (uint64_t)second * NS_PER_S;
    memcpy(r->head, timestamp.data, HEAD_LEN);
    memcpy(r->tail, tail.data, tail.len);
    r->tail_len = tail.len;
    return true;
}

bool timestamp_read(struct timestamp_reader *r, struct slice timestamp, uint64_t *ns)
{
    const char *end = timestamp.data + timestamp.len;
    uint64_t fraction_ns = 0;
    uint64_t unit_ns = NS_PER_S;
    if (timestamp.len <= HEAD_LEN)
        return false;
    const char *p = timestamp.data + HEAD_LEN;
    if (*p == '.')
        for (p++; p < end && is_digit(*p) && unit_ns > 1000; p++) {
            unit_ns /= 10;
            fraction_ns += (uint64_t)(*p - '0') * unit_ns;
        }
    struct slice tail = slice_between(p, end);
    if (tail.len == 0 || tail.len > TAIL_MAX || p[-1] == '.')
        return false;
    if (!timestamp_same_second(r, timestamp.data, tail) &&
        !timestamp_read_second(r, timestamp, tail))
        return false;
    *ns = r->second_ns + fraction_ns;
    return true;
}

static void timestamp_format_second(struct timestamp_writer *w, time_t second)
{
    struct tm t;
    w->second = second;
    if (w->utc)
        gmtime_r(&second, &t);
    else
        localtime_r(&second, &t);
    strftime(w->head, sizeof w->head, "%Y-%m-%dT%H:%M:%S.", &t);
    long offset = t.tm_gmtoff / 60;
    unsigned minutes = (unsigned)(offset < 0 ? -offset : offset);
    if (w->utc)
        w->tail_len = (unsigned)snprintf(w->tail, sizeof w->tail, "Z");
    else
        w->tail_len = (unsigned)snprintf(w->tail, sizeof w->tail, "%c%02u:%02u",
                                         offset < 0 ? '-' : '+', minutes / 60 % 24, minutes % 60);
}

static inline void timestamp_write_two(char *to, unsigned n)
{
    to[0] = (char)('0' + n / 10);
    to[1] = (char)('0' + n % 10);
}

void timestamp_fraction(uint64_t ns, char *to)
{
    unsigned us = (unsigned)ns / 1000;
    unsigned hundreds = us / 100;
    timestamp_write_two(to, hundreds / 100);
    timestamp_write_two(to + 2, hundreds % 100);
    timestamp_write_two(to + 4, us % 100);
}

char *timestamp_write(struct timestamp_writer *w, uint64_t ns, char *to)
{
    int64_t second = (int64_t)(ns / NS_PER_S);
    if (second != w->second || !w->head[0])
        timestamp_format_second(w, second);
    memcpy(to, w->head, TIMESTAMP_FRACTION);
    to += TIMESTAMP_FRACTION;
    timestamp_fraction(ns % NS_PER_S, to);
    memcpy(to + 6, w->tail, w->tail_len);
    return to + 6 + w->tail_len;
}

char *timestamp_write_rfc3164(struct timestamp_writer *w, uint64_t ns, char *to)
{
    time_t second = (time_t)(ns / NS_PER_S);
    if (second != w->second || !w->head[0]) {
        struct tm t;
        w->second = second;
        localtime_r(&second, &t);
        strftime(w->head, sizeof w->head, "%b %e %H:%M:%S", &t);
    }
    memcpy(to, w->head, TIMESTAMP_RFC3164);
    return to + TIMESTAMP_RFC3164;
}
