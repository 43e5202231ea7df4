#ifndef SHNEK_VERIFY_RECORD_DECODE_H
#define SHNEK_VERIFY_RECORD_DECODE_H

#include "base/defect.h"
#include "load/sequence.h"
#include "syslog/lenient-time.h"
#include "syslog/rfc5424.h"
#include "json/locate-error.h"

enum reading {
    READING_MARKED,  /* a message, with a mark, which was not looked into */
    READING_PLAIN,   /* a message without one */
    READING_FOREIGN, /* JSON, but no message */
    READING_DAMAGED  /* neither syslog nor JSON */
};

/* Reads messages back from what became of them. All zero is ready for use. */
struct reader {
    struct syslog_message message;
    struct lenient_time reckoning;
    struct json_checker json;
    struct buffer room; /* what was unescaped */
    struct buffer text;
    struct slice severity; /* of the last message, in names */
    struct slice facility;
    unsigned pri; /* that these are */
};

/*
 * A line of shnek-parse, whatever the order of its keys, or a message of RFC 5424 or RFC 3164. The
 * values point into the line or the reader, until the next call.
 */
enum reading reading(struct reader *r, struct slice line, struct sequence_values *v,
                     struct defect *defect);

void reader_free(struct reader *r);

#endif
