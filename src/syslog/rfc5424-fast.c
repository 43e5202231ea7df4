#include "syslog/rfc5424-fast.h"

#ifdef SHNEK_NO_FAST_PATH

bool rfc5424_fast_parse(struct slice message, struct syslog_message *m)
{
    (void)message;
    (void)m;
    return false;
}

#else

#include <assert.h>
#include <endian.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/byte-scan.h"
#include "syslog/calendar.h"
#include "syslog/field-parse.h"
#include "syslog/rfc5424.h"
#include "syslog/sd-merge.h"

enum {
    WINDOW = RFC5424_FAST_WINDOW,
    FAST_WORD_SIZE = sizeof(uint64_t),
    PRI_VERSION_MAX = sizeof "<191>1 " - 1,
    SECOND_POS = sizeof "2024-12-15T21:08" - 1,
    FRACTION_POS = sizeof "2024-12-15T21:08:09." - 1,
    FRACTION_MAX = 6,
    TIME_MAX = sizeof "2024-12-15T21:08:09.484123+09:00" - 1
};

static_assert(WINDOW % SIMD_SIZE == 0 && WINDOW < 64, "a bit of one word for each byte");
static_assert(WINDOW / SIMD_SIZE >= 1, "a block before the end of each message");
static_assert(PRI_VERSION_MAX + TIME_MAX < WINDOW, "the byte after TIMESTAMP is in the message");
static_assert(TIME_MAX <= 32 && PRI_VERSION_MAX + 32 <= WINDOW, "the promise of header_verbatim");
static_assert(PRI_VERSION_MAX + FRACTION_POS + FRACTION_MAX + FAST_WORD_SIZE <= WINDOW,
              "TIME-OFFSET, read as a word");
static_assert(PRI_VERSION_MAX + SECOND_POS + 2 * FAST_WORD_SIZE <= WINDOW,
              "second and fraction, read as two words");
static_assert(sizeof((struct timestamp_cache *)0)->minute == SECOND_POS &&
                  SECOND_POS % SIMD_SIZE == 0,
              "the minute, compared in blocks");
static_assert(sizeof((struct timestamp_cache *)0)->range == SECOND_POS,
              "the second, compared in as many blocks");
static_assert(SD_NAME_MAX + 2 < 64 && WINDOW + 2 < 64, "shifts by a name or value and two bytes");

/* Eight characters as a word, the first one in the lowest byte. */
#define FAST_BYTE(text, i) ((uint64_t)(unsigned char)(text)[i] << (8 * (i)))
#define FAST_WORD(text)                                                                            \
    (FAST_BYTE(text, 0) | FAST_BYTE(text, 1) | FAST_BYTE(text, 2) | FAST_BYTE(text, 3) |           \
     FAST_BYTE(text, 4) | FAST_BYTE(text, 5) | FAST_BYTE(text, 6) | FAST_BYTE(text, 7))

/* Loads eight bytes. Those equal to the pattern become 0, and a digit its value if that has '0'. */
static inline uint64_t fast_load(const char *p, uint64_t pattern)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word) ^ pattern;
}

/* The top bit of each byte that is more than 9; bytes above the first one may be wrong. */
static inline uint64_t fast_nondigits(uint64_t word)
{
    return ((word + FAST_WORD("vvvvvvvv")) | word) & FAST_WORD("\x80\x80\x80\x80\x80\x80\x80\x80");
}

/* Each byte becomes the two-digit number of itself and the next one. */
static inline uint64_t fast_pair_digits(uint64_t word)
{
    return word * 10 + (word >> 8);
}

static inline unsigned fast_byte(uint64_t word, unsigned i)
{
    return (unsigned)(word >> (8 * i)) & 0xff;
}

