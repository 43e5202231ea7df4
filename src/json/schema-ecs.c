#include "json/schema-ecs.h"

#include <stdio.h>

#include "json/schema-text.h"
#include "syslog/pri.h"

enum {
    ECS_TIMESTAMP = 1 << 0,
    ECS_LEVEL = 1 << 1,
    ECS_MESSAGE = 1 << 2,
    ECS_ECS_VERSION = 1 << 3,
    ECS_HOST = 1 << 4,
    ECS_PROCESS_NAME = 1 << 5,
    ECS_PROCESS_PID = 1 << 6,
    ECS_PRIORITY = 1 << 7,
    ECS_SEVERITY_CODE = 1 << 8,
    ECS_SEVERITY_NAME = 1 << 9,
    ECS_FACILITY_CODE = 1 << 10,
    ECS_FACILITY_NAME = 1 << 11,
    ECS_SYSLOG_VERSION = 1 << 12,
    ECS_HOSTNAME = 1 << 13,
    ECS_APPNAME = 1 << 14,
    ECS_PROCID = 1 << 15,
    ECS_MSGID = 1 << 16,
    ECS_SD = 1 << 17,
    ECS_ALL = (1 << 18) - 1
};

const char *const ecs_members[] = {"@timestamp",
                                   "log.level",
                                   "message",
                                   "ecs.version",
                                   "host.hostname",
                                   "process.name",
                                   "process.pid",
                                   "log.syslog.priority",
                                   "log.syslog.severity.code",
                                   "log.syslog.severity.name",
                                   "log.syslog.facility.code",
                                   "log.syslog.facility.name",
                                   "log.syslog.version",
                                   "log.syslog.hostname",
                                   "log.syslog.appname",
                                   "log.syslog.procid",
                                   "log.syslog.msgid",
                                   "log.syslog.structured_data",
                                   NULL};

static void ecs_add(struct schema_text *text, bool selected, const char *name, const char *value)
{
    if (selected)
        text->len += (size_t)snprintf(text->bytes + text->len, sizeof text->bytes - text->len,
                                      ",\"%s\":%s", name, value);
}

void ecs_init(struct schema_writer *w)
{
    uint32_t members = w->config->members ? w->config->members : ECS_ALL;
    char code[4];
    char name[16];
    for (unsigned i = 0; i < 8; i++) {
        struct schema_text *text = &w->severity[i];
        snprintf(code, sizeof code, "%u", i);
        snprintf(name, sizeof name, "\"%s\"", severity_names[i].data);
        ecs_add(text, members & ECS_LEVEL, "log.level", name);
        ecs_add(text, members & ECS_SEVERITY_CODE, "log.syslog.severity.code", code);
        ecs_add(text, members & ECS_SEVERITY_NAME, "log.syslog.severity.name", name);
    }
    for (unsigned i = 0; i < 24; i++) {
        struct schema_text *text = &w->facility[i];
        snprintf(code, sizeof code, "%u", i);
        snprintf(name, sizeof name, "\"%s\"", facility_names[i].data);
        ecs_add(text, members & ECS_FACILITY_CODE, "log.syslog.facility.code", code);
        ecs_add(text, members & ECS_FACILITY_NAME, "log.syslog.facility.name", name);
    }
}

static char *ecs_string(char *to, const char *name, struct slice value)
{
    to = json_literal(to, ",\"");
    to = json_copy(to, (struct slice){name, strlen(name)});
    to = json_literal(to, "\":");
    return json_quote(to, value);
}

/* network.transport is that of the OSI model, so tcp for TLS. */
void ecs_format_meta(struct buffer *out, const struct record_origin *origin)
{
    const struct peer *sender = origin->sender;
    struct slice transport = record_network_transport(origin);
    char uid[24];
    char *to = buffer_reserve(out, RECORD_META_CAPACITY(origin));
    to = ecs_string(to, "event.created", origin->received);
    if (record_is_file(origin))
        to = ecs_string(to, "log.file.path", origin->peer);
    if (transport.data)
        to = ecs_string(to, "network.transport", transport);
    if (*sender->ip) {
        to = ecs_string(to, "source.ip", (struct slice){sender->ip, strlen(sender->ip)});
        to = schema_put_number(json_literal(to, ",\"source.port\":"), sender->port);
    }
    if (sender->subject)
        to = ecs_string(to, "tls.client.subject",
                        (struct slice){sender->subject, strlen(sender->subject)});
    if (sender->has_credentials) {
        int len = snprintf(uid, sizeof uid, "%lu", (unsigned long)sender->uid);
        to = ecs_string(to, "source.user.id", (struct slice){uid, (size_t)len});
    }
    buffer_commit(out, to);
}

