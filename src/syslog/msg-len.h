#ifndef SHNEK_SYSLOG_MSG_LEN_H
#define SHNEK_SYSLOG_MSG_LEN_H

#include "base/slice.h"

/* Of MSG-LEN (RFC 6587, section 3.4.1). */
enum { MSG_LEN_DIGITS = 10 };

/*
 * Returns the length of MSG-LEN and SP before the PRI of a line or datagram if MSG-LEN is the
 * length of what follows, or that plus one for an LF that was removed; otherwise 0.
 */
size_t msg_len_prefix(struct slice message);

#endif
