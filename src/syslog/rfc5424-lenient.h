#ifndef SHNEK_SYSLOG_RFC5424_LENIENT_H
#define SHNEK_SYSLOG_RFC5424_LENIENT_H

#include "syslog/lenient-time.h"
#include "syslog/message.h"

/*
 * Parses a message that is RFC 5424 with the common defects listed in shnek-parse(1), which leave
 * no doubt about its fields. Returns false if there is doubt, or if it is another kind of message.
 * The TIMESTAMP points to time->text.
 */
bool rfc5424_lenient_parse(struct slice message, struct lenient_time *time,
                           struct syslog_message *m);

#endif
