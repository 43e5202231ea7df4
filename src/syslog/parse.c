#include "syslog/parse.h"

#include "syslog/field-parse.h"
#include "syslog/msg-len.h"
#include "syslog/rfc3164.h"
#include "syslog/rfc5424-lenient.h"
#include "syslog/rfc5424.h"

/* Parses the rest of a line or datagram that begins with its MSG-LEN. */
static __attribute__((noinline)) bool syslog_parse_counted(struct syslog_parser *parser,
                                                           struct slice message, size_t prefix,
                                                           struct syslog_message *m,
                                                           struct defect *defect)
{
    message = (struct slice){message.data + prefix, message.len - prefix};
    if (parser->format == FORMAT_AUTO && (rfc5424_parse_reference(message, m, defect) ||
                                          rfc5424_lenient_parse(message, &parser->time, m)))
        return true;
    bool good = rfc3164_parse(message, &parser->time, m, defect);
    if (!good)
        defect->offset += prefix;
    return good;
}

bool syslog_parse_slow(struct syslog_parser *parser, struct slice message, struct syslog_message *m,
                       struct defect *defect)
{
    if (parser->format != FORMAT_RFC3164 && rfc5424_parse_reference(message, m, defect))
        return true;
    if (parser->format == FORMAT_RFC5424)
        return false;
    size_t prefix = message.len && is_digit(*message.data) ? msg_len_prefix(message) : 0;
    if (prefix)
        return syslog_parse_counted(parser, message, prefix, m, defect);
    if (parser->format == FORMAT_AUTO && rfc5424_lenient_parse(message, &parser->time, m))
        return true;
    return rfc3164_parse(message, &parser->time, m, defect);
}
