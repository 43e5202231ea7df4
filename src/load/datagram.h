#ifndef SHNEK_LOAD_DATAGRAM_H
#define SHNEK_LOAD_DATAGRAM_H

#include "load/sender.h"

/*
 * Messages as datagrams, one each. A receiver on a Unix socket that does not keep up is waited for;
 * one that is gone is a failure. UDP goes on, and counts what ICMP says was refused.
 */

/* Makes a connected socket ready. False, and a report, where no message fits into a datagram. */
bool datagram_prepare(struct sender *s, size_t min_len);

/* One more message is in the buffer. */
bool datagram_commit(struct sender *s);

bool datagram_flush(struct sender *s);

/* Waits a moment for refusals that are still on their way, and tells how many there were. */
void datagram_wait_refusals(struct sender *s);

#endif
