#include "base/address.h"

#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/options.h"

static const struct {
    const char *name;
    const char *prefix;
    const char *port;
    bool datagram;
    bool is_unix;
} transports[] = {[TRANSPORT_TCP] = {"tcp", "tcp://", NULL, false, false},
                  [TRANSPORT_TLS] = {"tls", "tls://", "6514", false, false},
                  [TRANSPORT_UDP] = {"udp", "udp://", "514", true, false},
                  [TRANSPORT_UNIX] = {"unix", "unix:", NULL, false, true},
                  [TRANSPORT_UNIXGRAM] = {"unixgram", "unixgram:", NULL, true, true}};

enum { TRANSPORTS = sizeof transports / sizeof transports[0] };

const char *transport_name(enum transport transport)
{
    return transports[transport].name;
}

bool transport_is_datagram(enum transport transport)
{
    return transports[transport].datagram;
}

bool transport_is_unix(enum transport transport)
{
    return transports[transport].is_unix;
}

static bool not_an_address(const char *flag, const char *text, const char *form)
{
    log_printf("%s: '%s' is not an address: %s", flag, text, form);
    return false;
}

static bool parse_path(const char *flag, const char *text, const char *path, struct address *a)
{
    size_t length = strlen(path);
    if (length == 0)
        return not_an_address(flag, text, "it has no PATH");
    if (length >= sizeof a->path) {
        log_printf("%s: '%s': a socket's path has at most %zu bytes", flag, text,
                   sizeof a->path - 1);
        return false;
    }
    memcpy(a->path, path, length + 1);
    return true;
}

static bool parse_port(const char *flag, const char *port, struct address *a)
{
    uint64_t number;
    if (!option_count(flag, port, 0, 65535, &number))
        return false;
    snprintf(a->port, sizeof a->port, "%u", (unsigned)(uint16_t)number);
    return true;
}

static bool parse_host(const char *flag, const char *text, const char *host, struct address *a)
{
    const char *form = transports[a->transport].port ? "SCHEME://HOST[:PORT]" : "tcp://HOST:PORT";
    const char *port = strrchr(host, ':');
    if (port && strchr(port, ']'))
        port = NULL; /* within an IPv6 address */
    size_t length = port ? (size_t)(port++ - host) : strlen(host);
    if (length && host[0] == '[') {
        if (length < 3 || host[length - 1] != ']')
            return not_an_address(flag, text, form);
        host++;
        length -= 2;
    } else if (memchr(host, ':', length)) {
        return not_an_address(flag, text, form);
    }
    if (length == 0) {
        host = "127.0.0.1";
        length = strlen(host);
    }
    if (!port)
        port = transports[a->transport].port;
    if (!port || length >= sizeof a->host || !*port || port[strspn(port, "0123456789")] != '\0')
        return not_an_address(flag, text, form);
    memcpy(a->host, host, length);
    a->host[length] = '\0';
    return parse_port(flag, port, a);
}

bool address_parse(const char *flag, const char *text, struct address *address)
{
    for (int i = 0; i < TRANSPORTS; i++) {
        size_t length = strlen(transports[i].prefix);
        if (strncmp(text, transports[i].prefix, length) != 0)
            continue;
        *address = (struct address){.transport = (enum transport)i};
        return transports[i].is_unix ? parse_path(flag, text, text + length, address)
                                     : parse_host(flag, text, text + length, address);
    }
    return not_an_address(flag, text, "tcp://HOST:PORT, udp://, tls://, unix:PATH, unixgram:PATH");
}

void address_format(const struct address *a, char *text)
{
    const char *prefix = transports[a->transport].prefix;
    if (transports[a->transport].is_unix)
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
    int error = getaddrinfo(address->host, address->port, &hints, &found);
    if (error) {
        address_format(address, text);
        log_printf("%s: %s", text, gai_strerror(error));
    }
    return error ? NULL : found;
}

struct sockaddr_un address_to_unix(const struct address *address)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, address->path, sizeof address->path);
    return at;
}

void sockaddr_format(const struct sockaddr *from, socklen_t length, char *name)
{
    char host[48];
    char port[6];
    if (getnameinfo(from, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(name, SOCKADDR_FORMAT_MAX, "unknown");
    else
        snprintf(name, SOCKADDR_FORMAT_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}
