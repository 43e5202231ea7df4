#ifndef SHNEK_SYSLOG_RFC3164_H
#define SHNEK_SYSLOG_RFC3164_H

#include "base/defect.h"
#include "syslog/lenient-time.h"
#include "syslog/message.h"

/*
 * Takes one message as RFC 3164 describes them, or any other line, into `m`. What is not
 * recognised by the rules that the man page gives belongs to MSG. Only a message that holds nothing
 * is refused: false then, and the defect. The TIMESTAMP is in `reckoning` until the next call.
 */
bool rfc3164_parse(struct slice message, struct lenient_time *reckoning, struct syslog_message *m,
                   struct defect *defect);

/* Where the PRI must stand: behind a BOM, and behind SPs that have a PRI behind them. */
const char *rfc3164_start(struct slice message);

#endif
