#include "syslog/parse.h"

#include "syslog/field-parse.h"
#include "syslog/pri.h"
#include "syslog/rfc3164.h"
#include "syslog/rfc5424-lenient.h"
#include "syslog/rfc5424.h"

enum { MSG_LEN_DIGITS = 10 };

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
    while (p < end && is_digit(*p) && p - message.data < MSG_LEN_DIGITS)
        len = len * 10 + (uint64_t)(*p++ - '0');
    if (p == message.data || *message.data == '0' || p == end || *p != ' ' ||
        !pri_read(p + 1, end, &pri))
        return message;
    struct slice rest = slice_between(p + 1, end);
    return len == rest.len || len == (uint64_t)rest.len + 1 ? rest : message;
}

static bool syslog_parse_lenient(struct syslog_parser *parser, struct slice message,
                                 struct syslog_message *m, struct defect *defect)
{
    bool is_auto = parser->format == FORMAT_AUTO;
    if (is_auto && (rfc5424_parse_reference(message, m, defect) ||
                    rfc5424_parse_version(message, '0', m, defect) ||
                    rfc5424_lenient_parse(message, &parser->time, m)))
        return true;
    struct rfc3164_options options = {.host = parser->host, .version_0 = is_auto};
    return rfc3164_parse(message, &options, &parser->time, m, defect);
}

bool syslog_parse_slow(struct syslog_parser *parser, struct slice message, struct syslog_message *m,
                       struct defect *defect)
{
    if (parser->format == FORMAT_RFC5424)
        return rfc5424_parse_reference(message, m, defect);
    struct slice rest = syslog_skip_msg_len(message);
    if (!syslog_parse_lenient(parser, rest, m, defect)) {
        defect->offset += message.len - rest.len;
        return false;
    }
    m->bytes = message;
    return true;
}
