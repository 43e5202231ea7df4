#include "load/message.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/byte-scan.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "load/field-check.h"
#include "load/profile.h"

static char *put(char *to, const struct buffer *b, size_t n)
{
    memcpy(to, b->data, n);
    return to + n;
}

static unsigned digits(uint64_t k)
{
    unsigned n = 1;
    for (uint64_t power = 10; n < BODY_NUMBER && k >= power; power *= 10)
        n++;
    return n;
}

/* Of digits(k) digits, two at a time. */
static char *put_number(char *to, uint64_t k, unsigned n)
{
    static const char pairs[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    char *end = to + n;
    char *p = end;
    for (; k >= 10; k /= 100) {
        p -= 2;
        memcpy(p, pairs + 2 * (k % 100), 2);
    }
    if (p > to)
        *to = (char)('0' + k);
    return end;
}

/* Text that is cut is cut between characters; what that leaves is padded. */
static inline __attribute__((always_inline)) char *put_text(const struct body *b, char *to,
                                                            size_t n)
{
    if (n >= b->text_length)
        return put(to, &b->text, n);
    size_t whole = utf8_truncate((struct slice){b->text.data, b->text_length}, n);
    memset(put(to, &b->text, whole), BODY_PADDING, n - whole);
    return to + n;
}

/* The sum over what all messages share, for a MSG that is `length` bytes with the tail. */
static void sum_text(struct message_writer *w, struct body *b, size_t length)
{
    static const char bom[] = "\xEF\xBB\xBF";
    struct body_mark *m = &b->mark;
    w->msg.len = 0;
    char *end = put_text(b, buffer_reserve(&w->msg, length), length);
    struct slice msg = slice_between(w->msg.data + b->tail, end);
    if (msg.len >= 3 && memcmp(msg.data, bom, 3) == 0)
        msg = slice_between(msg.data + 3, end);
    m->values.msg = (struct slice){0};
    if (!b->no_msg)
        m->values.msg = mark_text(msg, &w->canonical);
    m->sum_of_run = mark_sum_of_run(&m->values);
    m->text_length = length;
}

/* Where a message goes, and its number there. */
struct position {
    uint64_t connection;
    uint64_t number;
    unsigned connection_digits;
    unsigned number_digits;
};

static struct position position_of(const struct message_writer *w, uint64_t k)
{
    uint64_t connections = w->config->connections;
    struct position p = {.number = k};
    if (connections > 1) {
        p.connection = k % connections;
        p.number = k / connections;
    }
    p.connection_digits = digits(p.connection);
    p.number_digits = digits(p.number);
    return p;
}

static size_t mark_length(const struct body_mark *m, const struct position *p)
{
    return m->lead.len + p->connection_digits + m->middle.len + p->number_digits +
           sizeof BODY_CRC_NAME - 1 + MARK_SUM_DIGITS;
}

/* Up to the digits of the sum, over a message that has all that stands before already. */
static char *put_mark(struct body_mark *m, const struct position *p, char *to)
{
    to = put(to, &m->lead, m->lead.len);
    m->values.connection = (struct slice){to, p->connection_digits};
    to = put_number(to, p->connection, p->connection_digits);
    to = put(to, &m->middle, m->middle.len);
    m->values.number = (struct slice){to, p->number_digits};
    to = put_number(to, p->number, p->number_digits);
    memcpy(to, BODY_CRC_NAME, sizeof BODY_CRC_NAME - 1);
    return mark_write_sum(to + sizeof BODY_CRC_NAME - 1, mark_sum(m->sum_of_run, &m->values));
}

static unsigned count_digits(struct message_writer *w, uint64_t k)
{
    while (w->digits > 1 && k < w->next_digit / 10) {
        w->digits--;
        w->next_digit /= 10;
    }
    while (k >= w->next_digit && w->digits < BODY_NUMBER) {
        w->digits++;
        w->next_digit *= 10;
    }
    return w->digits;
}

static size_t draw_size(struct message_writer *w)
{
    const struct message_config *c = w->config;
    return (size_t)(c->size_high ? c->size + random_below(&w->random, c->size_high - c->size + 1)
                                 : c->size);
}

/* Made twice, so that messages without a mark do not pay for those with one. */
static inline __attribute__((always_inline)) char *write_as(struct message_writer *w, uint64_t k,
                                                            uint64_t ns, char *to, bool marked)
{
    const struct message_config *c = w->config;
    struct body *b = w->body;
    struct body_mark *m = &b->mark;
    struct position position;
    unsigned number = b->numbered ? count_digits(w, k) : 0;
    size_t before = b->before + number;
    if (marked) {
        position = position_of(w, k);
        before += mark_length(m, &position);
    }
    size_t text = c->size ? draw_size(w) - before : b->text.len;
    if (c->frame == MESSAGE_COUNTED) {
        to = put_number(to, before + text, digits(before + text));
        *to++ = ' ';
    }
    to = put(to, &b->head, b->head.len);
    char *stamp = to;
    if (b->stamped)
        to = c->format == MESSAGE_RFC3164
                 ? timestamp_write_rfc3164(&w->clock, ns, to)
                 : timestamp_write(b->utc ? &w->utc_clock : &w->clock, ns, to);
    if (marked && b->stamped)
        m->values.timestamp = slice_between(stamp, to);
    to = put(to, &b->middle, b->middle.len);
    if (marked && number)
        m->values.msgid = (struct slice){to, number};
    if (number)
        to = put_number(to, k, number);
    if (marked && text != m->text_length)
        sum_text(w, b, text);
    if (marked)
        to = put_mark(m, &position, to);
    to = put_text(b, to, text);
    if (c->frame == MESSAGE_LINE)
        *to++ = '\n';
    return to;
}

static char *write_marked(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    return write_as(w, k, ns, to, true);
}

static char *write_unmarked(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    return write_as(w, k, ns, to, false);
}

/* The pattern anew. */
static __attribute__((noinline)) void make_pattern(struct message_writer *w, uint64_t k,
                                                   uint64_t ns)
{
    const struct body *b = w->body;
    struct pattern *p = &w->pattern;
    p->bytes.len = 0;
    char *start = buffer_reserve(&p->bytes, w->room);
    buffer_commit(&p->bytes, write_unmarked(w, k, ns, start));
    char *head = start;
    if (w->config->frame == MESSAGE_COUNTED)
        head = (char *)memchr(start, ' ', p->bytes.len) + 1;
    p->digits = b->numbered ? w->digits : 0;
    p->number = head + b->before + p->digits;
    p->fraction = NULL;
    if (b->stamped && w->config->format == MESSAGE_RFC5424)
        p->fraction = head + b->head.len + TIMESTAMP_FRACTION;
    p->second = ns - ns % NS_PER_S;
}

/* So many more, unless that takes another digit. */
static bool count_on(struct pattern *p, uint64_t step)
{
    char *digit = p->number;
    for (char *first = digit - p->digits; step && digit > first; step /= 10) {
        step += (uint64_t)(*--digit - '0');
        *digit = (char)('0' + step % 10);
    }
    return p->digits == 0 || step == 0;
}

/* One more, in the way of most. */
static inline bool count_up(struct pattern *p)
{
    char *digit = p->number - 1;
    if (p->digits == 0 || *digit == '9')
        return count_on(p, 1);
    ++*digit;
    return true;
}

/* Copies the last message with another number and another time. */
static char *write_alike(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    struct pattern *p = &w->pattern;
    uint64_t since = ns - p->second;
    if (k != p->next || since >= NS_PER_S || !(w->step == 1 ? count_up(p) : count_on(p, w->step)))
        make_pattern(w, k, ns);
    else if (p->fraction)
        timestamp_fraction(since, p->fraction);
    p->next = k + w->step;
    const char *from = p->bytes.data;
    size_t length = p->bytes.len;
    for (size_t i = 0; i < length; i += SIMD_SIZE)
        simd_store(to + i, simd_load(from + i));
    return to + length;
}

/* Each with the next body in turn, or by chance. */
static char *write_next(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    size_t count = w->bodies.count;
    w->body = &w->bodies.all[w->by_chance ? random_below(&w->drawing, count) : k % count];
    return w->config->checksum ? write_marked(w, k, ns, to) : write_unmarked(w, k, ns, to);
}

static bool make_bodies(struct message_writer *w)
{
    const struct message_config *c = w->config;
    if (c->profile)
        return profile_bodies(&w->bodies, c, &w->by_chance);
    struct body *plain = bodies_add(&w->bodies);
    body_start(plain, c);
    return body_fits(plain, c);
}

bool message_start(struct message_writer *w, const struct message_config *config, uint64_t step)
{
    *w = (struct message_writer){.config = config,
                                 .step = step,
                                 .random = random_start(config->seed, RANDOM_SIZES),
                                 .drawing = random_start(config->seed, RANDOM_BODIES),
                                 .utc_clock = {.utc = true},
                                 .write = config->profile     ? write_next
                                          : config->checksum  ? write_marked
                                          : config->size_high ? write_unmarked
                                                              : write_alike,
                                 .pattern = {.next = UINT64_MAX},
                                 .shortest = SIZE_MAX,
                                 .digits = 1,
                                 .next_digit = 10};
    if (!fields_valid(config) || !make_bodies(w))
        return false;
    w->body = w->bodies.all;
    for (size_t i = 0; i < w->bodies.count; i++) {
        size_t longest = body_longest(&w->bodies.all[i], config);
        size_t shortest = body_shortest(&w->bodies.all[i], config);
        w->room = longest > w->room ? longest : w->room;
        w->shortest = shortest < w->shortest ? shortest : w->shortest;
    }
    w->room += BODY_NUMBER + 2 + SIMD_SIZE; /* the frame, and what a copy of blocks takes more */
    return true;
}

void message_free(struct message_writer *w)
{
    for (size_t i = 0; i < w->bodies.count; i++)
        body_free(&w->bodies.all[i]);
    free(w->bodies.all);
    kept_free(w->bodies.kept);
    buffer_free(&w->pattern.bytes);
    buffer_free(&w->msg);
    buffer_free(&w->canonical);
}
