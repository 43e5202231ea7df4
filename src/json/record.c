#include "json/record.h"

#include "syslog/pri.h"
#include "json/escape.h"

/* A literal of at most 32 bytes, stored as 8, 16 or 32: room behind it is written over. */
#define PADDING         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define PADDED(literal) (sizeof literal <= 9 ? 8 : sizeof literal <= 17 ? 16 : 32)
#define json_fixed(to, literal)                                                                    \
    ((char *)memcpy(to, literal PADDING, PADDED(literal)) + sizeof literal - 1)

/* A field of the HEADER, which is not empty. */
static inline char *field(char *to, struct slice value, const char *limit)
{
    return value.data ? json_quote_within(to, value, limit) : json_fixed(to, "null");
}

/* What begins a record, by PRI. */
#define HEAD(severity, facility)                                                                   \
    {                                                                                              \
        "{\"severity\":\"" severity "\",\"facility\":\"" facility "\"",                            \
            sizeof "{'severity':'','facility':''" - 1 + sizeof severity - 1 + sizeof facility - 1  \
    }
#define HEADS(facility) PRI_SEVERITIES(HEAD, facility)
static const struct {
    char text[47];
    uint8_t length;
} heads[192] = {PRI_FACILITIES(HEADS)};

static inline char *head(char *to, unsigned pri)
{
    memcpy(to, &heads[pri], sizeof heads[pri]);
    return to + heads[pri].length;
}

/* Digits only, no leading zero, at most 2^63 - 1: whoever reads the JSON can hold it. */
static inline bool is_number(struct slice procid)
{
    static const char most[] = "9223372036854775807";
    size_t digits = sizeof most - 1;
    if (procid.len > digits || (procid.data[0] == '0' && procid.len > 1))
        return false;
    for (size_t i = 0; i < procid.len; i++)
        if (procid.data[i] < '0' || procid.data[i] > '9')
            return false;
    return procid.len < digits || memcmp(procid.data, most, digits) <= 0;
}

/* Most are a few digits, which a word takes whole: then it is written, and more room than it needs.
 */
static inline bool short_number(char *to, struct slice procid)
{
    uint64_t word;
    memcpy(&word, procid.data, sizeof word);
    memcpy(to, &word, sizeof word);
    return procid.len <= sizeof word && *procid.data != '0' && word_digits(word) >= procid.len;
}

/* Up to where blocks of it can be read. */
static inline const char *limit_of(const struct syslog_message *m)
{
    return m->bytes.data + m->bytes.len;
}

static __attribute__((noinline)) char *procid(char *to, const struct syslog_message *m)
{
    struct slice value = m->procid;
    const char *limit = limit_of(m);
    if (!value.data)
        return json_fixed(to, "null");
    if (limit - value.data >= (ptrdiff_t)sizeof(uint64_t) && short_number(to, value))
        return to + value.len;
    return is_number(value) ? json_copy(to, value) : field(to, value, limit);
}

/* The opening quote stands before it. */
static inline char *bare_text(char *to, struct slice text, size_t blocks)
{
    for (size_t i = 0; i < blocks; i++)
        simd_store(to + i * SIMD_SIZE, simd_load(text.data + i * SIMD_SIZE));
    to[text.len] = '"';
    return to + 1 + text.len;
}

#define bare_field(to, name, value, blocks)                                                        \
    ((value).data ? bare_text(json_fixed(to, name ":\""), value, blocks)                           \
                  : json_fixed(to, name ":null"))

static inline char *bare_procid(char *to, const struct syslog_message *m)
{
    if (!m->procid.data)
        return json_fixed(to, "null");
    return short_number(to, m->procid) ? to + m->procid.len : procid(to, m);
}

/* From "version" to "msgid", in the way of most messages. */
static inline char *bare_header(char *to, const struct syslog_message *m)
{
    to = bare_field(to, ",\"version\":1,\"timestamp\"", m->timestamp, 32 / SIMD_SIZE);
    to = bare_field(to, ",\"hostname\"", m->hostname, 2);
    to = bare_field(to, ",\"appname\"", m->appname, 1);
    to = bare_procid(json_fixed(to, ",\"procid\":"), m);
    return bare_field(to, ",\"msgid\"", m->msgid, 1);
}

