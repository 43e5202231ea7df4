#include "load/proxy-header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/options.h"

struct proxy_address {
    int family;
    const void *ip;
    size_t ip_len;
    in_port_t port; /* network byte order */
};

bool proxy_header_parse_version(const char *text, int *version)
{
    static const char *const names[] = {"v1", "v2", NULL};
    int choice;
    if (!option_choice("--proxy-protocol", text, names, &choice))
        return false;
    *version = choice + 1;
    return true;
}

static struct proxy_address proxy_header_address(const struct sockaddr_storage *s)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)s;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)s;
    if (s->ss_family == AF_INET)
        return (struct proxy_address){AF_INET, &v4->sin_addr, 4, v4->sin_port};
    return (struct proxy_address){AF_INET6, &v6->sin6_addr, 16, v6->sin6_port};
}

static size_t proxy_header_format_text(const struct proxy_address *from,
                                       const struct proxy_address *to, char *text)
{
    char source[INET6_ADDRSTRLEN];
    char target[INET6_ADDRSTRLEN];
    inet_ntop(from->family, from->ip, source, sizeof source);
    inet_ntop(to->family, to->ip, target, sizeof target);
    return (size_t)snprintf(text, PROXY_HEADER_MAX, "PROXY TCP%c %s %s %u %u\r\n",
                            from->family == AF_INET ? '4' : '6', source, target, ntohs(from->port),
                            ntohs(to->port));
}

static size_t proxy_header_format_binary(const struct proxy_address *from,
                                         const struct proxy_address *to, char *bytes)
{
    static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
    enum { COMMAND_PROXY = 0x21, TCP4 = 0x11, TCP6 = 0x21 };
    char *end = mempcpy(bytes, signature, sizeof signature - 1);
    *end++ = COMMAND_PROXY;
    *end++ = from->family == AF_INET ? TCP4 : TCP6;
    *end++ = 0;
    *end++ = (char)(2 * from->ip_len + 2 * sizeof from->port);
    end = mempcpy(end, from->ip, from->ip_len);
    end = mempcpy(end, to->ip, to->ip_len);
    end = mempcpy(end, &from->port, sizeof from->port);
    end = mempcpy(end, &to->port, sizeof to->port);
    return (size_t)(end - bytes);
}

size_t proxy_header_format(int version, int fd, char *to)
{
    struct sockaddr_storage own = {0};
    struct sockaddr_storage peer = {0};
    socklen_t own_len = sizeof own;
    socklen_t peer_len = sizeof peer;
    if (getsockname(fd, (struct sockaddr *)&own, &own_len) != 0 ||
        getpeername(fd, (struct sockaddr *)&peer, &peer_len) != 0)
        return 0;
    struct proxy_address source = proxy_header_address(&own);
    struct proxy_address target = proxy_header_address(&peer);
    return version == 1 ? proxy_header_format_text(&source, &target, to)
                        : proxy_header_format_binary(&source, &target, to);
}
