#ifndef SHNEK_SYSLOG_RFC5424_LENIENT_H
#define SHNEK_SYSLOG_RFC5424_LENIENT_H

#include "syslog/lenient-time.h"
#include "syslog/message.h"

/*
 * Takes a message that was meant to be RFC 5424 and has defects that leave no doubt what its fields
 * are; the man page lists them. False where there is doubt, or it was meant to be something else.
 */
bool rfc5424_lenient_parse(struct slice message, struct lenient_time *reckoning,
                           struct syslog_message *m);

#endif
