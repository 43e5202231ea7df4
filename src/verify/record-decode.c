#include "verify/record-decode.h"

#include "base/byte-scan.h"
#include "base/defect.h"
#include "json/unescape.h"
#include "syslog/field-parse.h"
#include "syslog/pri.h"
#include "syslog/rfc3164.h"

/* --- fast path: JSON exactly as shnek-parse writes it, without escapes --- */

struct decode_cursor {
    const char *p;
    const char *end;
};

static bool decode_skip(struct decode_cursor *c, const char *text, size_t len)
{
    if ((size_t)(c->end - c->p) < len || memcmp(c->p, text, len) != 0)
        return false;
    c->p += len;
    return true;
}

#define DECODE_SKIP(cursor, literal) decode_skip(cursor, literal, sizeof literal - 1)

static bool decode_string(struct decode_cursor *c, struct slice *value)
{
    if (c->p == c->end || *c->p != '"')
        return false;
    const char *start = c->p + 1;
    const char *stop = scan_plain(start, c->end);
    if (stop == c->end || *stop != '"')
        return false;
    *value = slice_between(start, stop);
    c->p = stop + 1;
    return true;
}

static bool decode_nullable(struct decode_cursor *c, struct slice *value)
{
    *value = (struct slice){0};
    return decode_string(c, value) || DECODE_SKIP(c, "null");
}

static bool decode_number(struct decode_cursor *c, struct slice *value)
{
    const char *start = c->p;
    while (c->p < c->end && is_digit(*c->p))
        c->p++;
    *value = slice_between(start, c->p);
    return c->p > start && (*start != '0' || value->len == 1);
}

static bool decode_sequence(struct decode_cursor *c, struct sequence_values *v)
{
    return DECODE_SKIP(c, "\"" SEQUENCE_SD_ID "\":{\"run\":") && decode_string(c, &v->run) &&
           DECODE_SKIP(c, ",\"conn\":") && decode_string(c, &v->connection) &&
           DECODE_SKIP(c, ",\"of\":") && decode_string(c, &v->connection_count) &&
           DECODE_SKIP(c, ",\"n\":") && decode_string(c, &v->number) &&
           DECODE_SKIP(c, ",\"crc\":") && decode_string(c, &v->crc) && DECODE_SKIP(c, "}");
}

static bool decode_json_fast(struct slice line, struct sequence_values *v, struct slice *severity,
                             struct slice *facility)
{
    struct decode_cursor cursor = {line.data, line.data + line.len};
    struct decode_cursor *c = &cursor;
    return DECODE_SKIP(c, "{\"severity\":") && decode_string(c, severity) &&
           DECODE_SKIP(c, ",\"facility\":") && decode_string(c, facility) &&
           DECODE_SKIP(c, ",\"version\":1,\"timestamp\":") && decode_nullable(c, &v->timestamp) &&
           DECODE_SKIP(c, ",\"hostname\":") && decode_nullable(c, &v->hostname) &&
           DECODE_SKIP(c, ",\"appname\":") && decode_nullable(c, &v->appname) &&
           DECODE_SKIP(c, ",\"procid\":") &&
           (decode_nullable(c, &v->procid) || decode_number(c, &v->procid)) &&
           DECODE_SKIP(c, ",\"msgid\":") && decode_nullable(c, &v->msgid) &&
           DECODE_SKIP(c, ",\"sd\":{") &&
           (DECODE_SKIP(c, "}") || (decode_sequence(c, v) && DECODE_SKIP(c, "}"))) &&
           DECODE_SKIP(c, ",\"msg\":") && decode_nullable(c, &v->msg) && DECODE_SKIP(c, "}") &&
           c->p == c->end;
}

/* --- any other JSON with the same members --- */

static struct slice record_decoder_get_member(const struct json_checker *json, struct slice object,
                                              const char *name)
{
    return json_get_member(json, object, (struct slice){name, strlen(name)});
}

/* Like record_decoder_get_member(), but unescapes a string into `scratch`; null is absent. */
static struct slice record_decoder_get_value(struct record_decoder *d, struct slice object,
                                             const char *name)
{
    struct slice text = record_decoder_get_member(&d->json, object, name);
    enum json_kind kind = json_get_kind(text);
    if (kind == JSON_NULL)
        return (struct slice){0};
    if (kind != JSON_STRING || !memchr(text.data, '\\', text.len))
        return text;
    char *start = d->scratch.data + d->scratch.len;
    buffer_commit(&d->scratch, json_unescape(start, text));
    return slice_between(start, d->scratch.data + d->scratch.len);
}

