#include "publish/dry-run.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output.h"

enum { DRY_RUN_MAX_PAYLOAD = 64 * 1024 * 1024 /* the most that a server can be configured for */ };

struct dry_run {
    struct publish_transport base;
    struct envelope *envelope;
    struct output output;
    struct window_mark confirmed;
};

static bool dry_run_open(struct publish_transport *t)
{
    struct dry_run *d = (struct dry_run *)t;
    output_init(&d->output, STDOUT_FILENO, "stdout");
    return true;
}

static enum transport_event dry_run_poll(struct publish_transport *t)
{
    const struct dry_run *d = (const struct dry_run *)t;
    return d->output.failed ? TRANSPORT_FAILED : TRANSPORT_UP;
}

static enum transport_result dry_run_send(struct publish_transport *t,
                                          const struct transport_message *m)
{
    struct dry_run *d = (struct dry_run *)t;
    struct buffer *b = &d->output.buffer;
    envelope_fill(d->envelope, m->text);
    buffer_append(b, (struct slice){d->envelope->subject, d->envelope->subject_len});
    buffer_append(b, (struct slice){"\t", 1});
    buffer_append(b, m->text);
    buffer_append(b, (struct slice){"\n", 1});
    return output_flush_full(&d->output) ? TRANSPORT_SENT : TRANSPORT_CLOSED;
}

static void dry_run_request_confirmation(struct publish_transport *t,
                                         const struct window_mark *sent)
{
    struct dry_run *d = (struct dry_run *)t;
    if (output_flush(&d->output))
        d->confirmed = *sent;
}

static struct window_mark dry_run_confirmed(struct publish_transport *t,
                                            const struct window_mark *sent)
{
    (void)sent;
    const struct dry_run *d = (const struct dry_run *)t;
    return d->confirmed;
}

static int dry_run_timeout_ms(struct publish_transport *t)
{
    const struct dry_run *d = (const struct dry_run *)t;
    return d->output.failed ? 0 : -1;
}

static bool dry_run_destroy(struct publish_transport *t)
{
    struct dry_run *d = (struct dry_run *)t;
    bool written = d->output.fd < 0 || output_close(&d->output);
    free(d);
    return written;
}

static const struct transport_ops dry_run_ops = {.open = dry_run_open,
                                                 .poll = dry_run_poll,
                                                 .send = dry_run_send,
                                                 .request_confirmation =
                                                     dry_run_request_confirmation,
                                                 .confirmed = dry_run_confirmed,
                                                 .timeout_ms = dry_run_timeout_ms,
                                                 .destroy = dry_run_destroy};

struct publish_transport *dry_run_new(struct envelope *envelope)
{
    struct dry_run *d = calloc(1, sizeof *d);
    if (!d) {
        log_printf("out of memory");
        return NULL;
    }
    d->base = (struct publish_transport){
        .ops = &dry_run_ops, .max_payload = DRY_RUN_MAX_PAYLOAD, .wake_fd = -1};
    d->output.fd = -1;
    d->envelope = envelope;
    return &d->base;
}
