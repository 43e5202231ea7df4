#ifndef SHNEK_BASE_ADDRESS_H
#define SHNEK_BASE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addrinfo;

enum { ADDRESS_FORMAT_MAX = 280 }; /* room for what address_format makes */
enum { SOCKADDR_FORMAT_MAX = 64 }; /* room for what sockaddr_format makes */

enum transport { TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_UDP, TRANSPORT_UNIX, TRANSPORT_UNIXGRAM };

/*
 * SCHEME://HOST:PORT, or SCHEME:PATH, as the user wrote it. No HOST is 127.0.0.1; an IPv6 one
 * stands in brackets. No PORT is the registered one of tls (RFC 5425) and udp (RFC 5426); tcp has
 * none (RFC 6587, section 3.4.1).
 */
struct address {
    enum transport transport;
    char host[256];
    char port[6];
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* of a Unix socket */
};

/* "tcp", as in an address. */
const char *transport_name(enum transport transport);

/* Whether messages come one a datagram, and whether the address is a path. */
bool transport_is_datagram(enum transport transport);
bool transport_is_unix(enum transport transport);

/* False, and a report that names the flag, where the text is no address. */
bool address_parse(const char *flag, const char *text, struct address *address);

/* The address as text again, into a buffer of ADDRESS_FORMAT_MAX bytes. */
void address_format(const struct address *address, char *text);

/* Of HOST and PORT what getaddrinfo finds, to be freed by freeaddrinfo; NULL, and a report, where
 * nothing. */
struct addrinfo *address_resolve(const struct address *address, bool listen);

/* Of PATH what connect(2) and bind(2) take. */
struct sockaddr_un address_to_unix(const struct address *address);

/* "127.0.0.1:514" or "[::1]:514" into a buffer of SOCKADDR_FORMAT_MAX bytes. */
void sockaddr_format(const struct sockaddr *from, socklen_t length, char *name);

#endif