static bool record_decoder_has_all_keys(struct record_decoder *d, struct slice line)
{
    static const char *const names[] = {"severity", "facility", "version", "timestamp", "hostname",
                                        "appname",  "procid",   "msgid",   "sd",        "msg"};
    json_tokenize(&d->json, line);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!record_decoder_get_member(&d->json, line, names[i]).data)
            return false;
    return true;
}

static void record_decoder_read_sequence(struct record_decoder *d, struct slice sd,
                                         struct sequence_values *v)
{
    if (json_get_kind(sd) != JSON_OBJECT)
        return;
    json_tokenize(&d->json, sd);
    struct slice element = record_decoder_get_member(&d->json, sd, SEQUENCE_SD_ID);
    if (json_get_kind(element) != JSON_OBJECT)
        return;
    json_tokenize(&d->json, element);
    v->run = record_decoder_get_value(d, element, "run");
    v->connection = record_decoder_get_value(d, element, "conn");
    v->connection_count = record_decoder_get_value(d, element, "of");
    v->number = record_decoder_get_value(d, element, "n");
    v->crc = record_decoder_get_value(d, element, "crc");
}

/*
 * RFC 3164 has no MSGID, so the number is the first word of MSG. Its TIMESTAMP has a resolution of
 * one second, which is useless for latency.
 */
static void decode_rfc3164_values(struct sequence_values *v)
{
    const char *end = v->msg.data ? memchr(v->msg.data, ' ', v->msg.len) : NULL;
    v->timestamp = (struct slice){0};
    v->msgid = end ? slice_between(v->msg.data, end) : v->msg;
}

static enum decode_result decode_json_any(struct record_decoder *d, struct slice line,
                                          struct sequence_values *v, struct slice *severity,
                                          struct slice *facility, struct defect *defect)
{
    static const struct slice one = {"1", 1};
    static const struct slice null = {"null", 4};
    if (!json_is_valid(&d->json, line, defect))
        return DECODED_DAMAGED;
    if (!record_decoder_has_all_keys(d, line))
        return DECODED_FOREIGN;
    struct slice version = record_decoder_get_member(&d->json, line, "version");
    if (!slice_equal(version, one) && !slice_equal(version, null))
        return DECODED_FOREIGN;
    d->scratch.len = 0;
    buffer_reserve(&d->scratch, line.len);
    *severity = record_decoder_get_member(&d->json, line, "severity");
    *facility = record_decoder_get_member(&d->json, line, "facility");
    v->timestamp = record_decoder_get_value(d, line, "timestamp");
    v->hostname = record_decoder_get_value(d, line, "hostname");
    v->appname = record_decoder_get_value(d, line, "appname");
    v->procid = record_decoder_get_value(d, line, "procid");
    v->msgid = record_decoder_get_value(d, line, "msgid");
    v->msg = sequence_normalize_msg(record_decoder_get_value(d, line, "msg"), &d->msg_scratch);
    record_decoder_read_sequence(d, record_decoder_get_member(&d->json, line, "sd"), v);
    if (slice_equal(version, null))
        decode_rfc3164_values(v);
    return DECODED_PLAIN;
}

static bool record_decoder_find_name(const struct slice *names, unsigned count, struct slice name,
                                     unsigned *number)
{
    for (*number = 0; *number < count; ++*number)
        if (slice_equal(names[*number], name))
            return true;
    return false;
}

/* Most messages have the PRI of the previous one. */
static bool record_decoder_read_pri(struct record_decoder *d, struct slice severity,
                                    struct slice facility)
{
    unsigned s;
    unsigned f;
    if (d->severity.data && slice_equal(severity, d->severity) &&
        slice_equal(facility, d->facility))
        return true;
    if (!record_decoder_find_name(severity_names, 8, severity, &s) ||
        !record_decoder_find_name(facility_names, 24, facility, &f))
        return false;
    d->severity = severity_names[s];
    d->facility = facility_names[f];
    d->pri = 8 * f + s;
    return true;
}

