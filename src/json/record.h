#ifndef SHNEK_JSON_RECORD_H
#define SHNEK_JSON_RECORD_H

#include "base/buffer.h"
#include "syslog/message.h"

/*
 * Appends a message as one JSON object and LF: severity, facility, version, timestamp, hostname,
 * appname, procid, msgid, sd, msg. Always valid UTF-8.
 */
void record_write(struct buffer *out, const struct syslog_message *m);

/* What a record has beyond the message, where it was asked for. data == NULL: it was not. */
struct record_extras {
    struct slice meta; /* members as record_format_meta writes them */
    struct slice raw;
};

/* Puts them behind "msg" in the record that was written last. */
void record_append_extras(struct buffer *out, const struct record_extras *extras);

/* The members "peer", "transport" and "received", with a comma before each. */
void record_format_meta(struct buffer *out, struct slice peer, struct slice transport,
                        struct slice received);

#endif
