#include "syslog/rfc3164-fast.h"

#ifdef SHNEK_NO_FAST_PATH

bool rfc3164_fast_parse(struct rfc3164_fast *f, struct slice message, struct lenient_time *time,
                        struct syslog_message *m)
{
    (void)f;
    (void)message;
    (void)time;
    (void)m;
    return false;
}

#else

#include <assert.h>
#include <endian.h>
#include <strings.h>

#include "base/byte-scan.h"
#include "syslog/field-parse.h"
#include "syslog/pri.h"

enum {
    BSD_WORD_SIZE = sizeof(uint64_t),
    BSD_COUNTERS_MAX = 3,
    BSD_PID_MAX = 20,
    BSD_MINUTE_MIN = sizeof "Nov 22 17:00" - 1,
    BSD_MINUTE_MAX = sizeof "Nov 22 2026 17:00" - 1,
    BSD_SECOND_LEN = sizeof ":00" - 1,
    BSD_FRACTION_MAX = sizeof ".12345678" - 1,
    BSD_OFFSET_LEN = sizeof "+01:00" - 1,
    BSD_ZONE_MAX = sizeof " ABCDE" - 1,
    BSD_START_LEN = sizeof "2026-11-22T17:00:" - 1
};

static_assert(BSD_MINUTE_MIN >= 12 && BSD_MINUTE_MAX <= 20,
              "words at 0, 4 and before the end are the whole minute");
static_assert(BSD_FRACTION_MAX == 1 + BSD_WORD_SIZE, "the digits are read as a word");
static_assert(BSD_ZONE_MAX < BSD_WORD_SIZE && BSD_OFFSET_LEN < BSD_WORD_SIZE,
              "the zone and the byte after it are read as a word");
static_assert(sizeof((struct rfc3164_fast_minute *)0)->start == BSD_START_LEN,
              "the part before the second");
static_assert(BSD_START_LEN + 2 + BSD_FRACTION_MAX +
                      sizeof((struct rfc3164_fast_minute *)0)->zone <=
                  LENIENT_TIME_MAX,
              "all parts, copied whole");

/* Character classes. All other bytes end a word. */
enum {
    BSD_UPPER = 1,
    BSD_LOWER = 2,
    BSD_DIGIT = 4,
    BSD_DOT = 8,
    BSD_DASH = 16,
    BSD_UNDERSCORE = 32,
    BSD_TAG_SIGN = 64
};
enum {
    BSD_LETTER = BSD_UPPER | BSD_LOWER,
    BSD_HOST = BSD_LETTER | BSD_DIGIT | BSD_DOT | BSD_DASH | BSD_UNDERSCORE,
    BSD_TAG = BSD_HOST | BSD_TAG_SIGN
};

static const unsigned char bsd_classes[256] = {['A' ... 'Z'] = BSD_UPPER, ['a' ... 'z'] = BSD_LOWER,
                                               ['0' ... '9'] = BSD_DIGIT, ['.'] = BSD_DOT,
                                               ['-'] = BSD_DASH,          ['_'] = BSD_UNDERSCORE,
                                               ['/'] = BSD_TAG_SIGN,      ['@'] = BSD_TAG_SIGN};

static inline unsigned bsd_class(char c)
{
    return bsd_classes[(unsigned char)c];
}

/* Returns the first byte that has none of the classes, or end. */
static inline const char *bsd_skip(const char *p, const char *end, unsigned classes)
{
    for (; end - p >= 4; p += 4) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
            if (!(bsd_class(p[i]) & classes))
                return p + i;
    }
    while (p < end && bsd_class(*p) & classes)
        p++;
    return p;
}

/* Whether ": " is at `p`, with something after it. */
static inline bool bsd_is_colon(const char *p, const char *end)
{
    return end - p > 2 && memcmp(p, ": ", 2) == 0;
}

/* "<PRI>" without a leading zero, or NULL. */
static inline const char *bsd_pri(const char *p, const char *end, unsigned *pri)
{
    if (end - p < 5 || p[0] != '<' || !is_digit(p[1]))
        return NULL;
    unsigned number = (unsigned)(p[1] - '0');
    p += 2;
    if (*p != '>') {
        if (!is_digit(*p) || number == 0)
            return NULL;
        number = number * 10 + (unsigned)(*p++ - '0');
        if (*p != '>') {
            if (!is_digit(*p))
                return NULL;
            number = number * 10 + (unsigned)(*p++ - '0');
            if (number > PRI_MAX || *p != '>')
                return NULL;
        }
    }
    *pri = number;
    return p + 1;
}

