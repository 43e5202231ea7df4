#include "json/schema-shnek.h"

#include "json/raw.h"
#include "json/schema-text.h"
#include "syslog/pri.h"

enum {
    SHNEK_SEVERITY,
    SHNEK_FACILITY,
    SHNEK_PROTOCOL_VERSION,
    SHNEK_TIMESTAMP,
    SHNEK_HOSTNAME,
    SHNEK_APPNAME,
    SHNEK_PROCID,
    SHNEK_MSGID,
    SHNEK_SD,
    SHNEK_MSG
};

const char *const shnek_members[] = {"severity", "facility", "version", "timestamp",
                                     "hostname", "appname",  "procid",  "msgid",
                                     "sd",       "msg",      NULL};

static char *shnek_text(char *to, struct slice value)
{
    return value.data ? json_quote(to, value) : json_literal(to, "null");
}

char *shnek_write(struct schema_writer *w, char *to, const struct syslog_message *m,
                  struct slice raw)
{
    const struct schema_config *c = w->config;
    char *start = to;
    struct slice texts[] = {[SHNEK_SEVERITY] = severity_names[m->pri % 8],
                            [SHNEK_FACILITY] = facility_names[m->pri / 8],
                            [SHNEK_TIMESTAMP] = m->timestamp,
                            [SHNEK_HOSTNAME] = m->hostname,
                            [SHNEK_APPNAME] = m->appname,
                            [SHNEK_MSGID] = m->msgid,
                            [SHNEK_MSG] = m->msg};
    for (unsigned i = 0; shnek_members[i]; i++) {
        if (c->members && !(c->members >> i & 1))
            continue;
        to = json_literal(to, ",\"");
        to = json_copy(to, (struct slice){shnek_members[i], strlen(shnek_members[i])});
        to = json_literal(to, "\":");
        if (i == SHNEK_PROTOCOL_VERSION)
            to = m->version ? schema_put_number(to, m->version) : json_literal(to, "null");
        else if (i == SHNEK_PROCID)
            to = record_put_procid(to, m);
        else if (i == SHNEK_SD)
            to = record_put_structured_data(to, m);
        else
            to = shnek_text(to, texts[i]);
    }
    if (c->severity_number)
        to = schema_put_number(json_literal(to, ",\"severity_number\":"), m->pri % 8);
    if (w->meta.len)
        to = json_copy(to, (struct slice){w->meta.data, w->meta.len});
    if (c->raw)
        to = raw_write(to, raw);
    return json_literal(schema_close(start, to), "}\n");
}
