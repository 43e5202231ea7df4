#include "json/schema-otlp.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "json/raw.h"
#include "json/schema-text.h"
#include "syslog/pri.h"

enum {
    OTLP_RESOURCE = 1 << 0,
    OTLP_TIME = 1 << 1,
    OTLP_OBSERVED_TIME = 1 << 2,
    OTLP_SEVERITY_NUMBER = 1 << 3,
    OTLP_SEVERITY_TEXT = 1 << 4,
    OTLP_BODY = 1 << 5,
    OTLP_ATTRIBUTES = 1 << 6,
    OTLP_ALL = (1 << 7) - 1
};

const char *const otlp_members[] = {
    "resource",     "timeUnixNano", "observedTimeUnixNano", "severityNumber",
    "severityText", "body",         "attributes",           NULL};

/* SeverityNumber of each severity: Logs Data Model, appendix B. */
static const unsigned char otlp_severity_numbers[8] = {21, 19, 18, 17, 13, 10, 9, 5};

#define OTLP_ITEM_STRING(key) "{\"key\":\"" key "\",\"value\":{\"stringValue\":"
#define OTLP_STRING(key)      "," OTLP_ITEM_STRING(key)
#define OTLP_INT(key)         ",{\"key\":\"" key "\",\"value\":{\"intValue\":\""

void otlp_init(struct schema_writer *w)
{
    uint32_t members = w->config->members ? w->config->members : OTLP_ALL;
    for (unsigned i = 0; i < 8; i++) {
        struct schema_text *text = &w->severity[i];
        if (members & OTLP_SEVERITY_NUMBER)
            text->len = (size_t)snprintf(text->bytes, sizeof text->bytes, ",\"severityNumber\":%u",
                                         otlp_severity_numbers[i]);
        if (members & OTLP_SEVERITY_TEXT)
            text->len += (size_t)snprintf(text->bytes + text->len, sizeof text->bytes - text->len,
                                          ",\"severityText\":\"%s\"", severity_names[i].data);
    }
    /* It begins the list of attributes. */
    for (unsigned i = 0; i < 24; i++)
        w->facility[i].len =
            (size_t)snprintf(w->facility[i].bytes, sizeof w->facility[i].bytes,
                             ",\"attributes\":[" OTLP_ITEM_STRING("syslog.facility") "\"%s\"}}",
                             facility_names[i].data);
}

void otlp_set_observed_time(struct schema_writer *w, uint64_t received_ns)
{
    if (w->config->members && !(w->config->members & OTLP_OBSERVED_TIME))
        return;
    char *to = json_literal(w->observed, ",\"observedTimeUnixNano\":\"");
    to = schema_put_number(to, received_ns);
    *to++ = '"';
    w->observed_len = (size_t)(to - w->observed);
}

static char *otlp_string(char *to, const char *key, struct slice value)
{
    to = json_literal(to, ",{\"key\":\"");
    to = json_copy(to, (struct slice){key, strlen(key)});
    to = json_literal(to, "\",\"value\":{\"stringValue\":");
    to = json_quote(to, value);
    return json_literal(to, "}}");
}

void otlp_format_meta(struct buffer *out, const struct record_origin *origin)
{
    const struct peer *sender = origin->sender;
    struct slice transport = record_network_transport(origin);
    char *to = buffer_reserve(out, RECORD_META_CAPACITY(origin));
    if (record_is_file(origin))
        to = otlp_string(to, "log.file.path", origin->peer);
    if (transport.data)
        to = otlp_string(to, "network.transport", transport);
    if (*sender->ip) {
        to =
            otlp_string(to, "network.peer.address", (struct slice){sender->ip, strlen(sender->ip)});
        to = schema_put_number(json_literal(to, OTLP_INT("network.peer.port")), sender->port);
        to = json_literal(to, "\"}}");
    }
    if (sender->subject)
        to = otlp_string(to, "tls.client.subject",
                         (struct slice){sender->subject, strlen(sender->subject)});
    if (sender->has_credentials) {
        to = schema_put_number(json_literal(to, OTLP_STRING("user.id") "\""), sender->uid);
        to = json_literal(to, "\"}}");
        to = schema_put_number(json_literal(to, OTLP_INT("process.pid")), (uint64_t)sender->pid);
        to = json_literal(to, "\"}}");
    }
    buffer_commit(out, to);
}

/* The values of a PARAM-NAME: several are an array. */
static char *otlp_param_value(char *to, const struct structured_data *sd, const struct sd_param *p,
                              const char *limit)
{
    if (!p->more) {
        to = json_literal(to, "{\"stringValue\":");
        to = record_put_param_value(to, p, limit);
        return json_literal(to, "}");
    }
    to = json_literal(to, "{\"arrayValue\":{\"values\":[");
    for (;; p = &sd->params[p->next]) {
        to = json_literal(to, "{\"stringValue\":");
        to = record_put_param_value(to, p, limit);
        to = json_literal(to, "},");
        if (!p->more)
            break;
    }
    return json_literal(to - 1, "]}}");
}