/* "<34>1 ", "<165>1 " or "<9>1 ". */
static inline const char *fast_pri_version(const char *p, struct syslog_message *m)
{
    uint64_t two = fast_load(p, FAST_WORD("<00>1 \0\0"));
    if ((two & 0x0000ffffff0000ff) == 0) {
        unsigned tens = fast_byte(two, 1);
        unsigned ones = fast_byte(two, 2);
        m->pri = tens * 10 + ones;
        return tens - 1 > 8 || ones > 9 ? NULL : p + 6;
    }
    uint64_t three = fast_load(p, FAST_WORD("<100>1 \0"));
    if ((three & 0x00ffffff0000ffff) == 0) {
        unsigned ones = fast_byte(three, 3);
        m->pri = 100 + fast_byte(three, 2) * 10 + ones;
        return ones > 9 || m->pri > 191 ? NULL : p + 7;
    }
    uint64_t one = fast_load(p, FAST_WORD("<0>1 \0\0\0"));
    m->pri = fast_byte(one, 1);
    return (one & 0x000000ffffff00ff) || m->pri > 9 ? NULL : p + 5;
}

/* "+hh:mm". */
static inline bool fast_is_offset(const char *p)
{
    uint64_t word = fast_load(p, FAST_WORD("\0"
                                           "00:00\0\0")) &
                    0xffffffffff00;
    uint64_t number = fast_pair_digits(word);
    return (*p == '+' || *p == '-') && !(fast_nondigits(word) | fast_byte(word, 3)) &&
           fast_byte(number, 1) < 24 && fast_byte(number, 4) < 60;
}

/* "YYYY-MM-DDThh:mm". */
static inline bool fast_is_minute(const char *p)
{
    uint64_t date = fast_load(p, FAST_WORD("0000-00-"));
    uint64_t time = fast_load(p + 8, FAST_WORD("00T00:00"));
    uint64_t separators = (date & 0xff0000ff00000000) | (time & 0x0000ff0000ff0000);
    if (fast_nondigits(date) | fast_nondigits(time) | separators)
        return false;
    date = fast_pair_digits(date);
    time = fast_pair_digits(time);
    unsigned month = fast_byte(date, 5);
    unsigned day = fast_byte(time, 0);
    if (month - 1 > 11 || day - 1 > 30 || fast_byte(time, 3) > 23 || fast_byte(time, 6) > 59)
        return false;
    int year = (int)(fast_byte(date, 0) * 100 + fast_byte(date, 2));
    return day <= 28 || (int)day <= calendar_days_in(year, (int)month);
}

/* ":ss"; 0x76 is added to the tens and 0x7a to the ones, which sets the top bit from 10 and 6 on.
 */
static inline bool fast_is_second(const char *p)
{
    uint64_t word = fast_load(p, FAST_WORD(":00\0\0\0\0\0")) & 0xffffff;
    return ((word | (word + 0x767a00)) & 0x8080ff) == 0;
}

/* The lowest bytes that may follow the minute; cache->range is how much higher they may be. */
static const char fast_second[16] = ":00.000000";

/* Whether the TIMESTAMP has the form of the last one, and its minute. */
static inline bool fast_is_cached(const char *p, const struct timestamp_cache *cache)
{
    simd_block different = simd_of_words(0, 0);
    for (size_t i = 0; i < sizeof cache->minute; i += SIMD_SIZE) {
        simd_block minute = simd_xor(simd_load(p + i), simd_load(cache->minute + i));
        simd_block second = simd_beyond(simd_load(p + SECOND_POS + i), simd_load(fast_second + i),
                                        simd_load(cache->range + i));
        different = simd_or(different, simd_or(minute, second));
    }
    return simd_is_zero(different);
}

static inline void fast_cache_time(struct timestamp_cache *cache, const char *p, size_t digits)
{
    static const char range[] = {0, 5, 9, 0}; /* of ":ss." */
    memcpy(cache->minute, p, sizeof cache->minute);
    memset(cache->range, 0xff, sizeof cache->range); /* any byte may follow */
    memcpy(cache->range, range, digits ? 4 : 3);
    memset(cache->range + 4, 9, digits);
    cache->offset_pos = digits ? FRACTION_POS + digits : FRACTION_POS - 1;
}

