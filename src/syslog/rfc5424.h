#ifndef SHNEK_SYSLOG_RFC5424_H
#define SHNEK_SYSLOG_RFC5424_H

#include "base/report.h"
#include "syslog/message.h"

/*
 * Takes one message of RFC 5424, section 6, as it comes out of its frame, into `m`. The grammar is
 * kept strictly, but that an SD-ID may repeat; invalid UTF-8 in MSG and PARAM-VALUE is no defect.
 * False, and the defect, where it is not kept.
 */
bool rfc5424_parse(struct slice message, struct syslog_message *m, struct defect *defect);

#endif
