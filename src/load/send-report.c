#include "load/send-report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "json/escape.h"

int send_report_format_rate(const struct arrivals_config *s, char *to, size_t size)
{
    double rate = (double)s->rate.messages * (double)NS_PER_S / (double)s->rate.period_ns;
    if (arrivals_unlimited(s))
        return snprintf(to, size, "max");
    if (s->ramp_ns)
        return snprintf(to, size, "%.6g..%.6g/s", rate, (double)s->ramp_top);
    return snprintf(to, size, "%.6g/s", rate * (double)s->burst);
}

static double send_report_rate(uint64_t messages, uint64_t ns)
{
    return ns ? (double)messages * (double)NS_PER_S / (double)ns : 0;
}

void send_report_print(const struct send_report *s)
{
    char asked[64];
    char seed[32] = "";
    const struct senders *of = s->senders;
    send_report_format_rate(&s->config->arrivals, asked, sizeof asked);
    if (s->uses_seed)
        snprintf(seed, sizeof seed, " seed %" PRIu64, s->config->message.seed);
    log_printf("sent %" PRIu64 " bytes %" PRIu64 " seconds %.3f rate %.6g/s asked %s lag %.3fms%s",
               of->sent, of->bytes, (double)s->elapsed_ns / (double)NS_PER_S,
               send_report_rate(of->sent, s->elapsed_ns), asked, (double)s->max_lag_ns / 1e6, seed);
    if (s->config->malformed.threshold)
        malformed_report(s->malformed);
}

static void add_string(struct buffer *out, const char *text)
{
    size_t length = strlen(text);
    buffer_commit(out, json_quote(buffer_reserve(out, JSON_STRING_ROOM(length)),
                                  (struct slice){text, length}));
}

static void add_number(struct buffer *out, const char *key, uint64_t number)
{
    enum { ROOM = 64 };
    char *to = buffer_reserve(out, ROOM);
    buffer_commit(out, to + snprintf(to, ROOM, ",\"%s\":%" PRIu64, key, number));
}

void send_report_append_json(const struct send_report *s, struct buffer *out)
{
    enum { ROOM = 128 };
    char asked[64];
    const struct senders *of = s->senders;
    send_report_format_rate(&s->config->arrivals, asked, sizeof asked);
    buffer_commit(out, json_literal(buffer_reserve(out, ROOM), "{\"destination\":"));
    add_string(out, of->destination->text ? of->destination->text : "-");
    add_number(out, "sent", of->sent);
    add_number(out, "dropped", of->dropped);
    add_number(out, "bytes", of->bytes);
    char *to = buffer_reserve(out, ROOM);
    buffer_commit(out, to + snprintf(to, ROOM, ",\"seconds\":%.6f,\"rate\":%.3f,\"asked\":",
                                     (double)s->elapsed_ns / (double)NS_PER_S,
                                     send_report_rate(of->sent, s->elapsed_ns)));
    add_string(out, asked);
    to = buffer_reserve(out, ROOM);
    buffer_commit(
        out, to + snprintf(to, ROOM, ",\"lag\":%.6f", (double)s->max_lag_ns / (double)NS_PER_S));
    if (s->uses_seed)
        add_number(out, "seed", s->config->message.seed);
    if (s->config->malformed.threshold)
        malformed_report_json(s->malformed, out);
    buffer_append(out, (struct slice){"}\n", 2});
}