static inline const char *fast_time_offset(const char *p, struct timestamp_cache *cache)
{
    if (*p == 'Z')
        return p + 1;
    uint64_t offset = fast_load(p, 0) << 16 | 1; /* six bytes; never 0, the value of no offset */
    if (offset != cache->offset) {
        if (!fast_is_offset(p))
            return NULL;
        cache->offset = offset;
    }
    return p + 6;
}

/* NILVALUE, or a TIMESTAMP that is unlike the last one. */
static const char *fast_new_timestamp(const char *p, struct syslog_message *m)
{
    size_t digits = 0;
    m->timestamp = (struct slice){0};
    if (*p == '-')
        return p + 1;
    if (!fast_is_minute(p) || !fast_is_second(p + SECOND_POS))
        return NULL;
    if (p[FRACTION_POS - 1] == '.') {
        uint64_t word;
        memcpy(&word, p + FRACTION_POS, sizeof word);
        digits = word_digits(word);
        if (digits - 1 >= FRACTION_MAX)
            return NULL;
    }
    fast_cache_time(&m->cache, p, digits);
    const char *end = fast_time_offset(p + m->cache.offset_pos, &m->cache);
    if (end)
        m->timestamp = slice_between(p, end);
    return end;
}

/* Marks in the WINDOW bytes from `start` on, none of them at or past the end of the message. */
struct fast_window {
    const char *start;
    uint64_t marks;
};

static inline uint64_t fast_drop_first(uint64_t marks)
{
    return marks & (marks - 1);
}

static inline size_t fast_first(uint64_t marks)
{
    return (unsigned)__builtin_ctzll(marks);
}

/* Loads blocks of a window; none begins more than `last` bytes after `p`. */
static inline struct fast_window fast_window_load(const char *p, size_t last)
{
    uint64_t marks = 0;
#pragma GCC unroll 6
    for (size_t i = 0; i < WINDOW; i += SIMD_SIZE) {
        size_t pos = i < last ? i : last;
        marks |= simd_bits_not_verbatim(simd_load(p + pos)) << pos;
    }
    return (struct fast_window){p, marks};
}

/* The window of the last bytes: its blocks overlap, or the only one begins before `p`. */
static __attribute__((noinline)) struct fast_window fast_window_last(const char *p, const char *end)
{
    ptrdiff_t left = end - p;
    if (left >= SIMD_SIZE)
        return fast_window_load(p, (size_t)left - SIMD_SIZE);
    uint64_t marks =
        left > 0 ? simd_bits_not_verbatim(simd_load(end - SIMD_SIZE)) >> (SIMD_SIZE - left) : 0;
    return (struct fast_window){p, marks};
}

static inline struct fast_window fast_window_at(const char *p, const char *end)
{
    return end - p >= WINDOW ? fast_window_load(p, WINDOW - SIMD_SIZE) : fast_window_last(p, end);
}

/* The field at `p`, up to the next mark. Returns the byte after its SP. */
static const char *fast_long_field(struct fast_window *w, const char *p, const char *end,
                                   size_t max_len, struct slice *value)
{
    if (!p)
        return NULL;
    while (w->marks == 0 && end - w->start > WINDOW)
        *w = fast_window_at(w->start + WINDOW, end);
    if (w->marks == 0)
        return NULL;
    const char *mark = w->start + fast_first(w->marks);
    w->marks = fast_drop_first(w->marks);
    size_t len = (size_t)(mark - p);
    if (*mark != ' ' || len - 1 >= max_len)
        return NULL;
    bool nil = len == 1 && *p == '-';
    *value = (struct slice){nil ? NULL : p, nil ? 0 : len};
    return mark + 1;
}

/* The field in p[from, to); false if it is empty, or no SP follows. */
static inline bool fast_field(const char *p, size_t from, size_t to, struct slice *value)
{
    size_t len = to - from;
    if (p[to] != ' ')
        return false;
    *value = (struct slice){p + from, len};
    if (len > 1)
        return true;
    if (p[from] == '-')
        *value = (struct slice){0};
    return len == 1;
}

