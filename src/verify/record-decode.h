#ifndef SHNEK_VERIFY_RECORD_DECODE_H
#define SHNEK_VERIFY_RECORD_DECODE_H

#include "base/defect.h"
#include "json/locate-error.h"
#include "load/sequence.h"
#include "syslog/lenient-time.h"
#include "syslog/rfc5424.h"

enum decode_result {
    DECODED_CHECKSUMMED, /* a message with a checksum, which is not verified yet */
    DECODED_PLAIN,       /* a message without one */
    DECODED_FOREIGN,     /* JSON, but not a message */
    DECODED_DAMAGED      /* neither syslog nor JSON */
};

/* Decodes messages of spamlog, as sent or as shnek-parse writes them. All zero is ready for use. */
struct record_decoder {
    struct syslog_message message;
    struct lenient_time lenient_time;
    struct json_checker json;
    struct buffer scratch; /* unescaped values */
    struct buffer msg_scratch;
    struct slice severity; /* names of the previous message */
    struct slice facility;
    unsigned pri; /* of those names */
};

/*
 * Decodes one line: JSON of shnek-parse with its keys in any order, RFC 5424, or RFC 3164. The
 * values point into the line or the decoder and are valid until the next call. Sets `defect` if the
 * result is DECODED_DAMAGED.
 */
enum decode_result record_decode(struct record_decoder *d, struct slice line,
                                 struct sequence_values *v, struct defect *defect);

void record_decoder_free(struct record_decoder *d);

#endif
