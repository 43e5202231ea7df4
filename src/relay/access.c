#include "relay/access.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <pwd.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/options.h"

struct access_count {
    struct peer_key peer;
    uint64_t connections;
};

enum { IPV4_AT = 12 }; /* where an IPv4 address stands in an IPv4-mapped one */

static void map_ipv4(unsigned char *to, const void *ipv4)
{
    memset(to, 0, 10);
    to[10] = to[11] = 0xff;
    memcpy(to + IPV4_AT, ipv4, 4);
}

/* The length of the address in bits, or 0 where it is none. */
static unsigned parse_address(const char *text, unsigned char *to)
{
    struct in_addr ipv4;
    if (inet_pton(AF_INET, text, &ipv4) == 1) {
        map_ipv4(to, &ipv4);
        return 32;
    }
    return inet_pton(AF_INET6, text, to) == 1 ? 128 : 0;
}

bool access_config_network(struct access_config *config, const char *flag, const char *text)
{
    char address[INET6_ADDRSTRLEN];
    struct network n;
    size_t length = strcspn(text, "/");
    unsigned width = 0;
    if (length < sizeof address) {
        memcpy(address, text, length);
        address[length] = '\0';
        width = parse_address(address, n.address);
    }
    if (width == 0) {
        log_printf("%s: '%s' is not an address or a network: 192.0.2.0/24, 2001:db8::/32", flag,
                   text);
        return false;
    }
    uint64_t bits = width;
    if (text[length] && !option_count(flag, text + length + 1, 0, width, &bits))
        return false;
    n.bits = (unsigned)bits + 128 - width;
    size_t capacity = config->network_count;
    config->networks = array_grow(config->networks, &capacity, capacity, sizeof n);
    config->networks[config->network_count++] = n;
    return true;
}

bool access_config_uid(struct access_config *config, const char *flag, const char *text)
{
    uint64_t number;
    if (isdigit((unsigned char)*text)) {
        if (!option_count(flag, text, 0, UINT32_MAX - 1, &number))
            return false;
    } else {
        const struct passwd *user = getpwnam(text);
        if (!user) {
            log_printf("%s: there is no user '%s'", flag, text);
            return false;
        }
        number = user->pw_uid;
    }
    size_t capacity = config->uid_count;
    config->uids = array_grow(config->uids, &capacity, capacity, sizeof *config->uids);
    config->uids[config->uid_count++] = (uid_t)number;
    return true;
}

void access_config_free(struct access_config *config)
{
    free(config->networks);
    free(config->uids);
    *config = (struct access_config){0};
}

struct peer_key peer_key_ip(const struct sockaddr *from)
{
    struct peer_key key = {0};
    if (from->sa_family == AF_INET)
        map_ipv4(key.bytes, &((const struct sockaddr_in *)from)->sin_addr);
    else if (from->sa_family == AF_INET6)
        memcpy(key.bytes, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
    return key;
}

struct peer_key peer_key_uid(uid_t uid)
{
    struct peer_key key = {.is_uid = true};
    memcpy(key.bytes, &uid, sizeof uid);
    return key;
}

void peer_name_unix(const struct ucred *who, char *name)
{
    snprintf(name, SOCKADDR_FORMAT_MAX, "uid=%lu,pid=%ld", (unsigned long)who->uid, (long)who->pid);
}

static bool in_network(const struct network *n, const unsigned char *address)
{
    unsigned whole = n->bits / 8;
    unsigned rest = n->bits % 8;
    return memcmp(n->address, address, whole) == 0 &&
           (rest == 0 || ((n->address[whole] ^ address[whole]) & (0xff00 >> rest) & 0xff) == 0);
}

bool access_admits(const struct access_config *config, const struct peer_key *peer)
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
        if (in_network(&config->networks[i], peer->bytes))
            return true;
    return config->network_count == 0;
}

static int compare(const void *a, const void *b)
{
    const struct access_count *one = a;
    const struct access_count *other = b;
    if (one->peer.is_uid != other->peer.is_uid)
        return one->peer.is_uid ? 1 : -1;
    return memcmp(one->peer.bytes, other->peer.bytes, sizeof one->peer.bytes);
}

struct access_count *access_enter(struct access_counts *counts, const struct peer_key *peer,
                                  uint64_t max)
{
    struct access_count sought = {.peer = *peer};
    struct access_count **found = tfind(&sought, &counts->tree, compare);
    if (!found) {
        struct access_count *fresh = malloc(sizeof *fresh);
        if (!fresh)
            return NULL;
        *fresh = sought;
        found = tsearch(fresh, &counts->tree, compare);
        if (!found) {
            free(fresh);
            return NULL;
        }
    }
    if ((*found)->connections >= max)
        return NULL;
    (*found)->connections++;
    return *found;
}

void access_leave(struct access_counts *counts, struct access_count *count)
{
    if (--count->connections)
        return;
    tdelete(count, &counts->tree, compare);
    free(count);
}