/* m->header_verbatim, for fields in [p, sp). */
static inline bool fast_is_verbatim(const char *p, const char *sp, const char *end,
                                    const struct syslog_message *m)
{
    return (m->appname.len | m->procid.len | m->msgid.len) < SIMD_SIZE &&
           m->hostname.len <= 2 * SIMD_SIZE && end - p >= 2 * SIMD_SIZE && end - sp >= SIMD_SIZE;
}

/* A bit for each byte from the cursor on, as many as are left of the window. */
struct fast_marks {
    uint64_t name;
    uint64_t value;
};

/* The state of 1*SD-ELEMENT. `sd` itself is in memory; these are in registers. */
struct fast_sd {
    const char *last; /* of the message; never a mark, so that a byte follows each mark */
    struct fast_marks marks;
    struct sd_param *param; /* the next free one */
    struct sd_param *capacity_end;
    uint32_t param_count;
    uint64_t param_names; /* a bit for the hash of each PARAM-NAME of the element; */
    uint64_t sd_ids;      /* of each SD-ID */
};

static __attribute__((noinline)) struct fast_marks fast_marks_load(const char *p, const char *last)
{
    struct fast_marks marks = {0, 0};
    if (p >= last)
        return marks;
    const char *start = last - p < WINDOW ? last - WINDOW : p;
#pragma GCC unroll 6
    for (size_t i = 0; i < WINDOW; i += SIMD_SIZE) {
        simd_block b = simd_load(start + i);
        marks.name |= simd_bits_not_sd(b) << i;
        marks.value |= simd_bits_not_value(b) << i;
    }
    return (struct fast_marks){marks.name >> (p - start), marks.value >> (p - start)};
}

/* Field by field: gcc 12 keeps a copy of both in memory if the struct is assigned. */
static inline void fast_sd_fill(struct fast_sd *s, const char *p)
{
    struct fast_marks marks = fast_marks_load(p, s->last);
    s->marks.name = marks.name;
    s->marks.value = marks.value;
}

static inline void fast_sd_advance(struct fast_sd *s, size_t n)
{
    s->marks.name >>= n;
    s->marks.value >>= n;
}

/* The length of the SD-NAME at `p`; an invalid length, 0 or over SD_NAME_MAX, if there is none. */
static inline size_t fast_name_len(struct fast_sd *s, const char *p)
{
    if (__builtin_expect(s->marks.name == 0, 0)) {
        fast_sd_fill(s, p);
        if (s->marks.name == 0)
            return 0;
    }
    return fast_first(s->marks.name);
}

/* Adds a name to a set of hashes. It may repeat if its bit is set already. */
static inline void fast_add_name(struct structured_data *sd, uint64_t *set, struct slice name)
{
    size_t hash =
        name.len * 8 + (unsigned char)name.data[0] + (unsigned char)name.data[name.len - 1];
    uint64_t bit = (uint64_t)1 << hash % 64;
    if (*set & bit)
        sd->is_simple = false;
    *set |= bit;
}

/* Whether the value ends in the window and is valid JSON as it is, including \" and \\. */
static inline bool fast_plain_value(const char *p, uint64_t marks, size_t *len)
{
    if (marks == 0)
        return false;
    *len = fast_first(marks);
    while (__builtin_expect(p[*len] != '"', 0)) {
        const char *mark = p + *len;
        if (*mark != '\\' || (mark[1] != '"' && mark[1] != '\\'))
            return false;
        marks &= ~((uint64_t)3 << *len);
        if (marks == 0)
            return false;
        *len = fast_first(marks);
    }
    return true;
}

/* Any other value, from its opening quote. */
static __attribute__((noinline)) const char *fast_other_value(const char *p, const char *end,
                                                              struct sd_param *param)
{
    struct defect unused;
    const struct parse_input in = {p, end, &unused};
    param->plain = param->escapes = param->repeats = param->more = false;
    return sd_parse_value(&in, p, param);
}

