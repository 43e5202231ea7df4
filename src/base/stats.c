#include "base/stats.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

void stats_init(struct stats *s)
{
    s->started_ns = s->printed_ns = clock_monotonic();
}

static uint64_t stats_rate(uint64_t messages, uint64_t ns)
{
    return ns ? (uint64_t)((double)messages * (double)NS_PER_S / (double)ns + 0.5) : 0;
}

void stats_print(struct stats *s, enum stats_kind kind)
{
    uint64_t now = clock_monotonic();
    uint64_t out = counter_read(&s->out);
    uint64_t per_second = stats_rate(out, now - s->started_ns);
    if (kind == STATS_INTERVAL) {
        per_second =
            stats_rate(out > s->printed_out ? out - s->printed_out : 0, now - s->printed_ns);
        s->printed_ns = now;
        s->printed_out = out;
    }
    char refused_text[32] = "";
    char duplicates_text[40] = "";
    if (counter_read(&s->refused))
        snprintf(refused_text, sizeof refused_text, " refused %" PRIu64, counter_read(&s->refused));
    if (counter_read(&s->duplicates))
        snprintf(duplicates_text, sizeof duplicates_text, " duplicates %" PRIu64,
                 counter_read(&s->duplicates));
    static void (*const print_functions[])(const char *, ...) = {log_status, log_printf, log_try};
    print_functions[kind]("in %" PRIu64 " out %" PRIu64 " rejected %" PRIu64 " dropped %" PRIu64
                          " bytes %" PRIu64 " rate %" PRIu64 "/s%s%s",
                          counter_read(&s->in), out, counter_read(&s->rejected),
                          counter_read(&s->dropped), counter_read(&s->bytes), per_second,
                          duplicates_text, refused_text);
}
