#ifndef SHNEK_LOAD_MESSAGE_CONFIG_H
#define SHNEK_LOAD_MESSAGE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

enum message_format { MESSAGE_RFC5424, MESSAGE_RFC3164 };

/* How a receiver finds the end of a message: LF, MSG-LEN (RFC 6587), or one message a datagram. */
enum message_framing { MESSAGE_NEWLINE, MESSAGE_OCTET_COUNTED, MESSAGE_DATAGRAM };

/* Parts of a replayed line that --fresh replaces. */
enum message_fresh { MESSAGE_FRESH_TIME = 1, MESSAGE_FRESH_HOST = 2, MESSAGE_FRESH_COUNTER = 4 };

enum message_field {
    MESSAGE_FIELD_PRI = 1,
    MESSAGE_FIELD_TIMESTAMP = 2,
    MESSAGE_FIELD_HOSTNAME = 4,
    MESSAGE_FIELD_APPNAME = 8,
    MESSAGE_FIELD_PROCID = 16,
    MESSAGE_FIELD_MSGID = 32,
    MESSAGE_FIELD_SD = 64,
    MESSAGE_FIELD_TEXT = 128
};

/* The content of messages. Strings are borrowed; "-" is NILVALUE. */
struct message_config {
    enum message_format format;
    enum message_framing framing;
    unsigned pri;
    const char *timestamp; /* NULL: the time at which the message is due */
    bool utc;              /* generated timestamps end in Z; otherwise they are local */
    const char *hostname;
    const char *appname; /* the TAG in RFC 3164, which requires one */
    const char *procid;
    const char *msgid;         /* NULL: the message number, which RFC 3164 has before the text */
    const char *sd;            /* RFC 5424 only */
    const char *text;          /* NULL: no MSG, which only profiles use */
    bool require_rfc5424;      /* profile lines must be valid, because --bad edits them */
    const char *profile;       /* PROFILE_MIXED or a file; NULL: all messages are alike */
    unsigned fresh;            /* bits of enum message_fresh */
    unsigned given_fields;     /* bits of enum message_field: fields set by options */
    uint64_t size;             /* bytes of a message without its framing; 0: no fixed size */
    uint64_t size_max;         /* sizes are drawn from size to size_max; 0: all have `size` */
    uint64_t seed;             /* of all random choices */
    bool checksum;             /* adds the element of load/sequence.h; RFC 5424 only */
    const char *run;           /* its run parameter */
    uint64_t connection_count; /* message k goes to connection k % connection_count */
};

/* Returns the bits of the fields that a profile does not choose, because options do. */
static inline unsigned message_config_replaced_fields(const struct message_config *c)
{
    return c->given_fields | (c->fresh & MESSAGE_FRESH_TIME ? MESSAGE_FIELD_TIMESTAMP : 0) |
           (c->fresh & MESSAGE_FRESH_HOST ? MESSAGE_FIELD_HOSTNAME : 0) |
           (c->fresh & MESSAGE_FRESH_COUNTER ? MESSAGE_FIELD_MSGID : 0);
}

#endif
