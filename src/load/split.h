#ifndef SHNEK_LOAD_SPLIT_H
#define SHNEK_LOAD_SPLIT_H

#include "base/slice.h"

/* Where the parts of a message are. */
struct message_parts {
    struct slice fields[5]; /* TIMESTAMP, HOSTNAME, APP-NAME, PROCID, MSGID */
    const char *start;
    const char *version;
    const char *sd;
    const char *sd_end;
    const char *end;
};

/* Of a valid message of RFC 5424, which has a NUL behind it. */
struct message_parts split_message(struct slice message);

#endif
