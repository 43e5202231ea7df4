#ifndef SHNEK_LOAD_DESTINATION_H
#define SHNEK_LOAD_DESTINATION_H

#include <stdint.h>

#include "base/address.h"
#include "tls/tls.h"

/* The receiver of the messages. */
struct destination {
    const char *text; /* as the user wrote it, for messages; NULL: stdout */
    struct address address;
    struct tls_config tls;
    int proxy_version;           /* of the PROXY protocol; 0: no header */
    uint64_t connect_timeout_ns; /* retries that long if no process is listening */
};

/* Tries once. Returns a connected, blocking socket, or -1 with errno set. errno is 0 if the name
 * could not be resolved, which is logged. */
int destination_connect_once(const struct destination *destination);

/* Returns a connected, blocking socket, or -1 after logging the reason. */
int destination_connect(const struct destination *destination);

#endif
