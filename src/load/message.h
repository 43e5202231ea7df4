#ifndef SHNEK_LOAD_MESSAGE_H
#define SHNEK_LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "load/mark.h"
#include "load/random.h"
#include "syslog/timestamp.h"

enum message_format { FORMAT_RFC5424, FORMAT_RFC3164 };

/* What tells messages apart: LF, MSG-LEN (RFC 6587), or nothing, where each is a datagram. */
enum message_frame { MESSAGE_LINE, MESSAGE_COUNTED, MESSAGE_BARE };

struct message_config {
    enum message_format format;
    enum message_frame frame;
    unsigned pri;
    const char *timestamp; /* NULL: when it is due */
    const char *hostname;  /* "-": none, here and below */
    const char *appname;   /* in RFC 3164 the TAG, which must be */
    const char *procid;
    const char *msgid; /* NULL: the message's number; RFC 3164 has it before the text always */
    const char *sd;    /* of RFC 5424 only */
    const char *text;
    uint64_t size;        /* of a whole message without its frame; 0: as it comes */
    uint64_t size_high;   /* the most, where sizes are drawn; else 0 */
    uint64_t seed;        /* of what is drawn */
    bool checksum;        /* each message carries a mark (load/mark.h); of RFC 5424 only */
    const char *run;      /* in the mark */
    uint64_t connections; /* among which the messages go in turn */
};

/* What the marks of one run share. */
struct message_mark {
    struct mark_values values;
    struct buffer of;
    struct buffer lead;   /* up to conn */
    struct buffer middle; /* from there to n */
    struct buffer text;   /* MSG, to be summed */
    struct buffer canonical;
    size_t text_length; /* of what sum_of_run is over; SIZE_MAX: of nothing yet */
    uint32_t sum_of_run;
};

/* Writes messages that differ in TIMESTAMP and in their number. */
struct message_writer {
    const struct message_config *config;
    char *(*write)(struct message_writer *w, uint64_t k, uint64_t ns, char *to);
    struct timestamp_writer clock;
    struct random random;
    struct buffer head;       /* up to TIMESTAMP */
    struct buffer middle;     /* from there to the number */
    struct message_mark mark; /* after the number */
    struct buffer tail;       /* from there to the text */
    struct buffer text;       /* tail and text, padded to what --size can need */
    size_t text_length;       /* of text, without the padding */
    size_t before;            /* the bytes before the number */
    size_t room;              /* the most that one message can take, with its frame */
    size_t shortest;          /* the least, without it */
    unsigned digits;          /* of the number of the last message */
    uint64_t next_digit;      /* the number from which on it has one more */
};

/* False, and a report that names the field, where the messages would not be valid. */
bool message_start(struct message_writer *w, const struct message_config *config);

/* Message k, framed, for a time in nanoseconds since 1970, into room bytes; gives its end. No k is
 * less than that of the call before. */
static inline char *message_write(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    return w->write(w, k, ns, to);
}

void message_free(struct message_writer *w);

#endif
