#include "verify/record-decode.h"

#include "base/byte-scan.h"
#include "base/defect.h"
#include "syslog/field-parse.h"
#include "syslog/pri.h"
#include "syslog/rfc3164.h"
#include "json/unescape.h"

/* --- the way that nearly all lines go: as shnek-parse writes them, with nothing escaped --- */

struct cursor {
    const char *p;
    const char *end;
};

static bool skip(struct cursor *c, const char *text, size_t length)
{
    if ((size_t)(c->end - c->p) < length || memcmp(c->p, text, length) != 0)
        return false;
    c->p += length;
    return true;
}

#define SKIP(cursor, literal) skip(cursor, literal, sizeof literal - 1)

static bool plain_string(struct cursor *c, struct slice *value)
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

static bool plain_or_null(struct cursor *c, struct slice *value)
{
    *value = (struct slice){0};
    return plain_string(c, value) || SKIP(c, "null");
}

static bool plain_number(struct cursor *c, struct slice *value)
{
    const char *start = c->p;
    while (c->p < c->end && is_digit(*c->p))
        c->p++;
    *value = slice_between(start, c->p);
    return c->p > start && (*start != '0' || value->len == 1);
}

static bool plain_mark(struct cursor *c, struct sequence_values *v)
{
    return SKIP(c, "\"" SEQUENCE_SD_ID "\":{\"run\":") && plain_string(c, &v->run) &&
           SKIP(c, ",\"conn\":") && plain_string(c, &v->connection) && SKIP(c, ",\"of\":") &&
           plain_string(c, &v->connection_count) && SKIP(c, ",\"n\":") &&
           plain_string(c, &v->number) && SKIP(c, ",\"crc\":") && plain_string(c, &v->crc) &&
           SKIP(c, "}");
}

static bool plain_line(struct slice line, struct sequence_values *v, struct slice *severity,
                       struct slice *facility)
{
    struct cursor at = {line.data, line.data + line.len};
    struct cursor *c = &at;
    return SKIP(c, "{\"severity\":") && plain_string(c, severity) && SKIP(c, ",\"facility\":") &&
           plain_string(c, facility) && SKIP(c, ",\"version\":1,\"timestamp\":") &&
           plain_or_null(c, &v->timestamp) && SKIP(c, ",\"hostname\":") &&
           plain_or_null(c, &v->hostname) && SKIP(c, ",\"appname\":") &&
           plain_or_null(c, &v->appname) && SKIP(c, ",\"procid\":") &&
           (plain_or_null(c, &v->procid) || plain_number(c, &v->procid)) &&
           SKIP(c, ",\"msgid\":") && plain_or_null(c, &v->msgid) && SKIP(c, ",\"sd\":{") &&
           (SKIP(c, "}") || (plain_mark(c, v) && SKIP(c, "}"))) && SKIP(c, ",\"msg\":") &&
           plain_or_null(c, &v->msg) && SKIP(c, "}") && c->p == c->end;
}

/* --- any other line that says the same --- */

static struct slice member(const struct json_checker *json, struct slice object, const char *name)
{
    return json_get_member(json, object, (struct slice){name, strlen(name)});
}

/* A string, unescaped into the reader's room, or what else stands there; null is none. */
static struct slice value_of(struct reader *r, struct slice text)
{
    static const struct slice null = {"null", 4};
    if (!text.data)
        return text;
    bool string = text.data[-1] == '"';
    if (!string && slice_equal(text, null))
        return (struct slice){0};
    if (!string || !memchr(text.data, '\\', text.len))
        return text;
    char *at = r->room.data + r->room.len;
    buffer_commit(&r->room, json_unescape(at, text));
    return slice_between(at, r->room.data + r->room.len);
}

static bool has_all(struct reader *r, struct slice line)
{
    static const char *const names[] = {"severity", "facility", "version", "timestamp", "hostname",
                                        "appname",  "procid",   "msgid",   "sd",        "msg"};
    json_tokenize(&r->json, line);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!member(&r->json, line, names[i]).data)
            return false;
    return true;
}

static void take_mark(struct reader *r, struct slice sd, struct sequence_values *v)
{
    if (sd.len == 0 || *sd.data != '{')
        return;
    json_tokenize(&r->json, sd);
    struct slice element = member(&r->json, sd, SEQUENCE_SD_ID);
    if (element.len == 0 || *element.data != '{')
        return;
    json_tokenize(&r->json, element);
    v->run = value_of(r, member(&r->json, element, "run"));
    v->connection = value_of(r, member(&r->json, element, "conn"));
    v->connection_count = value_of(r, member(&r->json, element, "of"));
    v->number = value_of(r, member(&r->json, element, "n"));
    v->crc = value_of(r, member(&r->json, element, "crc"));
}

/* RFC 3164 has no MSGID: spamlog's number is the first word of MSG. Its TIMESTAMP has no fraction
 * of a second, which says nothing of latency. */
static void old_values(struct sequence_values *v)
{
    const char *end = v->msg.data ? memchr(v->msg.data, ' ', v->msg.len) : NULL;
    v->timestamp = (struct slice){0};
    v->msgid = end ? slice_between(v->msg.data, end) : v->msg;
}

