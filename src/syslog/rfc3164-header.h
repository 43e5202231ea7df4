#ifndef SHNEK_SYSLOG_RFC3164_HEADER_H
#define SHNEK_SYSLOG_RFC3164_HEADER_H

#include "base/slice.h"

/* The words before the MSG. Each gives what is behind it, or NULL where it does not stand. */

struct tag {
    struct slice name;
    struct slice pid; /* data == NULL: none */
};

const char *tag_read(const char *p, const char *end, struct tag *tag);

/* A word that could name a machine, and is no TAG. */
const char *host_read(const char *p, const char *end, struct slice *host);

/* Whether a word is an IPv4 or IPv6 address, which may stand in brackets and have a zone. */
bool host_is_address(struct slice word);

/* Whether what begins at `p`, and is no TAG, can only be the beginning of a MSG. */
bool content_begins(const char *p, const char *end);

/* Whether a mnemonic begins at `p`, as %SYS-5-CONFIG_I of Cisco or %%01IFNET/4/IF_UP of Huawei. */
bool mnemonic_begins(const char *p, const char *end);

#endif
