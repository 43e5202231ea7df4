#include "load/progress.h"

#include "report/status-line.h"

/* Returns when the run ends on schedule, in ns after its start; UINT64_MAX: never. */
static uint64_t progress_end_ns(const struct load_config *c)
{
    uint64_t end = c->duration_ns ? c->duration_ns : UINT64_MAX;
    if (!c->count || arrivals_unlimited(&c->arrivals))
        return end;
    uint64_t due = arrivals_burst_due(&c->arrivals, (c->count - 1) / c->arrivals.burst);
    return due < end ? due : end;
}

uint64_t progress_remaining_ns(const struct load_config *c, uint64_t elapsed_ns, uint64_t due_ns,
                               uint64_t sent)
{
    uint64_t end_ns = progress_end_ns(c);
    uint64_t remaining_ns = end_ns == UINT64_MAX  ? STATUS_LINE_UNKNOWN
                            : end_ns > elapsed_ns ? end_ns - elapsed_ns
                                                  : 0;
    if (arrivals_unlimited(&c->arrivals) && c->count && sent) {
        double remaining = (double)(c->count - sent) * (double)elapsed_ns / (double)sent;
        if (remaining < (double)remaining_ns)
            remaining_ns = (uint64_t)remaining;
    } else if (due_ns && due_ns < elapsed_ns && due_ns < end_ns && end_ns != UINT64_MAX) {
        remaining_ns = (uint64_t)((double)(end_ns - due_ns) * (double)elapsed_ns / (double)due_ns);
    }
    return remaining_ns;
}

double progress_fraction(const struct load_config *c, uint64_t elapsed_ns, uint64_t sent)
{
    double of_count = c->count ? (double)sent / (double)c->count : -1;
    double of_time = c->duration_ns ? (double)elapsed_ns / (double)c->duration_ns : -1;
    return of_count > of_time ? of_count : of_time;
}
