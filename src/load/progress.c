#include "load/progress.h"

#include "report/status-line.h"

/* When the last message is due, or the time is over; UINT64_MAX where that is never. */
static uint64_t last_due(const struct load_config *c)
{
    uint64_t end = c->duration ? c->duration : UINT64_MAX;
    if (!c->count || shape_is_max(&c->shape))
        return end;
    uint64_t due = shape_due(&c->shape, (c->count - 1) / c->shape.group);
    return due < end ? due : end;
}

uint64_t progress_left(const struct load_config *c, uint64_t passed, uint64_t due, uint64_t sent)
{
    uint64_t end = last_due(c);
    uint64_t left = end == UINT64_MAX ? LIVE_UNKNOWN : end > passed ? end - passed : 0;
    if (shape_is_max(&c->shape) && c->count && sent) {
        double rest = (double)(c->count - sent) * (double)passed / (double)sent;
        if (rest < (double)left)
            left = (uint64_t)rest;
    } else if (due && due < passed && due < end && end != UINT64_MAX) {
        left = (uint64_t)((double)(end - due) * (double)passed / (double)due);
    }
    return left;
}

double progress_share(const struct load_config *c, uint64_t passed, uint64_t sent)
{
    double of_count = c->count ? (double)sent / (double)c->count : -1;
    double of_time = c->duration ? (double)passed / (double)c->duration : -1;
    return of_count > of_time ? of_count : of_time;
}
