#include "base/address.h"

#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "base/report.h"

static bool not_an_address(const char *flag, const char *text)
{
    report("%s: '%s' is not an address: tcp://HOST:PORT", flag, text);
    return false;
}

bool address_parse(const char *flag, const char *text, struct address *address)
{
    static const char scheme[] = "tcp://";
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return not_an_address(flag, text);

    const char *host = text + sizeof scheme - 1;
    const char *port = strrchr(host, ':');
    if (!port)
        return not_an_address(flag, text);
    size_t host_length = (size_t)(port++ - host);
    if (host_length && host[0] == '[') {
        if (host_length < 3 || host[host_length - 1] != ']')
            return not_an_address(flag, text);
        host++;
        host_length -= 2;
    } else if (memchr(host, ':', host_length)) {
        return not_an_address(flag, text);
    }
    if (host_length == 0) {
        host = "127.0.0.1";
        host_length = strlen(host);
    }
    size_t digits = strspn(port, "0123456789");
    uint64_t number;
    if (host_length >= sizeof address->host || digits == 0 || port[digits] != '\0')
        return not_an_address(flag, text);
    if (!option_count(flag, port, 0, 65535, &number))
        return false;
    memcpy(address->host, host, host_length);
    address->host[host_length] = '\0';
    snprintf(address->port, sizeof address->port, "%u", (unsigned)(uint16_t)number);
    return true;
}

void address_text(const struct address *address, char *text)
{
    snprintf(text, ADDRESS_TEXT, strchr(address->host, ':') ? "tcp://[%s]:%s" : "tcp://%s:%s",
             address->host, address->port);
}

struct addrinfo *address_resolve(const struct address *address, bool listen)
{
    char text[ADDRESS_TEXT];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = listen ? AI_PASSIVE : 0};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(address->host, address->port, &hints, &found);
    if (error) {
        address_text(address, text);
        report("%s: %s", text, gai_strerror(error));
    }
    return error ? NULL : found;
}

void address_name(const struct sockaddr *from, socklen_t length, char *name)
{
    char host[48];
    char port[6];
    if (getnameinfo(from, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(name, ADDRESS_NAME, "unknown");
    else
        snprintf(name, ADDRESS_NAME, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}
