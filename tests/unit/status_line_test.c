#include "base/clock.h"
#include "report/status-line.h"
#include "unit.h"

static const struct status_line whole = {.verb = "sent",
                                         .messages = 12,
                                         .total = 48,
                                         .rate = 4,
                                         .latency_name = "lag",
                                         .latency_ns = 100000,
                                         .fraction_done = 0.25,
                                         .remaining_ns = 9 * NS_PER_S};

static void shows(const struct status_line *l, size_t columns, const char *wanted)
{
    char got[128];
    size_t length = status_line_format(l, columns, got, sizeof got);
    unit(length == strlen(wanted) && strcmp(got, wanted) == 0, "%zu: '%s', wanted '%s'", columns,
         got, wanted);
}

static void widths(void)
{
    char got[128];
    shows(&whole, 55, "sent 12 of 48 4/s lag 0.1ms left 0:09 [=>        ] 25%");
    shows(&whole, 50, "sent 12 of 48 4/s lag 0.1ms left 0:09 [>    ] 25%");
    shows(&whole, 49, "sent 12 of 48 4/s lag 0.1ms left 0:09 [>   ] 25%");
    shows(&whole, 48, "sent 12 of 48 4/s lag 0.1ms left 0:09 25%");
    shows(&whole, 37, "sent 12 of 48 4/s lag 0.1ms left 0:09");
    shows(&whole, 36, "sent 12 of 48 4/s lag 0.1ms");
    shows(&whole, 20, "sent 12 of 48 4/s");
    shows(&whole, 13, "sent 12 of 48");
    shows(&whole, 12, "");
    for (size_t columns = 0; columns < 120; columns++) {
        size_t length = status_line_format(&whole, columns, got, sizeof got);
        unit(length <= columns && strlen(got) == length, "%zu columns: %zu", columns, length);
    }
    unit(status_line_format(&whole, 500, got, 16) < 16, "more columns than room");
}

static void parts(void)
{
    struct status_line l = whole;
    l.fraction_done = 1;
    l.remaining_ns = 0;
    shows(&l, 50, "sent 12 of 48 4/s lag 0.1ms left 0:00 [=====] 100%");
    l.fraction_done = 3;
    shows(&l, 50, "sent 12 of 48 4/s lag 0.1ms left 0:00 [=====] 100%");
    l.fraction_done = -1;
    l.total = 0;
    l.remaining_ns = STATUS_LINE_UNKNOWN;
    shows(&l, 50, "sent 12 4/s lag 0.1ms");
    l.latency_ns = 12340 * NS_PER_S / 1000;
    shows(&l, 50, "sent 12 4/s lag 12.3s");
    l.latency_ns = STATUS_LINE_UNKNOWN;
    shows(&l, 50, "sent 12 4/s");
    l.remaining_ns = 59 * NS_PER_S + 1;
    shows(&l, 50, "sent 12 4/s left 1:00");
    l.remaining_ns = (2 * 3600 + 3 * 60 + 4) * NS_PER_S;
    shows(&l, 50, "sent 12 4/s left 2:03:04");
}

int main(void)
{
    widths();
    parts();
    return unit_end("live");
}
