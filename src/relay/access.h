#ifndef SHNEK_RELAY_ACCESS_H
#define SHNEK_RELAY_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/peer.h"
#include "base/rate-limit.h"
#include "relay/relay-metrics.h"

/* The identity that limits apply to: an IP address, IPv4 as IPv4-mapped IPv6, or a uid. */
struct peer_key {
    bool is_uid;
    unsigned char bytes[16];
};

struct network {
    unsigned char address[16];
    unsigned prefix_len; /* bits */
};

/* Which peers may send. An empty list allows everyone. */
struct access_config {
    struct network *networks;
    size_t network_count;
    uid_t *uids;
    size_t uid_count;
    uint64_t max_per_peer; /* connections, 0 for no limit */
};

/* Adds ADDRESS or ADDRESS/BITS. Returns false and logs an error that names `flag` if `text` is
 * neither. */
bool access_config_network(struct access_config *config, const char *flag, const char *text);

/* Adds a uid or the uid of a user name. Returns false and logs an error that names `flag` if the
 * user is unknown. */
bool access_config_uid(struct access_config *config, const char *flag, const char *text);

void access_config_free(struct access_config *config);

struct peer_key peer_key_ip(const struct sockaddr *address);
struct peer_key peer_key_uid(uid_t uid);

/* Writes "uid=0,pid=1" to `name`, which has SOCKADDR_FORMAT_MAX bytes. */
void peer_format_unix(const struct ucred *credentials, char *name);

/* Set what is known about a sender; `address` is an IP address. */
void peer_set_credentials(struct peer *peer, const struct ucred *credentials);
void peer_set_address(struct peer *peer, const struct sockaddr *address, socklen_t len);

/* Access control of one server. */
struct access {
    const struct access_config *config;
    struct relay_metrics *metrics;
    struct rate_limit log_limit; /* of lines about refused peers and connections that time out */
    void *peers;                 /* tsearch(3) tree of peers with open connections */
};

void access_init(struct access *a, const struct access_config *config,
                 struct relay_metrics *metrics, bool quiet);

/* Returns whether the lists allow a peer. */
bool access_allows(const struct access_config *config, const struct peer_key *peer);

/* Returns whether a peer is allowed; otherwise refuses it. */
bool access_check(struct access *a, const struct peer_key *peer, const char *name);

/* Counts a refused peer and logs the reason. */
void access_refuse(struct access *a, const char *name, enum refusal refusal, const char *reason);

/* A peer with open connections. */
struct access_peer;

/* Counts one more connection of a peer. Returns NULL if it has max_per_peer already, or if memory
 * is exhausted; errno is ENOMEM only then. */
struct access_peer *access_peer_enter(struct access *a, const struct peer_key *key);

/* Counts one connection less. */
void access_peer_leave(struct access *a, struct access_peer *peer);

#endif
