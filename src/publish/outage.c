#include "publish/outage.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

static const uint64_t backoff_min_ns = NS_PER_S / 4;
static const uint64_t backoff_max_ns = 4 * NS_PER_S;
static const uint64_t report_after_ns = 5 * NS_PER_S;
static const uint64_t report_interval_ns = 60 * NS_PER_S;

void outage_begin(struct outage *o, const char *reason, bool backs_off)
{
    uint64_t now_ns = clock_monotonic();
    if (!o->since_ns) {
        o->since_ns = now_ns;
        o->backoff_ns = backoff_min_ns;
    } else if (backs_off) {
        o->backoff_ns = o->backoff_ns * 2 < backoff_max_ns ? o->backoff_ns * 2 : backoff_max_ns;
    }
    if (backs_off || !o->probe)
        o->retry_at_ns = now_ns + o->backoff_ns;
    if (backs_off)
        o->probe = 0;
    if (reason)
        snprintf(o->text, sizeof o->text, "%s", reason);
}

void outage_end(struct outage *o)
{
    if (o->since_ns)
        o->ended_ns = clock_monotonic() - o->since_ns;
    o->since_ns = 0;
    o->probe = 0;
}

void outage_report(struct outage_report *r, const struct outage *o, const char *stream)
{
    uint64_t now_ns = clock_monotonic();
    if (o->ended_ns && r->last_ns) {
        log_info("stream %s available again after %.0f s", stream, (double)o->ended_ns / NS_PER_S);
        r->last_ns = 0;
    }
    if (o->since_ns && now_ns - o->since_ns >= report_after_ns &&
        (!r->last_ns || now_ns - r->last_ns >= report_interval_ns)) {
        log_warning("stream %s unavailable: %s; retrying", stream, o->text);
        r->last_ns = now_ns;
    }
}
