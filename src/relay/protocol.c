#include "relay/protocol.h"

#include <stdbool.h>
#include <string.h>

/* A longer request line is not recognized. */
enum { REQUEST_LINE_MAX = 8192 };

/* Consumes a literal. Returns PROTOCOL_UNKNOWN if the bytes end within it. */
static enum protocol protocol_literal(struct slice *bytes, const char *literal, enum protocol match)
{
    size_t len = strlen(literal);
    size_t known = bytes->len < len ? bytes->len : len;
    if (memcmp(bytes->data, literal, known) != 0)
        return PROTOCOL_SYSLOG;
    *bytes = (struct slice){bytes->data + known, bytes->len - known};
    return known == len ? match : PROTOCOL_UNKNOWN;
}

static enum protocol protocol_tls(struct slice bytes)
{
    enum protocol protocol = protocol_literal(&bytes, "\x16\x03", PROTOCOL_TLS);
    if (protocol == PROTOCOL_TLS && bytes.len == 0)
        return PROTOCOL_UNKNOWN;
    return protocol == PROTOCOL_TLS && (unsigned char)*bytes.data > 4 ? PROTOCOL_SYSLOG : protocol;
}

/* The rest of a request line, after the method and SP. */
static enum protocol protocol_http_target(struct slice bytes)
{
    size_t i = 0;
    while (i < bytes.len && i < REQUEST_LINE_MAX && (unsigned char)bytes.data[i] > ' ')
        i++;
    if (i == bytes.len && i < REQUEST_LINE_MAX)
        return PROTOCOL_UNKNOWN;
    if (i == 0 || i == REQUEST_LINE_MAX || bytes.data[i] != ' ')
        return PROTOCOL_SYSLOG;
    bytes = (struct slice){bytes.data + i, bytes.len - i};
    return protocol_literal(&bytes, " HTTP/", PROTOCOL_HTTP);
}

static enum protocol protocol_http(struct slice bytes)
{
    static const char *const methods[] = {"GET ",     "HEAD ",    "POST ",  "PUT ",   "DELETE ",
                                          "OPTIONS ", "CONNECT ", "PATCH ", "TRACE ", "PRI "};
    bool incomplete = false;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct slice rest = bytes;
        enum protocol protocol = protocol_literal(&rest, methods[i], PROTOCOL_HTTP);
        if (protocol == PROTOCOL_HTTP)
            return protocol_http_target(rest);
        incomplete = incomplete || protocol == PROTOCOL_UNKNOWN;
    }
    return incomplete ? PROTOCOL_UNKNOWN : PROTOCOL_SYSLOG;
}

enum protocol protocol_detect(struct slice bytes)
{
    if (bytes.len == 0)
        return PROTOCOL_UNKNOWN;
    return *bytes.data == '\x16' ? protocol_tls(bytes) : protocol_http(bytes);
}
