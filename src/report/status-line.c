#include "report/status-line.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { PART = 64, BAR_LEAST = 4, BAR_MOST = 40, BAR_REST = 8 /* " [] 100%" */ };

struct line {
    char *at;
    size_t length;
    size_t columns;
};

/* False where it finds no place. */
static bool add(struct line *l, const char *part)
{
    size_t length = strlen(part);
    if (l->length + length > l->columns)
        return false;
    memcpy(l->at + l->length, part, length);
    l->length += length;
    return true;
}

static void print_done(const struct live *l, char *part)
{
    int n = snprintf(part, PART, "%s %" PRIu64, l->done, l->messages);
    if (l->all)
        snprintf(part + n, PART - (size_t)n, " of %" PRIu64, l->all);
}

static void print_late(const struct live *l, char *part)
{
    double ms = (double)l->lateness / 1e6;
    *part = '\0';
    if (l->lateness != LIVE_UNKNOWN && ms < 1000)
        snprintf(part, PART, " %s %.1fms", l->late, ms);
    else if (l->lateness != LIVE_UNKNOWN)
        snprintf(part, PART, " %s %.1fs", l->late, ms / 1000);
}

static void print_left(uint64_t left, char *part)
{
    uint64_t s = left / NS_PER_S + (left % NS_PER_S != 0);
    *part = '\0';
    if (left != LIVE_UNKNOWN && s < 3600)
        snprintf(part, PART, " left %" PRIu64 ":%02" PRIu64, s / 60, s % 60);
    else if (left != LIVE_UNKNOWN)
        snprintf(part, PART, " left %" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60,
                 s % 60);
}

static void add_share(struct line *l, double share)
{
    char bar[BAR_MOST + 1];
    char part[PART];
    size_t room = l->columns - l->length;
    size_t width = room < BAR_LEAST + BAR_REST ? 0 : room - BAR_REST;
    if (width > BAR_MOST)
        width = BAR_MOST;
    if (share > 1)
        share = 1;
    size_t full = (size_t)(share * (double)width);
    memset(bar, ' ', width);
    memset(bar, '=', full);
    if (full > 0 && full < width)
        bar[full - 1] = '>';
    int percent = (int)(share * 100);
    if (width)
        snprintf(part, sizeof part, " [%.*s] %d%%", (int)width, bar, percent);
    else
        snprintf(part, sizeof part, " %d%%", percent);
    add(l, part);
}

size_t live_line(const struct live *l, size_t columns, char *to, size_t size)
{
    char part[PART];
    struct line line = {to, 0, columns < size ? columns : size - 1};
    print_done(l, part);
    bool room = add(&line, part);
    snprintf(part, sizeof part, " %.0f/s", l->rate);
    room = room && add(&line, part);
    print_late(l, part);
    room = room && add(&line, part);
    print_left(l->left, part);
    if (room && add(&line, part) && l->share >= 0)
        add_share(&line, l->share);
    to[line.length] = '\0';
    return line.length;
}
