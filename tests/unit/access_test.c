/* Networks, users, and how many connections a peer has. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "relay/access.h"
#include "unit.h"

static struct peer_key key_of(const char *address)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } from = {0};
    if (inet_pton(AF_INET, address, &from.in.sin_addr) == 1)
        from.any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, address, &from.in6.sin6_addr) == 1)
        from.any.sa_family = AF_INET6;
    else
        abort();
    return peer_key_ip(&from.any);
}

static void in(const char *network, const char *address, bool expected)
{
    struct access_config config = {0};
    struct peer_key key = key_of(address);
    unit(access_config_network(&config, "--x", network), "%s is a network", network);
    unit(access_allows(&config, &key) == expected, "%s in %s", address, network);
    access_config_free(&config);
}

static void networks(void)
{
    in("192.0.2.7", "192.0.2.7", true);
    in("192.0.2.7", "192.0.2.6", false);
    in("192.0.2.7/32", "192.0.2.7", true);
    in("192.0.2.7/32", "192.0.2.6", false);
    in("192.0.2.6/31", "192.0.2.7", true);
    in("192.0.2.7/31", "192.0.2.6", true);
    in("192.0.2.7/31", "192.0.2.8", false);
    in("192.0.2.77/24", "192.0.2.255", true);
    in("192.0.2.77/24", "192.0.3.0", false);
    in("172.31.255.255/12", "172.16.0.0", true);
    in("172.31.255.255/12", "172.32.0.0", false);
    in("172.31.255.255/12", "172.15.255.255", false);
    in("0.0.0.0/1", "127.255.255.255", true);
    in("0.0.0.0/1", "128.0.0.0", false);
    in("255.0.0.0/1", "128.0.0.0", true);
    in("0.0.0.0/0", "255.255.255.255", true);
    in("192.0.2.7/0", "0.0.0.0", true);
    in("0.0.0.0/0", "::1", false);
    in("0.0.0.0/0", "::ffff:192.0.2.7", true);
    in("192.0.2.0/24", "::ffff:192.0.2.7", true);
    in("192.0.2.0/24", "::ffff:192.0.3.7", false);
    in("::ffff:192.0.2.0/120", "192.0.2.7", true);
    in("::ffff:192.0.2.0/120", "192.0.3.7", false);
    in("::ffff:192.0.2.7", "192.0.2.7", true);
    in("::/0", "2001:db8::7", true);
    in("::/0", "192.0.2.7", true);
    in("::/1", "7fff::", true);
    in("::/1", "8000::", false);
    in("ffff::/1", "8000::", true);
    in("2001:db8::7", "2001:db8::7", true);
    in("2001:db8::7", "2001:db8::6", false);
    in("2001:db8::7/128", "2001:db8::7", true);
    in("2001:db8::7/128", "2001:db8::6", false);
    in("2001:db8::7/127", "2001:db8::6", true);
    in("2001:db8::7/127", "2001:db8::8", false);
    in("2001:db8:ffff::1/33", "2001:db8:8000::", true);
    in("2001:db8:ffff::1/33", "2001:db8:7fff::", false);
}

static void no_networks(void)
{
    struct access_config config = {0};
    static const char *const bad[] = {
        "",          "x",         "localhost", "192.0.2",        "192.0.2.256",  "192.0.2.7/",
        "192.0.2/8", "1.2.3.4/x", "/24",       "192.0.2.7/33",   "192.0.2.7/-1", "192.0.2.7/+1",
        "::/129",    "::/",       "[::1]",     "192.0.2.7/24/8", "1.2.3.4:514",  "1.2.3.4 /8",
        "1.2.3.4/ 8"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        unit(!access_config_network(&config, "--x", bad[i]), "'%s' is no network", bad[i]);
    unit(config.network_count == 0, "none is kept");
}

static void many_networks(void)
{
    struct access_config config = {0};
    char text[32];
    struct peer_key key = key_of("10.0.99.1");
    unit(access_allows(&config, &key), "no list lets in everybody");
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "10.0.%d.0/24", i);
        unit(access_config_network(&config, "--x", text), "%s", text);
    }
    unit(access_allows(&config, &key), "the last of many");
    key = key_of("10.0.0.1");
    unit(access_allows(&config, &key), "the first of many");
    key = key_of("10.0.100.1");
    unit(!access_allows(&config, &key), "none of many");
    key = peer_key_uid(7);
    unit(access_allows(&config, &key), "networks are not for users");
    access_config_free(&config);
}

static void users(void)
{
    struct access_config config = {0};
    struct peer_key root = peer_key_uid(0);
    struct peer_key other = peer_key_uid(4711);
    struct peer_key nobody = peer_key_uid((uid_t)-1);
    struct peer_key ip = key_of("192.0.2.7");
    unit(access_allows(&config, &other), "no list lets in every user");
    unit(access_config_uid(&config, "--x", "root"), "a name");
    unit(access_allows(&config, &root) && !access_allows(&config, &other), "root only");
    unit(access_config_uid(&config, "--x", "4711"), "a number");
    unit(access_allows(&config, &root) && access_allows(&config, &other), "both");
    unit(!access_allows(&config, &nobody), "nor one that is not known");
    unit(access_allows(&config, &ip), "users are not for networks");
    static const char *const bad[] = {"", "-1", "no such user", "4294967295", "4294967296", "0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        unit(!access_config_uid(&config, "--x", bad[i]), "'%s' is no user", bad[i]);
    unit(config.uid_count == 2, "none is kept");
    access_config_free(&config);
}

static void connections_per_peer(void)
{
    struct access_config config = {.max_per_peer = 2};
    struct access access;
    struct peer_key ipv4 = key_of("192.0.2.7");
    struct peer_key mapped = key_of("::ffff:192.0.2.7");
    struct peer_key uid = peer_key_uid(0);
    struct peer_key zero = key_of("::");
    access_init(&access, &config, NULL, true);
    struct access_peer *first = access_peer_enter(&access, &ipv4);
    struct access_peer *second = access_peer_enter(&access, &mapped);
    unit(first && first == second, "both forms of an IPv4 address are one peer");
    unit(!access_peer_enter(&access, &ipv4), "a third connection exceeds the limit of 2");
    struct access_peer *by_uid = access_peer_enter(&access, &uid);
    struct access_peer *by_zero = access_peer_enter(&access, &zero);
    unit(by_uid && by_zero && by_uid != by_zero, "uid 0 and the address :: are two peers");
    access_peer_leave(&access, first);
    second = access_peer_enter(&access, &ipv4);
    unit(second != NULL, "a connection that ends makes way for another one");
    unit(!access_peer_enter(&access, &ipv4), "but only for one");
    access_peer_leave(&access, second);
    access_peer_leave(&access, second);
    access_peer_leave(&access, by_uid);
    access_peer_leave(&access, by_zero);
    unit(!access.peers, "peers without connections are forgotten");
}

static void many_peers(void)
{
    enum { MANY = 5000 };
    static struct access_peer *all[MANY];
    struct access_config config = {.max_per_peer = 1};
    struct access access;
    unsigned wrong = 0;
    access_init(&access, &config, NULL, true);
    for (unsigned i = 0; i < MANY; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(i * 7919)};
        struct peer_key key = peer_key_ip((struct sockaddr *)&address);
        all[i] = access_peer_enter(&access, &key);
        wrong += !all[i] || access_peer_enter(&access, &key);
    }
    unit(wrong == 0, "each of many peers is counted separately");
    for (unsigned i = 0; i < MANY; i++)
        if (all[i])
            access_peer_leave(&access, all[i]);
    unit(!access.peers, "many peers without connections are forgotten");
}

int main(void)
{
    int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, STDERR_FILENO) < 0)
        return 1; /* what is wrong with the values is reported there */
    networks();
    no_networks();
    many_networks();
    users();
    connections_per_peer();
    many_peers();
    return unit_end("access");
}
