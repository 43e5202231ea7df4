#include "syslog/parse.h"

#include "syslog/field-parse.h"
#include "syslog/msg-len.h"
#include "syslog/pri.h"
#include "syslog/rfc3164.h"
#include "syslog/rfc5424-lenient.h"
#include "syslog/rfc5424.h"

/* Returns the VERSION, '0' or '1', or 0 if the message cannot be RFC 5424. */
static int syslog_version(struct slice message)
{
    const char *end = message.data + message.len;
    const char *p = message.len && *message.data == '<' ? message.data : rfc3164_start(message);
    if (p < end && *p == '<')
        p++;
    while (p < end && is_digit(*p))
        p++;
    if (p == end || *p != '>')
        return 0;
    p = skip_bom(p + 1, end);
    return end - p >= 2 && p[1] == ' ' && (*p == '0' || *p == '1') ? *p : 0;
}

static bool syslog_parse_rfc5424(struct lenient_time *time, struct slice message,
                                 struct syslog_message *m, struct defect *defect)
{
    int version = syslog_version(message);
    return version && (rfc5424_parse_version(message, version, m, defect) ||
                       rfc5424_lenient_parse(message, time, m));
}

bool syslog_parse_slow(struct syslog_parser *parser, struct slice message, struct syslog_message *m,
                       struct defect *defect)
{
    if (parser->format == FORMAT_RFC5424)
        return rfc5424_parse_reference(message, m, defect);
    size_t prefix = msg_len_prefix(message);
    struct slice rest = {message.data + prefix, message.len - prefix};
    struct rfc3164_options options = {.host = parser->host,
                                      .version_0 = parser->format == FORMAT_AUTO};
    if (!(parser->format == FORMAT_AUTO && syslog_parse_rfc5424(&parser->time, rest, m, defect)) &&
        !rfc3164_parse(rest, &options, &parser->time, m, defect)) {
        defect->offset += prefix;
        return false;
    }
    m->bytes = message;
    return true;
}