/* From the byte after the opening quote to the byte after the closing one. */
static inline const char *fast_value(struct fast_sd *s, const char *p, struct sd_param *param)
{
    if (s->marks.value == 0)
        fast_sd_fill(s, p);
    size_t len;
    if (__builtin_expect(fast_plain_value(p, s->marks.value, &len), 1)) {
        param->value = (struct slice){p, len};
        param->plain = true;
        param->escapes = param->repeats = param->more = false;
        fast_sd_advance(s, len + 2);
        return p + len + 1;
    }
    const char *next = fast_other_value(p - 1, s->last + 1, param);
    if (!next || next >= s->last)
        return NULL;
    if (next - p < WINDOW)
        fast_sd_advance(s, (size_t)(next + 1 - p));
    else
        s->marks.name = s->marks.value = 0;
    return next;
}

static inline struct sd_param *fast_new_param(struct fast_sd *s, struct structured_data *sd)
{
    if (s->param == s->capacity_end) {
        sd->params =
            array_grow(sd->params, &sd->param_capacity, s->param_count, sizeof *sd->params);
        s->param = sd->params + s->param_count;
        s->capacity_end = sd->params + sd->param_capacity;
    }
    s->param_count++;
    return s->param++;
}

/* SD-PARAM, from the byte after its SP to the byte after its closing quote. */
static inline const char *fast_param(struct fast_sd *s, const char *p, struct structured_data *sd)
{
    struct sd_param *param = fast_new_param(s, sd);
    size_t len = fast_name_len(s, p);
    if (len - 1 >= SD_NAME_MAX || memcmp(p + len, "=\"", 2) != 0)
        return NULL;
    param->name = (struct slice){p, len};
    fast_add_name(sd, &s->param_names, param->name);
    fast_sd_advance(s, len + 2);
    return fast_value(s, p + len + 2, param);
}

/* SD-ELEMENT, from the byte after its '[' to the byte after its ']'. */
static inline const char *fast_element(struct fast_sd *s, const char *p, struct structured_data *sd)
{
    struct sd_element *element = sd_new_element(sd);
    size_t len = fast_name_len(s, p);
    if (len - 1 >= SD_NAME_MAX)
        return NULL;
    element->id = (struct slice){p, len};
    element->first = s->param_count;
    element->repeats = element->more = false;
    fast_add_name(sd, &s->sd_ids, element->id);
    s->param_names = 0;
    fast_sd_advance(s, len + 1);
    p += len;
    while (*p == ' ') {
        p = fast_param(s, p + 1, sd);
        if (!p)
            return NULL;
    }
    element->end = s->param_count;
    fast_sd_advance(s, 1);
    return *p == ']' ? p + 1 : NULL;
}

/* 1*SD-ELEMENT, from its first '['. Returns the SP after it, or the end. */
static inline const char *fast_elements(const char *p, const char *end, struct structured_data *sd)
{
    sd->element_count = 0;
    sd->names_verbatim = sd->is_simple = true;
    if (!sd->params)
        sd->params = array_grow(NULL, &sd->param_capacity, 0, sizeof *sd->params);
    struct fast_sd s = {
        .last = end - 1, .param = sd->params, .capacity_end = sd->params + sd->param_capacity};
    do {
        p = fast_element(&s, p + 1, sd);
        if (!p)
            return NULL;
    } while (p < end && *p == '[');
    if (p < end && *p != ' ')
        return NULL;
    sd->param_count = s.param_count;
    if (!sd->is_simple)
        sd_merge(sd);
    if (end - p < SIMD_SIZE)
        sd->is_simple = false;
    return p;
}

/* Other than " - ": elements, or NILVALUE without MSG. */
static __attribute__((noinline)) bool fast_sd_msg(const char *p, const char *end,
                                                  struct syslog_message *m)
{
    p++;
    if (p == end)
        return false;
    if (*p == '[') {
        p = fast_elements(p, end, &m->sd);
    } else {
        m->sd.element_count = m->sd.param_count = 0;
        p = *p == '-' && p + 1 == end ? end : NULL;
    }
    if (!p)
        return false;
    m->msg = (struct slice){0};
    if (p < end)
        m->msg = slice_between(skip_bom(p + 1, end), end);
    return true;
}

