#ifndef SHNEK_SYSLOG_RFC5424_H
#define SHNEK_SYSLOG_RFC5424_H

#include "base/defect.h"
#include "syslog/message.h"
#include "syslog/rfc5424-fast.h"

/* The limits of RFC 5424, section 6. */
enum { HOSTNAME_MAX = 255, APP_NAME_MAX = 48, PROCID_MAX = 128, MSGID_MAX = 32 };

/*
 * Parses a message (RFC 5424, section 6), without its framing, into `m`. Accepts only valid
 * messages, except that an SD-ID may repeat, and that MSG and PARAM-VALUE may have invalid UTF-8.
 * Otherwise returns false with the defect.
 */
bool rfc5424_parse_reference(struct slice message, struct syslog_message *m, struct defect *defect);

/* rfc5424_parse_reference() for a VERSION of this digit, which becomes 1 in `m`. */
bool rfc5424_parse_version(struct slice message, int version, struct syslog_message *m,
                           struct defect *defect);

/* The same result from the accelerator if it accepts the message, else from the reference. */
static inline bool rfc5424_parse(struct slice message, struct syslog_message *m,
                                 struct defect *defect)
{
    return rfc5424_fast_parse(message, m) || rfc5424_parse_reference(message, m, defect);
}

#endif
