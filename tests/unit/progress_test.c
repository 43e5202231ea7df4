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

static void left(struct load_config c, uint64_t passed, uint64_t due, uint64_t sent,
                 uint64_t wanted)
{
    uint64_t got = progress_remaining_ns(&c, passed, due, sent);
    unit(got == wanted, "got %" PRIu64 ", wanted %" PRIu64, got, wanted);
}

static void over(struct load_config c, uint64_t passed, uint64_t sent, double wanted)
{
    double got = progress_fraction(&c, passed, sent);
    unit(got > wanted - 1e-9 && got < wanted + 1e-9, "got %f, wanted %f", got, wanted);
}

int main(void)
{
    left(run(10, 0, 0), 5 * S, 5 * S, 50, STATUS_LINE_UNKNOWN);
    left(run(10, 0, 60), 5 * S, 6 * S, 50, 55 * S);
    left(run(10, 101, 0), 4 * S, 4 * S, 40, 6 * S);
    left(run(10, 101, 5), 4 * S, 4 * S, 40, S);
    left(run(10, 101, 0), 12 * S, never, 101, 0);
    /* Half as fast as it should be: what was due in 5 s took 10. */
    left(run(10, 101, 0), 10 * S, 5 * S, 50, 10 * S);
    left(run(10, 0, 60), 70 * S, 35 * S, 350, 50 * S);
    left(run(0, 0, 60), 20 * S, never, 1000, 40 * S);
    left(run(0, 1000, 0), 20 * S, never, 500, 20 * S);
    left(run(0, 1000, 30), 20 * S, never, 500, 10 * S);
    left(run(0, 1000, 0), 20 * S, never, 0, STATUS_LINE_UNKNOWN);
    over(run(10, 0, 0), S, 10, -1);
    over(run(10, 100, 0), S, 10, 0.1);
    over(run(10, 0, 4), S, 10, 0.25);
    over(run(10, 100, 4), S, 10, 0.25);
    over(run(10, 20, 4), S, 10, 0.5);
    return unit_end("progress");
}