/* From the SP after MSGID: STRUCTURED-DATA and MSG. */
static inline bool fast_body(const char *sp, const char *end, struct syslog_message *m)
{
    if (end - sp < 3 || memcmp(sp + 1, "- ", 2) != 0)
        return fast_sd_msg(sp, end, m);
    m->sd.element_count = m->sd.param_count = 0;
    m->msg = slice_between(skip_bom(sp + 3, end), end);
    return true;
}

/* From HOSTNAME on, if the four fields do not end within one window. */
static __attribute__((noinline)) bool fast_long_fields(struct fast_window w, const char *p,
                                                       const char *end, struct syslog_message *m)
{
    const char *hostname = p;
    p = fast_long_field(&w, p, end, HOSTNAME_MAX, &m->hostname);
    p = fast_long_field(&w, p, end, APP_NAME_MAX, &m->appname);
    p = fast_long_field(&w, p, end, PROCID_MAX, &m->procid);
    p = fast_long_field(&w, p, end, MSGID_MAX, &m->msgid);
    if (!p)
        return false;
    m->header_verbatim = fast_is_verbatim(hostname, p - 1, end, m);
    return fast_body(p - 1, end, m);
}

/* From HOSTNAME on. One window can contain a MSGID that is too long, and none of the others. */
static inline __attribute__((always_inline)) bool
fast_fields(struct fast_window w, const char *p, const char *end, struct syslog_message *m)
{
    static_assert(WINDOW <= APP_NAME_MAX + 1, "shorter than the limits of all but MSGID");
    uint64_t from_second = fast_drop_first(w.marks);
    uint64_t from_third = fast_drop_first(from_second);
    uint64_t from_fourth = fast_drop_first(from_third);
    if (from_fourth == 0)
        return fast_long_fields(w, p, end, m);
    size_t first = fast_first(w.marks);
    size_t second = fast_first(from_second);
    size_t third = fast_first(from_third);
    size_t fourth = fast_first(from_fourth);
    if (!fast_field(p, 0, first, &m->hostname) || !fast_field(p, first + 1, second, &m->appname) ||
        !fast_field(p, second + 1, third, &m->procid) ||
        !fast_field(p, third + 1, fourth, &m->msgid) || m->msgid.len > MSGID_MAX)
        return false;
    m->header_verbatim = fast_is_verbatim(p, p + fourth, end, m);
    return fast_body(p + fourth, end, m);
}

/* From HOSTNAME on, anywhere in a message. */
static __attribute__((noinline)) bool fast_fields_anywhere(const char *p, const char *end,
                                                           struct syslog_message *m)
{
    return fast_fields(fast_window_at(p, end), p, end, m);
}

/* From a TIMESTAMP that is unlike the last one. */
static __attribute__((noinline)) bool fast_uncached(const char *p, const char *end,
                                                    struct syslog_message *m)
{
    p = fast_new_timestamp(p, m);
    return p && *p == ' ' && fast_fields_anywhere(p + 1, end, m);
}

/* Any call of a function here is a tail call, so that no registers need to be saved. */
bool rfc5424_fast_parse(struct slice message, struct syslog_message *m)
{
    const char *end = message.data + message.len;
    const char *p = message.len > WINDOW ? fast_pri_version(message.data, m) : NULL;
    if (!p)
        return false;
    m->bytes = message;
    m->version = 1;
    const char *time_end =
        fast_is_cached(p, &m->cache) ? fast_time_offset(p + m->cache.offset_pos, &m->cache) : NULL;
    if (!time_end)
        return fast_uncached(p, end, m);
    if (*time_end != ' ')
        return false;
    m->timestamp = slice_between(p, time_end);
    p = time_end + 1;
    if (end - p < WINDOW)
        return fast_fields_anywhere(p, end, m);
    return fast_fields(fast_window_load(p, WINDOW - SIMD_SIZE), p, end, m);
}

#endif
