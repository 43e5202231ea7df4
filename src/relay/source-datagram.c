#include "relay/source-datagram.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/log.h"

/* STRIDE_SKEW keeps the buffers from sharing the same cache sets. */
enum { DATAGRAMS_MAX = 64, DATAGRAM_SIZE_MAX = 256 * 1024, STRIDE_SKEW = 192 };

union datagram_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct ucred))];
};

struct datagram_context {
    struct pipeline *pipeline;
    struct access *access;
    size_t max_size;
    size_t capacity; /* bytes for each datagram */
    char *buffers;
    struct mmsghdr headers[DATAGRAMS_MAX];
    struct iovec iovecs[DATAGRAMS_MAX];
    struct sockaddr_storage addresses[DATAGRAMS_MAX];
    union datagram_control control[DATAGRAMS_MAX];
    struct sockaddr_storage peer; /* formatted in `name`, if it is an IP address */
    socklen_t peer_len;
    char name[SOCKADDR_FORMAT_MAX];
    struct peer sender;
};

static size_t datagram_stride(const struct datagram_context *c)
{
    return c->capacity + STRIDE_SKEW;
}

struct datagram_context *datagram_context_new(const struct relay_config *config,
                                              struct pipeline *pipeline, struct access *access)
{
    struct datagram_context *c = calloc(1, sizeof *c);
    if (!c) {
        log_printf("out of memory");
        return NULL;
    }
    c->pipeline = pipeline;
    c->access = access;
    c->max_size =
        config->max_size < DATAGRAM_SIZE_MAX ? (size_t)config->max_size : DATAGRAM_SIZE_MAX;
    c->capacity = framer_datagram_capacity(c->max_size);
    c->buffers = mmap(NULL, DATAGRAMS_MAX * datagram_stride(c), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (c->buffers == MAP_FAILED) {
        log_printf("datagrams: %m");
        free(c);
        return NULL;
    }
    for (int i = 0; i < DATAGRAMS_MAX; i++) {
        c->iovecs[i] = (struct iovec){c->buffers + (size_t)i * datagram_stride(c), c->capacity};
        c->headers[i].msg_hdr = (struct msghdr){.msg_name = &c->addresses[i],
                                                .msg_iov = &c->iovecs[i],
                                                .msg_iovlen = 1,
                                                .msg_control = &c->control[i]};
    }
    return c;
}

void datagram_context_destroy(struct datagram_context *c)
{
    if (c)
        munmap(c->buffers, DATAGRAMS_MAX * datagram_stride(c));
    free(c);
}

void source_datagram_init(struct source_datagram *d, const struct datagram_context *c,
                          const struct listener *listener)
{
    *d = (struct source_datagram){.io.fd = listener->io.fd, .listener = listener};
    pipeline_source_init(c->pipeline, &d->source, c->name, transport_name(listener->transport),
                         &c->sender);
    d->source.framer.max_size = c->max_size;
}

/* Returns the sender of a Unix datagram as the kernel knows it. */
static struct ucred datagram_credentials(struct msghdr *m)
{
    struct ucred credentials = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
        memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
    return credentials;
}

/* Names the sender, which most often is that of the datagram before. A new name begins a new batch,
 * because the messages of the current one refer to the old name. */
static struct peer_key datagram_name_sender(struct source_datagram *d, struct datagram_context *c,
                                            struct msghdr *m)
{
    if (d->listener->transport == TRANSPORT_UDP) {
        if (m->msg_namelen != c->peer_len || memcmp(m->msg_name, &c->peer, c->peer_len) != 0) {
            pipeline_submit(c->pipeline);
            memcpy(&c->peer, m->msg_name, m->msg_namelen);
            c->peer_len = m->msg_namelen;
            sockaddr_format(m->msg_name, m->msg_namelen, c->name);
            peer_set_address(&c->sender, m->msg_name, m->msg_namelen);
        }
        return peer_key_ip(m->msg_name);
    }
    struct ucred credentials = datagram_credentials(m);
    pipeline_submit(c->pipeline);
    c->peer_len = 0;
    peer_format_unix(&credentials, c->name);
    peer_set_credentials(&c->sender, &credentials);
    return peer_key_uid(credentials.uid);
}

static void datagram_feed(struct source_datagram *d, struct datagram_context *c, struct msghdr *m,
                          size_t len)
{
    struct slice bytes = {m->msg_iov->iov_base, len < c->capacity ? len : c->capacity};
    struct peer_key key = datagram_name_sender(d, c, m);
    if (access_check(c->access, &key, c->name))
        pipeline_add_datagram(c->pipeline, &d->source, bytes, len);
}

enum datagram_state source_datagram_read(struct source_datagram *d, struct datagram_context *c)
{
    for (int i = 0; i < DATAGRAMS_MAX; i++) {
        c->headers[i].msg_hdr.msg_namelen = sizeof c->addresses[i];
        c->headers[i].msg_hdr.msg_controllen = sizeof c->control[i];
    }
    int n = recvmmsg(d->io.fd, c->headers, DATAGRAMS_MAX, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        if (retry_note(&d->failure))
            log_warning("%s: %m; retrying", d->listener->name);
        return DATAGRAM_FAILED;
    }
    if (n <= 0)
        return DATAGRAM_NONE;
    retry_reset(&d->failure);
    source_datagram_count_dropped(d, c);
    pipeline_begin(c->pipeline, &d->source);
    size_t batch_bytes = 0;
    for (int i = 0; i < n; i++) {
        datagram_feed(d, c, &c->headers[i].msg_hdr, c->headers[i].msg_len);
        batch_bytes += c->headers[i].msg_len;
        if (batch_bytes >= BATCH_BYTES) { /* limits the memory for records */
            pipeline_submit(c->pipeline);
            batch_bytes = 0;
        }
    }
    pipeline_submit(c->pipeline);
    return n == DATAGRAMS_MAX ? DATAGRAM_MORE : DATAGRAM_NONE;
}

void source_datagram_shutdown(const struct source_datagram *d)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {1, &nothing};
    /* A Unix sender gets an error; a UDP sender does not, but the kernel counts it as dropped. */
    if (d->listener->transport == TRANSPORT_UNIXGRAM)
        shutdown(d->io.fd, SHUT_RD);
    else
        setsockopt(d->io.fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

/* SO_RXQ_OVFL would report the same counter, but only with the next datagram that is received. */
void source_datagram_count_dropped(struct source_datagram *d, struct datagram_context *c)
{
    uint32_t memory[SK_MEMINFO_VARS];
    socklen_t len = sizeof memory;
    if (d->listener->transport != TRANSPORT_UDP ||
        getsockopt(d->io.fd, SOL_SOCKET, SO_MEMINFO, memory, &len) != 0 ||
        len <= SK_MEMINFO_DROPS * sizeof *memory)
        return;
    uint32_t dropped = memory[SK_MEMINFO_DROPS] - d->dropped;
    if (dropped == 0)
        return;
    d->dropped += dropped;
    counter_add(&c->pipeline->sink->stats->dropped, dropped);
    if (rate_limit_allow(&c->access->log_limit))
        log_printf("%s: the kernel dropped %" PRIu32
                   " datagram%s; increase --rcvbuf or run more relays (--reuseport)",
                   d->listener->name, dropped, dropped == 1 ? "" : "s");
}
