/*
 * many-connections idle|slow|leave COUNT PORT [SOURCES]
 *
 * Opens COUNT connections to 127.0.0.1:PORT from SOURCES addresses (127.0.1.1 and up; default 200),
 * because one address has too few ports. Prints "open COUNT" when all are open, and runs until a
 * signal ends it.
 *
 *   idle   sends nothing
 *   slow   sends one byte of a message per second and connection; prints "round N" after each
 *   leave  replaces each connection after a second; prints "left N" after each thousand
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char message[] = "<13>1 - - slow - - - x\n";

static struct sockaddr_in relay = {.sin_family = AF_INET};
static unsigned source_count = 200;
static unsigned open_count;

static void fail(const char *what)
{
    fprintf(stderr, "many-connections: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int open_connection(void)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    from.sin_addr.s_addr = htonl(0x7f000101U + open_count++ % source_count);
    if (fd < 0)
        fail("socket");
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
        fail("bind");
    if (connect(fd, (struct sockaddr *)&relay, sizeof relay) != 0)
        fail("connect");
    return fd;
}

static void pause_ms(int ms)
{
    poll(NULL, 0, ms);
}

static void send_slowly(const int *fds, unsigned count)
{
    for (unsigned round = 0;; round++) {
        for (unsigned i = 0; i < count; i++) {
            ssize_t sent = send(fds[i], message + round % (sizeof message - 1), 1, MSG_NOSIGNAL);
            if (sent != 1)
                fail("send");
            if (i % (count / 100 + 1) == 0)
                pause_ms(10);
        }
        printf("round %u\n", round + 1);
    }
}

static void reconnect(int *fds, unsigned count)
{
    for (unsigned n = 1;; n++) {
        int *fd = &fds[n % count];
        close(*fd);
        *fd = open_connection();
        if (n % 1000 == 0)
            printf("left %u\n", n);
        if (n % (count / 100 + 1) == 0)
            pause_ms(10);
    }
}

static unsigned parse_number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || n == 0 || n > 1000000) {
        fprintf(stderr, "many-connections: '%s' is not a number from 1 to 1000000\n", text);
        exit(2);
    }
    return (unsigned)n;
}

static void raise_limit(unsigned count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("limit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < count + 10)
        fail("limit");
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5) {
        fputs("usage: many-connections idle|slow|leave COUNT PORT [SOURCES]\n", stderr);
        return 2;
    }
    unsigned count = parse_number(argv[2]);
    relay.sin_port = htons((uint16_t)parse_number(argv[3]));
    relay.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (argc == 5)
        source_count = parse_number(argv[4]);
    raise_limit(count);
    int *fds = calloc(count, sizeof *fds);
    if (!fds)
        fail("memory");
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned i = 0; i < count; i++)
        fds[i] = open_connection();
    printf("open %u\n", count);
    if (strcmp(argv[1], "slow") == 0)
        send_slowly(fds, count);
    if (strcmp(argv[1], "leave") == 0)
        reconnect(fds, count);
    for (;;)
        pause();
}
