/* The status line: widths, omitted parts, and numbers for people. */

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

static void formats(const struct status_line *l, size_t columns, const char *expected)
{
    char got[128];
    size_t len = status_line_format(l, columns, got, sizeof got);
    unit(len == strlen(expected) && strcmp(got, expected) == 0, "%zu: '%s', expected '%s'", columns,
         got, expected);
}

static void test_widths(void)
{
    char got[128];
    formats(&whole, 55, "sent 12 of 48 4/s lag 0.1ms left 0:09 [=>        ] 25%");
    formats(&whole, 50, "sent 12 of 48 4/s lag 0.1ms left 0:09 [>    ] 25%");
    formats(&whole, 49, "sent 12 of 48 4/s lag 0.1ms left 0:09 [>   ] 25%");
    formats(&whole, 48, "sent 12 of 48 4/s lag 0.1ms left 0:09 25%");
    formats(&whole, 37, "sent 12 of 48 4/s lag 0.1ms left 0:09");
    formats(&whole, 36, "sent 12 of 48 4/s lag 0.1ms");
    formats(&whole, 20, "sent 12 of 48 4/s");
    formats(&whole, 13, "sent 12 of 48");
    formats(&whole, 12, "");
    for (size_t columns = 0; columns < 120; columns++) {
        size_t len = status_line_format(&whole, columns, got, sizeof got);
        unit(len <= columns && strlen(got) == len, "%zu columns: %zu", columns, len);
    }
    unit(status_line_format(&whole, 500, got, 16) < 16, "more columns than the buffer");
}

static void test_parts(void)
{
    struct status_line l = whole;
    l.fraction_done = 1;
    l.remaining_ns = 0;
    formats(&l, 50, "sent 12 of 48 4/s lag 0.1ms left 0:00 [=====] 100%");
    l.fraction_done = 3;
    formats(&l, 50, "sent 12 of 48 4/s lag 0.1ms left 0:00 [=====] 100%");
    l.fraction_done = -1;
    l.total = 0;
    l.remaining_ns = STATUS_LINE_UNKNOWN;
    formats(&l, 50, "sent 12 4/s lag 0.1ms");
    l.latency_ns = 12340 * NS_PER_S / 1000;
    formats(&l, 50, "sent 12 4/s lag 12.3s");
    l.latency_ns = STATUS_LINE_UNKNOWN;
    formats(&l, 50, "sent 12 4/s");
    l.remaining_ns = 59 * NS_PER_S + 1;
    formats(&l, 50, "sent 12 4/s left 1:00");
    l.remaining_ns = (2 * 3600 + 3 * 60 + 4) * NS_PER_S;
    formats(&l, 50, "sent 12 4/s left 2:03:04");
    l.messages = 1234567;
    l.total = UINT64_MAX;
    l.rate = 999.6;
    formats(&l, 80, "sent 1,234,567 of 18,446,744,073,709,551,615 1,000/s left 2:03:04");
}

int main(void)
{
    test_widths();
    test_parts();
    return unit_end("status line");
}