static char *otlp_params(char *to, const struct structured_data *sd, const struct sd_element *e,
                         const char *limit)
{
    for (uint32_t i = e->first; i < e->end; i++) {
        const struct sd_param *p = &sd->params[i];
        if (p->repeats)
            continue;
        to = json_literal(to, "{\"key\":");
        to = record_put_sd_name(to, sd, p->name, limit);
        to = json_literal(to, ",\"value\":");
        to = otlp_param_value(to, sd, p, limit);
        to = json_literal(to, "},");
    }
    return to;
}

/* An element merged with the later ones of its SD-ID, as a list of keys and values. */
static char *otlp_element(char *to, const struct structured_data *sd, const struct sd_element *e,
                          const char *limit)
{
    to = json_literal(to, "{\"key\":");
    to = record_put_sd_name(to, sd, e->id, limit);
    to = json_literal(to, ",\"value\":{\"kvlistValue\":{\"values\":[");
    const char *start = to;
    to = otlp_params(to, sd, e, limit);
    while (e->more) {
        e = &sd->elements[e->next];
        to = otlp_params(to, sd, e, limit);
    }
    to -= to != start;
    return json_literal(to, "]}}},");
}

static __attribute__((noinline)) char *otlp_structured_data(char *to,
                                                            const struct syslog_message *m)
{
    const struct structured_data *sd = &m->sd;
    const char *limit = m->bytes.data + m->bytes.len;
    to = json_literal(to, ",{\"key\":\"syslog.structured_data\",\"value\":{\"kvlistValue\":{"
                          "\"values\":[");
    for (uint32_t i = 0; i < sd->element_count; i++)
        if (!sd->elements[i].repeats)
            to = otlp_element(to, sd, &sd->elements[i], limit);
    return json_literal(to - 1, "]}}}");
}

/* The original bytes, as bytesValue in base64 if they are not UTF-8. */
static char *otlp_raw(char *to, struct slice raw)
{
    const char *end = raw.data + raw.len;
    to = json_literal(to, ",{\"key\":\"log.record.original\",\"value\":{");
    if (utf8_find_invalid(raw.data, end) == end) {
        to = json_quote(json_literal(to, "\"stringValue\":"), raw);
    } else {
        to = raw_base64(json_literal(to, "\"bytesValue\":\""), raw);
        *to++ = '"';
    }
    return json_literal(to, "}}");
}

#define otlp_field(key, value, size)                                                               \
    if ((value).data) {                                                                            \
        to = json_literal(to, OTLP_STRING(key) "\"");                                              \
        to = schema_put_field(to, verbatim, value, size);                                          \
        memcpy(to, "\"}}", 4);                                                                     \
        to += 3;                                                                                   \
    }

static inline __attribute__((always_inline)) char *
otlp_resource(char *to, const struct syslog_message *m, bool verbatim)
{
    to = json_literal(to, "\"resource\":{\"attributes\":");
    char *start = to;
    otlp_field("host.name", m->hostname, 2 * SIMD_SIZE);
    otlp_field("service.name", m->appname, SIMD_SIZE);
    to += to == start;
    *start = '['; /* in place of the first comma */
    return json_literal(to, "]},");
}

static __attribute__((noinline)) char *otlp_extras(const struct schema_writer *w, char *to,
                                                   struct slice raw)
{
    if (w->meta.len)
        to = json_copy(to, (struct slice){w->meta.data, w->meta.len});
    return w->config->raw ? otlp_raw(to, raw) : to;
}

static inline __attribute__((always_inline)) char *otlp_attributes(const struct schema_writer *w,
                                                                   char *to,
                                                                   const struct syslog_message *m,
                                                                   struct slice raw, bool verbatim)
{
    to = schema_put_text(to, &w->facility[m->pri / 8]);
    if (m->version)
        to = json_literal(to, OTLP_INT("syslog.version") "1\"}}");
    otlp_field("syslog.procid", m->procid, SIMD_SIZE);
    otlp_field("syslog.msgid", m->msgid, SIMD_SIZE);
    if (m->sd.element_count)
        to = otlp_structured_data(to, m);
    if (w->has_extras)
        to = otlp_extras(w, to, raw);
    return json_literal(to, "]");
}

enum { OTLP_HEAD_LEN = 19 /* 2026-11-22T10:00:00 */ };

