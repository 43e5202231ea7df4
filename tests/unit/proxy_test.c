/* PROXY protocol headers, complete and truncated at every length. */

#include <arpa/inet.h>

#include "base/address.h"
#include "relay/proxy-protocol.h"
#include "unit.h"

#define V2        "%0D%0A%0D%0A%00%0D%0AQUIT%0A"
#define IPV4      "%C0%00%02%07%C6%33%64%01%A0%3E%19%72" /* 192.0.2.7:41022 to 198.51.100.1:6514 */
#define ADDRESS_7 "%20%01%0D%B8%(%00*11)%07"
#define IPV6      ADDRESS_7 ADDRESS_7 "%A0%3E%19%72"

struct header {
    const char *name;
    const char *bytes;
    const char *expected; /* the client, "local", or "invalid" */
};

static const struct header headers[] = {
    {"v1, IPv4", "PROXY TCP4 192.0.2.7 198.51.100.1 41022 6514%0D%0A", "192.0.2.7:41022"},
    {"v1, IPv6", "PROXY TCP6 2001:db8::7 2001:db8::1 41022 6514%0D%0A", "[2001:db8::7]:41022"},
    {"v1, lowest and highest port", "PROXY TCP4 0.0.0.0 255.255.255.255 0 65535%0D%0A",
     "0.0.0.0:0"},
    {"v1, unknown", "PROXY UNKNOWN%0D%0A", "local"},
    {"v1, unknown, with addresses", "PROXY UNKNOWN 2001:db8::7 2001:db8::1 1 2%0D%0A", "local"},
    {"v1, unknown, with other words", "PROXY UNKNOWN a b c d e f g%0D%0A", "local"},
    {"v1, 107 bytes", "PROXY UNKNOWN %(x*91)%0D%0A", "local"},
    {"v1, 108 bytes", "PROXY UNKNOWN %(x*92)%0D%0A", "invalid"},
    {"v1, no end", "PROXY TCP4 %(1*200)", "invalid"},
    {"v1, IPv6 in TCP4", "PROXY TCP4 2001:db8::7 2001:db8::1 1 2%0D%0A", "invalid"},
    {"v1, IPv4 in TCP6", "PROXY TCP6 192.0.2.7 192.0.2.1 1 2%0D%0A", "invalid"},
    {"v1, a host name", "PROXY TCP4 localhost 192.0.2.1 1 2%0D%0A", "invalid"},
    {"v1, no addresses", "PROXY TCP4%0D%0A", "invalid"},
    {"v1, no second port", "PROXY TCP4 192.0.2.7 192.0.2.1 1%0D%0A", "invalid"},
    {"v1, one port too many", "PROXY TCP4 192.0.2.7 192.0.2.1 1 2 3%0D%0A", "invalid"},
    {"v1, two spaces", "PROXY TCP4  192.0.2.7 192.0.2.1 1 2%0D%0A", "invalid"},
    {"v1, port 65536", "PROXY TCP4 192.0.2.7 192.0.2.1 65536 2%0D%0A", "invalid"},
    {"v1, a port of six digits", "PROXY TCP4 192.0.2.7 192.0.2.1 000001 2%0D%0A", "invalid"},
    {"v1, a port with a sign", "PROXY TCP4 192.0.2.7 192.0.2.1 +1 2%0D%0A", "invalid"},
    {"v1, an empty port", "PROXY TCP4 192.0.2.7 192.0.2.1  2%0D%0A", "invalid"},
    {"v1, UDP4", "PROXY UDP4 192.0.2.7 192.0.2.1 1 2%0D%0A", "invalid"},
    {"v1, nothing", "PROXY %0D%0A", "invalid"},
    {"v1, NUL", "PROXY TCP4 192.0.2.7%00 192.0.2.1 1 2%0D%0A", "invalid"},
    {"v2, IPv4", V2 "%21%11%00%0C" IPV4, "192.0.2.7:41022"},
    {"v2, IPv6", V2 "%21%21%00%24" IPV6, "[2001:db8::7]:41022"},
    {"v2, TLVs", V2 "%21%11%00%13" IPV4 "%03%00%04abcd", "192.0.2.7:41022"},
    {"v2, TLVs after IPv6", V2 "%21%21%01%24" IPV6 "%04%00%FD%(x*253)", "[2001:db8::7]:41022"},
    {"v2, the longest", V2 "%21%11%FF%FF" IPV4 "%(x*65523)", "192.0.2.7:41022"},
    {"v2, LOCAL", V2 "%20%00%00%00", "local"},
    {"v2, LOCAL with addresses", V2 "%20%11%00%0C" IPV4, "local"},
    {"v2, unspecified", V2 "%21%00%00%03abc", "local"},
    {"v2, Unix", V2 "%21%31%00%D8%(x*216)", "local"},
    {"v2, truncated IPv4", V2 "%21%11%00%0B%(x*11)", "invalid"},
    {"v2, truncated IPv6", V2 "%21%21%00%23%(x*35)", "invalid"},
    {"v2, another command", V2 "%22%11%00%0C" IPV4, "invalid"},
    {"v2, another version", V2 "%11%11%00%0C" IPV4, "invalid"},
    {"a message", "<13>1 - - - - - - -%0A", "invalid"},
    {"a TLS handshake", "%16%03%01%02%00%01", "invalid"},
    {"lower case", "proxy TCP4", "invalid"},
    {"another signature", "%0D%0A%0D%0A%00%0D%0AQUIX", "invalid"},
    {"a LF", "%0A", "invalid"},
};

