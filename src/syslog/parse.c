#include "syslog/parse.h"

#include "syslog/rfc3164.h"
#include "syslog/rfc5424-lenient.h"

bool format_parse_loosely(struct format *f, struct slice message, struct syslog_message *m,
                          struct defect *defect)
{
    if (f->choice == FORMAT_AUTO && loose_rfc5424_parse(message, &f->reckoning, m))
        return true;
    return rfc3164_parse(message, &f->reckoning, m, defect);
}
