#ifndef SHNEK_BASE_ADDRESS_H
#define SHNEK_BASE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct addrinfo;

enum { ADDRESS_TEXT = 280 }; /* room for what address_text makes */
enum { ADDRESS_NAME = 64 };  /* room for what address_name makes */

/* tcp://HOST:PORT, as the user wrote it. No HOST is 127.0.0.1; an IPv6 one stands in brackets. */
struct address {
    char host[256];
    char port[6];
};

/* False, and a report that names the flag, where the text is no address. */
bool address_parse(const char *flag, const char *text, struct address *address);

/* The address as text again, into a buffer of ADDRESS_TEXT bytes. */
void address_text(const struct address *address, char *text);

/* What getaddrinfo finds, to be freed by freeaddrinfo; NULL, and a report, where nothing. */
struct addrinfo *address_resolve(const struct address *address, bool listen);

/* "127.0.0.1:514" or "[::1]:514" into a buffer of ADDRESS_NAME bytes. */
void address_name(const struct sockaddr *from, socklen_t length, char *name);

#endif
