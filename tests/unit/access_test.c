/* Networks, users and connections per peer. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>

#include "relay/access.h"
#include "unit.h"

static struct peer_key key_of(const char *text)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } address = {0};
    if (inet_pton(AF_INET, text, &address.in.sin_addr) == 1)
        address.any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &address.in6.sin6_addr) == 1)
        address.any.sa_family = AF_INET6;
    else
        abort();
    return peer_key_ip(&address.any);
}

static void check_network(const char *network, const char *address, bool expected)
{
    struct access_config config = {0};
    struct peer_key key = key_of(address);
    unit(access_config_network(&config, "--x", network), "%s is accepted", network);
    unit(access_allows(&config, &key) == expected, "%s in %s", address, network);
    access_config_free(&config);
}

static void test_networks(void)
{
    check_network("192.0.2.7", "192.0.2.7", true);
    check_network("192.0.2.7", "192.0.2.6", false);
    check_network("192.0.2.7/32", "192.0.2.7", true);
    check_network("192.0.2.7/32", "192.0.2.6", false);
    check_network("192.0.2.6/31", "192.0.2.7", true);
    check_network("192.0.2.7/31", "192.0.2.6", true);
    check_network("192.0.2.7/31", "192.0.2.8", false);
    check_network("192.0.2.77/24", "192.0.2.255", true);
    check_network("192.0.2.77/24", "192.0.3.0", false);
    check_network("172.31.255.255/12", "172.16.0.0", true);
    check_network("172.31.255.255/12", "172.32.0.0", false);
    check_network("172.31.255.255/12", "172.15.255.255", false);
    check_network("0.0.0.0/1", "127.255.255.255", true);
    check_network("0.0.0.0/1", "128.0.0.0", false);
    check_network("255.0.0.0/1", "128.0.0.0", true);
    check_network("0.0.0.0/0", "255.255.255.255", true);
    check_network("192.0.2.7/0", "0.0.0.0", true);
    check_network("0.0.0.0/0", "::1", false);
    check_network("0.0.0.0/0", "::ffff:192.0.2.7", true);
    check_network("192.0.2.0/24", "::ffff:192.0.2.7", true);
    check_network("192.0.2.0/24", "::ffff:192.0.3.7", false);
    check_network("::ffff:192.0.2.0/120", "192.0.2.7", true);
    check_network("::ffff:192.0.2.0/120", "192.0.3.7", false);
    check_network("::ffff:192.0.2.7", "192.0.2.7", true);
    check_network("::/0", "2001:db8::7", true);
    check_network("::/0", "192.0.2.7", true);
    check_network("::/1", "7fff::", true);
    check_network("::/1", "8000::", false);
    check_network("ffff::/1", "8000::", true);
    check_network("2001:db8::7", "2001:db8::7", true);
    check_network("2001:db8::7", "2001:db8::6", false);
    check_network("2001:db8::7/128", "2001:db8::7", true);
    check_network("2001:db8::7/128", "2001:db8::6", false);
    check_network("2001:db8::7/127", "2001:db8::6", true);
    check_network("2001:db8::7/127", "2001:db8::8", false);
    check_network("2001:db8:ffff::1/33", "2001:db8:8000::", true);
    check_network("2001:db8:ffff::1/33", "2001:db8:7fff::", false);
}

static void test_invalid_networks(void)
{
    struct access_config config = {0};
    static const char *const bad[] = {
        "",          "x",         "localhost", "192.0.2",        "192.0.2.256",  "192.0.2.7/",
        "192.0.2/8", "1.2.3.4/x", "/24",       "192.0.2.7/33",   "192.0.2.7/-1", "192.0.2.7/+1",
        "::/129",    "::/",       "[::1]",     "192.0.2.7/24/8", "1.2.3.4:514",  "1.2.3.4 /8",
        "1.2.3.4/ 8"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        unit(!access_config_network(&config, "--x", bad[i]), "'%s' is rejected", bad[i]);
    unit(config.network_count == 0, "nothing was added");
}

static void test_many_networks(void)
{
    struct access_config config = {0};
    char text[32];
    struct peer_key key = key_of("10.0.99.1");
    unit(access_allows(&config, &key), "an empty list allows every address");
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "10.0.%d.0/24", i);
        unit(access_config_network(&config, "--x", text), "%s", text);
    }
    unit(access_allows(&config, &key), "the last of many networks is allowed");
    key = key_of("10.0.0.1");
    unit(access_allows(&config, &key), "the first of many networks is allowed");
    key = key_of("10.0.100.1");
    unit(!access_allows(&config, &key), "an address in none of many networks is not allowed");
    key = peer_key_uid(7);
    unit(access_allows(&config, &key), "networks do not restrict users");
    access_config_free(&config);
}

static void test_users(void)
{
    struct access_config config = {0};
    struct peer_key root = peer_key_uid(0);
    struct peer_key other = peer_key_uid(4711);
    struct peer_key unknown = peer_key_uid((uid_t)-1);
    struct peer_key ip = key_of("192.0.2.7");
    unit(access_allows(&config, &other), "an empty list allows every user");
    unit(access_config_uid(&config, "--x", "root"), "a user name is accepted");
    unit(access_allows(&config, &root) && !access_allows(&config, &other), "only root is allowed");
    unit(access_config_uid(&config, "--x", "4711"), "a uid is accepted");
    unit(access_allows(&config, &root) && access_allows(&config, &other), "both users are allowed");
    unit(!access_allows(&config, &unknown), "an unknown user is not allowed");
    unit(access_allows(&config, &ip), "users do not restrict addresses");
    static const char *const bad[] = {"", "-1", "no such user", "4294967295", "4294967296", "0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        unit(!access_config_uid(&config, "--x", bad[i]), "'%s' is rejected", bad[i]);
    unit(config.uid_count == 2, "nothing was added");
    access_config_free(&config);
}

static void test_connections_per_peer(void)
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
    unit(second != NULL, "after one is closed another one is accepted");
    unit(!access_peer_enter(&access, &ipv4), "but only for one");
    access_peer_leave(&access, second);
    access_peer_leave(&access, second);
    access_peer_leave(&access, by_uid);
    access_peer_leave(&access, by_zero);
    unit(!access.peers, "peers without connections are forgotten");
}

static void test_many_peers(void)
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
        return 1; /* errors about invalid values are logged there */
    test_networks();
    test_invalid_networks();
    test_many_networks();
    test_users();
    test_connections_per_peer();
    test_many_peers();
    return unit_end("access");
}
