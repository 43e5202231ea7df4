#ifndef SHNEK_SYSLOG_RFC3164_HEADER_H
#define SHNEK_SYSLOG_RFC3164_HEADER_H

#include "base/slice.h"

/*
 * The words of an RFC 3164 message before its CONTENT (sections 4.1.2 and 4.1.3), and their many
 * variants. The read functions return the byte after what they read at `p`, or NULL if it is not
 * there.
 */

struct rfc3164_tag {
    struct slice name;
    struct slice pid; /* data == NULL if there is none */
};

/* TAG with its ':' and the PID in brackets. */
const char *rfc3164_read_tag(const char *p, const char *end, struct rfc3164_tag *tag);

/* HOSTNAME: a word that can be a name or an address, and is not a TAG. */
const char *rfc3164_read_host(const char *p, const char *end, struct slice *host);

/* Whether a word is an IPv4 or IPv6 address, with or without brackets and a zone. */
bool rfc3164_is_address(struct slice word);

/* Whether the text at `p`, which is not a TAG, can only be the beginning of CONTENT. */
bool rfc3164_is_content(const char *p, const char *end);

/* Whether a mnemonic begins at `p`, such as %SYS-5-CONFIG_I (Cisco) or %%01IFNET/4/IF_UP (Huawei).
 */
bool rfc3164_is_mnemonic(const char *p, const char *end);

#endif