/* Whether a word of letters is a level. */
static bool bsd_is_level_name(const char *name, size_t len)
{
    static const char *const levels[] = {
        [3] = "err",          [4] = "critinfowarn",   [5] = "alertdebugemergerrorfatalpanictrace",
        [6] = "noticesevere", [7] = "verbosewarning", [8] = "critical",
        [11] = "information", [13] = "informational"};
    if (len >= sizeof levels / sizeof *levels || !levels[len])
        return false;
    for (const char *level = levels[len]; *level; level += len)
        if ((*name | 32) == *level && strncasecmp(name, level, len) == 0)
            return true;
    return false;
}

/* Whether a word can be a level or FACILITY.SEVERITY: the letters at its end are a level. */
static inline bool bsd_is_level(const char *start, const char *end)
{
    const char *label = end;
    while (label > start && bsd_class(label[-1]) & BSD_LETTER)
        label--;
    return label < end && bsd_is_level_name(label, (size_t)(end - label));
}

/* Whether a word begins with AM or PM of a twelve-hour clock, and perhaps a fraction. */
static inline bool bsd_is_half_day(const char *start, const char *end)
{
    return end - start >= 2 && (start[1] | 32) == 'm' &&
           ((start[0] | 32) == 'a' || (start[0] | 32) == 'p') &&
           (end - start == 2 || start[2] == '.');
}

/*
 * Whether a word after a time, which begins with a letter or digit, can belong to it: a year, a
 * zone, AM or PM.
 */
static inline bool bsd_is_time_suffix(const char *start, const char *end)
{
    unsigned class = bsd_class(start[0]);
    if (class == BSD_DIGIT) /* but not an IPv4 address */
        return bsd_skip(start, end, BSD_DIGIT) == end ||
               bsd_skip(start, end, BSD_DIGIT | BSD_DOT) < end;
    if (end - start < 2 || bsd_is_half_day(start, end))
        return true;
    if (class == BSD_LOWER)
        return false;
    return bsd_skip(start, end, BSD_UPPER | BSD_DOT | BSD_DASH | BSD_UNDERSCORE) == end ||
           memcmp(start, "GM", 2) == 0 || memcmp(start, "UT", 2) == 0 ||
           memcmp(start, "TZ", 2) == 0;
}

/* Whether a word, after which there is another byte, is a host name or an IPv4 address. */
static inline bool bsd_is_host(const char *start, const char *end)
{
    const unsigned both_ends = BSD_LETTER | BSD_DIGIT;
    return bsd_class(*start) & both_ends && bsd_class(end[-1]) & both_ends &&
           !bsd_is_time_suffix(start, end) && !bsd_is_level(start, end);
}

/* The parts of a time. */
struct bsd_time {
    const char *minute;
    size_t minute_len;
    size_t fraction_len; /* with its '.' */
    const char *zone;
    size_t zone_len; /* with a SP before a name */
    bool colon;      /* a ':' and a mnemonic follow, else SP */
};

/* The length of the minute at `p`, or 0 if it has another form. */
static inline size_t bsd_minute_len(const char *p)
{
    if (p[3] == ' ' && p[6] == ' ') { /* Nov 22 17:00, or Nov 22 2026 17:00 */
        if (p[9] == ':')
            return 12;
        return p[11] == ' ' && p[14] == ':' ? 17 : 0;
    }
    if (p[4] == '-') /* 2026-11-22T17:00 */
        return p[10] == 'T' && p[13] == ':' ? 16 : 0;
    return p[4] == ' ' && p[11] == ' ' && p[14] == ':' ? 17 : 0; /* 2026 Nov 22 17:00 */
}

/*
 * Up to the zone, from which a word can be read. Nothing is known of the minute but its length; the
 * reference validates it and the zone.
 */
