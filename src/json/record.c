#include "json/record.h"

#include <stdio.h>

#include "json/escape.h"
#include "json/raw.h"
#include "syslog/pri.h"

/* Writes a literal of at most 32 bytes in one store of 8, 16 or 32; the excess is overwritten
 * later. Returns the end of the literal. */
#define RECORD_PADDING         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define RECORD_PADDED(literal) (sizeof literal <= 9 ? 8 : sizeof literal <= 17 ? 16 : 32)
#define record_literal(to, literal)                                                                \
    ((char *)memcpy(to, literal RECORD_PADDING, RECORD_PADDED(literal)) + sizeof literal - 1)

/* A HEADER field, which is null or not empty. */
static inline char *record_field(char *to, struct slice value, const char *limit)
{
    return value.data ? json_quote_within(to, value, limit) : record_literal(to, "null");
}

/* The first bytes of a record, indexed by PRI. */
#define RECORD_HEAD(severity, facility)                                                            \
    {                                                                                              \
        "{\"severity\":\"" severity "\",\"facility\":\"" facility "\"",                            \
            sizeof "{'severity':'','facility':''" - 1 + sizeof severity - 1 + sizeof facility - 1  \
    }
#define RECORD_HEADS(facility) PRI_SEVERITIES(RECORD_HEAD, facility)
static const struct {
    char text[47];
    uint8_t length;
} record_heads[192] = {PRI_FACILITIES(RECORD_HEADS)};

static inline char *record_head(char *to, unsigned pri)
{
    memcpy(to, &record_heads[pri], sizeof record_heads[pri]);
    return to + record_heads[pri].length;
}

/* Digits only, without a leading zero, at most 2^63 - 1, so that a JSON reader can store it. */
static inline bool record_is_number(struct slice procid)
{
    static const char max[] = "9223372036854775807";
    size_t digits = sizeof max - 1;
    if (procid.len > digits || (procid.data[0] == '0' && procid.len > 1))
        return false;
    for (size_t i = 0; i < procid.len; i++)
        if (procid.data[i] < '0' || procid.data[i] > '9')
            return false;
    return procid.len < digits || memcmp(procid.data, max, digits) <= 0;
}

/* Most PROCIDs are a few digits that fit into one word. Stores a word in any case; returns whether
 * the PROCID in it is a number. */
static inline bool record_short_number(char *to, struct slice procid)
{
    uint64_t word;
    memcpy(&word, procid.data, sizeof word);
    memcpy(to, &word, sizeof word);
    return procid.len <= sizeof word && *procid.data != '0' && word_digits(word) >= procid.len;
}

/* Blocks of the message can be read up to here. */
static inline const char *record_limit(const struct syslog_message *m)
{
    return m->bytes.data + m->bytes.len;
}

static __attribute__((noinline)) char *record_procid(char *to, const struct syslog_message *m)
{
    struct slice value = m->procid;
    const char *limit = record_limit(m);
    if (!value.data)
        return record_literal(to, "null");
    if (limit - value.data >= (ptrdiff_t)sizeof(uint64_t) && record_short_number(to, value))
        return to + value.len;
    return record_is_number(value) ? json_copy(to, value) : record_field(to, value, limit);
}

/* Writes text and the closing quote; the opening one is already there. */
static inline char *record_fast_text(char *to, struct slice text, size_t blocks)
{
    for (size_t i = 0; i < blocks; i++)
        simd_store(to + i * SIMD_SIZE, simd_load(text.data + i * SIMD_SIZE));
    to[text.len] = '"';
    return to + 1 + text.len;
}

#define record_fast_field(to, name, value, blocks)                                                 \
    ((value).data ? record_fast_text(record_literal(to, name ":\""), value, blocks)                \
                  : record_literal(to, name ":null"))

static inline char *record_fast_procid(char *to, const struct syslog_message *m)
{
    if (!m->procid.data)
        return record_literal(to, "null");
    return record_short_number(to, m->procid) ? to + m->procid.len : record_procid(to, m);
}

