#include "syslog/parse.h"

#include "syslog/rfc3164.h"
#include "syslog/rfc5424-lenient.h"
#include "syslog/rfc5424.h"

bool syslog_parse_slow(struct syslog_parser *parser, struct slice message, struct syslog_message *m,
                       struct defect *defect)
{
    if (parser->format != FORMAT_RFC3164 && rfc5424_parse_reference(message, m, defect))
        return true;
    if (parser->format == FORMAT_RFC5424)
        return false;
    if (parser->format == FORMAT_AUTO && rfc5424_lenient_parse(message, &parser->time, m))
        return true;
    return rfc3164_parse(message, &parser->time, m, defect);
}
