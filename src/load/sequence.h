#ifndef SHNEK_LOAD_SEQUENCE_H
#define SHNEK_LOAD_SEQUENCE_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/*
 * The mark of a message: an SD-ELEMENT that tells its run, its connection, how many of these there
 * are, its number on that connection, and a checksum of all this and of the message's own fields,
 *
 *     [spamlog@32473 run="9f3a21c4" conn="3" of="8" n="17" crc="5d0a2b3c"]
 *
 * The sum is a CRC-32C in eight hex digits. It is over values, so that it holds whatever way they
 * are written, as RFC 5424 or as JSON: MSG, PRI as a number, HOSTNAME, APP-NAME, PROCID, run, of,
 * conn, n, MSGID and TIMESTAMP, in this order, each followed by a byte FF, or just FE where it is
 * NILVALUE or there is no MSG. The other SD-ELEMENTs are not part of it.
 */
#define SEQUENCE_SD_ID "spamlog@32473"

enum { SEQUENCE_CRC_DIGITS = 8 };

/* data == NULL: none. */
struct sequence_values {
    unsigned pri;
    struct slice timestamp;
    struct slice hostname;
    struct slice appname;
    struct slice procid;
    struct slice msgid;
    struct slice msg; /* as mark_text gives it */
    struct slice run;
    struct slice connection_count;
    struct slice connection;
    struct slice number;
    struct slice crc; /* as it is written */
};

/*
 * MSG as it enters the sum: UTF-8, with U+FFFD for what is not, as shnek-parse writes it, and
 * without the CR, LF and NUL at its end, which framing may take. In `room` where it has to change.
 */
struct slice sequence_normalize_msg(struct slice msg, struct buffer *scratch);

/* The sum over what is the same in all messages of a run, and that carried on over the rest. */
uint32_t sequence_compute_shared_crc(const struct sequence_values *v);
uint32_t sequence_compute_crc(uint32_t shared_crc, const struct sequence_values *v);

/* Eight hex digits; gives their end. */
char *sequence_write_crc(char *to, uint32_t crc);

#endif
