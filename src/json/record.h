#ifndef SHNEK_JSON_RECORD_H
#define SHNEK_JSON_RECORD_H

#include "base/buffer.h"
#include "base/byte-scan.h"
#include "base/peer.h"
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

/* The origin of a message. */
struct record_origin {
    struct slice peer; /* "stdin", a path or a peer, perhaps with the subject of a certificate */
    struct slice transport;
    struct slice received; /* TIMESTAMP of the arrival */
    const struct peer *sender;
};

/* Whether the message came from a file. */
bool record_is_file(const struct record_origin *origin);

/* Returns the name of the transport layer, "tcp", "udp" or "unix"; data == NULL for files. */
struct slice record_network_transport(const struct record_origin *origin);

/* The capacity that the members for an origin need in any schema. */
#define RECORD_META_CAPACITY(origin)                                                               \
    (1024 + JSON_STRING_CAPACITY((origin)->peer.len) +                                             \
     JSON_STRING_CAPACITY((origin)->sender->subject ? strlen((origin)->sender->subject) : 0))

/* Appends the members "peer", "transport" and "received", and "peer_ip", "peer_port",
 * "peer_subject", "uid" and "pid" if they are known; each is preceded by a comma. */
void record_format_meta(struct buffer *out, const struct record_origin *origin);

/* Parts of records, for other schemas. `to` needs the capacity for the text; each returns the end
 * of what it wrote. Texts that are part of a message may be read up to its end, `limit`. */
char *record_put_procid(char *to, const struct syslog_message *m);
bool record_has_numeric_procid(const struct syslog_message *m);

/* Whether m->header_verbatim is set and PROCID is a number of at most eight digits. */
static inline bool record_has_short_procid(const struct syslog_message *m)
{
    uint64_t word;
    if (!m->header_verbatim || !m->procid.data)
        return false;
    memcpy(&word, m->procid.data, sizeof word);
    return m->procid.len <= sizeof word && *m->procid.data != '0' &&
           word_digits(word) >= m->procid.len;
}

char *record_put_structured_data(char *to, const struct syslog_message *m);
char *record_put_sd_name(char *to, const struct structured_data *sd, struct slice name,
                         const char *limit);
char *record_put_param_value(char *to, const struct sd_param *param, const char *limit);

#endif
