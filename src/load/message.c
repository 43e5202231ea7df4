#include "load/message.h"

#include "base/byte-scan.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "load/field-check.h"
#include "load/profile.h"

static char *message_put(char *to, const struct buffer *b, size_t n)
{
    memcpy(to, b->data, n);
    return to + n;
}

static unsigned message_count_digits(uint64_t k)
{
    unsigned n = 1;
    for (uint64_t power = 10; n < TEMPLATE_NUMBER_MAX && k >= power; power *= 10)
        n++;
    return n;
}

/* Writes k, which has n digits, two digits at a time. */
static char *message_put_number(char *to, uint64_t k, unsigned n)
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

/* Writes n bytes of the text. It is truncated between characters, and padded if that leaves space.
 */
static inline __attribute__((always_inline)) char *message_put_text(const struct template *t,
                                                                    char *to, size_t n)
{
    if (n >= t->text_len)
        return message_put(to, &t->text, n);
    size_t whole = utf8_truncate((struct slice){t->text.data, t->text_len}, n);
    memset(message_put(to, &t->text, whole), TEMPLATE_PADDING, n - whole);
    return to + n;
}

/* Computes the shared checksum for a text of `len` bytes. Receivers drop a leading BOM of MSG. */
static void message_update_shared_crc(struct message_writer *w, struct template *t, size_t len)
{
    static const char bom[] = "\xEF\xBB\xBF";
    struct template_sequence *s = &t->sequence;
    w->msg.len = 0;
    char *end = message_put_text(t, buffer_reserve(&w->msg, len), len);
    struct slice msg = slice_between(w->msg.data + t->prefix_len, end);
    if (msg.len >= 3 && memcmp(msg.data, bom, 3) == 0)
        msg = slice_between(msg.data + 3, end);
    s->values.msg = (struct slice){0};
    if (!t->no_msg)
        s->values.msg = sequence_normalize_msg(msg, &w->normalized);
    s->shared_crc = sequence_compute_shared_crc(&s->values);
    s->text_len = len;
}

/* The connection of message k, and its number on that connection. */
struct message_position {
    uint64_t connection;
    uint64_t number;
    unsigned connection_digits;
    unsigned number_digits;
};

static struct message_position message_locate(const struct message_writer *w, uint64_t k)
{
    uint64_t connections = w->config->connection_count;
    struct message_position p = {.number = k};
    if (connections > 1) {
        p.connection = k % connections;
        p.number = k / connections;
    }
    p.connection_digits = message_count_digits(p.connection);
    p.number_digits = message_count_digits(p.number);
    return p;
}

static size_t message_sequence_len(const struct template_sequence *s,
                                   const struct message_position *p)
{
    return s->lead.len + p->connection_digits + s->middle.len + p->number_digits +
           sizeof TEMPLATE_CRC_PARAM - 1 + SEQUENCE_CRC_DIGITS;
}

/* Writes the element up to the digits of its checksum. The values before it must be set. */
static char *message_put_sequence(struct template_sequence *s, const struct message_position *p,
                                  char *to)
{
    to = message_put(to, &s->lead, s->lead.len);
    s->values.connection = (struct slice){to, p->connection_digits};
    to = message_put_number(to, p->connection, p->connection_digits);
    to = message_put(to, &s->middle, s->middle.len);
    s->values.number = (struct slice){to, p->number_digits};
    to = message_put_number(to, p->number, p->number_digits);
    memcpy(to, TEMPLATE_CRC_PARAM, sizeof TEMPLATE_CRC_PARAM - 1);
    return sequence_write_crc(to + sizeof TEMPLATE_CRC_PARAM - 1,
                              sequence_compute_crc(s->shared_crc, &s->values));
}

/* Returns the number of digits of k; fast if k is close to the last one. */
static unsigned message_track_digits(struct message_writer *w, uint64_t k)
{
    while (w->number_digits > 1 && k < w->digits_until / 10) {
        w->number_digits--;
        w->digits_until /= 10;
    }
    while (k >= w->digits_until && w->number_digits < TEMPLATE_NUMBER_MAX) {
        w->number_digits++;
        w->digits_until *= 10;
    }
    return w->number_digits;
}

static size_t message_draw_size(struct message_writer *w)
{
    const struct message_config *c = w->config;
    return (size_t)(c->size_max ? c->size + random_below(&w->size_random, c->size_max - c->size + 1)
                                : c->size);
}

/* Inlined twice, so that messages without a sequence element do not pay for it. */
static inline __attribute__((always_inline)) char *message_write_template(struct message_writer *w,
                                                                          uint64_t k, uint64_t ns,
                                                                          char *to,
                                                                          bool with_sequence)
{
    const struct message_config *c = w->config;
    struct template *t = w->template;
    struct template_sequence *s = &t->sequence;
    struct message_position position;
    unsigned digits = t->has_number ? message_track_digits(w, k) : 0;
    size_t header_len = t->before_number_len + digits;
    if (with_sequence) {
        position = message_locate(w, k);
        header_len += message_sequence_len(s, &position);
    }
    size_t text_len = c->size ? message_draw_size(w) - header_len : t->text.len;
    if (c->framing == MESSAGE_OCTET_COUNTED) {
        to = message_put_number(to, header_len + text_len,
                                message_count_digits(header_len + text_len));
        *to++ = ' ';
    }
    to = message_put(to, &t->head, t->head.len);
    char *timestamp = to;
    if (t->has_timestamp)
        to = c->format == MESSAGE_RFC3164
                 ? timestamp_write_rfc3164(&w->clock, ns, to)
                 : timestamp_write(t->utc ? &w->utc_clock : &w->clock, ns, to);
    if (with_sequence && t->has_timestamp)
        s->values.timestamp = slice_between(timestamp, to);
    to = message_put(to, &t->middle, t->middle.len);
    if (with_sequence && digits)
        s->values.msgid = (struct slice){to, digits};
    if (digits)
        to = message_put_number(to, k, digits);
    if (with_sequence && text_len != s->text_len)
        message_update_shared_crc(w, t, text_len);
    if (with_sequence)
        to = message_put_sequence(s, &position, to);
    to = message_put_text(t, to, text_len);
    if (c->framing == MESSAGE_NEWLINE)
        *to++ = '\n';
    return to;
}

