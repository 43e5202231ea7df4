#ifndef SHNEK_LOAD_TEMPLATE_H
#define SHNEK_LOAD_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "load/sequence.h"

enum message_format { MESSAGE_RFC5424, MESSAGE_RFC3164 };

/* What tells messages apart: LF, MSG-LEN (RFC 6587), or nothing, where each is a datagram. */
enum message_frame { MESSAGE_LINE, MESSAGE_COUNTED, MESSAGE_BARE };

/* What of a replayed line is made anew. */
enum fresh { FRESH_TIME = 1, FRESH_HOST = 2, FRESH_COUNTER = 4 };

enum message_field {
    FIELD_PRI = 1,
    FIELD_TIMESTAMP = 2,
    FIELD_HOSTNAME = 4,
    FIELD_APPNAME = 8,
    FIELD_PROCID = 16,
    FIELD_MSGID = 32,
    FIELD_SD = 64,
    FIELD_TEXT = 128
};

struct message_config {
    enum message_format format;
    enum message_frame frame;
    unsigned pri;
    const char *timestamp; /* NULL: when it is due */
    bool utc;              /* that ends in Z; else it is local */
    const char *hostname;  /* "-": none, here and below */
    const char *appname;   /* in RFC 3164 the TAG, which must be */
    const char *procid;
    const char *msgid;    /* NULL: the message's number; RFC 3164 has it before the text always */
    const char *sd;       /* of RFC 5424 only */
    const char *text;     /* NULL: no MSG; here only where a profile says so */
    bool strict;          /* messages must be of RFC 5424: they will be made bad */
    const char *profile;  /* NULL: plain */
    unsigned fresh;       /* of a profile's lines: bits of enum fresh */
    unsigned given;       /* bits of enum message_field: what an option gives */
    uint64_t size;        /* of a whole message without its frame; 0: as it comes */
    uint64_t size_high;   /* the most, where sizes are drawn; else 0 */
    uint64_t seed;        /* of what is drawn */
    bool checksum;        /* each message carries a mark (load/sequence.h); of RFC 5424 only */
    const char *run;      /* in the mark */
    uint64_t connections; /* among which the messages go in turn */
};

/* What the marks of messages with one body share. */
struct body_mark {
    struct mark_values values;
    struct buffer of;
    struct buffer lead;   /* up to conn */
    struct buffer middle; /* from there to n */
    size_t text_length;   /* of what sum_of_run is over; SIZE_MAX: of nothing yet */
    uint32_t sum_of_run;
};

/* A message but for what differs from one to the next: TIMESTAMP, number, mark and size. */
struct body {
    struct buffer head;    /* up to TIMESTAMP */
    bool stamped;          /* there is one that tells when the message is due */
    bool utc;              /* and ends in Z */
    struct buffer middle;  /* from there to the number */
    bool numbered;         /* there is one */
    struct body_mark mark; /* behind the number */
    struct buffer text;    /* from there on, padded to what --size can need */
    size_t tail;           /* of text, what stands before MSG */
    size_t text_length;    /* of text, without the padding */
    size_t before;         /* the bytes before the number */
    bool no_msg;
};

enum { BODY_NUMBER = 20, BODY_PADDING = '.' };

#define BODY_CRC_NAME "\" crc=\""

/* What the config says must hold as long as the body. */
void body_start(struct body *b, const struct message_config *c);

/* A message, in the same way, that stays as it is. */
void body_start_line(struct body *b, struct slice line);

/* The most, and the least, that a message can take, without its frame. */
size_t body_longest(const struct body *b, const struct message_config *c);
size_t body_shortest(const struct body *b, const struct message_config *c);

/* False, and a report, where the messages would not be what was asked for. */
bool body_fits(const struct body *b, const struct message_config *c);

void body_free(struct body *b);

#endif
