/*
 * Compares rfc3164_fast_parse() with the reference parsers. What it accepts must give the same
 * fields and the same record, what it declines must not affect the reference. Each message ends at
 * a guard page, and is parsed by parsers that have seen others.
 *
 *     make build/fuzz/rfc3164_fast && build/fuzz/rfc3164_fast -max_len=512 CORPUS
 *
 * requires clang and its runtime (libclang-rt-14-dev). tests/unit/rfc3164_fast_test.c runs without
 * clang in `make check`.
 */

#include "rfc3164_fast.h"

#include <time.h>

#include "base/buffer.h"
#include "json/record.h"
#include "syslog/calendar.h"
#include "syslog/parse.h"
#include "unit.h"

unsigned long rfc3164_fast_accepted;

/* A parser that only uses the reference, and one that uses the accelerator. */
struct fuzz_parser {
    struct syslog_parser parser;
    struct syslog_message message;
    struct buffer record;
};

enum { FUZZ_ZONES = 4, FUZZ_DELAYS = 8 };

static struct fuzz_parser references[FUZZ_ZONES];
static struct fuzz_parser subjects[FUZZ_ZONES];

static void fuzz_fail(struct slice message, const char *what, struct slice got,
                      struct slice expected)
{
    printf("not ok %s: ", what);
    for (size_t i = 0; i < message.len; i++)
        printf(message.data[i] > ' ' && message.data[i] < 127 && message.data[i] != '%' ? "%c"
                                                                                        : "%%%02X",
               (unsigned char)message.data[i]);
    printf("\ngot %.*s\nexpected %.*s\n", SHOW(got), SHOW(expected));
    fflush(stdout);
    abort();
}

/*
 * Times at which the accelerator must notice a change within a minute: the end of daylight saving
 * time, and the time from which on "May 24 05:00:30" is in another year.
 */
static int64_t fuzz_now(unsigned zone, unsigned delay)
{
    static const int64_t delays[FUZZ_DELAYS] = {
        0, 1, 2, 3, 59, 3600, 180 * CALENDAR_DAY, -180 * CALENDAR_DAY};
    const int64_t half_a_year = (int64_t)365 * CALENDAR_DAY / 2;
    int64_t may_24 = calendar_days(2026, 5, 24) * CALENDAR_DAY;
    int64_t oct_25 = calendar_days(2026, 10, 25) * CALENDAR_DAY;
    int64_t nov_22 = calendar_days(2026, 11, 22) * CALENDAR_DAY;
    const int64_t times[FUZZ_ZONES] = {nov_22 + 61200, oct_25 + 1800, may_24 + 18030 - half_a_year,
                                       nov_22 + CALENDAR_DAY};
    return times[zone] + delays[delay];
}

static void fuzz_init(void)
{
    static const char *const zones[FUZZ_ZONES] = {"+01:00", "local", "utc", "local"};
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (unsigned i = 0; i < FUZZ_ZONES; i++) {
        references[i].parser.format = i == FUZZ_ZONES - 1 ? FORMAT_RFC3164 : FORMAT_AUTO;
        if (!tz_parse(zones[i], &references[i].parser.time.tz))
            abort();
        subjects[i].parser = references[i].parser;
    }
}

static struct slice fuzz_write(struct fuzz_parser *p, bool valid, const struct defect *defect)
{
    p->record.len = 0;
    if (valid)
        record_write(&p->record, &p->message);
    else
        buffer_printf(&p->record, "%s: %s (at byte %" PRIu64 ")", defect->field, defect->reason,
                      defect->offset);
    return (struct slice){p->record.data, p->record.len};
}

static bool fuzz_same_slice(struct slice a, struct slice b)
{
    return a.data == b.data && a.len == b.len;
}

static bool fuzz_same(const struct syslog_message *a, const struct syslog_message *b)
{
    return a->pri == b->pri && a->version == b->version && fuzz_same_slice(a->bytes, b->bytes) &&
           (a->timestamp.data != NULL) == (b->timestamp.data != NULL) &&
           slice_equal(a->timestamp, b->timestamp) && fuzz_same_slice(a->hostname, b->hostname) &&
           fuzz_same_slice(a->appname, b->appname) && fuzz_same_slice(a->procid, b->procid) &&
           fuzz_same_slice(a->msgid, b->msgid) && fuzz_same_slice(a->msg, b->msg) &&
           a->sd.element_count == b->sd.element_count;
}

static void fuzz_compare(struct fuzz_parser *reference, struct fuzz_parser *subject,
                         struct slice message)
{
    struct defect defect;
    bool valid = syslog_parse_slow(&reference->parser, message, &reference->message, &defect);
    struct slice expected = fuzz_write(reference, valid, &defect);
    bool accepted = rfc3164_fast_parse(&subject->parser.fast, message, &subject->parser.time,
                                       &subject->message);
    bool parsed =
        accepted || syslog_parse_slow(&subject->parser, message, &subject->message, &defect);
    struct slice got = fuzz_write(subject, parsed, &defect);
    rfc3164_fast_accepted += accepted;
    if (!slice_equal(got, expected))
        fuzz_fail(message, accepted ? "another record" : "it affects the reference", got, expected);
    if (accepted && (!valid || !fuzz_same(&subject->message, &reference->message)))
        fuzz_fail(message, "other fields", got, expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (!subjects[0].parser.time.tz.fixed)
        fuzz_init();
    unsigned zone = data[0] % FUZZ_ZONES;
    struct fuzz_parser *reference = &references[zone];
    struct fuzz_parser *subject = &subjects[zone];
    reference->parser.time.now = fuzz_now(zone, data[0] / FUZZ_ZONES % FUZZ_DELAYS);
    subject->parser.time.now = reference->parser.time.now;
    fuzz_compare(reference, subject,
                 unit_guarded((struct slice){(const char *)data + 1, size - 1}));
    return 0;
}