static char *message_write_sequenced(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    return message_write_template(w, k, ns, to, true);
}

static char *message_write_plain(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    return message_write_template(w, k, ns, to, false);
}

/* Writes a whole message, and remembers the positions of its variable parts. */
static __attribute__((noinline)) void message_reset_pattern(struct message_writer *w, uint64_t k,
                                                            uint64_t ns)
{
    const struct template *t = w->template;
    struct message_pattern *p = &w->pattern;
    p->bytes.len = 0;
    char *start = buffer_reserve(&p->bytes, w->space);
    buffer_commit(&p->bytes, message_write_plain(w, k, ns, start));
    char *head = start;
    if (w->config->framing == MESSAGE_OCTET_COUNTED)
        head = (char *)memchr(start, ' ', p->bytes.len) + 1;
    p->digits = t->has_number ? w->number_digits : 0;
    p->number = head + t->before_number_len + p->digits;
    p->fraction = NULL;
    if (t->has_timestamp && w->config->format == MESSAGE_RFC5424)
        p->fraction = head + t->head.len + TIMESTAMP_FRACTION;
    p->second_ns = ns - ns % NS_PER_S;
}

/* Adds to the number. Returns false if the result has more digits. */
static bool message_pattern_add(struct message_pattern *p, uint64_t step)
{
    char *digit = p->number;
    for (char *first = digit - p->digits; step && digit > first; step /= 10) {
        step += (uint64_t)(*--digit - '0');
        *digit = (char)('0' + step % 10);
    }
    return p->digits == 0 || step == 0;
}

static inline bool message_pattern_increment(struct message_pattern *p)
{
    char *digit = p->number - 1;
    if (p->digits == 0 || *digit == '9')
        return message_pattern_add(p, 1);
    ++*digit;
    return true;
}

/* Updates number and fraction of the last message, and copies it. */
static char *message_write_pattern(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    struct message_pattern *p = &w->pattern;
    uint64_t since = ns - p->second_ns;
    if (k != p->next_number || since >= NS_PER_S ||
        !(w->step == 1 ? message_pattern_increment(p) : message_pattern_add(p, w->step)))
        message_reset_pattern(w, k, ns);
    else if (p->fraction)
        timestamp_fraction(since, p->fraction);
    p->next_number = k + w->step;
    const char *from = p->bytes.data;
    size_t len = p->bytes.len;
    for (size_t i = 0; i < len; i += SIMD_SIZE)
        simd_store(to + i, simd_load(from + i));
    return to + len;
}

static char *message_write_profile(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    size_t count = w->templates.count;
    w->template =
        &w->templates.items[w->random_order ? random_below(&w->template_random, count) : k % count];
    return w->config->checksum ? message_write_sequenced(w, k, ns, to)
                               : message_write_plain(w, k, ns, to);
}

static bool message_load_templates(struct message_writer *w)
{
    const struct message_config *c = w->config;
    if (c->profile)
        return profile_load(&w->templates, c, &w->random_order);
    struct template *t = template_set_add(&w->templates);
    template_init(t, c);
    return template_check(t, c);
}

bool message_writer_init(struct message_writer *w, const struct message_config *config,
                         uint64_t step)
{
    *w = (struct message_writer){.config = config,
                                 .step = step,
                                 .size_random = random_init(config->seed, RANDOM_SIZES),
                                 .template_random = random_init(config->seed, RANDOM_TEMPLATES),
                                 .utc_clock = {.utc = true},
                                 .write = config->profile    ? message_write_profile
                                          : config->checksum ? message_write_sequenced
                                          : config->size_max ? message_write_plain
                                                             : message_write_pattern,
                                 .pattern = {.next_number = UINT64_MAX},
                                 .min_len = SIZE_MAX,
                                 .number_digits = 1,
                                 .digits_until = 10};
    if (!field_check_config(config) || !message_load_templates(w))
        return false;
    w->template = w->templates.items;
    for (size_t i = 0; i < w->templates.count; i++) {
        size_t max_len = template_max_len(&w->templates.items[i], config);
        size_t min_len = template_min_len(&w->templates.items[i], config);
        w->space = max_len > w->space ? max_len : w->space;
        w->min_len = min_len < w->min_len ? min_len : w->min_len;
    }
    w->space += TEMPLATE_NUMBER_MAX + 2 + SIMD_SIZE; /* framing, and the end of the last block */
    return true;
}

void message_writer_free(struct message_writer *w)
{
    template_set_free(&w->templates);
    buffer_free(&w->pattern.bytes);
    buffer_free(&w->msg);
    buffer_free(&w->normalized);
}
