#include "syslog/timestamp.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "syslog/calendar.h"

static const char field[] = "TIMESTAMP";

static const char *literal(const struct parse_input *in, const char *p, char c, const char *reason)
{
    if (!p)
        return NULL;
    return p < in->end && *p == c ? p + 1 : parse_fail(in, field, reason, p);
}

/* Two digits that make a number from low to high. */
static const char *two_digits(const struct parse_input *in, const char *p, int low, int high,
                              const char *reason, int *number)
{
    if (!p)
        return NULL;
    if (p == in->end || !is_digit(*p))
        return parse_fail(in, field, "expected a digit", p);
    int tens = (*p - '0') * 10;
    if (tens > high || tens + 9 < low)
        return parse_fail(in, field, reason, p);
    p++;
    if (p == in->end || !is_digit(*p))
        return parse_fail(in, field, "expected a digit", p);
    *number = tens + (*p - '0');
    if (*number > high || *number < low)
        return parse_fail(in, field, reason, p);
    return p + 1;
}

static const char *full_date(const struct parse_input *in, const char *p)
{
    int century = 0, year = 0, month = 1, day;
    p = two_digits(in, p, 0, 99, "", &century);
    p = two_digits(in, p, 0, 99, "", &year);
    p = literal(in, p, '-', "expected '-'");
    p = two_digits(in, p, 1, 12, "no such month", &month);
    p = literal(in, p, '-', "expected '-'");
    if (!p)
        return NULL;
    return two_digits(in, p, 1, calendar_days_in(century * 100 + year, month), "no such day", &day);
}

static const char *hour_minute(const struct parse_input *in, const char *p)
{
    int number;
    p = two_digits(in, p, 0, 23, "no such hour", &number);
    p = literal(in, p, ':', "expected ':'");
    return two_digits(in, p, 0, 59, "no such minute", &number);
}

static const char *fraction(const struct parse_input *in, const char *p)
{
    const char *start = p;
    while (p < in->end && is_digit(*p)) {
        if (p - start == 6)
            return parse_fail(in, field, "TIME-SECFRAC is longer than 6 digits", p);
        p++;
    }
    return p > start ? p : parse_fail(in, field, "expected a digit", p);
}

static const char *time_offset(const struct parse_input *in, const char *p)
{
    if (p < in->end && *p == 'Z')
        return p + 1;
    if (p < in->end && (*p == '+' || *p == '-'))
        return hour_minute(in, p + 1);
    return parse_fail(in, field, "expected 'Z', '+' or '-'", p);
}

const char *timestamp_parse(const struct parse_input *in, const char *p)
{
    int second;
    p = full_date(in, p);
    p = literal(in, p, 'T', "expected 'T'");
    p = hour_minute(in, p);
    p = literal(in, p, ':', "expected ':'");
    p = two_digits(in, p, 0, 59, "no such second", &second);
    if (p && p < in->end && *p == '.')
        p = fraction(in, p + 1);
    return p ? time_offset(in, p) : NULL;
}

static void new_second(struct timestamp_writer *w, time_t second)
{
    struct tm t;
    w->second = second;
    if (w->utc)
        gmtime_r(&second, &t);
    else
        localtime_r(&second, &t);
    strftime(w->head, sizeof w->head, "%Y-%m-%dT%H:%M:%S.", &t);
    long minutes = t.tm_gmtoff / 60;
    unsigned away = (unsigned)(minutes < 0 ? -minutes : minutes);
    if (w->utc)
        w->tail_length = (unsigned)snprintf(w->tail, sizeof w->tail, "Z");
    else
        w->tail_length = (unsigned)snprintf(w->tail, sizeof w->tail, "%c%02u:%02u",
                                            minutes < 0 ? '-' : '+', away / 60 % 24, away % 60);
}

static inline void write_pair(char *to, unsigned n)
{
    to[0] = (char)('0' + n / 10);
    to[1] = (char)('0' + n % 10);
}

void timestamp_fraction(uint64_t ns, char *to)
{
    unsigned micros = (unsigned)ns / 1000;
    unsigned hundreds = micros / 100;
    write_pair(to, hundreds / 100);
    write_pair(to + 2, hundreds % 100);
    write_pair(to + 4, micros % 100);
}

char *timestamp_write(struct timestamp_writer *w, uint64_t ns, char *to)
{
    int64_t second = (int64_t)(ns / NS_PER_S);
    if (second != w->second || !w->head[0])
        new_second(w, second);
    memcpy(to, w->head, TIMESTAMP_FRACTION);
    to += TIMESTAMP_FRACTION;
    timestamp_fraction(ns % NS_PER_S, to);
    memcpy(to + 6, w->tail, w->tail_length);
    return to + 6 + w->tail_length;
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
