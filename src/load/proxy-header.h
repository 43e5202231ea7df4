#ifndef SHNEK_LOAD_PROXY_HEADER_H
#define SHNEK_LOAD_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

enum { PROXY_HEADER_MAX = 128 };

/* Parses --proxy-protocol=v1|v2 into 1 or 2. Returns false and logs the reason if it is invalid. */
bool proxy_header_parse_version(const char *text, int *version);

/*
 * Writes the header of "The PROXY protocol" (HAProxy), version 1 or 2, to PROXY_HEADER_MAX bytes.
 * It names the addresses of the TCP connection `fd` itself, as a proxy does that has no other
 * client. Returns its length, or 0 with errno set.
 */
size_t proxy_header_format(int version, int fd, char *to);

#endif
