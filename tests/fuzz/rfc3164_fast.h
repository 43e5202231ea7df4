#ifndef SHNEK_TESTS_RFC3164_FAST_H
#define SHNEK_TESTS_RFC3164_FAST_H

#include <stddef.h>
#include <stdint.h>

/*
 * Aborts the process if the accelerator of RFC 3164 and the reference disagree about a message. The
 * first byte chooses the time zone and the time of arrival, the rest is the message.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The number of messages that the accelerator has accepted. */
extern unsigned long rfc3164_fast_accepted;

#endif
