#include "relay/source-datagram.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/rate-limit.h"

/* SKEW keeps the datagrams of a batch from falling into one set of the processor's cache. */
enum { BATCH = 64, DATAGRAM_MAX = 256 * 1024, SKEW = 192, NAME = 64 };

union control {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(struct ucred))];
};

struct datagrams {
    size_t room; /* bytes for each datagram */
    char *bytes;
    struct mmsghdr headers[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_storage from[BATCH];
    union control control[BATCH];
    struct sockaddr_storage named; /* whose name is in `name` */
    socklen_t named_length;
    char name[NAME];
};

static size_t stride(const struct datagrams *d)
{
    return d->room + SKEW;
}

static size_t max_size(const struct relay *r)
{
    return r->config->max_size < DATAGRAM_MAX ? (size_t)r->config->max_size : DATAGRAM_MAX;
}

void datagrams_start(struct listener *l, struct relay *r)
{
    stream_start(&l->stream, r, l->name, transport_name(l->transport));
    l->stream.framer.max_size = max_size(r);
}

struct datagrams *datagrams_open(struct relay *r)
{
    struct datagrams *d = calloc(1, sizeof *d);
    if (!d) {
        log_printf("out of memory");
        return NULL;
    }
    d->room = framer_datagram_capacity(max_size(r));
    d->bytes = mmap(NULL, BATCH * stride(d), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (d->bytes == MAP_FAILED) {
        log_printf("datagrams: %m");
        free(d);
        return NULL;
    }
    for (int i = 0; i < BATCH; i++) {
        d->parts[i] = (struct iovec){d->bytes + (size_t)i * stride(d), d->room};
        d->headers[i].msg_hdr = (struct msghdr){.msg_name = &d->from[i],
                                                .msg_iov = &d->parts[i],
                                                .msg_iovlen = 1,
                                                .msg_control = &d->control[i]};
    }
    return d;
}

void datagrams_close(struct datagrams *d)
{
    if (d)
        munmap(d->bytes, BATCH * stride(d));
    free(d);
}

/* The sender of a Unix datagram, as the kernel knows it. */
static const struct ucred *sender(struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
        return NULL;
    return (const struct ucred *)CMSG_DATA(c);
}

/* The sender's name; most often it is the one of the datagram before. */
static void name_ip(struct datagrams *d, const struct msghdr *m)
{
    if (m->msg_namelen == d->named_length && memcmp(m->msg_name, &d->named, m->msg_namelen) == 0)
        return;
    memcpy(&d->named, m->msg_name, m->msg_namelen);
    d->named_length = m->msg_namelen;
    sockaddr_format(m->msg_name, m->msg_namelen, d->name);
}

/* Whether the sender may speak; its name is in d->name. */
static bool admit(struct datagrams *d, struct listener *l, struct relay *r, struct msghdr *m)
{
    struct peer_key key;
    if (l->transport == TRANSPORT_UDP) {
        key = peer_key_ip(m->msg_name);
        name_ip(d, m);
    } else {
        const struct ucred *who = sender(m);
        static const struct ucred unknown = {.uid = (uid_t)-1, .gid = (gid_t)-1};
        who = who ? who : &unknown;
        key = peer_key_uid(who->uid);
        peer_name_unix(who, d->name);
        d->named_length = 0;
    }
    l->stream.name = l->stream.peer = d->name;
    if (access_admits(&r->config->access, &key))
        return true;
    relay_refuse(r, d->name, key.is_uid ? "not in --allow-uid" : "not in --allow");
    return false;
}

static void prepare(struct datagrams *d, int count)
{
    for (int i = 0; i < count; i++) {
        d->headers[i].msg_hdr.msg_namelen = sizeof d->from[i];
        d->headers[i].msg_hdr.msg_controllen = sizeof d->control[i];
    }
}

enum datagrams_state datagrams_read(struct datagrams *d, struct listener *l, struct relay *r)
{
    prepare(d, BATCH);
    int n = recvmmsg(l->fd, d->headers, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (n < 0 && errno != EAGAIN && errno != EINTR && rate_limit_allow(&r->complaints))
        log_printf("%s: %m", l->name);
    if (n <= 0)
        return DATAGRAMS_NONE;
    rate_limit_poll(&r->complaints);
    datagrams_count_dropped(l, r);
    for (int i = 0; i < n; i++) {
        struct msghdr *m = &d->headers[i].msg_hdr;
        size_t length = d->headers[i].msg_len;
        struct slice bytes = {d->parts[i].iov_base, length < d->room ? length : d->room};
        if (!admit(d, l, r, m))
            continue;
        if (stream_take_datagram(&l->stream, r, bytes, length) == STREAM_STUCK)
            return DATAGRAMS_STUCK;
    }
    return n == BATCH ? DATAGRAMS_MORE : DATAGRAMS_NONE;
}

void datagrams_shut(struct listener *l)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {1, &nothing};
    /* A Unix sender is told; of UDP the kernel counts it as dropped. */
    if (l->transport == TRANSPORT_UNIXGRAM)
        shutdown(l->fd, SHUT_RD);
    else
        setsockopt(l->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

/* SO_RXQ_OVFL tells the same counter, but only with a datagram that came through. */
void datagrams_count_dropped(struct listener *l, struct relay *r)
{
    uint32_t memory[SK_MEMINFO_VARS];
    socklen_t length = sizeof memory;
    if (l->transport != TRANSPORT_UDP ||
        getsockopt(l->fd, SOL_SOCKET, SO_MEMINFO, memory, &length) != 0 ||
        length <= SK_MEMINFO_DROPS * sizeof *memory)
        return;
    uint32_t fresh = memory[SK_MEMINFO_DROPS] - l->dropped;
    if (fresh == 0)
        return;
    l->dropped += fresh;
    counter_add(&r->stats.dropped, fresh);
    if (rate_limit_allow(&r->refusals))
        log_printf("%s: the kernel dropped %" PRIu32
                   " datagrams; more room (--rcvbuf) or more relays "
                   "(--reuseport) help",
                   l->name, fresh);
}
