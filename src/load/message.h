#ifndef SHNEK_LOAD_MESSAGE_H
#define SHNEK_LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "syslog/timestamp.h"

struct message_config {
    unsigned pri;
    const char *timestamp; /* NULL: when it is due */
    const char *hostname;
    const char *appname;
    const char *procid;
    const char *msgid; /* NULL: the message's number */
    const char *sd;
    const char *text;
    uint64_t size;       /* of a whole message without its frame; 0: as it comes */
    bool octet_counting; /* else newline framing */
};

/* Writes messages of RFC 5424 that differ in TIMESTAMP and MSGID. */
struct message_writer {
    const struct message_config *config;
    struct timestamp_writer clock;
    struct buffer head;   /* up to TIMESTAMP */
    struct buffer middle; /* from there to MSGID */
    struct buffer tail;   /* from there on */
    struct buffer text;   /* tail, padded to what --size can need */
    size_t text_length;   /* of text, without the padding */
    size_t room;          /* the most that one message can take, with its frame */
};

/* False, and a report that names the field, where the messages would not be valid. */
bool message_start(struct message_writer *w, const struct message_config *config);

/* Message k, framed, for a time in nanoseconds since 1970, into room bytes; gives its end. */
char *message_write(struct message_writer *w, uint64_t k, uint64_t ns, char *to);

void message_free(struct message_writer *w);

#endif
