#include "relay/access.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/options.h"

struct access_peer {
    struct peer_key key;
    uint64_t connections;
};

enum { IPV4_MAPPED_OFFSET = 12 }; /* of the IPv4 address in an IPv4-mapped one */

static void network_map_ipv4(unsigned char *ipv6, const void *ipv4)
{
    memset(ipv6, 0, 10);
    ipv6[10] = ipv6[11] = 0xff;
    memcpy(ipv6 + IPV4_MAPPED_OFFSET, ipv4, 4);
}

/* Returns the length of the address in bits, or 0 if `text` is not an address. */
static unsigned network_parse_address(const char *text, unsigned char *address)
{
    struct in_addr ipv4;
    if (inet_pton(AF_INET, text, &ipv4) == 1) {
        network_map_ipv4(address, &ipv4);
        return 32;
    }
    return inet_pton(AF_INET6, text, address) == 1 ? 128 : 0;
}

bool access_config_network(struct access_config *config, const char *flag, const char *text)
{
    char address[INET6_ADDRSTRLEN];
    struct network n;
    size_t len = strcspn(text, "/");
    unsigned width = 0;
    if (len < sizeof address) {
        memcpy(address, text, len);
        address[len] = '\0';
        width = network_parse_address(address, n.address);
    }
    if (width == 0) {
        log_printf("%s: '%s' is not an address or a network: expected 192.0.2.7 or 2001:db8::/32",
                   flag, text);
        return false;
    }
    uint64_t prefix_len = width;
    if (text[len] && !option_count(flag, text + len + 1, 0, width, &prefix_len))
        return false;
    n.prefix_len = (unsigned)prefix_len + 128 - width;
    size_t capacity = config->network_count;
    config->networks = array_grow(config->networks, &capacity, capacity, sizeof n);
    config->networks[config->network_count++] = n;
    return true;
}

bool access_config_uid(struct access_config *config, const char *flag, const char *text)
{
    uint64_t uid;
    if (isdigit((unsigned char)*text)) {
        if (!option_count(flag, text, 0, UINT32_MAX - 1, &uid))
            return false;
    } else {
        const struct passwd *user = getpwnam(text);
        if (!user) {
            log_printf("%s: unknown user '%s'", flag, text);
            return false;
        }
        uid = user->pw_uid;
    }
    size_t capacity = config->uid_count;
    config->uids = array_grow(config->uids, &capacity, capacity, sizeof *config->uids);
    config->uids[config->uid_count++] = (uid_t)uid;
    return true;
}

void access_config_free(struct access_config *config)
{
    free(config->networks);
    free(config->uids);
    *config = (struct access_config){0};
}

struct peer_key peer_key_ip(const struct sockaddr *address)
{
    struct peer_key key = {0};
    if (address->sa_family == AF_INET)
        network_map_ipv4(key.bytes, &((const struct sockaddr_in *)address)->sin_addr);
    else if (address->sa_family == AF_INET6)
        memcpy(key.bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    return key;
}

struct peer_key peer_key_uid(uid_t uid)
{
    struct peer_key key = {.is_uid = true};
    memcpy(key.bytes, &uid, sizeof uid);
    return key;
}

void peer_format_unix(const struct ucred *credentials, char *name)
{
    snprintf(name, SOCKADDR_FORMAT_MAX, "uid=%lu,pid=%ld", (unsigned long)credentials->uid,
             (long)credentials->pid);
}

void peer_set_credentials(struct peer *peer, const struct ucred *credentials)
{
    *peer = (struct peer){.has_credentials = credentials->uid != (uid_t)-1,
                          .uid = credentials->uid,
                          .pid = credentials->pid};
}

void peer_set_address(struct peer *peer, const struct sockaddr *address, socklen_t len)
{
    *peer = (struct peer){0};
    peer->port = sockaddr_ip(address, len, peer->ip, sizeof peer->ip);
}

static bool network_contains(const struct network *n, const unsigned char *address)
{
    unsigned bytes = n->prefix_len / 8;
    unsigned bits = n->prefix_len % 8;
    return memcmp(n->address, address, bytes) == 0 &&
           (bits == 0 || ((n->address[bytes] ^ address[bytes]) & (0xff00 >> bits) & 0xff) == 0);
}

bool access_allows(const struct access_config *config, const struct peer_key *peer)
{
    if (peer->is_uid) {
        uid_t uid;
        memcpy(&uid, peer->bytes, sizeof uid);
        for (size_t i = 0; i < config->uid_count; i++)
            if (config->uids[i] == uid)
                return true;
        return config->uid_count == 0;
    }
    for (size_t i = 0; i < config->network_count; i++)
        if (network_contains(&config->networks[i], peer->bytes))
            return true;
    return config->network_count == 0;
}

void access_init(struct access *a, const struct access_config *config,
                 struct relay_metrics *metrics, bool quiet)
{
    *a = (struct access){.config = config, .metrics = metrics, .log_limit = {.quiet = quiet}};
}

void access_refuse(struct access *a, const char *name, enum refusal refusal, const char *reason)
{
    counter_add(&a->metrics->stats->refused, 1);
    counter_add(&a->metrics->refused.counts[refusal], 1);
    if (rate_limit_allow(&a->log_limit))
        log_warning("%s: refused: %s", name, reason);
}

bool access_check(struct access *a, const struct peer_key *peer, const char *name)
{
    if (access_allows(a->config, peer))
        return true;
    if (peer->is_uid)
        access_refuse(a, name, REFUSED_UID, "not in --allow-uid");
    else
        access_refuse(a, name, REFUSED_ADDRESS, "not in --allow");
    return false;
}

static int access_peer_compare(const void *a, const void *b)
{
    const struct access_peer *left = a;
    const struct access_peer *right = b;
    if (left->key.is_uid != right->key.is_uid)
        return left->key.is_uid ? 1 : -1;
    return memcmp(left->key.bytes, right->key.bytes, sizeof left->key.bytes);
}

struct access_peer *access_peer_enter(struct access *a, const struct peer_key *key)
{
    struct access_peer new_peer = {.key = *key};
    struct access_peer **found = tfind(&new_peer, &a->peers, access_peer_compare);
    if (!found) {
        struct access_peer *peer = malloc(sizeof *peer);
        if (!peer)
            return NULL;
        *peer = new_peer;
        found = tsearch(peer, &a->peers, access_peer_compare);
        if (!found) {
            free(peer);
            errno = ENOMEM;
            return NULL;
        }
    }
    errno = 0;
    if ((*found)->connections >= a->config->max_per_peer)
        return NULL;
    (*found)->connections++;
    return *found;
}

void access_peer_leave(struct access *a, struct access_peer *peer)
{
    if (--peer->connections)
        return;
    tdelete(peer, &a->peers, access_peer_compare);
    free(peer);
}
