#ifndef SHNEK_SYSLOG_USUAL_HEADER_H
#define SHNEK_SYSLOG_USUAL_HEADER_H

#include <endian.h>
#include <stdint.h>

#include "base/scan.h"
#include "syslog/calendar.h"
#include "syslog/message.h"
#include "syslog/parse.h"
#include "syslog/window.h"

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

/*
 * The end of the TIMESTAMP, which begins with a digit and has 41 bytes or more, or NULL. Minutes
 * and offsets stay the same for many messages, so the last ones are kept.
 */
static inline const char *usual_timestamp(const char *p, struct usual_time *last)
{
    if (memcmp(p, last->minute, sizeof last->minute) != 0) {
        if (!is_minute(p))
            return NULL;
        memcpy(last->minute, p, sizeof last->minute);
    }
    p += sizeof last->minute;
    if (!is_second(p))
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
    uint64_t offset = word_load(p, 0) << 16 | 1;
    if (offset != last->offset) {
        if (!is_offset(p))
            return NULL;
        last->offset = offset;
    }
    return p + 6;
}

/* "<34>1 2", of which it gives where the '2' is; it may be another digit. Or NULL. */
static inline const char *usual_start(const char *p, struct syslog_message *m)
{
    uint64_t two = word_load(p, USUAL_WORD("<00>1 0\0"));
    if ((two & 0x0000ffffff0000ff) == 0) {
        m->pri = byte(pairs(two), 1);
        return (not_digits(two) & 0x00ffffffffffffff) || m->pri < 10 ? NULL : p + 6;
    }
    uint64_t three = word_load(p, USUAL_WORD("<000>1 0"));
    if ((three & 0x00ffffff000000ff) || not_digits(three))
        return NULL;
    m->pri = byte(three, 1) * 100 + byte(pairs(three), 2);
    return m->pri - 100 > 191 - 100 ? NULL : p + 7;
}

/* The field at `p`, which is not before the window; gives what is behind its SP. */
static inline const char *usual_field(struct window *w, const char *p, const char *end,
                                      size_t limit, struct slice *value)
{
    if (!p)
        return NULL;
    if (w->marks == 0) {
        *w = window_behind(*w, end, block_bits_not_bare);
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

/*
 * From `p`, the beginning of a message, to the SP behind MSGID, or NULL. m->bare: TIMESTAMP and
 * HOSTNAME have two blocks at most, APP-NAME to MSGID less than one, so much can be read from where
 * each begins, and none has a '"' or '\\'.
 */
static inline __attribute__((always_inline)) const char *
usual_header(const char *p, const char *end, struct syslog_message *m)
{
    enum {
        ROOM = 48
    }; /* what PRI, VERSION and TIMESTAMP may be, with all that is touched behind */
    p = end - p >= ROOM ? usual_start(p, m) : NULL;
    const char *behind = p ? usual_timestamp(p, &m->time) : NULL;
    if (!behind || *behind != ' ')
        return NULL;
    m->timestamp = slice_between(p, behind);
    p = behind + 1;
    struct window window = window_at(p, end, block_bits_not_bare);
    p = usual_field(&window, p, end, HOSTNAME_MAX, &m->hostname);
    p = usual_field(&window, p, end, APP_NAME_MAX, &m->appname);
    p = usual_field(&window, p, end, PROCID_MAX, &m->procid);
    const char *msgid = p;
    p = usual_field(&window, p, end, MSGID_MAX, &m->msgid);
    if (!p)
        return NULL;
    m->bare = (m->appname.len | m->procid.len | m->msgid.len) < BLOCK &&
              m->hostname.len <= 2 * BLOCK && end - msgid >= BLOCK && end - behind > 2 * BLOCK;
    return p - 1;
}

#endif
