#ifndef SHNEK_RELAY_CONFIG_H
#define SHNEK_RELAY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "json/schema.h"
#include "metrics/metrics.h"
#include "relay/access.h"
#include "syslog/frame.h"
#include "syslog/parse.h"
#include "syslog/selector.h"
#include "syslog/tz.h"
#include "tls/tls.h"

/* The options of shnek-parse. Strings are borrowed from argv. */
struct relay_config {
    struct address *listen;
    size_t listen_count;
    bool listen_systemd; /* use the sockets that systemd passes */
    uint64_t rcvbuf;     /* SO_RCVBUF of UDP sockets in bytes, 0 for the default */
    int socket_mode;     /* permissions of Unix sockets, -1 to leave them to the umask */
    bool reuseport;
    bool proxy_protocol; /* TCP and TLS connections begin with a PROXY header */
    struct access_config access;
    struct tls_config tls;
    uint64_t handshake_timeout_ns;     /* for the PROXY header and the TLS handshake */
    uint64_t idle_timeout_ns;          /* 0 for none */
    uint64_t first_message_timeout_ns; /* instead, until a message is complete; 0 for none */
    char **files;                      /* "-" is stdin */
    int file_count;
    enum syslog_format format;
    struct tz tz;        /* of timestamps without a zone */
    enum host_mode host; /* of RFC 3164 messages */
    enum framing framing;
    bool multiline;
    const char *charset; /* of messages that are not UTF-8, or NULL */
    struct selector selector;
    struct schema_config schema;
    const char *fields; /* members of the schema, or NULL for all */
    uint64_t max_size;
    uint64_t max_connections;
    uint64_t max_memory;          /* bytes of unfinished messages of all connections */
    uint64_t jobs;                /* parser threads for files, 1 to parse in the main thread */
    uint64_t shutdown_timeout_ns; /* of a drain, 0 for none */
    uint64_t stats_interval_ns;   /* 0 for none */
    const char *rejects;          /* path, or NULL */
    const char *exec;             /* command that reads the output, or NULL */
    bool truncate;
    bool host_from_peer; /* HOSTNAME is the address of the sender if it is absent */
    bool quiet;

    struct metrics_target metrics;
};

#endif
