#ifndef SHNEK_SYSLOG_USUAL_HEADER_H
#define SHNEK_SYSLOG_USUAL_HEADER_H

#include <endian.h>
#include <stdint.h>

#include "base/scan.h"
#include "syslog/calendar.h"
#include "syslog/message.h"
#include "syslog/parse.h"

/*
 * The straight way through a HEADER that is as most are: everything in its place, and something
 * behind it. Where it does not see that all is well it says
 * nothing of what is wrong: rfc5424.c looks again.
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

/* "hh:mm" and whatever follows, three bytes at least. */
static inline bool is_hour_minute(const char *p)
{
    uint64_t word = word_load(p, USUAL_WORD("00:00\0\0\0")) & 0xffffffffff;
    uint64_t number = pairs(word);
    return !(not_digits(word) | byte(word, 2)) && byte(number, 0) < 24 && byte(number, 3) < 60;
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

/* The end of the TIMESTAMP, 48 bytes before the end of the message at most, or NULL. */
static inline const char *usual_timestamp(const char *p, const char *end, char *minute)
{
    enum { ROOM = 48 }; /* the longest one, and what a load may touch behind it */
    if (end - p < ROOM)
        return NULL;
    if (memcmp(p, minute, USUAL_MINUTE) != 0) {
        if (!is_minute(p))
            return NULL;
        memcpy(minute, p, USUAL_MINUTE);
    }
    p += USUAL_MINUTE;
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

/* "<34>1 " */
static inline const char *usual_start(const char *p, const char *end, struct syslog_message *m)
{
    if (end - p < 8 || p[0] != '<')
        return NULL;
    unsigned number = (unsigned char)(p[1] - '0');
    unsigned second = (unsigned char)(p[2] - '0');
    unsigned third = (unsigned char)(p[3] - '0');
    if (number - 1 > 8 || second > 9)
        return NULL;
    number = number * 10 + second;
    p += 3;
    if (third <= 9) {
        number = number * 10 + third;
        p++;
    }
    if (number > 191 || p[0] != '>' || p[1] != '1' || p[2] != ' ')
        return NULL;
    m->facility = number / 8;
    m->severity = number % 8;
    return p + 3;
}

/* A field that a block does not hold. */
static inline const char *long_field(const char *p, const char *end, ptrdiff_t limit,
                                     struct slice *value)
{
    const char *behind = scan_print(p + BLOCK, end);
    if (behind == end || *behind != ' ' || behind - p > limit)
        return NULL;
    *value = slice_between(p, behind);
    return behind;
}

/* From the SP before a field to the one behind it. */
static inline const char *usual_field(const char *p, const char *end, ptrdiff_t limit,
                                      struct slice *value, bool *bare)
{
    if (!p || end - p <= BLOCK)
        return NULL;
    uint64_t mask = block_not_print(block_load(++p));
    if (!mask) {
        *bare = false;
        return long_field(p, end, limit, value);
    }
    size_t length = block_first(mask);
    if (length == 0 || p[length] != ' ')
        return NULL;
    bool nil = length == 1 && *p == '-';
    *value = (struct slice){nil ? NULL : p, nil ? 0 : length};
    return p + length;
}

/* From `p`, 16 bytes or more behind `start`, to `end`. Nothing before the fields can have one. */
static inline bool has_quote(const char *start, const char *p, const char *end)
{
    uint64_t found = 0;
    if (end - start < BLOCK)
        return true;
    for (; end - p > BLOCK; p += BLOCK)
        found |= block_is_quote(block_load(p));
    return (found | block_is_quote(block_load(end - BLOCK))) != 0;
}

/*
 * From `p`, the beginning of a message, to the SP behind MSGID, or NULL. m->bare: HOSTNAME to MSGID
 * are shorter than a block, a block can be read from where each begins, and none has a '"' or '\\'.
 */
static inline const char *usual_header(const char *p, const char *end, struct syslog_message *m)
{
    const char *start = p;
    bool bare = true;
    p = usual_start(p, end, m);
    const char *behind = p ? usual_timestamp(p, end, m->minute) : NULL;
    if (!behind || *behind != ' ')
        return NULL;
    m->timestamp = slice_between(p, behind);
    p = usual_field(behind, end, HOSTNAME_MAX, &m->hostname, &bare);
    p = usual_field(p, end, APP_NAME_MAX, &m->appname, &bare);
    p = usual_field(p, end, PROCID_MAX, &m->procid, &bare);
    p = usual_field(p, end, MSGID_MAX, &m->msgid, &bare);
    m->bare = p && bare && !has_quote(start, behind, p);
    return p;
}

#endif
