#ifndef SHNEK_RELAY_RELAY_H
#define SHNEK_RELAY_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/output.h"
#include "base/rate-limit.h"
#include "base/signals.h"
#include "base/stats.h"
#include "relay/access.h"
#include "syslog/frame.h"
#include "syslog/message.h"
#include "syslog/parse.h"
#include "syslog/timestamp.h"
#include "tls/tls.h"

struct relay_config {
    struct address *listen;
    size_t listen_count;
    bool listen_systemd; /* on the sockets that systemd passed */
    uint64_t rcvbuf;     /* bytes for a UDP socket; 0: a good size, as far as the system lets */
    int socket_mode;     /* of a Unix socket; -1: by the umask */
    bool reuseport;
    bool proxy_protocol; /* TCP and TLS connections begin with its header */
    struct access_config access;
    struct tls_config tls;
    uint64_t handshake_timeout; /* nanoseconds, for TLS and the PROXY header */
    uint64_t idle_timeout;      /* nanoseconds, 0: none */
    char **files;               /* "-" is stdin */
    int file_count;
    enum syslog_format format;
    struct tz zone; /* of times that do not name theirs */
    enum framing framing;
    bool multiline;
    uint64_t max_size;
    uint64_t max_connections;
    uint64_t jobs;           /* threads that parse what is read from files */
    uint64_t stats_interval; /* nanoseconds, 0: none */
    const char *rejects;     /* a path, or NULL */
    bool truncate;
    bool meta;
    bool raw;
    bool quiet;
};

enum { RELAY_BLOCK = 128 * 1024 };

/* What a thread needs to make records of messages. */
struct parser {
    const struct relay_config *config;
    struct syslog_parser format;
    struct syslog_message message;
    struct timestamp_writer clock;
    struct buffer meta;
};

void parser_start(struct parser *p, const struct relay_config *config);
void parser_free(struct parser *p);

/* What all streams of one process share. */
struct relay {
    const struct relay_config *config;
    struct stats stats;
    struct signals signals;
    struct output records;
    struct output rejects; /* unused where config->rejects is NULL */
    struct rate_limit complaints;
    struct rate_limit refusals; /* of peers */
    struct parser parser;
    struct jobs *jobs; /* or NULL; the output and the complaints are theirs until jobs_written */
    struct access_counts peers;
    bool failed; /* some input could not be read */
    char block[RELAY_BLOCK];
    char plain[RELAY_BLOCK]; /* what TLS made of it */
};

/* Reads or serves, whichever the configuration says, to the end. Gives the exit status. */
int relay_run(const struct relay_config *config);

/* Counts a peer that was not let in, and says why. */
void relay_refuse(struct relay *r, const char *peer, const char *why);

/* Whether anything waits to be written. */
bool relay_pending(const struct relay *r);

/* Writes it. False where that failed: the program has to end. */
bool relay_flush(struct relay *r);

/* Waits until all that was taken is reported, before something else is. */
void relay_settle(struct relay *r);

/* Milliseconds that a wait for input may take (-1: for ever), and what to do when it took that. */
int relay_patience(const struct relay *r);
bool relay_idle(struct relay *r);

/* The two ways in. False where nothing more can be written. */
bool relay_files(struct relay *r);
bool relay_serve(struct relay *r);

#endif