static enum decode_result decode_json(struct record_decoder *d, struct slice line,
                                      struct sequence_values *v, struct defect *defect)
{
    struct slice severity;
    struct slice facility;
    if (!decode_json_fast(line, v, &severity, &facility)) {
        *v = (struct sequence_values){0};
        enum decode_result result = decode_json_any(d, line, v, &severity, &facility, defect);
        if (result != DECODED_PLAIN)
            return result;
    }
    if (!record_decoder_read_pri(d, severity, facility)) {
        *defect = (struct defect){"PRI", "unknown severity or facility", 0};
        return DECODED_DAMAGED;
    }
    v->pri = d->pri;
    return DECODED_PLAIN;
}

static void decode_sequence_element(const struct structured_data *sd, const struct sd_element *e,
                                    struct sequence_values *v)
{
    struct {
        const char *name;
        struct slice *value;
    } params[] = {{"run", &v->run},
                  {"conn", &v->connection},
                  {"of", &v->connection_count},
                  {"n", &v->number},
                  {"crc", &v->crc}};
    for (uint32_t i = e->first; i < e->end; i++)
        for (size_t k = 0; k < sizeof params / sizeof *params; k++)
            if (slice_equal(sd->params[i].name,
                            (struct slice){params[k].name, strlen(params[k].name)}))
                *params[k].value = sd->params[i].value;
}

/* "<34>Nov": a letter after PRI cannot be the VERSION of RFC 5424. */
static bool decode_is_rfc3164(struct slice line)
{
    const char *end = line.data + line.len;
    const char *p = line.len && *line.data == '<' ? line.data + 1 : end;
    while (p < end && is_digit(*p))
        p++;
    return end - p > 1 && p[0] == '>' && p[1] >= 'A' && p[1] <= 'Z';
}

/* The length of an absent field is undefined. */
static struct slice decode_field(struct slice value)
{
    return value.data ? value : (struct slice){0};
}

static enum decode_result decode_rfc3164(struct record_decoder *d, struct slice line,
                                         struct sequence_values *v, struct defect *defect)
{
    static const struct rfc3164_options options = {.host = HOST_ALWAYS};
    struct syslog_message *m = &d->message;
    if (!rfc3164_parse(line, &options, &d->lenient_time, m, defect))
        return DECODED_DAMAGED;
    *v = (struct sequence_values){.hostname = decode_field(m->hostname),
                                  .procid = decode_field(m->procid),
                                  .msg = decode_field(m->msg)};
    decode_rfc3164_values(v);
    return DECODED_PLAIN;
}

static enum decode_result decode_rfc5424(struct record_decoder *d, struct slice line,
                                         struct sequence_values *v, struct defect *defect)
{
    static const struct slice id = {SEQUENCE_SD_ID, sizeof SEQUENCE_SD_ID - 1};
    struct syslog_message *m = &d->message;
    if (!rfc5424_parse(line, m, defect))
        return DECODED_DAMAGED;
    *v = (struct sequence_values){.pri = m->pri,
                                  .timestamp = decode_field(m->timestamp),
                                  .hostname = decode_field(m->hostname),
                                  .appname = decode_field(m->appname),
                                  .procid = decode_field(m->procid),
                                  .msgid = decode_field(m->msgid),
                                  .msg = sequence_normalize_msg(m->msg, &d->msg_scratch)};
    for (uint32_t i = 0; i < m->sd.element_count; i++)
        if (slice_equal(m->sd.elements[i].id, id))
            decode_sequence_element(&m->sd, &m->sd.elements[i], v);
    return DECODED_PLAIN;
}

enum decode_result record_decode(struct record_decoder *d, struct slice line,
                                 struct sequence_values *v, struct defect *defect)
{
    *v = (struct sequence_values){0};
    enum decode_result result = line.len && *line.data == '{' ? decode_json(d, line, v, defect)
                                : decode_is_rfc3164(line)     ? decode_rfc3164(d, line, v, defect)
                                                              : decode_rfc5424(d, line, v, defect);
    if (result != DECODED_PLAIN)
        return result;
    bool has_checksum = v->run.data && v->connection.data && v->connection_count.data &&
                        v->number.data && v->crc.data;
    return has_checksum ? DECODED_CHECKSUMMED : DECODED_PLAIN;
}

void record_decoder_free(struct record_decoder *d)
{
    syslog_message_free(&d->message);
    json_checker_free(&d->json);
    buffer_free(&d->scratch);
    buffer_free(&d->msg_scratch);
}
