/*
 * tests/data/rfc3164.cases, each message complete and truncated at every length, before a guard
 * page; missing years; daylight saving time.
 */

#include <time.h>

#include "base/buffer.h"
#include "base/defect.h"
#include "base/utf8.h"
#include "json/record.h"
#include "syslog/calendar.h"
#include "syslog/parse.h"
#include "syslog/rfc3164.h"
#include "unit.h"

/* Seconds since 1970, of UTC. */
static int64_t seconds(int year, int month, int day, int hour, int minute)
{
    return calendar_days(year, month, day) * 86400 + hour * 3600 + minute * 60;
}

/* Writes the record without LF, or "!FIELD: reason (at byte N)", as in the table. */
static void write_outcome(struct syslog_parser *parser, struct slice message,
                          struct syslog_message *m, struct buffer *out)
{
    struct defect defect;
    struct slice guarded = unit_guarded(message);
    out->len = 0;
    if (syslog_parse(parser, guarded, m, &defect)) {
        record_write(out, m);
        out->len--;
        return;
    }
    char line[256];
    int n = snprintf(line, sizeof line, "!%s: %s (at byte %" PRIu64 ")", defect.field,
                     defect.reason, defect.offset);
    buffer_append(out, (struct slice){line, (size_t)n});
}

/* Every truncated message becomes a record in UTF-8, unless it is empty. */
static void truncate_message(struct syslog_parser *parser, const struct unit_case *c,
                             struct syslog_message *m, struct buffer *out)
{
    for (size_t len = 0; len < c->input.len; len++) {
        write_outcome(parser, (struct slice){c->input.data, len}, m, out);
        const char *end = out->data + out->len;
        unit(utf8_find_invalid(out->data, end) == end, "%s: truncated at %zu, not UTF-8", c->name,
             len);
        unit(out->data[0] == '{' || strncmp(out->data, "!MSG: is empty", 14) == 0,
             "%s: truncated at %zu: %.*s", c->name, len, (int)out->len, out->data);
    }
}

/* Cases whose names begin with "only-3164" are parsed with -f rfc3164. */
static void check_cases(const char *path)
{
    FILE *table = unit_table(path);
    struct unit_case c;
    struct syslog_message m = {0};
    struct buffer out = {0};
    unsigned cases = 0;
    while (unit_next_case(table, &c)) {
        struct syslog_parser parser = {.format = FORMAT_AUTO,
                                       .time = {.now = seconds(2026, 11, 22, 17, 0)}};
        tz_parse("+01:00", &parser.time.tz);
        if (strncmp(c.name, "only-3164", 9) == 0)
            parser.format = FORMAT_RFC3164;
        write_outcome(&parser, c.input, &m, &out);
        struct slice got = {out.data, out.len};
        unit(slice_equal(got, c.expected), "%s: got %.*s, expected %.*s", c.name, SHOW(got),
             SHOW(c.expected));
        truncate_message(&parser, &c, &m, &out);
        cases++;
        unit_case_free(&c);
    }
    unit(cases >= 250, "only %u cases", cases);
    buffer_free(&out);
    syslog_message_free(&m);
    fclose(table);
}

/* Parses a time at the time `now` in a time zone, with and without the cache. */
static void check_time(const char *text, const char *zone, int64_t now, const char *expected)
{
    struct lenient_time r = {.now = now};
    struct slice got = {"none", 4};
    struct slice guarded = unit_guarded((struct slice){text, strlen(text)});
    if (!tz_parse(zone, &r.tz)) {
        unit(false, "%s is not a time zone", zone);
        return;
    }
    for (int again = 0; again < 2; again++) {
        lenient_time_read(&r, guarded.data, guarded.data + guarded.len, &got);
        unit(slice_equal(got, (struct slice){expected, strlen(expected)}),
             "%s in %s at %" PRId64 ": got %.*s, expected %s", text, zone, now, SHOW(got),
             expected);
    }
}

static void check_years(void)
{
    int64_t new_year = seconds(2027, 1, 1, 0, 5);
    int64_t eve = seconds(2026, 12, 31, 23, 55);
    check_time("Dec 31 23:59:58", "utc", new_year, "2026-12-31T23:59:58Z");
    check_time("Jan  1 00:00:02", "utc", eve, "2027-01-01T00:00:02Z");
    check_time("Jan  1 00:00:02", "utc", new_year, "2027-01-01T00:00:02Z");
    check_time("Dec 31 23:54:58", "utc", eve, "2026-12-31T23:54:58Z");
    check_time("Dec 31 23:59:58 UTC", "+14:00", new_year, "2026-12-31T23:59:58Z");
    check_time("Jan  1 13:00:00", "+14:00", eve, "2027-01-01T13:00:00+14:00");
    check_time("Dec 31 12:00:00", "-12:00", new_year, "2026-12-31T12:00:00-12:00");
    check_time("May 22 12:00:00", "utc", seconds(2026, 11, 22, 12, 0), "2027-05-22T12:00:00Z");
    check_time("May 25 12:00:00", "utc", seconds(2026, 11, 22, 12, 0), "2026-05-25T12:00:00Z");
    check_time("Nov 20 12:00:00", "utc", seconds(2027, 5, 22, 12, 0), "2027-11-20T12:00:00Z");
    check_time("Nov 22 12:00:00", "utc", seconds(2027, 5, 22, 12, 0), "2026-11-22T12:00:00Z");
    check_time("Feb 29 12:00:00", "utc", seconds(2026, 11, 22, 17, 0), "2028-02-29T12:00:00Z");
    check_time("Feb 29 12:00:00", "utc", seconds(2025, 11, 22, 17, 0), "2024-02-29T12:00:00Z");
    check_time("Feb 29 12:00:00", "utc", seconds(2028, 3, 1, 0, 0), "2028-02-29T12:00:00Z");
    check_time("Feb 29 12:00:00", "utc", seconds(2101, 1, 1, 0, 0), "2104-02-29T12:00:00Z");
    check_time("Feb 29 12:00:00", "utc", seconds(2099, 12, 1, 0, 0), "2096-02-29T12:00:00Z");
    check_time("Nov 22 12:00:00 2031", "utc", seconds(2026, 11, 22, 17, 0), "2031-11-22T12:00:00Z");
}

