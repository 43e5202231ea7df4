#include "syslog/parse.h"

#include "syslog/field-parse.h"
#include "syslog/pri.h"
#include "syslog/rfc3164.h"
#include "syslog/rfc5424-lenient.h"
#include "syslog/rfc5424.h"

enum { LEN_DIGITS = 10 };

/*
 * The message without MSG-LEN and SP before PRI, as octet counting begins, if MSG-LEN is the length
 * of the rest, or of the rest and an LF.
 */
static struct slice syslog_skip_msg_len(struct slice message)
{
    const char *end = message.data + message.len;
    const char *p = message.data;
    uint64_t len = 0;
    unsigned pri;
    while (p < end && is_digit(*p) && p - message.data < LEN_DIGITS)
        len = len * 10 + (uint64_t)(*p++ - '0');
    if (p == message.data || *message.data == '0' || p == end || *p != ' ' ||
        !pri_read(p + 1, end, &pri))
        return message;
    struct slice rest = slice_between(p + 1, end);
    return len == rest.len || len == (uint64_t)rest.len + 1 ? rest : message;
}

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
    struct slice rest = syslog_skip_msg_len(message);
    struct rfc3164_options options = {.host = parser->host,
                                      .version_0 = parser->format == FORMAT_AUTO};
    if (!(parser->format == FORMAT_AUTO && syslog_parse_rfc5424(&parser->time, rest, m, defect)) &&
        !rfc3164_parse(rest, &options, &parser->time, m, defect)) {
        defect->offset += message.len - rest.len;
        return false;
    }
    m->bytes = message;
    return true;
}
