#ifndef SHNEK_SYSLOG_RFC5424_FAST_H
#define SHNEK_SYSLOG_RFC5424_FAST_H

#include <endian.h>
#include <stdint.h>

#include "base/byte-scan.h"
#include "syslog/calendar.h"
#include "syslog/field-parse.h"
#include "syslog/message.h"
#include "syslog/window.h"

/*
 * The straight way through a HEADER that is as most are: everything in its place, and something
 * behind it. Where it does not see that all is well it says nothing of what is wrong: rfc5424.c
 * looks again.
 */

/* RFC 5424, section 6. */
enum { HOSTNAME_MAX = 255, APP_NAME_MAX = 48, PROCID_MAX = 128, MSGID_MAX = 32 };

/* Eight characters as a number, the first one lowest. */
#define USUAL_BYTE(text, at) ((uint64_t)(unsigned char)(text)[at] << (8 * (at)))
#define USUAL_WORD(text)                                                                           \
    (USUAL_BYTE(text, 0) | USUAL_BYTE(text, 1) | USUAL_BYTE(text, 2) | USUAL_BYTE(text, 3) |       \
     USUAL_BYTE(text, 4) | USUAL_BYTE(text, 5) | USUAL_BYTE(text, 6) | USUAL_BYTE(text, 7))

/* Eight bytes; what is as in the pattern becomes 0, and a digit where that has '0' its value. */
static inline uint64_t word_load(const char *p, uint64_t pattern)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word) ^ pattern;
}

