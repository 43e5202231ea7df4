#include "report/status-line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"

enum {
    PART_SIZE = 64,
    BAR_MIN = 4,
    BAR_MAX = 40,
    BAR_FRAME = 8, /* " [] 100%" */
    DEFAULT_COLUMNS = 80
};

struct status_text {
    char *text;
    size_t len;
    size_t columns;
};

/* Returns false if `part` does not fit. */
static bool status_text_add(struct status_text *t, const char *part)
{
    size_t len = strlen(part);
    if (t->len + len > t->columns)
        return false;
    memcpy(t->text + t->len, part, len);
    t->len += len;
    return true;
}

static bool status_text_add_count(struct status_text *t, const struct status_line *l)
{
    char part[2 * PART_SIZE];
    char number[NUMBER_SIZE];
    int n = snprintf(part, sizeof part, "%s %s", l->verb, number_format(number, l->messages));
    if (l->total)
        snprintf(part + n, sizeof part - (size_t)n, " of %s", number_format(number, l->total));
    return status_text_add(t, part);
}

static bool status_text_add_rate(struct status_text *t, double rate)
{
    char part[PART_SIZE];
    char number[NUMBER_SIZE];
    snprintf(part, sizeof part, " %s/s", number_format(number, (uint64_t)(rate + 0.5)));
    return status_text_add(t, part);
}

static bool status_text_add_latency(struct status_text *t, const struct status_line *l)
{
    char part[PART_SIZE];
    double ms = (double)l->latency_ns / 1e6;
    if (l->latency_ns == STATUS_LINE_UNKNOWN)
        return true;
    if (ms < 1000)
        snprintf(part, sizeof part, " %s %.1fms", l->latency_name, ms);
    else
        snprintf(part, sizeof part, " %s %.1fs", l->latency_name, ms / 1000);
    return status_text_add(t, part);
}

static bool status_text_add_remaining(struct status_text *t, uint64_t remaining_ns)
{
    char part[PART_SIZE];
    uint64_t s = remaining_ns / NS_PER_S + (remaining_ns % NS_PER_S != 0);
    if (remaining_ns == STATUS_LINE_UNKNOWN)
        return true;
    if (s < 3600)
        snprintf(part, sizeof part, " left %" PRIu64 ":%02" PRIu64, s / 60, s % 60);
    else
        snprintf(part, sizeof part, " left %" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600,
                 s / 60 % 60, s % 60);
    return status_text_add(t, part);
}

static void status_text_add_bar(struct status_text *t, double fraction)
{
    char bar[BAR_MAX + 1];
    char part[PART_SIZE];
    size_t space = t->columns - t->len;
    size_t width = space < BAR_MIN + BAR_FRAME ? 0 : space - BAR_FRAME;
    if (width > BAR_MAX)
        width = BAR_MAX;
    if (fraction > 1)
        fraction = 1;
    size_t full = (size_t)(fraction * (double)width);
    memset(bar, ' ', width);
    memset(bar, '=', full);
    if (full > 0 && full < width)
        bar[full - 1] = '>';
    int percent = (int)(fraction * 100);
    if (width)
        snprintf(part, sizeof part, " [%.*s] %d%%", (int)width, bar, percent);
    else
        snprintf(part, sizeof part, " %d%%", percent);
    status_text_add(t, part);
}

size_t status_line_format(const struct status_line *l, size_t columns, char *text, size_t size)
{
    struct status_text t = {text, 0, columns < size ? columns : size - 1};
    if (status_text_add_count(&t, l) && status_text_add_rate(&t, l->rate) &&
        status_text_add_latency(&t, l) && status_text_add_remaining(&t, l->remaining_ns) &&
        l->fraction_done >= 0)
        status_text_add_bar(&t, l->fraction_done);
    text[t.len] = '\0';
    return t.len;
}

void status_line_show(const struct status_line *l)
{
    char text[512];
    struct winsize size = {0};
    size_t columns = DEFAULT_COLUMNS;
    size_t prefix = strlen(program_invocation_short_name) + 2;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        columns = size.ws_col;
    /* The last column stays empty: some terminals wrap as soon as it is written. */
    if (columns > prefix + 1 && status_line_format(l, columns - prefix - 1, text, sizeof text))
        log_status("%s", text);
}
