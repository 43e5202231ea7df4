#ifndef SHNEK_VERIFY_RECORD_DECODE_H
#define SHNEK_VERIFY_RECORD_DECODE_H

#include "base/defect.h"
#include "load/sequence.h"
#include "syslog/lenient-time.h"
#include "syslog/rfc5424.h"
#include "json/locate-error.h"

enum decode_result {
    DECODED_CHECKSUMMED, /* a message, with a mark, which was not looked into */
    DECODED_PLAIN,       /* a message without one */
    DECODED_FOREIGN,     /* JSON, but no message */
    DECODED_DAMAGED      /* neither syslog nor JSON */
};

/* Reads messages back from what became of them. All zero is ready for use. */
struct record_decoder {
    struct syslog_message message;
    struct lenient_time lenient_time;
    struct json_checker json;
    struct buffer scratch; /* what was unescaped */
    struct buffer msg_scratch;
    struct slice severity; /* of the last message, in names */
    struct slice facility;
    unsigned pri; /* that these are */
};

/*
 * A line of shnek-parse, whatever the order of its keys, or a message of RFC 5424 or RFC 3164. The
 * values point into the line or the reader, until the next call.
 */
enum decode_result record_decode(struct record_decoder *r, struct slice line,
                                 struct sequence_values *v, struct defect *defect);

void record_decoder_free(struct record_decoder *r);

#endif