/* Remembers the second of a valid TIMESTAMP. */
static void otlp_remember(struct schema_writer *w, struct slice timestamp)
{
    struct schema_second *s = &w->second;
    struct slice tail = {w->timestamps.tail, w->timestamps.tail_len};
    memcpy(s->head, timestamp.data, OTLP_HEAD_LEN);
    s->tail = 0;
    memcpy(&s->tail, tail.data, tail.len);
    s->tail_mask = 0;
    if (w->timestamps.second_ns) /* else a number would begin with 0 */
        memset(&s->tail_mask, 0xff, tail.len);
    s->seconds_len =
        (size_t)(schema_put_number(s->seconds, w->timestamps.second_ns / NS_PER_S) - s->seconds);
}

static __attribute__((noinline)) char *otlp_slow_time(struct schema_writer *w, char *to,
                                                      struct slice timestamp)
{
    static const char too_late[] = "2554"; /* 2^64 ns after 1970 */
    uint64_t ns;
    if (timestamp.len < 4 || memcmp(timestamp.data, too_late, 4) >= 0 ||
        !timestamp_read(&w->timestamps, timestamp, &ns))
        return to;
    otlp_remember(w, timestamp);
    to = schema_put_number(json_literal(to, ",\"timeUnixNano\":\""), ns);
    *to++ = '"';
    return to;
}

static inline bool otlp_same_head(const char *a, const char *b)
{
    uint64_t x[4];
    uint32_t y[2];
    memcpy(x, a, 16);
    memcpy(x + 2, b, 16);
    memcpy(y, a + 15, 4);
    memcpy(y + 1, b + 15, 4);
    return ((x[0] ^ x[2]) | (x[1] ^ x[3]) | (y[0] ^ y[1])) == 0;
}

/* Copies the digits of the fraction, if the second is that of the last TIMESTAMP. A message has at
 * least ten bytes after its TIMESTAMP, so that whole words can be read. */
static inline char *otlp_fast_time(struct schema_writer *w, char *to, struct slice timestamp)
{
    const struct schema_second *s = &w->second;
    const char *p = timestamp.data + OTLP_HEAD_LEN;
    uint64_t word = 0;
    uint64_t tail;
    size_t digits = 0;
    if (!s->tail_mask || !otlp_same_head(s->head, timestamp.data))
        return otlp_slow_time(w, to, timestamp);
    if (*p == '.') {
        memcpy(&word, p + 1, sizeof word);
        digits = word_digits(word); /* at most six */
        p += 1 + digits;
    }
    memcpy(&tail, p, sizeof tail);
    if ((tail & s->tail_mask) != s->tail)
        return otlp_slow_time(w, to, timestamp);
    to = json_literal(to, ",\"timeUnixNano\":\"");
    to = (char *)memcpy(to, s->seconds, sizeof s->seconds) + s->seconds_len;
    memcpy(to, &word, sizeof word);
    memcpy(to + digits, "000000000", 9);
    to[9] = '"';
    return to + 10;
}

static inline __attribute__((always_inline)) char *
otlp_log_record(struct schema_writer *w, char *to, const struct syslog_message *m, struct slice raw,
                uint32_t members, bool verbatim)
{
    char *start = to;
    if ((members & OTLP_TIME) && m->timestamp.data)
        to = verbatim ? otlp_fast_time(w, to, m->timestamp) : otlp_slow_time(w, to, m->timestamp);
    to = (char *)memcpy(to, w->observed, sizeof w->observed) + w->observed_len;
    to = schema_put_text(to, &w->severity[m->pri % 8]);
    if ((members & OTLP_BODY) && m->msg.data) {
        to = json_quote(json_literal(to, ",\"body\":{\"stringValue\":"), m->msg);
        *to++ = '}';
    }
    if (members & OTLP_ATTRIBUTES)
        to = otlp_attributes(w, to, m, raw, verbatim);
    return schema_close(start, to);
}

static inline __attribute__((always_inline)) char *
otlp_write_members(struct schema_writer *w, char *to, const struct syslog_message *m,
                   struct slice raw, uint32_t members, bool verbatim)
{
    to = json_literal(to, "{\"resourceLogs\":[{");
    if (members & OTLP_RESOURCE)
        to = otlp_resource(to, m, verbatim);
    to = json_literal(to, "\"scopeLogs\":[{\"scope\":{\"name\":\"shnek-parse\"},\"logRecords\":[");
    to = otlp_log_record(w, to, m, raw, members, verbatim);
    return json_literal(to, "}]}]}]}\n");
}

static __attribute__((noinline)) char *
otlp_write_slow(struct schema_writer *w, char *to, const struct syslog_message *m, struct slice raw)
{
    uint32_t members = w->config->members;
    return otlp_write_members(w, to, m, raw, members ? members : OTLP_ALL, false);
}

char *otlp_write(struct schema_writer *w, char *to, const struct syslog_message *m,
                 struct slice raw)
{
    return m->header_verbatim && !w->config->members
               ? otlp_write_members(w, to, m, raw, OTLP_ALL, true)
               : otlp_write_slow(w, to, m, raw);
}
