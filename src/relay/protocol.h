#ifndef SHNEK_RELAY_PROTOCOL_H
#define SHNEK_RELAY_PROTOCOL_H

#include "base/slice.h"

enum protocol {
    PROTOCOL_UNKNOWN, /* more bytes are needed, at most to the end of the line */
    PROTOCOL_SYSLOG,  /* any other text */
    PROTOCOL_TLS,
    PROTOCOL_HTTP
};

/* Returns the protocol of a connection that begins with these bytes: TLS begins with the header of
 * a handshake record (RFC 8446, section 5.1), HTTP with a request line (RFC 9112, section 3). */
enum protocol protocol_detect(struct slice bytes);

#endif