static inline const char *bsd_clock(const char *p, const char *end, struct bsd_time *t)
{
    if (end - p < BSD_MINUTE_MAX + BSD_SECOND_LEN)
        return NULL;
    t->minute = p;
    t->minute_len = bsd_minute_len(p);
    t->fraction_len = t->zone_len = 0;
    p += t->minute_len;
    if (t->minute_len == 0 || *p != ':' || p[1] < '0' || p[1] > '5' || !is_digit(p[2]))
        return NULL;
    p += BSD_SECOND_LEN;
    if (end - p < BSD_FRACTION_MAX)
        return NULL;
    if (*p == '.') {
        uint64_t word;
        memcpy(&word, p + 1, sizeof word);
        size_t digits = word_digits(word);
        if (digits == 0)
            return NULL;
        t->fraction_len = 1 + digits;
        p += t->fraction_len;
    }
    t->zone = p;
    return end - p < BSD_WORD_SIZE ? NULL : p;
}

/* 'Z', an offset, or nothing. */
static inline const char *bsd_offset(const char *p, struct bsd_time *t)
{
    if (*p == 'Z')
        t->zone_len = 1;
    else if ((*p == '+' || *p == '-') && p[3] == ':')
        t->zone_len = BSD_OFFSET_LEN;
    return p + t->zone_len;
}

/* A time of Cisco with its ": "; its zone is an offset, or a name of two to five capitals. */
static const char *bsd_cisco_time(const char *p, const char *end, struct bsd_time *t)
{
    if (p < end && (*p == '*' || *p == '.'))
        p++;
    p = bsd_clock(p, end, t);
    if (!p)
        return NULL;
    p = bsd_offset(p, t);
    if (t->zone_len == 0 && *p == ' ') {
        p = bsd_skip(p + 1, end, BSD_UPPER);
        t->zone_len = (size_t)(p - t->zone);
        if (t->zone_len < 3 || t->zone_len > BSD_ZONE_MAX)
            return NULL;
    }
    t->colon = true;
    return bsd_is_colon(p, end) ? p + 2 : NULL;
}

