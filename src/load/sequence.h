#ifndef SHNEK_LOAD_SEQUENCE_H
#define SHNEK_LOAD_SEQUENCE_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/*
 * The sequence element: an SD-ELEMENT that identifies a message within its run, and protects it
 * with a checksum,
 *
 *     [spamlog@32473 run="9f3a21c4" conn="3" of="8" n="17" crc="5d0a2b3c"]
 *
 * run is the name of the run, conn one of `of` connections, and n the number of the message on that
 * connection. crc is a CRC-32C in eight hexadecimal digits. It covers values, not syntax, so that
 * it can be checked in RFC 5424 and in JSON: MSG, PRI as a number, HOSTNAME, APP-NAME, PROCID, run,
 * of, conn, n, MSGID and TIMESTAMP, in this order, each followed by a byte FF; a NILVALUE or a
 * missing MSG is a byte FE. Other SD-ELEMENTs are not covered.
 */
#define SEQUENCE_SD_ID "spamlog@32473"

enum { SEQUENCE_CRC_DIGITS = 8 };

/* The values of a message that its checksum covers. data == NULL: absent. */
struct sequence_values {
    unsigned pri;
    struct slice timestamp;
    struct slice hostname;
    struct slice appname;
    struct slice procid;
    struct slice msgid;
    struct slice msg; /* from sequence_normalize_msg() */
    struct slice run;
    struct slice connection_count;
    struct slice connection;
    struct slice number;
    struct slice crc; /* as it was received; not covered */
};

/*
 * Returns MSG as the checksum covers it: as shnek-parse writes it, in UTF-8 with U+FFFD for each
 * ill-formed sequence, and without trailing CR, LF and NUL, which framing may remove. The result
 * points into `msg`, or into `scratch` if anything had to be replaced.
 */
struct slice sequence_normalize_msg(struct slice msg, struct buffer *scratch);

/*
 * The checksum in two steps: over the values that all messages of a template share, and, continued
 * from there, over those that differ. Both require crc32c_init_tables().
 */
uint32_t sequence_compute_shared_crc(const struct sequence_values *v);
uint32_t sequence_compute_crc(uint32_t shared_crc, const struct sequence_values *v);

/* Writes SEQUENCE_CRC_DIGITS hexadecimal digits and returns their end. */
char *sequence_write_crc(char *to, uint32_t crc);

#endif
