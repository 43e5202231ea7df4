#ifndef SHNEK_LOAD_SPLIT_H
#define SHNEK_LOAD_SPLIT_H

#include "base/slice.h"

/* The parts of an RFC 5424 message, as pointers into it. */
struct message_parts {
    struct slice fields[5]; /* TIMESTAMP, HOSTNAME, APP-NAME, PROCID, MSGID */
    const char *start;
    const char *version;
    const char *sd;
    const char *sd_end;
    const char *end;
};

/* Splits a message, which must be valid and followed by a NUL. */
struct message_parts split_message(struct slice message);

#endif
