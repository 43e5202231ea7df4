#include "syslog/parse.h"

#include "base/defect.h"
#include "syslog/rfc3164.h"
#include "syslog/rfc5424-lenient.h"

bool syslog_parse_lenient(struct syslog_parser *f, struct slice message, struct syslog_message *m,
                          struct defect *defect)
{
    if (f->format == FORMAT_AUTO && rfc5424_lenient_parse(message, &f->time, m))
        return true;
    return rfc3164_parse(message, &f->time, m, defect);
}
