#ifndef SHNEK_LOAD_TEMPLATE_H
#define SHNEK_LOAD_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "load/sequence.h"

enum message_format { MESSAGE_RFC5424, MESSAGE_RFC3164 };

/* What tells messages apart: LF, MSG-LEN (RFC 6587), or nothing, where each is a datagram. */
enum message_framing { MESSAGE_NEWLINE, MESSAGE_OCTET_COUNTED, MESSAGE_DATAGRAM };

/* What of a replayed line is made anew. */
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

struct message_config {
    enum message_format format;
    enum message_framing framing;
    unsigned pri;
    const char *timestamp; /* NULL: when it is due */
    bool utc;              /* that ends in Z; else it is local */
    const char *hostname;  /* "-": none, here and below */
    const char *appname;   /* in RFC 3164 the TAG, which must be */
    const char *procid;
    const char *msgid;     /* NULL: the message's number; RFC 3164 has it before the text always */
    const char *sd;        /* of RFC 5424 only */
    const char *text;      /* NULL: no MSG; here only where a profile says so */
    bool require_rfc5424;  /* messages must be of RFC 5424: they will be made bad */
    const char *profile;   /* NULL: plain */
    unsigned fresh;        /* of a profile's lines: bits of enum fresh */
    unsigned given_fields; /* bits of enum message_field: what an option gives */
    uint64_t size;         /* of a whole message without its frame; 0: as it comes */
    uint64_t size_max;     /* the most, where sizes are drawn; else 0 */
    uint64_t seed;         /* of what is drawn */
    bool checksum;         /* each message carries a mark (load/sequence.h); of RFC 5424 only */
    const char *run;       /* in the mark */
    uint64_t connection_count; /* among which the messages go in turn */
};

/* What the marks of messages with one body share. */
struct template_sequence {
    struct sequence_values values;
    struct buffer connection_count;
    struct buffer lead;   /* up to conn */
    struct buffer middle; /* from there to n */
    size_t text_len;      /* of what sum_of_run is over; SIZE_MAX: of nothing yet */
    uint32_t shared_crc;
};

/* A message but for what differs from one to the next: TIMESTAMP, number, mark and size. */
struct template
{
    struct buffer head;                /* up to TIMESTAMP */
    bool has_timestamp;                /* there is one that tells when the message is due */
    bool utc;                          /* and ends in Z */
    struct buffer middle;              /* from there to the number */
    bool has_number;                   /* there is one */
    struct template_sequence sequence; /* behind the number */
    struct buffer text;                /* from there on, padded to what --size can need */
    size_t prefix_len;                 /* of text, what stands before MSG */
    size_t text_len;                   /* of text, without the padding */
    size_t before_number_len;          /* the bytes before the number */
    bool no_msg;
};

enum { TEMPLATE_NUMBER_MAX = 20, TEMPLATE_PADDING = '.' };

#define TEMPLATE_CRC_PARAM "\" crc=\""

/* What the config says must hold as long as the body. */
void template_init(struct template *t, const struct message_config *c);

/* A message, in the same way, that stays as it is. */
void template_init_line(struct template *t, struct slice line);

/* The most, and the least, that a message can take, without its frame. */
size_t template_max_len(const struct template *t, const struct message_config *c);
size_t template_min_len(const struct template *t, const struct message_config *c);

/* False, and a report, where the messages would not be what was asked for. */
bool template_check(const struct template *t, const struct message_config *c);

void template_free(struct template *t);

#endif