/* Europe/Berlin and others, without the time zone database. */
static void check_daylight_saving(void)
{
    int64_t now = seconds(2026, 10, 25, 0, 30);
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    check_time("2026-11-22 17:00:00", "local", now, "2026-11-22T17:00:00+01:00");
    check_time("2026-07-22 17:00:00", "local", now, "2026-07-22T17:00:00+02:00");
    check_time("2026-03-29 01:59:59", "local", now, "2026-03-29T01:59:59+01:00");
    check_time("2026-03-29 02:30:00", "local", now, "2026-03-29T02:30:00+01:00");
    check_time("2026-03-29 03:00:00", "local", now, "2026-03-29T03:00:00+02:00");
    check_time("2026-10-25 01:59:59", "local", now, "2026-10-25T01:59:59+02:00");
    check_time("2026-10-25 02:30:00", "local", now, "2026-10-25T02:30:00+02:00");
    check_time("2026-10-25 02:30:00", "local", now + 3600, "2026-10-25T02:30:00+01:00");
    check_time("2026-10-25 03:00:00", "local", now, "2026-10-25T03:00:00+01:00");
    check_time("2026-10-25 02:30:00 UTC", "local", now, "2026-10-25T02:30:00Z");
    check_time("2026-10-25 02:30:00 CEST", "local", now, "2026-10-25T02:30:00+02:00");
    setenv("TZ", "NZST-12NZDT,M9.5.0,M4.1.0/3", 1);
    tzset();
    check_time("2026-01-22 17:00:00", "local", now, "2026-01-22T17:00:00+13:00");
    check_time("2026-07-22 17:00:00", "local", now, "2026-07-22T17:00:00+12:00");
    setenv("TZ", "GMT0BST,M3.5.0/1,M10.5.0", 1);
    tzset();
    check_time("2026-01-22 17:00:00", "local", now, "2026-01-22T17:00:00Z");
    check_time("2026-07-22 17:00:00", "local", now, "2026-07-22T17:00:00+01:00");
    setenv("TZ", "NST3:30NDT,M3.2.0,M11.1.0", 1);
    tzset();
    check_time("2026-11-22 17:00:00", "local", now, "2026-11-22T17:00:00-03:30");
}

/* Every quarter of an hour of a year, compared with the C library. */
static void check_whole_year(void)
{
    struct lenient_time r = {.now = seconds(2026, 1, 1, 0, 0)};
    unsigned wrong = 0;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (int64_t t = seconds(2026, 1, 1, 0, 0); t < seconds(2027, 1, 1, 0, 0); t += 900) {
        time_t instant = (time_t)t;
        struct tm tm;
        char text[32];
        char expected[40];
        localtime_r(&instant, &tm);
        r.now = t;
        strftime(text, sizeof text, "%b %e %H:%M:%S %Y", &tm);
        strftime(expected, sizeof expected,
                 tm.tm_isdst ? "%Y-%m-%dT%H:%M:%S+02:00" : "%Y-%m-%dT%H:%M:%S+01:00", &tm);
        struct slice got = {"", 0};
        lenient_time_read(&r, text, text + strlen(text), &got);
        wrong += !slice_equal(got, (struct slice){expected, strlen(expected)});
    }
    unit(wrong == 0, "%u of a year's quarters of an hour are wrong", wrong);
}

static void check_calendar(void)
{
    unit(calendar_days(1970, 1, 1) == 0, "1970");
    unit(calendar_days(2000, 3, 1) == 11017, "2000-03-01");
    unit(calendar_days(0, 1, 1) == -719528, "year 0");
    int64_t days = calendar_days(0, 1, 1);
    unsigned wrong = 0;
    for (int year = 0; year < 3000; year++)
        for (int month = 1; month <= 12; month++) {
            wrong += calendar_days(year, month, 1) != days;
            wrong += calendar_year(days) != year;
            days += calendar_days_in(year, month);
            wrong += calendar_year(days - 1) != year;
        }
    unit(wrong == 0, "%u months are wrong", wrong);
}

static void check_zones(void)
{
    static const char *const wrong[] = {"",      "+9",    "+0900",   "+24:00", "+09:60", "+09:0x",
                                        "09:00", "+9:00", "+09:000", "Utc",    "LOCAL",  "+09-00"};
    struct tz zone = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        unit(!tz_parse(wrong[i], &zone), "%s is accepted", wrong[i]);
    unit(tz_parse("-09:30", &zone) && zone.fixed && zone.offset == -34200, "-09:30");
    unit(tz_parse("UTC", &zone) && zone.fixed && zone.offset == 0, "UTC");
    unit(tz_parse("local", &zone) && !zone.fixed, "local");
}

int main(int argc, char **argv)
{
    check_cases(argc > 1 ? argv[1] : "tests/data/rfc3164.cases");
    check_years();
    check_daylight_saving();
    check_whole_year();
    check_calendar();
    check_zones();
    return unit_end("rfc3164");
}
