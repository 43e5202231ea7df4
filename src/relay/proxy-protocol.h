#ifndef SHNEK_RELAY_PROXY_PROTOCOL_H
#define SHNEK_RELAY_PROXY_PROTOCOL_H

#include <sys/socket.h>

#include "base/slice.h"

enum proxy_state {
    PROXY_MORE,    /* the header is not whole yet */
    PROXY_TOLD,    /* it names the peer */
    PROXY_SILENT,  /* it names none: the connection is the proxy's own (LOCAL, UNKNOWN) */
    PROXY_NO_PROXY /* this is no header */
};

/*
 * The header that a proxy sends first ("The PROXY protocol", versions 1 and 2, by HAProxy). Gives
 * its length where it is whole, and the peer where it is told; TLVs are skipped.
 */
enum proxy_state proxy_header(struct slice bytes, size_t *length, struct sockaddr_storage *peer);

#endif
