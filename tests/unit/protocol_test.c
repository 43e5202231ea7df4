/* The protocol of a connection, from each of its first bytes. */

#include "relay/protocol.h"
#include "unit.h"

/* `decided` is the number of bytes after which the protocol is known, 0 if it is not. */
static const struct {
    const char *bytes;
    enum protocol protocol;
    size_t decided;
} cases[] = {
    {"%16%03%01%02", PROTOCOL_TLS, 3},
    {"%16%03%03", PROTOCOL_TLS, 3},
    {"%16%03%05", PROTOCOL_SYSLOG, 3},
    {"%16%02", PROTOCOL_SYSLOG, 2},
    {"%16%0A", PROTOCOL_SYSLOG, 2},
    {"%16%03", PROTOCOL_UNKNOWN, 0},
    {"GET / HTTP/1.1%0D%0A", PROTOCOL_HTTP, 11},
    {"POST /a?b HTTP/1.0", PROTOCOL_HTTP, 15},
    {"PRI * HTTP/2.0", PROTOCOL_HTTP, 11},
    {"CONNECT a:443 HTTP/1.1", PROTOCOL_HTTP, 19},
    {"PUT /", PROTOCOL_UNKNOWN, 0},
    {"P", PROTOCOL_UNKNOWN, 0},
    {"PA", PROTOCOL_UNKNOWN, 0},
    {"PX", PROTOCOL_SYSLOG, 2},
    {"GETS / HTTP/1.1", PROTOCOL_SYSLOG, 4},
    {"get / HTTP/1.1", PROTOCOL_SYSLOG, 1},
    {"GET %0A", PROTOCOL_SYSLOG, 5},
    {"GET  / HTTP/1.1", PROTOCOL_SYSLOG, 5},
    {"GET /%0Aa HTTP/1.1", PROTOCOL_SYSLOG, 6},
    {"GET /%00", PROTOCOL_SYSLOG, 6},
    {"GET / http/1.1", PROTOCOL_SYSLOG, 7},
    {"GET / HTTP 1.1", PROTOCOL_SYSLOG, 11},
    {"GET / HTTP%0A", PROTOCOL_SYSLOG, 11},
    {"GET %(a*8192) HTTP/", PROTOCOL_SYSLOG, 8196},
    {"GET %(a*8191) HTTP/", PROTOCOL_HTTP, 8201},
    {"<13>a", PROTOCOL_SYSLOG, 1},
    {"5 <13>", PROTOCOL_SYSLOG, 1},
    {"", PROTOCOL_UNKNOWN, 0},
};

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice bytes = unit_decode(cases[i].bytes);
        size_t decided = cases[i].decided ? cases[i].decided : bytes.len + 1;
        for (size_t len = 0; len <= bytes.len; len++) {
            enum protocol expected = len < decided ? PROTOCOL_UNKNOWN : cases[i].protocol;
            struct slice start = unit_guarded((struct slice){bytes.data, len});
            unit(protocol_detect(start) == expected, "%.20s: %zu bytes", cases[i].bytes, len);
        }
        free((void *)(uintptr_t)bytes.data);
    }
    return unit_end("protocol");
}