/* Its characters need no escape. */
static inline char *timestamp(char *to, struct slice value)
{
    if (!value.data)
        return json_fixed(to, "null");
    *to++ = '"';
    to = json_copy(to, value);
    *to++ = '"';
    return to;
}

static __attribute__((noinline)) char *header(char *to, const struct syslog_message *m)
{
    const char *limit = limit_of(m);
    if (m->version)
        to = json_fixed(to, ",\"version\":1,\"timestamp\":");
    else
        to = json_fixed(to, ",\"version\":null,\"timestamp\":");
    to = timestamp(to, m->timestamp);
    to = json_fixed(to, ",\"hostname\":");
    to = field(to, m->hostname, limit);
    to = json_fixed(to, ",\"appname\":");
    to = field(to, m->appname, limit);
    to = json_fixed(to, ",\"procid\":");
    to = procid(to, m);
    to = json_fixed(to, ",\"msgid\":");
    return field(to, m->msgid, limit);
}

/* PARAM-VALUE: \" \\ and \] are unescaped (RFC 5424, section 6.3.3), then it is any string. */
static __attribute__((noinline)) char *unescaped(char *to, struct slice value)
{
    const char *end = value.data + value.len;
    const char *piece = value.data;
    const char *p = piece;
    while ((p = memchr(p, '\\', (size_t)(end - p)))) {
        if (p + 1 < end && (p[1] == '"' || p[1] == '\\' || p[1] == ']')) {
            to = json_escape(to, slice_between(piece, p));
            piece = ++p;
        }
        p++;
    }
    return json_escape(to, slice_between(piece, end));
}

/* One that is not plain, between the quotes. */
static inline char *other_value(char *to, const struct sd_param *param)
{
    return param->escapes ? unescaped(to, param->value) : json_escape(to, param->value);
}

/* Whether a block can be read from each byte of it, and from where it ends. */
static inline bool has_blocks(struct slice text, const char *limit)
{
    return limit - (text.data + text.len) >= SIMD_SIZE;
}

/* As it stands; it has blocks. */
static inline char *as_it_is(char *to, struct slice text)
{
    simd_store(to, simd_load(text.data));
    if (__builtin_expect(text.len > SIMD_SIZE, 0))
        for (size_t i = SIMD_SIZE; i < text.len; i += SIMD_SIZE)
            simd_store(to + i, simd_load(text.data + i));
    return to + text.len;
}

/* SD-NAME. */
static inline char *sd_name(char *to, const struct structured_data *sd, struct slice name,
                            const char *limit)
{
    if (!sd->names_verbatim || !has_blocks(name, limit))
        return json_quote_within(to, name, limit);
    *to++ = '"';
    to = as_it_is(to, name);
    *to++ = '"';
    return to;
}

static char *param_value(char *to, const struct sd_param *param, const char *limit)
{
    *to++ = '"';
    if (!param->plain)
        to = other_value(to, param);
    else if (has_blocks(param->value, limit))
        to = as_it_is(to, param->value);
    else
        to = json_copy(to, param->value);
    *to++ = '"';
    return to;
}

static char *values(char *to, const struct structured_data *sd, const struct sd_param *first,
                    const char *limit)
{
    *to++ = '[';
    to = param_value(to, first, limit);
    for (const struct sd_param *p = first; p->more;) {
        p = &sd->params[p->next];
        *to++ = ',';
        to = param_value(to, p, limit);
    }
    *to++ = ']';
    return to;
}

/* With a comma behind it. */
static __attribute__((noinline)) char *param(char *to, const struct structured_data *sd,
                                             const struct sd_param *p, const char *limit)
{
    if (p->repeats)
        return to;
    to = sd_name(to, sd, p->name, limit);
    *to++ = ':';
    to = p->more ? values(to, sd, p, limit) : param_value(to, p, limit);
    *to++ = ',';
    return to;
}

static char *params(char *to, const struct structured_data *sd, const struct sd_element *e,
                    const char *limit)
{
    for (uint32_t i = e->first; i < e->end; i++)
        to = param(to, sd, &sd->params[i], limit);
    return to;
}

/* With a comma behind it, and those that are chained to it in it. */
static char *element(char *to, const struct structured_data *sd, const struct sd_element *first,
                     const char *limit)
{
    to = json_literal(sd_name(to, sd, first->id, limit), ":{");
    const char *inside = to;
    to = params(to, sd, first, limit);
    for (const struct sd_element *e = first; e->more;) {
        e = &sd->elements[e->next];
        to = params(to, sd, e, limit);
    }
    to -= to != inside;
    return json_literal(to, "},");
}

