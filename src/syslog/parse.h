#ifndef SHNEK_SYSLOG_PARSE_H
#define SHNEK_SYSLOG_PARSE_H

#include "base/defect.h"
#include "syslog/lenient-time.h"
#include "syslog/rfc5424.h"

enum syslog_format {
    FORMAT_RFC5424, /* strictly */
    FORMAT_AUTO,    /* RFC 5424, with common defects too, else RFC 3164 or any line */
    FORMAT_RFC3164  /* the latter only */
};

/* How messages are read. */
struct syslog_parser {
    enum syslog_format format;
    struct lenient_time time; /* not used by FORMAT_RFC5424 */
};

/* What the strict grammar has not taken, or must not be asked about. */
bool syslog_parse_lenient(struct syslog_parser *f, struct slice message, struct syslog_message *m,
                          struct defect *defect);

/* Takes one message into `m`, whose slices stay until the next one. False, and why, where not. */
static inline bool syslog_parse(struct syslog_parser *f, struct slice message,
                                struct syslog_message *m, struct defect *defect)
{
    if (f->format != FORMAT_RFC3164 && rfc5424_parse(message, m, defect))
        return true;
    return f->format != FORMAT_RFC5424 && syslog_parse_lenient(f, message, m, defect);
}

#endif
