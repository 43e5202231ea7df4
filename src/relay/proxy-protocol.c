#include "relay/proxy-protocol.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>

enum { V1_MAX = 107, V1_FIELDS = 6, V2_HEADER = 16, V2_IPV4 = 12, V2_IPV6 = 36 };

static const char v1_signature[] = "PROXY ";
static const char v2_signature[] = "\r\n\r\n\0\r\nQUIT\n";

/* Returns whether the bytes are a signature, or the beginning of one. */
static bool proxy_has_signature(struct slice bytes, const char *signature, size_t len)
{
    return memcmp(bytes.data, signature, bytes.len < len ? bytes.len : len) == 0;
}

static void proxy_set_ipv4(struct sockaddr_storage *client, const void *address, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = port};
    memcpy(&in.sin_addr, address, sizeof in.sin_addr);
    memcpy(client, &in, sizeof in);
}

static void proxy_set_ipv6(struct sockaddr_storage *client, const void *address, uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = port};
    memcpy(&in6.sin6_addr, address, sizeof in6.sin6_addr);
    memcpy(client, &in6, sizeof in6);
}

static bool proxy_parse_port(const char *text, uint16_t *port)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long n = strtoul(text, NULL, 10);
    *port = htons((uint16_t)n);
    return digits > 0 && digits < 6 && text[digits] == '\0' && n <= UINT16_MAX;
}

/* "PROXY TCP4 SOURCE DESTINATION PORT PORT", or UNKNOWN followed by anything. */
static enum proxy_state proxy_parse_v1_line(char *line, struct sockaddr_storage *client)
{
    char *fields[V1_FIELDS];
    if (strcmp(line, "PROXY UNKNOWN") == 0 || strncmp(line, "PROXY UNKNOWN ", 14) == 0)
        return PROXY_LOCAL;
    size_t count = 0;
    for (char *rest = line, *field; (field = strsep(&rest, " "));) {
        if (count == V1_FIELDS)
            return PROXY_INVALID;
        fields[count++] = field;
    }
    unsigned char source[16];
    unsigned char destination[16];
    uint16_t port;
    uint16_t destination_port;
    if (count != V1_FIELDS || !proxy_parse_port(fields[4], &port) ||
        !proxy_parse_port(fields[5], &destination_port))
        return PROXY_INVALID;
    int family = strcmp(fields[1], "TCP4") == 0   ? AF_INET
                 : strcmp(fields[1], "TCP6") == 0 ? AF_INET6
                                                  : AF_UNSPEC;
    if (family == AF_UNSPEC || inet_pton(family, fields[2], source) != 1 ||
        inet_pton(family, fields[3], destination) != 1)
        return PROXY_INVALID;
    if (family == AF_INET)
        proxy_set_ipv4(client, source, port);
    else
        proxy_set_ipv6(client, source, port);
    return PROXY_CLIENT;
}

static enum proxy_state proxy_parse_v1(struct slice bytes, size_t *len,
                                       struct sockaddr_storage *client)
{
    char line[V1_MAX + 1];
    size_t available = bytes.len < V1_MAX ? bytes.len : V1_MAX;
    const char *end = memmem(bytes.data, available, "\r\n", 2);
    if (!end)
        return available == V1_MAX ? PROXY_INVALID : PROXY_INCOMPLETE;
    size_t line_len = (size_t)(end - bytes.data);
    if (memchr(bytes.data, '\0', line_len))
        return PROXY_INVALID;
    memcpy(line, bytes.data, line_len);
    line[line_len] = '\0';
    *len = line_len + 2;
    return proxy_parse_v1_line(line, client);
}

static enum proxy_state proxy_parse_v2(struct slice bytes, size_t *len,
                                       struct sockaddr_storage *client)
{
    if (bytes.len < V2_HEADER)
        return PROXY_INCOMPLETE;
    const unsigned char *data = (const unsigned char *)bytes.data;
    unsigned version = data[12] >> 4;
    unsigned command = data[12] & 0xf;
    unsigned family = data[13] >> 4;
    size_t rest = (size_t)data[14] << 8 | data[15];
    uint16_t port;
    if (version != 2 || command > 1)
        return PROXY_INVALID;
    if (bytes.len < V2_HEADER + rest)
        return PROXY_INCOMPLETE;
    *len = V2_HEADER + rest;
    if (command == 0 || (family != 1 && family != 2))
        return PROXY_LOCAL;
    if (rest < (family == 1 ? V2_IPV4 : V2_IPV6))
        return PROXY_INVALID;
    if (family == 1) {
        memcpy(&port, data + V2_HEADER + 8, sizeof port);
        proxy_set_ipv4(client, data + V2_HEADER, port);
    } else {
        memcpy(&port, data + V2_HEADER + 32, sizeof port);
        proxy_set_ipv6(client, data + V2_HEADER, port);
    }
    return PROXY_CLIENT;
}

enum proxy_state proxy_parse(struct slice bytes, size_t *len, struct sockaddr_storage *client)
{
    if (bytes.len == 0)
        return PROXY_INCOMPLETE;
    if (proxy_has_signature(bytes, v2_signature, sizeof v2_signature - 1))
        return proxy_parse_v2(bytes, len, client);
    if (proxy_has_signature(bytes, v1_signature, sizeof v1_signature - 1))
        return proxy_parse_v1(bytes, len, client);
    return PROXY_INVALID;
}