/* "hostname" to "msgid". */
static inline __attribute__((always_inline)) char *
record_fast_fields(char *to, const struct syslog_message *m)
{
    to = record_fast_field(to, ",\"hostname\"", m->hostname, 2);
    to = record_fast_field(to, ",\"appname\"", m->appname, 1);
    to = record_fast_procid(record_literal(to, ",\"procid\":"), m);
    return record_fast_field(to, ",\"msgid\"", m->msgid, 1);
}

/* "version" to "msgid" of a message whose m->header_verbatim is set: no field needs an escape and
 * blocks can be read past its end. */
static inline char *record_fast_header(char *to, const struct syslog_message *m)
{
    to = record_fast_field(to, ",\"version\":1,\"timestamp\"", m->timestamp, 32 / SIMD_SIZE);
    return record_fast_fields(to, m);
}

/* The characters of a TIMESTAMP need no escape. */
static inline char *record_timestamp(char *to, struct slice value)
{
    if (!value.data)
        return record_literal(to, "null");
    *to++ = '"';
    to = json_copy(to, value);
    *to++ = '"';
    return to;
}

static __attribute__((noinline)) char *record_header(char *to, const struct syslog_message *m)
{
    const char *limit = record_limit(m);
    if (m->version == 0 && m->rfc3164_verbatim) {
        to = record_literal(to, ",\"version\":null,\"timestamp\":\"");
        to = record_fast_text(to, m->timestamp, 32 / SIMD_SIZE);
        return record_fast_fields(to, m);
    }
    if (m->version)
        to = record_literal(to, ",\"version\":1,\"timestamp\":");
    else
        to = record_literal(to, ",\"version\":null,\"timestamp\":");
    to = record_timestamp(to, m->timestamp);
    to = record_literal(to, ",\"hostname\":");
    to = record_field(to, m->hostname, limit);
    to = record_literal(to, ",\"appname\":");
    to = record_field(to, m->appname, limit);
    to = record_literal(to, ",\"procid\":");
    to = record_procid(to, m);
    to = record_literal(to, ",\"msgid\":");
    return record_field(to, m->msgid, limit);
}

/* A PARAM-VALUE with backslashes: \" \\ and \] are unescaped (RFC 5424, section 6.3.3), and the
 * result is escaped for JSON. */
static __attribute__((noinline)) char *record_unescaped_value(char *to, struct slice value)
{
    const char *end = value.data + value.len;
    const char *start = value.data;
    const char *p = start;
    while ((p = memchr(p, '\\', (size_t)(end - p)))) {
        if (p + 1 < end && (p[1] == '"' || p[1] == '\\' || p[1] == ']')) {
            to = json_escape(to, slice_between(start, p));
            start = ++p;
        }
        p++;
    }
    return json_escape(to, slice_between(start, end));
}

/* A PARAM-VALUE that is not plain, without its quotes. */
static inline char *record_escaped_value(char *to, const struct sd_param *param)
{
    return param->escapes ? record_unescaped_value(to, param->value)
                          : json_escape(to, param->value);
}

/* Whether a block can be read from each byte of the text and from its end. */
static inline bool record_has_blocks(struct slice text, const char *limit)
{
    return limit - (text.data + text.len) >= SIMD_SIZE;
}

/* Copies text in whole blocks; requires record_has_blocks(). */
static inline char *record_copy_blocks(char *to, struct slice text)
{
    simd_store(to, simd_load(text.data));
    if (__builtin_expect(text.len > SIMD_SIZE, 0))
        for (size_t i = SIMD_SIZE; i < text.len; i += SIMD_SIZE)
            simd_store(to + i, simd_load(text.data + i));
    return to + text.len;
}

/* An SD-NAME, which is an SD-ID or a PARAM-NAME. */
static inline char *record_sd_name(char *to, const struct structured_data *sd, struct slice name,
                                   const char *limit)
{
    if (!sd->names_verbatim || !record_has_blocks(name, limit))
        return json_quote_within(to, name, limit);
    *to++ = '"';
    to = record_copy_blocks(to, name);
    *to++ = '"';
    return to;
}

