#include "base/clock.h"
#include "load/progress.h"
#include "report/status-line.h"
#include "unit.h"

#define S NS_PER_S
static const uint64_t never = UINT64_MAX;

static struct load_config run(uint64_t rate, uint64_t count, uint64_t duration)
{
    return (struct load_config){
        .arrivals = {.rate = {rate, S}, .burst = 1}, .count = count, .duration_ns = duration * S};
}

static void remaining(struct load_config c, uint64_t elapsed, uint64_t due, uint64_t sent,
                      uint64_t expected)
{
    uint64_t got = progress_remaining_ns(&c, elapsed, due, sent);
    unit(got == expected, "got %" PRIu64 ", expected %" PRIu64, got, expected);
}

static void fraction(struct load_config c, uint64_t elapsed, uint64_t sent, double expected)
{
    double got = progress_fraction(&c, elapsed, sent);
    unit(got > expected - 1e-9 && got < expected + 1e-9, "got %f, expected %f", got, expected);
}

int main(void)
{
    remaining(run(10, 0, 0), 5 * S, 5 * S, 50, STATUS_LINE_UNKNOWN);
    remaining(run(10, 0, 60), 5 * S, 6 * S, 50, 55 * S);
    remaining(run(10, 101, 0), 4 * S, 4 * S, 40, 6 * S);
    remaining(run(10, 101, 5), 4 * S, 4 * S, 40, S);
    remaining(run(10, 101, 0), 12 * S, never, 101, 0);
    /* At half the requested rate: messages due in 5 s took 10 s. */
    remaining(run(10, 101, 0), 10 * S, 5 * S, 50, 10 * S);
    remaining(run(10, 0, 60), 70 * S, 35 * S, 350, 50 * S);
    remaining(run(0, 0, 60), 20 * S, never, 1000, 40 * S);
    remaining(run(0, 1000, 0), 20 * S, never, 500, 20 * S);
    remaining(run(0, 1000, 30), 20 * S, never, 500, 10 * S);
    remaining(run(0, 1000, 0), 20 * S, never, 0, STATUS_LINE_UNKNOWN);
    fraction(run(10, 0, 0), S, 10, -1);
    fraction(run(10, 100, 0), S, 10, 0.1);
    fraction(run(10, 0, 4), S, 10, 0.25);
    fraction(run(10, 100, 4), S, 10, 0.25);
    fraction(run(10, 20, 4), S, 10, 0.5);
    return unit_end("progress");
}
