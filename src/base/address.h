#ifndef SHNEK_BASE_ADDRESS_H
#define SHNEK_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addrinfo;

enum { ADDRESS_FORMAT_MAX = 280 }; /* capacity for address_format() */
enum { SOCKADDR_FORMAT_MAX = 64 }; /* capacity for sockaddr_format() */

enum transport { TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_UDP, TRANSPORT_UNIX, TRANSPORT_UNIXGRAM };

/*
 * SCHEME://HOST:PORT or SCHEME:PATH as given by the user. HOST defaults to 127.0.0.1; an IPv6
 * address is written in brackets, and "*" is every address to listen on. PORT defaults to the
 * registered port of tls (RFC 5425) or udp (RFC 5426); tcp has none (RFC 6587, section 3.4.1).
 */
struct address {
    enum transport transport;
    char host[256];
    char port[6];
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* of a Unix socket */
};

/* Returns the scheme of addresses of this transport, such as "tcp". */
const char *transport_name(enum transport transport);

/* Whether each datagram is one message. */
bool transport_is_datagram(enum transport transport);

/* Whether the address is a path. */
bool transport_is_unix(enum transport transport);

/* Parses text. Returns false and logs the reason with the flag's name if it is not an address. */
bool address_parse(const char *flag, const char *text, struct address *address);

/* Formats the address in the syntax of address_parse(), into ADDRESS_FORMAT_MAX bytes. */
void address_format(const struct address *address, char *text);

/* Parses HOST:PORT of a TCP address. Returns false and logs the reason with the flag's name and
 * `form`, the expected one, if it is not. */
bool address_parse_tcp(const char *flag, const char *text, const char *form,
                       struct address *address);

/* Resolves HOST and PORT with getaddrinfo(3); the caller frees the result with freeaddrinfo().
 * Returns NULL and logs the reason on failure. */
struct addrinfo *address_resolve(const struct address *address, bool listen);

/* Converts PATH for connect(2) and bind(2). */
struct sockaddr_un address_to_unix(const struct address *address);

/* Formats an IP address as "127.0.0.1:514" or "[::1]:514", into SOCKADDR_FORMAT_MAX bytes.
 * IPv4-mapped IPv6 addresses are written as IPv4. */
void sockaddr_format(const struct sockaddr *addr, socklen_t len, char *text);

/* Formats an IP address in the same way, without its port and scope; on failure `ip` is empty.
 * Returns the port. */
uint16_t sockaddr_ip(const struct sockaddr *addr, socklen_t len, char *ip, size_t size);

#endif