static char *record_param_value(char *to, const struct sd_param *param, const char *limit)
{
    *to++ = '"';
    if (!param->plain)
        to = record_escaped_value(to, param);
    else if (record_has_blocks(param->value, limit))
        to = record_copy_blocks(to, param->value);
    else
        to = json_copy(to, param->value);
    *to++ = '"';
    return to;
}

static char *record_param_values(char *to, const struct structured_data *sd,
                                 const struct sd_param *first, const char *limit)
{
    *to++ = '[';
    to = record_param_value(to, first, limit);
    for (const struct sd_param *p = first; p->more;) {
        p = &sd->params[p->next];
        *to++ = ',';
        to = record_param_value(to, p, limit);
    }
    *to++ = ']';
    return to;
}

/* A member with all values of its name, followed by a comma; nothing for a repeated name. */
static __attribute__((noinline)) char *record_param(char *to, const struct structured_data *sd,
                                                    const struct sd_param *p, const char *limit)
{
    if (p->repeats)
        return to;
    to = record_sd_name(to, sd, p->name, limit);
    *to++ = ':';
    to = p->more ? record_param_values(to, sd, p, limit) : record_param_value(to, p, limit);
    *to++ = ',';
    return to;
}

static char *record_params(char *to, const struct structured_data *sd, const struct sd_element *e,
                           const char *limit)
{
    for (uint32_t i = e->first; i < e->end; i++)
        to = record_param(to, sd, &sd->params[i], limit);
    return to;
}

/* An element merged with the later ones of its SD-ID, followed by a comma. */
static char *record_element(char *to, const struct structured_data *sd,
                            const struct sd_element *first, const char *limit)
{
    to = json_literal(record_sd_name(to, sd, first->id, limit), ":{");
    const char *start = to;
    to = record_params(to, sd, first, limit);
    for (const struct sd_element *e = first; e->more;) {
        e = &sd->elements[e->next];
        to = record_params(to, sd, e, limit);
    }
    to -= to != start;
    return json_literal(to, "},");
}

static __attribute__((noinline)) char *
record_structured_data(char *to, const struct structured_data *sd, const char *limit)
{
    *to++ = '{';
    for (uint32_t i = 0; i < sd->element_count; i++)
        if (!sd->elements[i].repeats)
            to = record_element(to, sd, &sd->elements[i], limit);
    to[-1] = '}';
    return to;
}

/* Stores four bytes as one word, of which the first len count. */
static inline char *record_store_word(char *to, const char *bytes, size_t len)
{
    memcpy(to, bytes, 4);
    return to + len;
}

/* The functions below write from after an opening quote to after the next opening quote, if
 * sd->is_simple is set: nothing repeats, names need no escape, and blocks can be read past the end.
 */
static inline char *record_fast_param(char *to, const struct sd_param *p)
{
    to = record_store_word(record_copy_blocks(to, p->name), "\":\"", 3);
    to = p->plain ? record_copy_blocks(to, p->value) : record_escaped_value(to, p);
    return record_store_word(to, "\",\"", 3);
}

/* An element. Without parameters, the quote for the first one is overwritten. */
static inline char *record_fast_element(char *to, const struct sd_element *e,
                                        const struct sd_param *p, const struct sd_param *end)
{
    to = record_store_word(record_copy_blocks(to, e->id), "\":{\"", 4);
    if (p == end)
        return record_store_word(to - 1, "},\"", 3);
    do
        to = record_fast_param(to, p++);
    while (p < end);
    return record_store_word(to - 2, "},\"", 3);
}

/* Not inlined: record_write() would save registers for it even for messages without SD. */
static __attribute__((noinline)) char *record_fast_structured_data(char *to,
                                                                   const struct structured_data *sd)
{
    const struct sd_element *end = sd->elements + sd->element_count;
    const struct sd_param *params = sd->params;
    to = json_literal(to, "{\"");
    for (const struct sd_element *e = sd->elements; e < end; e++)
        to = record_fast_element(to, e, params + e->first, params + e->end);
    to[-2] = '}';
    return to - 1;
}

#define RECORD_END "}\n"