static inline uint64_t bsd_load(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

/* Asks the reference for the minute at one of its seconds. */
static bool bsd_ask(const struct bsd_time *t, const char *second, struct lenient_time *time,
                    struct slice *timestamp)
{
    static const char mnemonic[] = ": %A-1-A: m";
    static const char host[] = " h1 a: m";
    char text[BSD_MINUTE_MAX + BSD_SECOND_LEN + BSD_ZONE_MAX + sizeof mnemonic];
    char *to = (char *)mempcpy(text, t->minute, t->minute_len);
    to = (char *)mempcpy(to, second, BSD_SECOND_LEN);
    to = (char *)mempcpy(to, t->zone, t->zone_len);
    const char *expected = t->colon ? to + 1 : to;
    if (t->colon)
        to = (char *)mempcpy(to, mnemonic, sizeof mnemonic - 1);
    else
        to = (char *)mempcpy(to, host, sizeof host - 1);
    return lenient_time_read(time, text, to, timestamp) == expected &&
           timestamp->len - BSD_START_LEN - 2 <= BSD_OFFSET_LEN &&
           memcmp(timestamp->data + BSD_START_LEN - 1, second, BSD_SECOND_LEN) == 0;
}

static __attribute__((noinline)) bool bsd_fill(struct rfc3164_fast_minute *minute,
                                               const uint64_t *key, const struct bsd_time *t,
                                               struct lenient_time *time)
{
    struct slice first;
    struct slice last;
    char text[LENIENT_TIME_MAX];
    minute->key[0] = 0;
    if (!bsd_ask(t, ":00", time, &first))
        return false;
    memcpy(text, first.data, first.len);
    if (!bsd_ask(t, ":59", time, &last) || last.len != first.len)
        return false;
    const char *zone = last.data + BSD_START_LEN + 2;
    minute->zone_len = last.len - BSD_START_LEN - 2;
    if (memcmp(text, last.data, BSD_START_LEN) != 0 ||
        memcmp(text + BSD_START_LEN + 2, zone, minute->zone_len) != 0)
        return false;
    memcpy(minute->start, text, BSD_START_LEN);
    memcpy(minute->zone, zone, minute->zone_len);
    memcpy(minute->key, key, sizeof minute->key);
    return true;
}

/* The minute of a time; NULL if the reference does not accept it. */
static inline const struct rfc3164_fast_minute *
bsd_find_minute(struct rfc3164_fast *f, const struct bsd_time *t, struct lenient_time *time)
{
    static_assert(RFC3164_FAST_SLOTS == 8, "three bits of the hash");
    uint64_t zone = bsd_load(t->zone) & ((UINT64_C(1) << 8 * t->zone_len) - 1);
    const uint64_t key[4] = {bsd_load(t->minute), bsd_load(t->minute + 4),
                             bsd_load(t->minute + t->minute_len - BSD_WORD_SIZE),
                             zone << 1 | t->colon};
    if (f->now != time->now)
        *f = (struct rfc3164_fast){.now = time->now};
    uint64_t hash = (key[0] ^ key[2] ^ key[3]) * UINT64_C(0x9E3779B97F4A7C15);
    struct rfc3164_fast_minute *minute = &f->minutes[hash >> 61];
    uint64_t different = (key[0] ^ minute->key[0]) | (key[1] ^ minute->key[1]) |
                         (key[2] ^ minute->key[2]) | (key[3] ^ minute->key[3]);
    return different == 0 || bsd_fill(minute, key, t, time) ? minute : NULL;
}

/* Writes the time to time->text. */
static inline bool bsd_timestamp(struct rfc3164_fast *f, const struct bsd_time *t,
                                 struct lenient_time *time, struct slice *timestamp)
{
    const struct rfc3164_fast_minute *minute = bsd_find_minute(f, t, time);
    if (!minute)
        return false;
    char *to = time->text;
    memcpy(to, minute->start, BSD_START_LEN);
    memcpy(to + BSD_START_LEN, t->minute + t->minute_len + 1, 2 + BSD_FRACTION_MAX);
    to += BSD_START_LEN + 2 + t->fraction_len;
    memcpy(to, minute->zone, sizeof minute->zone);
    *timestamp = slice_between(time->text, to + minute->zone_len);
    return true;
}

/* m->rfc3164_verbatim, for a time, fields from `first` on, and MSG at `p`. */
static inline bool bsd_is_verbatim(const struct bsd_time *t, const char *first, const char *p,
                                   const char *end, const struct syslog_message *m)
{
    static_assert(BSD_START_LEN + 2 + sizeof ".123456" - 1 + BSD_OFFSET_LEN == 32,
                  "the longest TIMESTAMP that is copied as 32 bytes");
    return (m->appname.len | m->procid.len) < SIMD_SIZE && m->hostname.len <= 2 * SIMD_SIZE &&
           end - first >= 2 * SIMD_SIZE && end - p >= SIMD_SIZE &&
           t->fraction_len <= sizeof ".123456" - 1;
}

static inline const char *bsd_skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* MSG, unless a mnemonic may follow, which could make the TAG a host. */
static inline bool bsd_msg(const char *p, const char *end, struct syslog_message *m)
{
    m->msg = slice_between(skip_bom(p, end), end);
    p = bsd_skip_blanks(p, end);
    return p < end && *p != '%' && *p != ':';
}

/* "TAG[PID]: " or "TAG: ". Returns MSG. */
static inline const char *bsd_tag(const char *p, const char *end, struct syslog_message *m)
{
    const char *start = p;
    p = bsd_skip(p, end, BSD_TAG);
    if (p == end || !(bsd_class(*start) & BSD_LETTER))
        return NULL;
    m->appname = slice_between(start, p);
    m->procid = (struct slice){0};
    if (*p == '[') {
        const char *digits = ++p;
        p = bsd_skip(p, end, BSD_DIGIT);
        m->procid = slice_between(digits, p);
        if (m->procid.len - 1 >= BSD_PID_MAX || p == end || *p++ != ']')
            return NULL;
    } else if (bsd_is_level(start, p) || (p[-1] == 'F' && p - start <= 4)) {
        return NULL; /* also for CEF and LEEF */
    }
    return bsd_is_colon(p, end) ? p + 2 : NULL;
}

/*
 * Whether a TAG may follow the time directly: it is not a part of that, and there is no "NAME:
 * NAME:", of which the name would be a host.
 */
static inline bool bsd_is_first(const struct syslog_message *m, const char *msg, const char *end)
{
    struct slice tag = m->appname;
    if (m->procid.data)
        return !bsd_is_half_day(tag.data, tag.data + tag.len);
    msg = bsd_skip_blanks(msg, end);
    return !bsd_is_time_suffix(tag.data, tag.data + tag.len) &&
           !((size_t)(end - msg) > tag.len && strncasecmp(msg, tag.data, tag.len) == 0);
}

/* "TIME [HOST ]TAG[PID]: MSG". */
static inline bool bsd_unix(const char *p, const char *end, struct bsd_time *t,
                            struct syslog_message *m)
{
    p = bsd_clock(p, end, t);
    p = p ? bsd_offset(p, t) : NULL;
    t->colon = false;
    if (!p || *p != ' ')
        return false;
    const char *first = p + 1;
    const char *host_end = bsd_skip(first, end, BSD_HOST);
    bool has_host = host_end < end && *host_end == ' ';
    m->hostname = (struct slice){0};
    if (has_host) {
        if (!bsd_is_host(first, host_end))
            return false;
        m->hostname = slice_between(first, host_end);
    }
    p = bsd_tag(has_host ? host_end + 1 : first, end, m);
    if (!p)
        return false;
    if (!has_host && !bsd_is_first(m, p, end))
        return false;
    m->rfc3164_verbatim = bsd_is_verbatim(t, first, p, end, m);
    return bsd_msg(p, end, m);
}

/* "%FACILITY-SEVERITY-NAME: ". Returns MSG. */
static const char *bsd_mnemonic(const char *p, const char *end, struct syslog_message *m)
{
    if (*p != '%')
        return NULL;
    const char *start = p;
    p = bsd_skip(p + 1, end, BSD_UPPER | BSD_DIGIT | BSD_UNDERSCORE);
    if (p == end || *p != '-' || bsd_class(start[1]) != BSD_UPPER)
        return NULL;
    p = bsd_skip(p, end, BSD_LETTER | BSD_DIGIT | BSD_DASH | BSD_UNDERSCORE);
    m->appname = slice_between(start, p);
    m->procid = (struct slice){0};
    return bsd_is_colon(p, end) ? p + 2 : NULL;
}

/* Returns the byte after "COUNTER: ", or `p`. */
static inline const char *bsd_counter(const char *p, const char *end)
{
    const char *digits = bsd_skip(p, end, BSD_DIGIT);
    return digits > p && bsd_is_colon(digits, end) ? digits + 2 : p;
}

/* "[: ][COUNTER: ]...[HOST: [COUNTER: ]]TIME: MNEMONIC: MSG". */
static inline bool bsd_cisco(const char *p, const char *end, struct bsd_time *t,
                             struct syslog_message *m)
{
    const char *start = p;
    if (bsd_is_colon(p, end))
        p += 2;
    for (int i = 0; i < BSD_COUNTERS_MAX && is_digit(*p); i++)
        p = bsd_counter(p, end);
    const char *first = p;
    const char *host_end = bsd_skip(p, end, BSD_HOST);
    m->hostname = (struct slice){0};
    if (p > start && bsd_is_colon(host_end, end)) {
        if (!bsd_is_host(p, host_end))
            return false;
        m->hostname = slice_between(p, host_end);
        p = bsd_counter(host_end + 2, end);
    }
    const char *next = bsd_cisco_time(p, end, t);
    next = next ? bsd_mnemonic(next, end, m) : NULL;
    if (!next)
        return false;
    m->rfc3164_verbatim = bsd_is_verbatim(t, first, next, end, m);
    return bsd_msg(next, end, m);
}

bool rfc3164_fast_parse(struct rfc3164_fast *f, struct slice message, struct lenient_time *time,
                        struct syslog_message *m)
{
    const char *end = message.data + message.len;
    const char *p = bsd_pri(message.data, end, &m->pri);
    struct bsd_time t;
    if (!p || p == end || !(bsd_unix(p, end, &t, m) || bsd_cisco(p, end, &t, m)) ||
        !bsd_timestamp(f, &t, time, &m->timestamp))
        return false;
    m->bytes = message;
    m->version = 0;
    m->header_verbatim = false;
    m->msgid = (struct slice){0};
    m->sd.element_count = m->sd.param_count = 0;
    return true;
}

#endif
