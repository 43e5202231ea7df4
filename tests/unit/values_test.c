/* Option values, addresses, priorities, TIMESTAMPs and the schedule. */

#include <fcntl.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/defect.h"
#include "base/options.h"
#include "load/schedule.h"

#include "syslog/pri.h"
#include "syslog/timestamp.h"
#include "unit.h"

#define NONE UINT64_MAX

static uint64_t size_of(const char *text)
{
    uint64_t value = NONE;
    return option_size("--x", text, 1, 1 << 30, &value) ? value : NONE;
}

static uint64_t count_of(const char *text)
{
    uint64_t value = NONE;
    return option_count("--x", text, 0, UINT64_MAX - 1, &value) ? value : NONE;
}

static uint64_t duration_of(const char *text)
{
    uint64_t value = NONE;
    return option_duration("--x", text, 0, UINT64_MAX - 1, &value) ? value : NONE;
}

static void numbers(void)
{
    unit(size_of("1") == 1 && size_of("64k") == 65536 && size_of("1M") == 1 << 20, "sizes");
    unit(size_of("64K") == 65536 && size_of("16MB") == 16 << 20 && size_of("8KiB") == 8192,
         "sizes as in nats(1) are binary");
    unit(size_of("3mb") == 3 << 20 && size_of("1gib") == 1 << 30 && size_of("1Ki") == NONE &&
             size_of("1T") == NONE,
         "sizes in any case of letters");
    unit(size_of("1G") == 1 << 30 && size_of("1025M") == NONE && size_of("0") == NONE, "limits");
    static const char *const bad[] = {
        "", "k", "1x", "1kk", "-1", "+1", " 1", "1 ", "0x1", "1.5k", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        unit(size_of(bad[i]) == NONE && count_of(bad[i]) == NONE, "'%s' is not a number", bad[i]);
    unit(count_of("5k") == 5000 && count_of("3M") == 3000000, "counts");
    unit(count_of("18446744073709551615") == NONE, "a count past its type");
    unit(duration_of("1") == NS_PER_S && duration_of("2s") == 2 * NS_PER_S, "seconds");
    unit(duration_of("5us") == 5000 && duration_of("7ms") == 7000000, "parts of a second");
    unit(duration_of("1m") == 60 * NS_PER_S && duration_of("2h") == 7200 * NS_PER_S, "more");
    unit(duration_of("1d") == 86400 * NS_PER_S && duration_of("2w") == 14 * 86400 * NS_PER_S,
         "days and weeks");
    unit(duration_of("1.5") == 1500000000 && duration_of("0.25ms") == 250000, "fractions");
    unit(duration_of("1y") == NONE && duration_of("1D") == NONE && duration_of(".5") == NONE,
         "not durations");
}

static bool rate_is(const char *text, uint64_t things, uint64_t ns)
{
    uint64_t n = 0;
    uint64_t t = 0;
    return option_rate("--x", text, &n, &t) && n == things && t == ns;
}

static void rates(void)
{
    uint64_t n;
    uint64_t t;
    unit(rate_is("1", 1, NS_PER_S) && rate_is("100k", 100000, NS_PER_S), "a second");
    unit(rate_is("1/h", 1, 3600 * NS_PER_S) && rate_is("3/ms", 3, 1000000) &&
             rate_is("5/2s", 5, 2 * NS_PER_S),
         "another time");
    unit(!option_rate("--x", "0", &n, &t) && !option_rate("--x", "1/", &n, &t), "not a rate");
    unit(!option_rate("--x", "1/x", &n, &t) && !option_rate("--x", "x", &n, &t), "not a rate");
    struct rate third = {3, NS_PER_S};
    unit(schedule_due(third, 0) == 0 && schedule_due(third, 3) == NS_PER_S, "due");
    unit(schedule_due(third, 3000000000000) == 1000000000000 * NS_PER_S, "due, without drift");
}

static bool address_is(const char *text, const char *host, const char *port)
{
    struct address a;
    return address_parse("--x", text, &a) && strcmp(a.host, host) == 0 && strcmp(a.port, port) == 0;
}

static void addresses(void)
{
    struct address a;
    unit(address_is("tcp://:8888", "127.0.0.1", "8888"), "no host");
    unit(address_is("tcp://localhost:0", "localhost", "0"), "a name");
    unit(address_is("tcp://[::]:514", "::", "514"), "IPv6");
    unit(address_is("tcp://[::1]:65535", "::1", "65535"), "IPv6, highest port");
    unit(address_is("udp://", "127.0.0.1", "514"), "the port of udp");
    unit(address_is("tls://h", "h", "6514"), "the port of tls");
    unit(address_is("udp://[::1]", "::1", "514"), "IPv6 without a port");
    unit(address_parse("--x", "unix:/dev/log", &a) && a.transport == TRANSPORT_UNIX &&
             strcmp(a.path, "/dev/log") == 0,
         "a path");
    char path[130] = "unixgram:";
    memset(path + 9, 'x', 107);
    unit(address_parse("--x", path, &a) && a.transport == TRANSPORT_UNIXGRAM, "the longest path");
    path[9 + 107] = 'x';
    unit(!address_parse("--x", path, &a), "a path that is too long");
    static const char *const bad[] = {"",           "8888",          "tcp://",         "tcp://h",
                                      "tcp://h:",   "tcp://h:x",     "tcp://h:65536",  "tcp://h:1x",
                                      "udp:h:1",    "tcp://::1:514", "tcp://[::1:514", "tcp://h:-1",
                                      "tcp://h:+1", "tcp://h:1k",    "udp://h:",       "udp://::1",
                                      "unix:",      "http://h:1",    "tls://[::1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        unit(!address_parse("--x", bad[i], &a), "'%s' is not an address", bad[i]);
}

static void priorities(void)
{
    unsigned pri = 999;
    unit(pri_from_name("auth.crit", &pri) && pri == 34, "auth.crit");
    unit(pri_from_name("local7.debug", &pri) && pri == 191, "local7.debug");
    unit(pri_from_name("kern.emerg", &pri) && pri == 0, "kern.emerg");
    unit(pri_from_name("err", &pri) && pri == 11, "a severity alone");
    unit(pri_from_name("191", &pri) && pri == 191, "a number");
    static const char *const bad[] = {"192",        "",      "auth.", ".crit", "auth",
                                      "auth.crit ", "x.err", "-1",    "34x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        unit(!pri_from_name(bad[i], &pri), "'%s' is not a priority", bad[i]);
}

static bool time_is(const char *zone, bool utc, uint64_t ns, const char *expected)
{
    struct timestamp_writer w = {.utc = utc};
    char text[TIMESTAMP_MAX + 1];
    setenv("TZ", zone, 1);
    tzset();
    *timestamp_write(&w, ns, text) = '\0';
    struct defect defect;
    struct parse_input in = {text, text + strlen(text), &defect};
    return strcmp(text, expected) == 0 && timestamp_parse(&in, text) == in.end;
}

static void write_times(void)
{
    uint64_t ns = 1734263837 * NS_PER_S + 217004999;
    unit(time_is("UTC", true, ns, "2024-12-15T11:57:17.217004Z"), "UTC");
    unit(time_is("JST-9", false, ns, "2024-12-15T20:57:17.217004+09:00"), "east");
    unit(time_is("NST3:30", false, ns, "2024-12-15T08:27:17.217004-03:30"), "west");
    unit(time_is("UTC", false, ns, "2024-12-15T11:57:17.217004+00:00"), "local UTC");
    unit(time_is("UTC", true, 0, "1970-01-01T00:00:00.000000Z"), "the epoch");
    struct timestamp_writer w = {.utc = true};
    char text[TIMESTAMP_MAX];
    timestamp_write(&w, ns, text);
    char *end = timestamp_write(&w, ns + NS_PER_S, text);
    unit(memcmp(text, "2024-12-15T11:57:18.217004Z", (size_t)(end - text)) == 0, "a second on");
}

/* The nanoseconds of a TIMESTAMP, with and without the second in the cache. */
static uint64_t read_ns(const char *text)
{
    struct timestamp_reader r = {0};
    uint64_t ns = 0;
    static const char known[] = "2023-01-01T00:00:00Z";
    if (timestamp_read(&r, (struct slice){text, strlen(text)}, &ns))
        return ns;
    timestamp_read(&r, (struct slice){known, sizeof known - 1}, &ns);
    return timestamp_read(&r, (struct slice){text, strlen(text)}, &ns) ? ns : NONE;
}

/* timestamp_read() returns what timestamp_write() wrote, to the microsecond. */
static void read_times(void)
{
    static const char *const zones[] = {"UTC", "JST-9", "NST3:30"};
    struct timestamp_reader r = {0};
    char text[TIMESTAMP_MAX];
    for (size_t zone = 0; zone < sizeof zones / sizeof *zones; zone++) {
        struct timestamp_writer w = {.utc = zone == 0};
        setenv("TZ", zones[zone], 1);
        tzset();
        for (uint64_t second = 0; second < 4200000000; second += 40009 * 86 + 7) {
            uint64_t ns = second * NS_PER_S + second % 1000000 * 1000;
            uint64_t got = 0;
            char *end = timestamp_write(&w, ns, text);
            bool good = timestamp_read(&r, slice_between(text, end), &got) && got == ns;
            good = good && timestamp_read(&r, slice_between(text, end), &got) && got == ns;
            unit(good, "%.*s: %" PRIu64, (int)(end - text), text, got);
        }
    }
    unit(read_ns("1970-01-01T00:00:01Z") == NS_PER_S, "no fraction");
    unit(read_ns("1970-01-01T00:00:01.5Z") == NS_PER_S * 3 / 2, "a short one");
    unit(read_ns("2000-02-29T12:00:00-01:00") == 951829200 * NS_PER_S, "a leap day");
    static const char *const bad[] = {
        "1969-12-31T23:59:59Z",  "1970-01-01T00:59:59+01:00", "",
        "2023-02-29T00:00:00Z",  "2023-01-01T00:00:00",       "-",
        "2023-01-01T00:00:00.Z", "2023-01-01T00:00:00+1:00",  "2023-01-01T00:00:00.1234567Z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        unit(read_ns(bad[i]) == NONE, "'%s' is not a TIMESTAMP", bad[i]);
}

int main(void)
{
    int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, STDERR_FILENO) < 0)
        return 1; /* errors of options are logged there */
    numbers();
    rates();
    addresses();
    priorities();
    write_times();
    read_times();
    return unit_end("values");
}