static __attribute__((noinline)) char *structured_data(char *to, const struct structured_data *sd,
                                                       const char *limit)
{
    *to++ = '{';
    for (uint32_t i = 0; i < sd->element_count; i++)
        if (!sd->elements[i].repeats)
            to = element(to, sd, &sd->elements[i], limit);
    to[-1] = '}';
    return to;
}

/* The first of four bytes, which are stored as one word. */
static inline char *in_word(char *to, const char *bytes, size_t length)
{
    memcpy(to, bytes, 4);
    return to + length;
}

/* From behind the quote before its name to behind the one before the next. */
static inline char *usual_param(char *to, const struct sd_param *p)
{
    to = in_word(as_it_is(to, p->name), "\":\"", 3);
    to = p->plain ? as_it_is(to, p->value) : other_value(to, p);
    return in_word(to, "\",\"", 3);
}

/* The same for an element; what is before a param that there is not is written over. */
static inline char *usual_element(char *to, const struct sd_element *e, const struct sd_param *p,
                                  const struct sd_param *end)
{
    to = in_word(as_it_is(to, e->id), "\":{\"", 4);
    if (p == end)
        return in_word(to - 1, "},\"", 3);
    do
        to = usual_param(to, p++);
    while (p < end);
    return in_word(to - 2, "},\"", 3);
}

/* Apart from record_write, which would save registers for it where there is nothing to write. */
static __attribute__((noinline)) char *usual_structured_data(char *to,
                                                             const struct structured_data *sd)
{
    const struct sd_element *end = sd->elements + sd->element_count;
    const struct sd_param *params = sd->params;
    to = json_literal(to, "{\"");
    for (const struct sd_element *e = sd->elements; e < end; e++)
        to = usual_element(to, e, params + e->first, params + e->end);
    to[-2] = '}';
    return to - 1;
}

#define END "}\n"

/* MSG, of which the opening quote stands before it, and the end of the record. */
static inline char *msg_and_end(char *to, struct slice msg)
{
    return msg.data ? json_fixed(json_escape(to, msg), "\"" END) : json_fixed(to - 1, "null" END);
}

void record_write(struct buffer *out, const struct syslog_message *m)
{
    /* What is added to a message by itself is less than six times the bytes that ask for it. */
    enum { FIXED = 512 };
    char *to = buffer_reserve(out, FIXED + JSON_STRING_ROOM(m->bytes.len));
    to = head(to, m->pri);
    to = m->header_verbatim ? bare_header(to, m) : header(to, m);
    if (m->sd.element_count == 0) {
        to = json_fixed(to, ",\"sd\":{},\"msg\":\"");
    } else {
        to = json_fixed(to, ",\"sd\":");
        to = m->sd.is_simple ? usual_structured_data(to, &m->sd)
                         : structured_data(to, &m->sd, limit_of(m));
        to = json_fixed(to, ",\"msg\":\"");
    }
    buffer_commit(out, msg_and_end(to, m->msg));
}

void record_append_extras(struct buffer *out, const struct record_extras *extras)
{
    enum { FIXED = 64 };
    out->len -= sizeof END - 1;
    char *to = buffer_reserve(out, FIXED + extras->meta.len + JSON_STRING_ROOM(extras->raw.len));
    if (extras->meta.data)
        to = json_copy(to, extras->meta);
    if (extras->raw.data) {
        to = json_fixed(to, ",\"raw\":");
        to = json_quote(to, extras->raw);
    }
    buffer_commit(out, json_fixed(to, END));
}

void record_format_meta(struct buffer *out, struct slice peer, struct slice transport,
                        struct slice received)
{
    char *to =
        buffer_reserve(out, 64 + JSON_STRING_ROOM(peer.len) + JSON_STRING_ROOM(transport.len) +
                                JSON_STRING_ROOM(received.len));
    to = json_literal(to, ",\"peer\":");
    to = json_quote(to, peer);
    to = json_literal(to, ",\"transport\":");
    to = json_quote(to, transport);
    to = json_literal(to, ",\"received\":");
    to = json_quote(to, received);
    buffer_commit(out, to);
}
