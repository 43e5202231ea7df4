#ifndef SHNEK_RELAY_ACCESS_H
#define SHNEK_RELAY_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/address.h"

/* Whom a peer counts as: its IP address (IPv4 as IPv4-mapped IPv6), or its uid. */
struct peer_key {
    bool is_uid;
    unsigned char bytes[16];
};

struct network {
    unsigned char address[16];
    unsigned bits;
};

/* Who may speak. Empty lists let in everybody. */
struct access_config {
    struct network *networks;
    size_t network_count;
    uid_t *uids;
    size_t uid_count;
    uint64_t max_per_peer; /* connections, 0: no limit */
};

/* ADDRESS or ADDRESS/BITS; a number or a user's name. False, and a report that names the flag,
 * where the text is none. */
bool access_config_network(struct access_config *config, const char *flag, const char *text);
bool access_config_uid(struct access_config *config, const char *flag, const char *text);
void access_config_free(struct access_config *config);

struct peer_key peer_key_ip(const struct sockaddr *from);
struct peer_key peer_key_uid(uid_t uid);

/* "uid=0,pid=1" into a buffer of SOCKADDR_FORMAT_MAX bytes. */
void peer_name_unix(const struct ucred *who, char *name);

bool access_admits(const struct access_config *config, const struct peer_key *peer);

/* How many connections each peer has; all zero is ready for use. */
struct access_counts {
    void *tree;
};
struct access_count;

/* One more connection of a peer; NULL where it has as many as it may. */
struct access_count *access_enter(struct access_counts *counts, const struct peer_key *peer,
                                  uint64_t max);
void access_leave(struct access_counts *counts, struct access_count *count);

#endif
