#include "load/message.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/report.h"
#include "base/utf8.h"
#include "load/crc32c.h"
#include "load/fields.h"

enum { NUMBER_MAX = 20, PADDING = '.' };

static const char crc_name[] = "\" crc=\"";

static struct slice text_slice(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void add(struct buffer *b, const char *text)
{
    buffer_add(b, text_slice(text));
}

static char *put(char *to, const struct buffer *b, size_t n)
{
    memcpy(to, b->at, n);
    return to + n;
}

static unsigned digits(uint64_t k)
{
    unsigned n = 1;
    for (uint64_t power = 10; n < NUMBER_MAX && k >= power; power *= 10)
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

static size_t stamp_length(const struct message_config *c)
{
    return c->timestamp ? 0 : c->format == FORMAT_RFC3164 ? TIMESTAMP_RFC3164 : TIMESTAMP_MAX;
}

static size_t mark_room(const struct message_mark *m)
{
    return m->lead.len + m->middle.len + 2 * NUMBER_MAX + sizeof crc_name - 1 + MARK_SUM_DIGITS;
}

static bool fits(const struct message_writer *w)
{
    const struct message_config *c = w->config;
    size_t least = w->before + (c->msgid ? 0 : NUMBER_MAX) +
                   (c->checksum ? mark_room(&w->mark) : 0) + w->tail.len;
    if (c->size && c->size < least) {
        report("--size%s: the parts before MSG can take %zu bytes", c->size_high ? "s" : "", least);
        return false;
    }
    if (c->frame == MESSAGE_LINE && (strchr(c->text, '\n') || strchr(c->sd, '\n'))) {
        report("%s: a line end in it wants --framing=octet",
               strchr(c->sd, '\n') ? "--sd" : "--message");
        return false;
    }
    return true;
}

static struct slice value_of(const char *text)
{
    struct slice none = {0};
    return strcmp(text, "-") == 0 ? none : text_slice(text);
}

static void mark_start(struct message_writer *w)
{
    const struct message_config *c = w->config;
    struct message_mark *m = &w->mark;
    char of[NUMBER_MAX + 1];
    crc32c_prepare();
    snprintf(of, sizeof of, "%" PRIu64, c->connections);
    add(&m->of, of);
    m->values = (struct mark_values){.pri = c->pri,
                                     .hostname = value_of(c->hostname),
                                     .appname = value_of(c->appname),
                                     .procid = value_of(c->procid),
                                     .run = text_slice(c->run),
                                     .of = {m->of.at, m->of.len}};
    if (c->timestamp)
        m->values.timestamp = value_of(c->timestamp);
    if (c->msgid)
        m->values.msgid = value_of(c->msgid);
    m->text_length = SIZE_MAX;
    add(&m->lead, " ");
    add(&m->lead, strcmp(c->sd, "-") == 0 ? "" : c->sd);
    add(&m->lead, "[" MARK_ID " run=\"");
    add(&m->lead, c->run);
    add(&m->lead, "\" conn=\"");
    add(&m->middle, "\" of=\"");
    add(&m->middle, of);
    add(&m->middle, "\" n=\"");
    add(&w->tail, "\"] ");
}

static void add_rfc5424(struct message_writer *w)
{
    const struct message_config *c = w->config;
    const char *const fields[] = {c->hostname, c->appname, c->procid, c->msgid ? c->msgid : ""};
    add(&w->head, "1 ");
    for (int i = 0; i < 4; i++) {
        add(&w->middle, " ");
        add(&w->middle, fields[i]);
    }
    if (c->checksum)
        return mark_start(w);
    add(&w->tail, " ");
    add(&w->tail, c->sd);
    add(&w->tail, " ");
}

static void add_rfc3164(struct message_writer *w)
{
    const struct message_config *c = w->config;
    add(&w->middle, " ");
    if (strcmp(c->hostname, "-") != 0) {
        add(&w->middle, c->hostname);
        add(&w->middle, " ");
    }
    add(&w->middle, c->appname);
    if (strcmp(c->procid, "-") != 0) {
        add(&w->middle, "[");
        add(&w->middle, c->procid);
        add(&w->middle, "]");
    }
    add(&w->middle, ": ");
    add(&w->tail, " ");
}

/* Text that is cut is cut between characters; what that leaves is padded. */
static inline __attribute__((always_inline)) char *put_text(const struct message_writer *w,
                                                            char *to, size_t n)
{
    struct slice text = {w->text.at, w->text_length};
    size_t whole = utf8_cut(text, n);
    if (n >= w->text_length || whole == n)
        return put(to, &w->text, n);
    memset(put(to, &w->text, whole), PADDING, n - whole);
    return to + n;
}

/* The sum over what all messages share, for a MSG that is `length` bytes with the tail. */
static void sum_text(struct message_writer *w, size_t length)
{
    static const char bom[] = "\xEF\xBB\xBF";
    struct message_mark *m = &w->mark;
    m->text.len = 0;
    char *end = put_text(w, buffer_room(&m->text, length), length);
    struct slice msg = slice_between(m->text.at + w->tail.len, end);
    if (msg.len >= 3 && memcmp(msg.at, bom, 3) == 0)
        msg = slice_between(msg.at + 3, end);
    m->values.msg = mark_text(msg, &m->canonical);
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

static size_t mark_length(const struct message_mark *m, const struct position *p)
{
    return m->lead.len + p->connection_digits + m->middle.len + p->number_digits + sizeof crc_name -
           1 + MARK_SUM_DIGITS;
}

/* Up to the digits of the sum, over a message that has all that stands before already. */
static char *put_mark(struct message_mark *m, const struct position *p, char *to)
{
    to = put(to, &m->lead, m->lead.len);
    m->values.connection = (struct slice){to, p->connection_digits};
    to = put_number(to, p->connection, p->connection_digits);
    to = put(to, &m->middle, m->middle.len);
    m->values.number = (struct slice){to, p->number_digits};
    to = put_number(to, p->number, p->number_digits);
    memcpy(to, crc_name, sizeof crc_name - 1);
    return mark_write_sum(to + sizeof crc_name - 1, mark_sum(m->sum_of_run, &m->values));
}

static unsigned count_digits(struct message_writer *w, uint64_t k)
{
    while (k >= w->next_digit && w->digits < NUMBER_MAX) {
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
    struct message_mark *m = &w->mark;
    struct position position;
    unsigned number = c->msgid ? 0 : count_digits(w, k);
    size_t before = w->before + number;
    if (marked) {
        position = position_of(w, k);
        before += mark_length(m, &position);
    }
    size_t text = c->size ? draw_size(w) - before : w->text.len;
    if (c->frame == MESSAGE_COUNTED) {
        to = put_number(to, before + text, digits(before + text));
        *to++ = ' ';
    }
    to = put(to, &w->head, w->head.len);
    const char *stamp = to;
    if (!c->timestamp)
        to = c->format == FORMAT_RFC3164 ? timestamp_write_rfc3164(&w->clock, ns, to)
                                         : timestamp_write(&w->clock, ns, to);
    if (marked && !c->timestamp)
        m->values.timestamp = slice_between(stamp, to);
    to = put(to, &w->middle, w->middle.len);
    if (marked && number)
        m->values.msgid = (struct slice){to, number};
    if (number)
        to = put_number(to, k, number);
    if (marked && text != m->text_length)
        sum_text(w, text);
    if (marked)
        to = put_mark(m, &position, to);
    to = put_text(w, to, text);
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

bool message_start(struct message_writer *w, const struct message_config *config)
{
    char pri[16];
    *w = (struct message_writer){.config = config,
                                 .random = random_start(config->seed, RANDOM_SIZES),
                                 .write = config->checksum ? write_marked : write_unmarked,
                                 .digits = 1,
                                 .next_digit = 10};
    if (!fields_valid(config))
        return false;
    snprintf(pri, sizeof pri, "<%u>", config->pri);
    add(&w->head, pri);
    if (config->format == FORMAT_RFC3164)
        add_rfc3164(w);
    else
        add_rfc5424(w);
    if (config->timestamp)
        add(&w->head, config->timestamp);
    buffer_add(&w->text, (struct slice){w->tail.at, w->tail.len});
    add(&w->text, config->text);
    w->text_length = w->text.len;
    uint64_t longest = config->size_high ? config->size_high : config->size;
    if (longest > w->text.len) {
        size_t more = (size_t)longest - w->text.len;
        memset(buffer_room(&w->text, more), PADDING, more);
        w->text.len += more;
    }
    w->before = w->head.len + stamp_length(config) + w->middle.len;
    w->room = w->before + w->text.len + 2 * NUMBER_MAX + 2 + mark_room(&w->mark);
    w->shortest =
        config->size ? (size_t)config->size : w->before + (config->msgid ? 0 : 1) + w->text.len;
    return fits(w);
}

void message_free(struct message_writer *w)
{
    buffer_free(&w->head);
    buffer_free(&w->middle);
    buffer_free(&w->tail);
    buffer_free(&w->text);
    buffer_free(&w->mark.of);
    buffer_free(&w->mark.lead);
    buffer_free(&w->mark.middle);
    buffer_free(&w->mark.text);
    buffer_free(&w->mark.canonical);
}