static enum proxy_state state_of(const struct header *h)
{
    return strcmp(h->expected, "invalid") == 0 ? PROXY_INVALID
           : strcmp(h->expected, "local") == 0 ? PROXY_LOCAL
                                               : PROXY_CLIENT;
}

/* A complete header followed by `trailing` bytes. */
static void test_complete(const struct header *h, struct slice bytes, size_t trailing)
{
    struct sockaddr_storage peer = {0};
    char name[SOCKADDR_FORMAT_MAX];
    size_t len = 0;
    char *more = malloc(bytes.len + trailing + 1);
    if (!more)
        abort();
    memcpy(more, bytes.data, bytes.len);
    memset(more + bytes.len, '<', trailing);
    enum proxy_state state =
        proxy_parse(unit_guarded((struct slice){more, bytes.len + trailing}), &len, &peer);
    free(more);
    unit(state == state_of(h), "%s, %zu trailing bytes: state %d", h->name, trailing, state);
    unit(state == PROXY_INVALID || len == bytes.len, "%s: length %zu", h->name, len);
    if (state != PROXY_CLIENT)
        return;
    sockaddr_format((struct sockaddr *)&peer, sizeof peer, name);
    unit(strcmp(name, h->expected) == 0, "%s: got %s", h->name, name);
}

/* A truncated header is incomplete; an invalid one may be recognized early. */
static void test_truncated(const struct header *h, struct slice bytes)
{
    struct sockaddr_storage peer = {0};
    size_t wrong = 0;
    for (size_t n = 0; n < bytes.len; n++) {
        size_t len = 0;
        enum proxy_state state =
            proxy_parse(unit_guarded((struct slice){bytes.data, n}), &len, &peer);
        bool good = state == PROXY_INCOMPLETE ||
                    (state == PROXY_INVALID && n > 0 && state_of(h) == PROXY_INVALID);
        wrong += !good;
    }
    unit(wrong == 0, "%s: %zu of %zu truncated headers are misjudged", h->name, wrong, bytes.len);
}

int main(void)
{
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct slice bytes = unit_decode(headers[i].bytes);
        test_complete(&headers[i], bytes, 0);
        test_complete(&headers[i], bytes, 1);
        test_complete(&headers[i], bytes, 500);
        test_truncated(&headers[i], bytes);
        free((void *)(uintptr_t)bytes.data);
    }
    return unit_end("proxy");
}