/* The top bit of each byte that is more than 9; bytes above the first such may be wrong. */
static inline uint64_t not_digits(uint64_t word)
{
    return ((word + USUAL_WORD("vvvvvvvv")) | word) &
           USUAL_WORD("\x80\x80\x80\x80\x80\x80\x80\x80");
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

/* "+hh:mm" and two bytes more. */
static inline bool is_offset(const char *p)
{
    uint64_t word = word_load(p, USUAL_WORD("\0"
                                            "00:00\0\0")) &
                    0xffffffffff00;
    uint64_t number = pairs(word);
    return (*p == '+' || *p == '-') && !(not_digits(word) | byte(word, 3)) &&
           byte(number, 1) < 24 && byte(number, 4) < 60;
}

/* "YYYY-MM-DDThh:mm" and whatever follows. */
static inline bool is_minute(const char *p)
{
    uint64_t date = word_load(p, USUAL_WORD("0000-00-"));
    uint64_t time = word_load(p + 8, USUAL_WORD("00T00:00"));
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

/* ":ss", which gives a word of zeros and digits. */
static inline bool is_second(const char *p)
{
    uint64_t word = word_load(p, USUAL_WORD(":00\0\0\0\0\0")) & 0xffffff;
    return ((word | (word + 0x767a00)) & 0x8080ff) == 0;
}

/* What is behind the minute; a digit may be more than it is here. */
static const char usual_second[16] = ":00.000000";

/* Whether all but the zone is as in the last TIMESTAMP, apart from the digits behind the minute. */
static inline bool is_like_last(const char *p, const struct usual_time *last)
{
    simd_block other = simd_of_words(0, 0);
    for (size_t i = 0; i < sizeof last->minute; i += SIMD_SIZE) {
        simd_block minute = simd_xor(simd_load(p + i), simd_load(last->minute + i));
        simd_block second = simd_beyond(simd_load(p + sizeof last->minute + i),
                                        simd_load(usual_second + i), simd_load(last->range + i));
        other = simd_or(other, simd_or(minute, second));
    }
    return simd_is_zero(other);
}

static inline void keep_time(struct usual_time *last, const char *p, size_t digits)
{
    static const char second[] = {0, 5, 9, 0};
    memcpy(last->minute, p, sizeof last->minute);
    memset(last->range, 0xff, sizeof last->range); /* what is not looked at may be anything */
    memcpy(last->range, second, digits ? 4 : 3);
    memset(last->range + 4, 9, digits);
    last->zone = digits ? 20 + digits : 19;
}

/* The end of the zone, or NULL. */
static inline const char *usual_zone(const char *p, struct usual_time *last)
{
    if (*p == 'Z')
        return p + 1;
    uint64_t offset = word_load(p, 0) << 16 | 1;
    if (offset != last->offset) {
        if (!is_offset(p))
            return NULL;
        last->offset = offset;
    }
    return p + 6;
}

/* NILVALUE, or one that is not like the last one. */
static __attribute__((noinline)) const char *usual_new_timestamp(const char *p,
                                                                 struct syslog_message *m)
{
    size_t digits = 0;
    m->timestamp = (struct slice){0};
    if (*p == '-')
        return p + 1;
    if (!is_minute(p) || !is_second(p + 16))
        return NULL;
    if (p[19] == '.') {
        uint64_t word;
        memcpy(&word, p + 20, sizeof word);
        digits = word_digits(word);
        if (digits - 1 > 5)
            return NULL;
    }
    keep_time(&m->time, p, digits);
    const char *end = usual_zone(p + m->time.zone, &m->time);
    if (end)
        m->timestamp = slice_between(p, end);
    return end;
}

/*
 * The end of the TIMESTAMP, which has 41 bytes or more behind its beginning, or NULL. Minute,
 * number of digits and offset stay the same for many messages, so the last ones are kept.
 */
static inline const char *usual_timestamp(const char *p, struct syslog_message *m)
{
    const char *end = is_like_last(p, &m->time) ? usual_zone(p + m->time.zone, &m->time) : NULL;
    if (!end)
        return usual_new_timestamp(p, m);
    m->timestamp = slice_between(p, end);
    return end;
}

/* "<34>1 ", "<165>1 " or "<9>1 ", of which it gives the end, or NULL. */
static inline const char *usual_start(const char *p, struct syslog_message *m)
{
    uint64_t two = word_load(p, USUAL_WORD("<00>1 \0\0"));
    if ((two & 0x0000ffffff0000ff) == 0) {
        unsigned tens = byte(two, 1);
        unsigned ones = byte(two, 2);
        m->pri = tens * 10 + ones;
        return tens - 1 > 8 || ones > 9 ? NULL : p + 6;
    }
    uint64_t three = word_load(p, USUAL_WORD("<100>1 \0"));
    if ((three & 0x00ffffff0000ffff) == 0) {
        unsigned ones = byte(three, 3);
        m->pri = 100 + byte(three, 2) * 10 + ones;
        return ones > 9 || m->pri > 191 ? NULL : p + 7;
    }
    uint64_t one = word_load(p, USUAL_WORD("<0>1 \0\0\0"));
    m->pri = byte(one, 1);
    return (one & 0x000000ffffff00ff) || m->pri > 9 ? NULL : p + 5;
}

/* The field at `p`, which is not before the window; gives what is behind its SP. */
static inline const char *usual_field(struct window *w, const char *p, const char *end,
                                      size_t limit, struct slice *value)
{
    if (!p)
        return NULL;
    if (w->marks == 0) {
        *w = window_behind(*w, end, simd_bits_not_bare);
        if (w->marks == 0)
            return NULL;
    }
    const char *behind = window_mark(w);
    size_t length = (size_t)(behind - p);
    if (*behind != ' ' || length - 1 >= limit)
        return NULL;
    bool nil = length == 1 && *p == '-';
    *value = (struct slice){nil ? NULL : p, nil ? 0 : length};
    return behind + 1;
}

/* From HOSTNAME to the SP behind MSGID, or NULL. */
static __attribute__((noinline)) const char *
usual_long_fields(struct window w, const char *p, const char *end, struct syslog_message *m)
{
    p = usual_field(&w, p, end, HOSTNAME_MAX, &m->hostname);
    p = usual_field(&w, p, end, APP_NAME_MAX, &m->appname);
    p = usual_field(&w, p, end, PROCID_MAX, &m->procid);
    p = usual_field(&w, p, end, MSGID_MAX, &m->msgid);
    return p ? p - 1 : NULL;
}

/* What lies between two places behind `p`; false where that is nothing, or no SP is behind it. */
static inline bool usual_value(const char *p, size_t from, size_t to, struct slice *value)
{
    size_t length = to - from;
    if (p[to] != ' ')
        return false;
    *value = (struct slice){p + from, length};
    if (length > 1)
        return true;
    if (p[from] == '-')
        *value = (struct slice){0};
    return length == 1;
}

/* The same where one window shows where all of them end. */
static inline const char *usual_fields(const char *p, const char *end, struct syslog_message *m)
{
    struct window w = window_at(p, end, simd_bits_not_bare);
    struct window_marks at;
    if (!window_four_marks(w, &at))
        return usual_long_fields(w, p, end, m);
    bool full = usual_value(p, 0, at.first, &m->hostname) &&
                usual_value(p, at.first + 1, at.second, &m->appname) &&
                usual_value(p, at.second + 1, at.third, &m->procid) &&
                usual_value(p, at.third + 1, at.fourth, &m->msgid);
    return full ? p + at.fourth : NULL;
}

/* What m->bare says of the fields in [p, behind). */
static inline bool usual_is_bare(const char *p, const char *behind, const char *end,
                                 const struct syslog_message *m)
{
    return (m->appname.len | m->procid.len | m->msgid.len) < SIMD_SIZE &&
           m->hostname.len <= 2 * SIMD_SIZE && end - p >= 2 * SIMD_SIZE &&
           end - behind >= SIMD_SIZE;
}

/*
 * From `p`, the beginning of a message, to the SP behind MSGID, or NULL. m->bare: TIMESTAMP and
 * HOSTNAME have two blocks at most, APP-NAME to MSGID less than one, so much can be read from where
 * each begins, and none has a '"' or '\\'.
 */
static inline __attribute__((always_inline)) const char *
usual_header(const char *p, const char *end, struct syslog_message *m)
{
    enum { ROOM = 48 }; /* PRI, VERSION and TIMESTAMP, with all that is touched behind them */
    p = end - p >= ROOM ? usual_start(p, m) : NULL;
    p = p ? usual_timestamp(p, m) : NULL;
    if (!p || *p != ' ')
        return NULL;
    const char *behind = usual_fields(p + 1, end, m);
    if (!behind)
        return NULL;
    m->bare = usual_is_bare(p + 1, behind, end, m);
    return m->bare || m->msgid.len <= MSGID_MAX ? behind : NULL;
}

#endif
