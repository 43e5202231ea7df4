#ifndef SHNEK_SYSLOG_RFC3164_HOST_H
#define SHNEK_SYSLOG_RFC3164_HOST_H

#include "syslog/message.h"

/* Whether the word after TIMESTAMP is HOSTNAME. */
enum host_mode {
    HOST_RULE,   /* by the rules in shnek-parse(1) */
    HOST_ALWAYS, /* if it has the form of one and is not a TAG */
    HOST_NEVER   /* no, and no other part of an RFC 3164 message */
};

struct host_input {
    const char *end;
    bool has_pri;
    enum host_mode mode;
};

/*
 * Parses HOSTNAME and TAG, and the words around them, from the byte after TIMESTAMP, `p`. Sets
 * fields of `m`, and its PRI if the message has none but a word for it. Returns the byte after
 * them, or `p` if all of the text is MSG.
 */
const char *host_parse(const struct host_input *in, const char *p, struct syslog_message *m);

#endif
