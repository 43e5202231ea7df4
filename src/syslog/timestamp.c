#include "syslog/timestamp.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/scan.h"
#include "syslog/calendar.h"

static const char field[] = "TIMESTAMP";

static const char *literal(const struct parse *in, const char *p, char c, const char *reason)
{
    if (!p)
        return NULL;
    return p < in->end && *p == c ? p + 1 : parse_fail(in, field, reason, p);
}

/* Two digits that make a number from low to high. */
static const char *two_digits(const struct parse *in, const char *p, int low, int high,
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

static const char *full_date(const struct parse *in, const char *p)
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

static const char *hour_minute(const struct parse *in, const char *p)
{
    int number;
    p = two_digits(in, p, 0, 23, "no such hour", &number);
    p = literal(in, p, ':', "expected ':'");
    return two_digits(in, p, 0, 59, "no such minute", &number);
}

static const char *fraction(const struct parse *in, const char *p)
{
    const char *start = p;
    while (p < in->end && is_digit(*p)) {
        if (p - start == 6)
            return parse_fail(in, field, "TIME-SECFRAC is longer than 6 digits", p);
        p++;
    }
    return p > start ? p : parse_fail(in, field, "expected a digit", p);
}

static const char *time_offset(const struct parse *in, const char *p)
{
    if (p < in->end && *p == 'Z')
        return p + 1;
    if (p < in->end && (*p == '+' || *p == '-'))
        return hour_minute(in, p + 1);
    return parse_fail(in, field, "expected 'Z', '+' or '-'", p);
}

/* Eight characters as a number, the first one lowest. */
#define BYTE(text, at) ((uint64_t)(unsigned char)(text)[at] << (8 * (at)))
#define WORD(text)                                                                                 \
    (BYTE(text, 0) | BYTE(text, 1) | BYTE(text, 2) | BYTE(text, 3) | BYTE(text, 4) |               \
     BYTE(text, 5) | BYTE(text, 6) | BYTE(text, 7))

/* Eight bytes; what is as in the pattern becomes 0, and a digit where that has '0' its value. */
static inline uint64_t load(const char *p, uint64_t pattern)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word) ^ pattern;
}

/* The top bit of each byte that is more than 9; bytes above the first such may be wrong. */
static inline uint64_t not_digits(uint64_t word)
{
    return ((word + WORD("vvvvvvvv")) | word) & WORD("\x80\x80\x80\x80\x80\x80\x80\x80");
}

/* Each byte becomes the number that it makes with the one behind it. */
static inline uint64_t pairs(uint64_t word)
{
    return word * 10 + (word >> 8);
}

static inline unsigned byte(uint64_t word, unsigned at)
{
    return (unsigned)(word >> (8 * at)) & 0xff;
}

/* "hh:mm" and whatever follows, three bytes at least. */
static inline bool is_hour_minute(const char *p)
{
    uint64_t word = load(p, WORD("00:00\0\0\0")) & 0xffffffffff;
    uint64_t number = pairs(word);
    return !(not_digits(word) | byte(word, 2)) && byte(number, 0) < 24 && byte(number, 3) < 60;
}

/* "YYYY-MM-DDThh:mm" and whatever follows. */
static bool is_minute(const char *p)
{
    uint64_t date = load(p, WORD("0000-00-"));
    uint64_t time = load(p + 8, WORD("00T00:00"));
    uint64_t marks = (date & 0xff0000ff00000000) | (time & 0x0000ff0000ff0000);
    if (not_digits(date) | not_digits(time) | marks)
        return false;
    date = pairs(date);
    time = pairs(time);
    unsigned month = byte(date, 5);
    unsigned day = byte(time, 0);
    if (month - 1 > 11 || day - 1 > 30 || byte(time, 3) > 23 || byte(time, 6) > 59)
        return false;
    int year = (int)(byte(date, 0) * 100 + byte(date, 2));
    return day <= 28 || (int)day <= calendar_days_in(year, (int)month);
}

/*
 * The end of the TIMESTAMP where it is valid; NULL where it is not, or may reach the end of the
 * message, so that somebody has to look closer.
 */
static inline const char *valid_timestamp(const char *p, const char *end, char *minute)
{
    enum { ROOM = 48 }; /* the longest one, and what a load may touch behind it */
    if (end - p < ROOM)
        return NULL;
    if (memcmp(p, minute, TIMESTAMP_MINUTE) != 0) {
        if (!is_minute(p))
            return NULL;
        memcpy(minute, p, TIMESTAMP_MINUTE);
    }
    p += TIMESTAMP_MINUTE;
    if (p[0] != ':' || (unsigned char)(p[1] - '0') > 5 || !is_digit(p[2]))
        return NULL;
    p += 3;
    if (*p == '.') {
        uint64_t word;
        memcpy(&word, p + 1, sizeof word);
        size_t digits = word_digits(word);
        if (digits - 1 > 5)
            return NULL;
        p += 1 + digits;
    }
    if (*p == 'Z')
        return p + 1;
    return (*p == '+' || *p == '-') && is_hour_minute(p + 1) ? p + 6 : NULL;
}

const char *timestamp_parse(const struct parse *in, const char *p, char *minute)
{
    const char *valid = valid_timestamp(p, in->end, minute);
    if (valid)
        return valid;
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

char *timestamp_write(struct timestamp_writer *w, uint64_t ns, char *to)
{
    int64_t second = (int64_t)(ns / NS_PER_S);
    if (second != w->second || !w->head[0])
        new_second(w, second);
    memcpy(to, w->head, 20);
    to += 20;
    uint32_t micros = (uint32_t)(ns % NS_PER_S / 1000);
    for (int i = 5; i >= 0; i--, micros /= 10)
        to[i] = (char)('0' + micros % 10);
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
