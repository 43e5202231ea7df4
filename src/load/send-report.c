#include "load/send-report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "json/escape.h"

int sent_asked(const struct shape *s, char *to, size_t size)
{
    double rate = (double)s->rate.messages * (double)NS_PER_S / (double)s->rate.ns;
    if (shape_is_max(s))
        return snprintf(to, size, "max");
    if (s->ramp)
        return snprintf(to, size, "%.6g..%.6g/s", rate, (double)s->top);
    return snprintf(to, size, "%.6g/s", rate * (double)s->group);
}

static double per_second(uint64_t messages, uint64_t ns)
{
    return ns ? (double)messages * (double)NS_PER_S / (double)ns : 0;
}

void sent_report(const struct sent *s)
{
    char asked[64];
    char seed[32] = "";
    const struct senders *of = s->senders;
    sent_asked(&s->config->shape, asked, sizeof asked);
    if (s->drawn)
        snprintf(seed, sizeof seed, " seed %" PRIu64, s->config->message.seed);
    log_printf("sent %" PRIu64 " bytes %" PRIu64 " seconds %.3f rate %.6g/s asked %s lag %.3fms%s",
               of->sent, of->bytes, (double)s->ns / (double)NS_PER_S, per_second(of->sent, s->ns),
               asked, (double)s->lag / 1e6, seed);
    if (s->config->bad.one_in)
        bad_report(s->bad);
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

void sent_json(const struct sent *s, struct buffer *out)
{
    enum { ROOM = 128 };
    char asked[64];
    const struct senders *of = s->senders;
    sent_asked(&s->config->shape, asked, sizeof asked);
    buffer_commit(out, json_literal(buffer_reserve(out, ROOM), "{\"destination\":"));
    add_string(out, of->to->text ? of->to->text : "-");
    add_number(out, "sent", of->sent);
    add_number(out, "dropped", of->dropped);
    add_number(out, "bytes", of->bytes);
    char *to = buffer_reserve(out, ROOM);
    buffer_commit(out,
                  to + snprintf(to, ROOM, ",\"seconds\":%.6f,\"rate\":%.3f,\"asked\":",
                                (double)s->ns / (double)NS_PER_S, per_second(of->sent, s->ns)));
    add_string(out, asked);
    to = buffer_reserve(out, ROOM);
    buffer_commit(out, to + snprintf(to, ROOM, ",\"lag\":%.6f", (double)s->lag / (double)NS_PER_S));
    if (s->drawn)
        add_number(out, "seed", s->config->message.seed);
    if (s->config->bad.one_in)
        bad_json(s->bad, out);
    buffer_append(out, (struct slice){"}\n", 2});
}
