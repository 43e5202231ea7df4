#ifndef SHNEK_JSON_RECORD_H
#define SHNEK_JSON_RECORD_H

#include "base/buffer.h"
#include "syslog/message.h"

/*
 * Appends a message as one JSON object and LF, with all keys in this order: severity, facility,
 * version, timestamp, hostname, appname, procid, msgid, sd, msg. The output is valid UTF-8.
 */
void record_write(struct buffer *out, const struct syslog_message *m);

/* Optional members of a record; data == NULL omits one. */
struct record_extras {
    struct slice meta; /* --meta: members in the form of record_format_meta() */
    struct slice raw;  /* --raw: the bytes of the message, as raw_write() writes them */
};

/* Appends the extras after "msg" to the last record in `out`. */
void record_append_extras(struct buffer *out, const struct record_extras *extras);

/* Appends the members "peer", "transport" and "received", each preceded by a comma. */
void record_format_meta(struct buffer *out, struct slice peer, struct slice transport,
                        struct slice received);

#endif
