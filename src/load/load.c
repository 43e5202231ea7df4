#include "load/load.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/report.h"
#include "base/signals.h"
#include "load/sender.h"

enum { BATCH = 256 };

struct load {
    const struct load_config *config;
    struct message_writer writer;
    struct stats stats;
    struct signals signals;
    struct senders senders;
    uint64_t next;  /* message */
    uint64_t limit; /* messages */
    uint64_t start; /* clock_monotonic, when message 0 is due */
    uint64_t start_real;
    uint64_t lag; /* nanoseconds, the most that a message was behind its time */
};

static void count_sent(struct load *l)
{
    const struct senders *s = &l->senders;
    count(&l->stats.in, l->next - counted(&l->stats.in));
    count(&l->stats.out, s->sent - counted(&l->stats.out));
    count(&l->stats.dropped, s->dropped - counted(&l->stats.dropped));
    count(&l->stats.bytes, s->bytes - counted(&l->stats.bytes));
}

static bool flush_all(struct load *l)
{
    bool good = senders_flush(&l->senders);
    count_sent(l);
    return good;
}

static bool send_one(struct load *l, uint64_t ns)
{
    struct sender *s = &l->senders.all[l->next % l->senders.count];
    struct buffer *b = &s->out.buffer;
    char *at = buffer_room(b, l->writer.room);
    buffer_wrote(b, message_write(&l->writer, l->next++, ns, at));
    return sender_took(s);
}

/* As many as go: each has the time at which it was made. */
static bool send_flat_out(struct load *l)
{
    uint64_t end = l->config->duration ? l->start_real + l->config->duration : UINT64_MAX;
    uint64_t now = l->start_real;
    while (l->next < l->limit && now < end && !signals_stopping(&l->signals)) {
        for (int i = 0; i < BATCH && l->next < l->limit; i++) {
            now = clock_real();
            if (!send_one(l, now))
                return false;
        }
        count_sent(l);
    }
    return flush_all(l);
}

static void wait_until(struct load *l, uint64_t due)
{
    uint64_t now = clock_monotonic();
    if (now >= due)
        return;
    struct timespec left = {(time_t)((due - now) / NS_PER_S), (long)((due - now) % NS_PER_S)};
    ppoll(&(struct pollfd){.fd = l->signals.stop_fd, .events = POLLIN}, 1, &left, NULL);
}

/* Open-loop: a message is sent when it is due, or as soon after as the receiver lets it. */
static bool send_on_time(struct load *l)
{
    struct rate rate = l->config->rate;
    while (l->next < l->limit && !signals_stopping(&l->signals)) {
        uint64_t passed = clock_monotonic() - l->start;
        uint64_t due = schedule_due(rate, l->next);
        if (due > passed) {
            if (!flush_all(l))
                return false;
            wait_until(l, l->start + due);
            continue;
        }
        if (passed - due > l->lag)
            l->lag = passed - due;
        for (int i = 0; i < BATCH && l->next < l->limit && due <= passed; i++) {
            if (!send_one(l, l->start_real + due))
                return false;
            due = schedule_due(rate, l->next);
        }
        count_sent(l);
    }
    return flush_all(l);
}

static uint64_t message_limit(const struct load_config *c)
{
    uint64_t limit = c->count ? c->count : UINT64_MAX;
    if (c->duration && c->rate.messages) {
        uint64_t due = schedule_before(c->rate, c->duration);
        limit = due < limit ? due : limit;
    }
    return limit;
}

static void print_report(struct load *l, uint64_t ns)
{
    char asked[64] = "max";
    const struct senders *s = &l->senders;
    double seconds = (double)ns / (double)NS_PER_S;
    struct rate rate = l->config->rate;
    if (rate.messages)
        snprintf(asked, sizeof asked, "%.6g/s",
                 (double)rate.messages * (double)NS_PER_S / (double)rate.ns);
    report("sent %" PRIu64 " bytes %" PRIu64 " seconds %.3f rate %.6g/s asked %s lag %.3fms",
           s->sent, s->bytes, seconds, seconds > 0 ? (double)s->sent / seconds : 0.0, asked,
           (double)l->lag / 1e6);
}

static bool end(struct load *l, bool good)
{
    good = senders_drain(&l->senders) && good;
    uint64_t ns = clock_monotonic() - l->start;
    good = senders_close(&l->senders) && good;
    count_sent(l);
    signals_end(&l->signals);
    if (l->start && !l->config->quiet)
        print_report(l, ns);
    message_free(&l->writer);
    return good;
}

int load_run(const struct load_config *config)
{
    struct load l = {.config = config, .limit = message_limit(config)};
    if (!message_start(&l.writer, &config->message) ||
        !signals_start(&l.signals, &l.stats, config->stats_interval)) {
        message_free(&l.writer);
        return STATUS_FAILED;
    }
    bool good = senders_open(&l.senders, &config->destination, (size_t)config->connections,
                             l.writer.shortest);
    if (good) {
        l.start = clock_monotonic();
        l.start_real = clock_real();
        good = config->rate.messages ? send_on_time(&l) : send_flat_out(&l);
    }
    return end(&l, good) ? STATUS_OK : STATUS_FAILED;
}