/* MSG and the end of the record; the opening quote is already written, and removed for null. */
static inline char *record_msg_and_end(char *to, struct slice msg)
{
    return msg.data ? record_literal(json_escape(to, msg), "\"" RECORD_END)
                    : record_literal(to - 1, "null" RECORD_END);
}

void record_write(struct buffer *out, const struct syslog_message *m)
{
    /* JSON adds less than six times the bytes of a message, and FIXED_LEN for keys and nulls. */
    enum { FIXED_LEN = 512 };
    char *to = buffer_reserve(out, FIXED_LEN + JSON_STRING_CAPACITY(m->bytes.len));
    to = record_head(to, m->pri);
    to = m->header_verbatim ? record_fast_header(to, m) : record_header(to, m);
    if (m->sd.element_count == 0) {
        to = record_literal(to, ",\"sd\":{},\"msg\":\"");
    } else {
        to = record_literal(to, ",\"sd\":");
        to = m->sd.is_simple ? record_fast_structured_data(to, &m->sd)
                             : record_structured_data(to, &m->sd, record_limit(m));
        to = record_literal(to, ",\"msg\":\"");
    }
    buffer_commit(out, record_msg_and_end(to, m->msg));
}

void record_append_extras(struct buffer *out, const struct record_extras *extras)
{
    enum { FIXED_LEN = 64 };
    out->len -= sizeof RECORD_END - 1;
    char *to = buffer_reserve(out, FIXED_LEN + extras->meta.len + RAW_CAPACITY(extras->raw.len));
    if (extras->meta.data)
        to = json_copy(to, extras->meta);
    if (extras->raw.data)
        to = raw_write(to, extras->raw);
    buffer_commit(out, record_literal(to, RECORD_END));
}

static bool record_transport_is(const struct record_origin *origin, const char *name)
{
    return slice_equal(origin->transport, (struct slice){name, strlen(name)});
}

bool record_is_file(const struct record_origin *origin)
{
    return record_transport_is(origin, "file");
}

struct slice record_network_transport(const struct record_origin *origin)
{
    if (record_is_file(origin) || record_transport_is(origin, "stdin"))
        return (struct slice){0};
    if (record_transport_is(origin, "tls"))
        return (struct slice){"tcp", 3};
    return record_transport_is(origin, "unixgram") ? (struct slice){"unix", 4} : origin->transport;
}

void record_format_meta(struct buffer *out, const struct record_origin *origin)
{
    const struct peer *sender = origin->sender;
    char *to = buffer_reserve(out, RECORD_META_CAPACITY(origin));
    to = json_quote(json_literal(to, ",\"peer\":"), origin->peer);
    to = json_quote(json_literal(to, ",\"transport\":"), origin->transport);
    to = json_quote(json_literal(to, ",\"received\":"), origin->received);
    if (*sender->ip)
        to += sprintf(to, ",\"peer_ip\":\"%s\",\"peer_port\":%u", sender->ip, sender->port);
    if (sender->subject)
        to = json_quote(json_literal(to, ",\"peer_subject\":"),
                        (struct slice){sender->subject, strlen(sender->subject)});
    if (sender->has_credentials)
        to +=
            sprintf(to, ",\"uid\":%lu,\"pid\":%ld", (unsigned long)sender->uid, (long)sender->pid);
    buffer_commit(out, to);
}

char *record_put_procid(char *to, const struct syslog_message *m)
{
    return record_procid(to, m);
}

bool record_has_numeric_procid(const struct syslog_message *m)
{
    return m->procid.data && record_is_number(m->procid);
}

char *record_put_structured_data(char *to, const struct syslog_message *m)
{
    if (m->sd.element_count == 0)
        return json_literal(to, "{}");
    return m->sd.is_simple ? record_fast_structured_data(to, &m->sd)
                           : record_structured_data(to, &m->sd, record_limit(m));
}

char *record_put_sd_name(char *to, const struct structured_data *sd, struct slice name,
                         const char *limit)
{
    return record_sd_name(to, sd, name, limit);
}

char *record_put_param_value(char *to, const struct sd_param *param, const char *limit)
{
    return record_param_value(to, param, limit);
}
