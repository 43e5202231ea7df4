#include "syslog/instant.h"

#include "base/clock.h"
#include "base/defect.h"
#include "syslog/calendar.h"
#include "syslog/timestamp.h"

enum { HEAD = 19 /* 2026-11-22T10:00:00 */, TAIL_MAX = 6 };

static int number(const char *p, int digits)
{
    int n = 0;
    while (digits-- > 0)
        n = n * 10 + (*p++ - '0');
    return n;
}

static int64_t seconds(const char *p, struct slice tail)
{
    int64_t day = calendar_days(number(p, 4), number(p + 5, 2), number(p + 8, 2));
    int64_t second =
        ((day * 24 + number(p + 11, 2)) * 60 + number(p + 14, 2)) * 60 + number(p + 17, 2);
    if (*tail.data == 'Z')
        return second;
    int away = (number(tail.data + 1, 2) * 60 + number(tail.data + 4, 2)) * 60;
    return *tail.data == '-' ? second + away : second - away;
}

static bool same_second(const struct instant_reader *r, const char *head, struct slice tail)
{
    return r->tail_length && tail.len == r->tail_length && memcmp(r->head, head, HEAD) == 0 &&
           memcmp(r->tail, tail.data, tail.len) == 0;
}

static bool new_second(struct instant_reader *r, struct slice timestamp, struct slice tail)
{
    struct defect defect;
    struct parse_input in = {timestamp.data, timestamp.data + timestamp.len, &defect};
    r->tail_length = 0;
    if (timestamp_parse(&in, timestamp.data) != in.end)
        return false;
    int64_t second = seconds(timestamp.data, tail);
    if (second < 0)
        return false;
    r->second = (uint64_t)second * NS_PER_S;
    memcpy(r->head, timestamp.data, HEAD);
    memcpy(r->tail, tail.data, tail.len);
    r->tail_length = tail.len;
    return true;
}

bool instant_read(struct instant_reader *r, struct slice timestamp, uint64_t *ns)
{
    const char *end = timestamp.data + timestamp.len;
    uint64_t fraction = 0;
    uint64_t unit = NS_PER_S;
    if (timestamp.len <= HEAD)
        return false;
    const char *p = timestamp.data + HEAD;
    if (*p == '.')
        for (p++; p < end && is_digit(*p) && unit > 1000; p++) {
            unit /= 10;
            fraction += (uint64_t)(*p - '0') * unit;
        }
    struct slice tail = slice_between(p, end);
    if (tail.len == 0 || tail.len > TAIL_MAX || p[-1] == '.')
        return false;
    if (!same_second(r, timestamp.data, tail) && !new_second(r, timestamp, tail))
        return false;
    *ns = r->second + fraction;
    return true;
}