static enum reading any_line(struct reader *r, struct slice line, struct sequence_values *v,
                             struct slice *severity, struct slice *facility, struct defect *defect)
{
    static const struct slice one = {"1", 1};
    static const struct slice none = {"null", 4};
    if (!json_is_valid(&r->json, line, defect))
        return READING_DAMAGED;
    if (!has_all(r, line))
        return READING_FOREIGN;
    struct slice version = member(&r->json, line, "version");
    if (!slice_equal(version, one) && !slice_equal(version, none))
        return READING_FOREIGN;
    r->room.len = 0;
    buffer_reserve(&r->room, line.len);
    *severity = member(&r->json, line, "severity");
    *facility = member(&r->json, line, "facility");
    v->timestamp = value_of(r, member(&r->json, line, "timestamp"));
    v->hostname = value_of(r, member(&r->json, line, "hostname"));
    v->appname = value_of(r, member(&r->json, line, "appname"));
    v->procid = value_of(r, member(&r->json, line, "procid"));
    v->msgid = value_of(r, member(&r->json, line, "msgid"));
    v->msg = sequence_normalize_msg(value_of(r, member(&r->json, line, "msg")), &r->text);
    take_mark(r, member(&r->json, line, "sd"), v);
    if (slice_equal(version, none))
        old_values(v);
    return READING_PLAIN;
}

static bool name_number(const struct slice *names, unsigned count, struct slice name,
                        unsigned *number)
{
    for (*number = 0; *number < count; ++*number)
        if (slice_equal(names[*number], name))
            return true;
    return false;
}

/* Most messages have the PRI of the one before. */
static bool take_pri(struct reader *r, struct slice severity, struct slice facility)
{
    unsigned s;
    unsigned f;
    if (r->severity.data && slice_equal(severity, r->severity) &&
        slice_equal(facility, r->facility))
        return true;
    if (!name_number(severity_names, 8, severity, &s) ||
        !name_number(facility_names, 24, facility, &f))
        return false;
    r->severity = severity_names[s];
    r->facility = facility_names[f];
    r->pri = 8 * f + s;
    return true;
}

static enum reading json_line(struct reader *r, struct slice line, struct sequence_values *v,
                              struct defect *defect)
{
    struct slice severity;
    struct slice facility;
    if (!plain_line(line, v, &severity, &facility)) {
        *v = (struct sequence_values){0};
        enum reading got = any_line(r, line, v, &severity, &facility, defect);
        if (got != READING_PLAIN)
            return got;
    }
    if (!take_pri(r, severity, facility)) {
        *defect = (struct defect){"PRI", "no such severity or facility", 0};
        return READING_DAMAGED;
    }
    v->pri = r->pri;
    return READING_PLAIN;
}

static void element_mark(const struct structured_data *sd, const struct sd_element *e,
                         struct sequence_values *v)
{
    struct {
        const char *name;
        struct slice *value;
    } wanted[] = {{"run", &v->run},
                  {"conn", &v->connection},
                  {"of", &v->connection_count},
                  {"n", &v->number},
                  {"crc", &v->crc}};
    for (uint32_t i = e->first; i < e->end; i++)
        for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
            if (slice_equal(sd->params[i].name,
                            (struct slice){wanted[k].name, strlen(wanted[k].name)}))
                *wanted[k].value = sd->params[i].value;
}

/* "<34>Nov": what RFC 3164 has behind PRI cannot be VERSION. */
static bool is_rfc3164(struct slice line)
{
    const char *end = line.data + line.len;
    const char *p = line.len && *line.data == '<' ? line.data + 1 : end;
    while (p < end && is_digit(*p))
        p++;
    return end - p > 1 && p[0] == '>' && p[1] >= 'A' && p[1] <= 'Z';
}

/* Of one that is not there only `at` says so. */
static struct slice field(struct slice value)
{
    return value.data ? value : (struct slice){0};
}

static enum reading rfc3164_line(struct reader *r, struct slice line, struct sequence_values *v,
                                 struct defect *defect)
{
    struct syslog_message *m = &r->message;
    if (!rfc3164_parse(line, &r->reckoning, m, defect))
        return READING_DAMAGED;
    *v = (struct sequence_values){
        .hostname = field(m->hostname), .procid = field(m->procid), .msg = field(m->msg)};
    old_values(v);
    return READING_PLAIN;
}

static enum reading rfc5424_line(struct reader *r, struct slice line, struct sequence_values *v,
                                 struct defect *defect)
{
    static const struct slice id = {SEQUENCE_SD_ID, sizeof SEQUENCE_SD_ID - 1};
    struct syslog_message *m = &r->message;
    if (!rfc5424_parse(line, m, defect))
        return READING_DAMAGED;
    *v = (struct sequence_values){.pri = m->pri,
                                  .timestamp = field(m->timestamp),
                                  .hostname = field(m->hostname),
                                  .appname = field(m->appname),
                                  .procid = field(m->procid),
                                  .msgid = field(m->msgid),
                                  .msg = sequence_normalize_msg(m->msg, &r->text)};
    for (uint32_t i = 0; i < m->sd.element_count; i++)
        if (slice_equal(m->sd.elements[i].id, id))
            element_mark(&m->sd, &m->sd.elements[i], v);
    return READING_PLAIN;
}

enum reading reading(struct reader *r, struct slice line, struct sequence_values *v,
                     struct defect *defect)
{
    *v = (struct sequence_values){0};
    enum reading got = line.len && *line.data == '{' ? json_line(r, line, v, defect)
                       : is_rfc3164(line)            ? rfc3164_line(r, line, v, defect)
                                                     : rfc5424_line(r, line, v, defect);
    if (got != READING_PLAIN)
        return got;
    bool marked = v->run.data && v->connection.data && v->connection_count.data && v->number.data &&
                  v->crc.data;
    return marked ? READING_MARKED : READING_PLAIN;
}

void reader_free(struct reader *r)
{
    syslog_message_free(&r->message);
    json_checker_free(&r->json);
    buffer_free(&r->room);
    buffer_free(&r->text);
}
