#include "relay/proxy-protocol.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>

enum { V1_MAX = 107, V2_HEAD = 16, V2_IPV4 = 12, V2_IPV6 = 36 };

static const char v1_start[] = "PROXY ";
static const char v2_start[] = "\r\n\r\n\0\r\nQUIT\n";

static bool begins(struct slice bytes, const char *start, size_t length)
{
    return memcmp(bytes.data, start, bytes.len < length ? bytes.len : length) == 0;
}

static void set_ipv4(struct sockaddr_storage *peer, const void *address, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port};
    memcpy(&in.sin_addr, address, sizeof in.sin_addr);
    memcpy(peer, &in, sizeof in);
}

static void set_ipv6(struct sockaddr_storage *peer, const void *address, uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = port};
    memcpy(&in6.sin6_addr, address, sizeof in6.sin6_addr);
    memcpy(peer, &in6, sizeof in6);
}

static bool parse_port(const char *text, uint16_t *port)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long n = strtoul(text, NULL, 10);
    *port = htons((uint16_t)n);
    return digits > 0 && digits < 6 && text[digits] == '\0' && n <= UINT16_MAX;
}

/* "PROXY TCP4 SOURCE DESTINATION PORT PORT"; behind UNKNOWN may stand anything. */
static enum proxy_state parse_v1(char *line, struct sockaddr_storage *peer)
{
    char *words[6];
    if (strcmp(line, "PROXY UNKNOWN") == 0 || strncmp(line, "PROXY UNKNOWN ", 14) == 0)
        return PROXY_SILENT;
    size_t count = 0;
    for (char *rest = line, *word; (word = strsep(&rest, " "));) {
        if (count == 6)
            return PROXY_NO_PROXY;
        words[count++] = word;
    }
    unsigned char source[16];
    unsigned char destination[16];
    uint16_t port;
    uint16_t destination_port;
    if (count != 6 || !parse_port(words[4], &port) || !parse_port(words[5], &destination_port))
        return PROXY_NO_PROXY;
    int family = strcmp(words[1], "TCP4") == 0   ? AF_INET
                 : strcmp(words[1], "TCP6") == 0 ? AF_INET6
                                                 : AF_UNSPEC;
    if (family == AF_UNSPEC || inet_pton(family, words[2], source) != 1 ||
        inet_pton(family, words[3], destination) != 1)
        return PROXY_NO_PROXY;
    if (family == AF_INET)
        set_ipv4(peer, source, port);
    else
        set_ipv6(peer, source, port);
    return PROXY_TOLD;
}

static enum proxy_state v1(struct slice bytes, size_t *length, struct sockaddr_storage *peer)
{
    char line[V1_MAX + 1];
    size_t most = bytes.len < V1_MAX ? bytes.len : V1_MAX;
    const char *end = memmem(bytes.data, most, "\r\n", 2);
    if (!end)
        return most == V1_MAX ? PROXY_NO_PROXY : PROXY_MORE;
    size_t n = (size_t)(end - bytes.data);
    if (memchr(bytes.data, '\0', n))
        return PROXY_NO_PROXY;
    memcpy(line, bytes.data, n);
    line[n] = '\0';
    *length = n + 2;
    return parse_v1(line, peer);
}

static enum proxy_state v2(struct slice bytes, size_t *length, struct sockaddr_storage *peer)
{
    if (bytes.len < V2_HEAD)
        return PROXY_MORE;
    const unsigned char *at = (const unsigned char *)bytes.data;
    unsigned version = at[12] >> 4;
    unsigned command = at[12] & 0xf;
    unsigned family = at[13] >> 4;
    size_t rest = (size_t)at[14] << 8 | at[15];
    uint16_t port;
    if (version != 2 || command > 1)
        return PROXY_NO_PROXY;
    if (bytes.len < V2_HEAD + rest)
        return PROXY_MORE;
    *length = V2_HEAD + rest;
    if (command == 0 || (family != 1 && family != 2))
        return PROXY_SILENT;
    if (rest < (family == 1 ? V2_IPV4 : V2_IPV6))
        return PROXY_NO_PROXY;
    if (family == 1) {
        memcpy(&port, at + V2_HEAD + 8, sizeof port);
        set_ipv4(peer, at + V2_HEAD, port);
    } else {
        memcpy(&port, at + V2_HEAD + 32, sizeof port);
        set_ipv6(peer, at + V2_HEAD, port);
    }
    return PROXY_TOLD;
}

enum proxy_state proxy_header(struct slice bytes, size_t *length, struct sockaddr_storage *peer)
{
    if (bytes.len == 0)
        return PROXY_MORE;
    if (begins(bytes, v2_start, sizeof v2_start - 1))
        return v2(bytes, length, peer);
    if (begins(bytes, v1_start, sizeof v1_start - 1))
        return v1(bytes, length, peer);
    return PROXY_NO_PROXY;
}
