#ifndef SHNEK_LOAD_DESTINATION_H
#define SHNEK_LOAD_DESTINATION_H

#include <stdint.h>

#include "base/address.h"
#include "tls/tls.h"

/* Where the messages go. */
struct destination {
    const char *text; /* as the user wrote it, for reports; NULL: stdout */
    struct address address;
    struct tls_config tls;
    uint64_t
        connect_timeout_ns; /* nanoseconds in which to try again where nobody takes connections */
};

/* A connected socket that blocks; -1, and a report, where there is none to be had. */
int destination_connect(const struct destination *to);

#endif
