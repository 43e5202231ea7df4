#ifndef SHNEK_SYSLOG_PARSE_H
#define SHNEK_SYSLOG_PARSE_H

#include "syslog/lenient-time.h"
#include "syslog/rfc5424.h"

enum format_choice {
    FORMAT_RFC5424, /* strictly */
    FORMAT_AUTO,    /* RFC 5424, with common defects too, else RFC 3164 or any line */
    FORMAT_RFC3164  /* the latter only */
};

/* How messages are read. */
struct format {
    enum format_choice choice;
    struct reckoning reckoning; /* not used by FORMAT_RFC5424 */
};

/* What the strict grammar has not taken, or must not be asked about. */
bool format_parse_loosely(struct format *f, struct slice message, struct syslog_message *m,
                          struct defect *defect);

/* Takes one message into `m`, whose slices stay until the next one. False, and why, where not. */
static inline bool format_parse(struct format *f, struct slice message, struct syslog_message *m,
                                struct defect *defect)
{
    if (f->choice != FORMAT_RFC3164 && rfc5424_parse(message, m, defect))
        return true;
    return f->choice != FORMAT_RFC5424 && format_parse_loosely(f, message, m, defect);
}

#endif
