#include "base/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/options.h"

static const struct {
    const char *name;
    const char *prefix;
    const char *port;
    bool datagram;
    bool is_unix;
} transport_info[] = {[TRANSPORT_TCP] = {"tcp", "tcp://", NULL, false, false},
                      [TRANSPORT_TLS] = {"tls", "tls://", "6514", false, false},
                      [TRANSPORT_UDP] = {"udp", "udp://", "514", true, false},
                      [TRANSPORT_UNIX] = {"unix", "unix:", NULL, false, true},
                      [TRANSPORT_UNIXGRAM] = {"unixgram", "unixgram:", NULL, true, true}};

enum { TRANSPORTS = sizeof transport_info / sizeof transport_info[0] };

const char *transport_name(enum transport transport)
{
    return transport_info[transport].name;
}

bool transport_is_datagram(enum transport transport)
{
    return transport_info[transport].datagram;
}

bool transport_is_unix(enum transport transport)
{
    return transport_info[transport].is_unix;
}

static bool address_reject(const char *flag, const char *text, const char *form)
{
    log_printf("%s: '%s' is not an address: %s", flag, text, form);
    return false;
}

static bool address_parse_path(const char *flag, const char *text, const char *path,
                               struct address *a)
{
    size_t len = strlen(path);
    if (len == 0)
        return address_reject(flag, text, "PATH is missing");
    if (len >= sizeof a->path) {
        log_printf("%s: '%s': the path has %zu bytes (at most %zu)", flag, text, len,
                   sizeof a->path - 1);
        return false;
    }
    memcpy(a->path, path, len + 1);
    return true;
}

static bool address_parse_port(const char *flag, const char *port, struct address *a)
{
    uint64_t number;
    if (!option_count(flag, port, 0, 65535, &number))
        return false;
    snprintf(a->port, sizeof a->port, "%u", (unsigned)(uint16_t)number);
    return true;
}

static bool address_parse_host(const char *flag, const char *text, const char *host,
                               const char *form, struct address *a)
{
    const char *port = strrchr(host, ':');
    if (port && strchr(port, ']'))
        port = NULL; /* the colon is part of an IPv6 address */
    size_t len = port ? (size_t)(port++ - host) : strlen(host);
    if (len && host[0] == '[') {
        if (len < 3 || host[len - 1] != ']')
            return address_reject(flag, text, form);
        host++;
        len -= 2;
    } else if (memchr(host, ':', len)) {
        return address_reject(flag, text, form);
    }
    if (len == 0) {
        host = "127.0.0.1";
        len = strlen(host);
    }
    if (!port)
        port = transport_info[a->transport].port;
    if (!port || len >= sizeof a->host || !*port || port[strspn(port, "0123456789")] != '\0')
        return address_reject(flag, text, form);
    memcpy(a->host, host, len);
    a->host[len] = '\0';
    return address_parse_port(flag, port, a);
}

bool address_parse_tcp(const char *flag, const char *text, const char *form,
                       struct address *address)
{
    *address = (struct address){.transport = TRANSPORT_TCP};
    return address_parse_host(flag, text, text, form, address);
}

bool address_parse(const char *flag, const char *text, struct address *address)
{
    for (int i = 0; i < TRANSPORTS; i++) {
        size_t len = strlen(transport_info[i].prefix);
        if (strncmp(text, transport_info[i].prefix, len) != 0)
            continue;
        *address = (struct address){.transport = (enum transport)i};
        if (transport_info[i].is_unix)
            return address_parse_path(flag, text, text + len, address);
        const char *form = transport_info[i].port ? "SCHEME://HOST[:PORT]" : "tcp://HOST:PORT";
        return address_parse_host(flag, text, text + len, form, address);
    }
    return address_reject(flag, text, "tcp://HOST:PORT, udp://, tls://, unix:PATH, unixgram:PATH");
}

void address_format(const struct address *a, char *text)
{
    const char *prefix = transport_info[a->transport].prefix;
    if (transport_info[a->transport].is_unix)
        snprintf(text, ADDRESS_FORMAT_MAX, "%s%s", prefix, a->path);
    else
        snprintf(text, ADDRESS_FORMAT_MAX, strchr(a->host, ':') ? "%s[%s]:%s" : "%s%s:%s", prefix,
                 a->host, a->port);
}

struct addrinfo *address_resolve(const struct address *address, bool listen)
{
    char text[ADDRESS_FORMAT_MAX];
    struct addrinfo hints = {.ai_socktype = transport_is_datagram(address->transport) ? SOCK_DGRAM
                                                                                      : SOCK_STREAM,
                             .ai_flags = listen ? AI_PASSIVE : 0};
    struct addrinfo *found = NULL;
    const char *host = listen && strcmp(address->host, "*") == 0 ? NULL : address->host;
    int error = getaddrinfo(host, address->port, &hints, &found);
    if (error) {
        address_format(address, text);
        log_printf("%s: %s", text, gai_strerror(error));
    }
    return error ? NULL : found;
}

struct sockaddr_un address_to_unix(const struct address *address)
{
    struct sockaddr_un result = {.sun_family = AF_UNIX};
    memcpy(result.sun_path, address->path, sizeof address->path);
    return result;
}

/* An IPv4 peer of an IPv6 socket has an IPv4-mapped address (RFC 4291, section 2.5.5.2). Returns
 * its IPv4 address in `ipv4`, or the address itself. */
static const struct sockaddr *sockaddr_unmap(const struct sockaddr *addr, socklen_t *len,
                                             struct sockaddr_in *ipv4)
{
    struct sockaddr_in6 ipv6;
    if (addr->sa_family != AF_INET6 || *len < sizeof ipv6)
        return addr;
    memcpy(&ipv6, addr, sizeof ipv6);
    if (!IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr))
        return addr;
    *ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = ipv6.sin6_port};
    memcpy(&ipv4->sin_addr, &ipv6.sin6_addr.s6_addr[12], sizeof ipv4->sin_addr);
    *len = sizeof *ipv4;
    return (const struct sockaddr *)ipv4;
}

void sockaddr_format(const struct sockaddr *addr, socklen_t len, char *text)
{
    char host[48];
    char port[6];
    struct sockaddr_in ipv4;
    addr = sockaddr_unmap(addr, &len, &ipv4);
    if (getnameinfo(addr, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(text, SOCKADDR_FORMAT_MAX, "unknown");
    else
        snprintf(text, SOCKADDR_FORMAT_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

uint16_t sockaddr_ip(const struct sockaddr *addr, socklen_t len, char *ip, size_t size)
{
    char port[6];
    struct sockaddr_in ipv4;
    addr = sockaddr_unmap(addr, &len, &ipv4);
    if (getnameinfo(addr, len, ip, (socklen_t)size, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        *ip = '\0';
        return 0;
    }
    ip[strcspn(ip, "%")] = '\0';
    return (uint16_t)strtoul(port, NULL, 10);
}
