#ifndef SHNEK_LOAD_DATAGRAM_H
#define SHNEK_LOAD_DATAGRAM_H

#include "load/sender.h"

/*
 * Sends each message as a datagram. A slow receiver on a Unix socket blocks the sender; one that is
 * gone is a failure. UDP never blocks or fails: datagrams that ICMP reports as refused are counted
 * as dropped.
 */

/* Prepares a connected socket. Returns false and logs the reason if messages of min_len bytes are
 * too long for a datagram. */
bool datagram_prepare(struct sender *s, size_t min_len);

/* Records the end of the message that was appended to the buffer, and flushes a full batch. */
bool datagram_commit(struct sender *s);

/* Sends all messages in the buffer. */
bool datagram_flush(struct sender *s);

/* Waits for ICMP errors that are still to come, 0.1 s in total for all senders, and logs the number
 * of dropped messages. */
void datagram_wait_refusals(struct sender *s);

#endif
