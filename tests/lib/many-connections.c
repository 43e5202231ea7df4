/*
 * many-connections idle|drip|leave COUNT PORT [SOURCES]
 *
 * COUNT connections to 127.0.0.1:PORT, from so many addresses (127.0.1.1 and on; 200 unless told),
 * since one has not enough ports for all. It says "open COUNT" when all are, and ends by a signal.
 *
 *   idle   they say nothing
 *   drip   each sends one byte of a message a second; "round N" tells that all have
 *   leave  each leaves after a second, and another one comes; "left N" tells of each thousand
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

static const char message[] = "<13>1 - - drip - - - x\n";

static struct sockaddr_in relay = {.sin_family = AF_INET};
static unsigned sources = 200;
static unsigned opened;

static void fail(const char *what)
{
    fprintf(stderr, "many-connections: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int join(void)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    from.sin_addr.s_addr = htonl(0x7f000101U + opened++ % sources);
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

static void drip(const int *fds, unsigned count)
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

static void leave(int *fds, unsigned count)
{
    for (unsigned left = 1;; left++) {
        int *fd = &fds[left % count];
        close(*fd);
        *fd = join();
        if (left % 1000 == 0)
            printf("left %u\n", left);
        if (left % (count / 100 + 1) == 0)
            pause_ms(10);
    }
}

static unsigned number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || n == 0 || n > 1000000) {
        fprintf(stderr, "many-connections: '%s' is no number\n", text);
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
        fputs("usage: many-connections idle|drip|leave COUNT PORT [SOURCES]\n", stderr);
        return 2;
    }
    unsigned count = number(argv[2]);
    relay.sin_port = htons((uint16_t)number(argv[3]));
    relay.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (argc == 5)
        sources = number(argv[4]);
    raise_limit(count);
    int *fds = calloc(count, sizeof *fds);
    if (!fds)
        fail("memory");
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned i = 0; i < count; i++)
        fds[i] = join();
    printf("open %u\n", count);
    if (strcmp(argv[1], "drip") == 0)
        drip(fds, count);
    if (strcmp(argv[1], "leave") == 0)
        leave(fds, count);
    for (;;)
        pause();
}