#define ecs_field(member, name, value, size)                                                       \
    if ((members & (member)) && (value).data) {                                                    \
        to = json_literal(to, ",\"" name "\":\"");                                                 \
        to = schema_put_field(to, verbatim, value, size);                                          \
        *to++ = '"';                                                                               \
    }

static inline char *ecs_timestamp(const struct schema_writer *w, char *to,
                                  const struct syslog_message *m, bool verbatim)
{
    to = json_literal(to, ",\"@timestamp\":\"");
    if (!m->timestamp.data) /* every record has one, see the description of the field */
        to = (char *)memcpy(to, w->received, sizeof w->received) + w->received_len;
    else
        to = schema_put_field(to, verbatim, m->timestamp, 32);
    *to++ = '"';
    return to;
}

/* A number. */
static inline char *ecs_process_pid(char *to, const struct syslog_message *m, bool verbatim)
{
    if (verbatim && record_has_short_procid(m)) {
        to = json_literal(to, ",\"process.pid\":");
        return (char *)memcpy(to, m->procid.data, 8) + m->procid.len;
    }
    if (!record_has_numeric_procid(m))
        return to;
    return json_copy(json_literal(to, ",\"process.pid\":"), m->procid);
}

static inline __attribute__((always_inline)) char *
ecs_write_members(struct schema_writer *w, char *to, const struct syslog_message *m,
                  uint32_t members, bool verbatim)
{
    if (members & ECS_TIMESTAMP)
        to = ecs_timestamp(w, to, m, verbatim);
    to = schema_put_text(to, &w->severity[m->pri % 8]);
    to = schema_put_text(to, &w->facility[m->pri / 8]);
    if (members & ECS_PRIORITY)
        to = schema_put_pri(json_literal(to, ",\"log.syslog.priority\":"), w, m->pri);
    if ((members & ECS_SYSLOG_VERSION) && m->version)
        to = json_literal(to, ",\"log.syslog.version\":\"1\"");
    ecs_field(ECS_HOSTNAME, "log.syslog.hostname", m->hostname, 2 * SIMD_SIZE);
    ecs_field(ECS_HOST, "host.hostname", m->hostname, 2 * SIMD_SIZE);
    ecs_field(ECS_APPNAME, "log.syslog.appname", m->appname, SIMD_SIZE);
    ecs_field(ECS_PROCESS_NAME, "process.name", m->appname, SIMD_SIZE);
    ecs_field(ECS_PROCID, "log.syslog.procid", m->procid, SIMD_SIZE);
    if (members & ECS_PROCESS_PID)
        to = ecs_process_pid(to, m, verbatim);
    ecs_field(ECS_MSGID, "log.syslog.msgid", m->msgid, SIMD_SIZE);
    if ((members & ECS_SD) && m->sd.element_count)
        to = record_put_structured_data(json_literal(to, ",\"log.syslog.structured_data\":"), m);
    if ((members & ECS_MESSAGE) && m->msg.data)
        to = json_quote(json_literal(to, ",\"message\":"), m->msg);
    if (members & ECS_ECS_VERSION)
        to = json_literal(to, ",\"ecs.version\":\"" ECS_VERSION "\"");
    return to;
}

static __attribute__((noinline)) char *ecs_write_slow(struct schema_writer *w, char *to,
                                                      const struct syslog_message *m)
{
    uint32_t members = w->config->members;
    return ecs_write_members(w, to, m, members ? members : ECS_ALL, false);
}

static __attribute__((noinline)) char *ecs_extras(struct schema_writer *w, char *to,
                                                  const struct syslog_message *m, struct slice raw)
{
    if (w->config->severity_number)
        to = schema_put_number(json_literal(to, ",\"event.severity\":"), m->pri % 8);
    if (w->meta.len)
        to = json_copy(to, (struct slice){w->meta.data, w->meta.len});
    if (w->config->raw)
        to = json_quote(json_literal(to, ",\"event.original\":"), raw);
    return to;
}

char *ecs_write(struct schema_writer *w, char *to, const struct syslog_message *m, struct slice raw)
{
    char *start = to;
    if (m->header_verbatim && !w->config->members)
        to = ecs_write_members(w, to, m, ECS_ALL, true);
    else
        to = ecs_write_slow(w, to, m);
    if (w->has_extras)
        to = ecs_extras(w, to, m, raw);
    return json_literal(schema_close(start, to), "}\n");
}
