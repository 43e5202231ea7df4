#include "base/stats.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

void stats_start(struct stats *s)
{
    s->started = s->printed = clock_monotonic();
}

static uint64_t rate(uint64_t messages, uint64_t ns)
{
    return ns ? (uint64_t)((double)messages * (double)NS_PER_S / (double)ns + 0.5) : 0;
}

void stats_print(struct stats *s, enum stats_kind kind)
{
    uint64_t now = clock_monotonic();
    uint64_t out = counted(&s->out);
    uint64_t per_second = rate(out, now - s->started);
    if (kind == STATS_INTERVAL) {
        per_second = rate(out > s->printed_out ? out - s->printed_out : 0, now - s->printed);
        s->printed = now;
        s->printed_out = out;
    }
    char refused[32] = "";
    if (counted(&s->refused))
        snprintf(refused, sizeof refused, " refused %" PRIu64, counted(&s->refused));
    static void (*const print[])(const char *, ...) = {report_live, report, report_last};
    print[kind]("in %" PRIu64 " out %" PRIu64 " rejected %" PRIu64 " dropped %" PRIu64
                " bytes %" PRIu64 " rate %" PRIu64 "/s%s",
                counted(&s->in), out, counted(&s->rejected), counted(&s->dropped),
                counted(&s->bytes), per_second, refused);
}
