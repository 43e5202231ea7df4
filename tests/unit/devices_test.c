/*
 * tests/data/devices.cases and device-rules.cases: what devices send, in one block, one byte at a
 * time, and truncated at every length. The words after ':' in a name are options: rfc3164, rfc5424,
 * multiline, host=always, host=never, tz=OFFSET. The default is -f auto --tz=utc.
 */

#include "base/buffer.h"
#include "base/utf8.h"
#include "json/record.h"
#include "syslog/calendar.h"
#include "syslog/frame.h"
#include "syslog/parse.h"
#include "unit.h"

enum { MAX_SIZE = 65536 };

struct devices_run {
    struct syslog_parser parser;
    struct syslog_message message;
    struct framer framer;
    struct buffer out; /* records and defects, one a line */
};

static void devices_start(struct devices_run *run, const char *name)
{
    const char *colon = strchr(name, ':');
    const char *options = colon ? colon : "";
    char offset[8] = "utc";
    const char *tz = strstr(options, "tz=");
    run->parser = (struct syslog_parser){
        .format = FORMAT_AUTO, .time = {.now = calendar_days(2026, 11, 22) * 86400 + 17 * 3600}};
    if (strstr(options, "rfc3164"))
        run->parser.format = FORMAT_RFC3164;
    if (strstr(options, "rfc5424"))
        run->parser.format = FORMAT_RFC5424;
    if (strstr(options, "host="))
        run->parser.host = strstr(options, "host=always") ? HOST_ALWAYS : HOST_NEVER;
    if (tz)
        snprintf(offset, sizeof offset, "%.6s", tz + 3);
    unit(tz_parse(offset, &run->parser.time.tz), "%s: the time zone", name);
    framer_init(&run->framer, FRAMING_AUTO, MAX_SIZE, false);
    if (strstr(options, "multiline"))
        framer_enable_multiline(&run->framer, run->parser.format != FORMAT_RFC5424);
    run->out.len = 0;
}

static void devices_write(struct devices_run *run, enum frame_kind kind, const struct frame *frame)
{
    struct defect defect = frame->defect;
    if (kind == FRAME_MESSAGE &&
        syslog_parse(&run->parser, frame->message, &run->message, &defect)) {
        record_write(&run->out, &run->message);
        return;
    }
    char line[256];
    int n = snprintf(line, sizeof line, "!%s: %s (at byte %" PRIu64 ")\n", defect.field,
                     defect.reason, defect.offset);
    buffer_append(&run->out, (struct slice){line, (size_t)n});
}

static void devices_feed(struct devices_run *run, struct slice block)
{
    struct frame frame;
    enum frame_kind kind;
    framer_feed(&run->framer, block);
    while ((kind = framer_next(&run->framer, &frame)) != FRAME_NONE)
        devices_write(run, kind, &frame);
}

/* Returns the lines, without the last LF. */
static struct slice devices_finish(struct devices_run *run)
{
    struct frame frame;
    enum frame_kind kind;
    while ((kind = framer_end(&run->framer, true, &frame)) != FRAME_NONE)
        devices_write(run, kind, &frame);
    framer_free(&run->framer);
    return (struct slice){run->out.data, run->out.len ? run->out.len - 1 : 0};
}

static void devices_check_case(struct devices_run *run, const struct unit_case *c)
{
    struct slice guarded = unit_guarded(c->input);
    devices_start(run, c->name);
    devices_feed(run, guarded);
    struct slice got = devices_finish(run);
    unit(slice_equal(got, c->expected), "%s: got %.*s, expected %.*s", c->name, (int)got.len,
         got.data, (int)c->expected.len, c->expected.data);

    devices_start(run, c->name);
    for (size_t i = 0; i < c->input.len; i++) {
        char byte = c->input.data[i];
        devices_feed(run, unit_guarded((struct slice){&byte, 1}));
    }
    got = devices_finish(run);
    unit(slice_equal(got, c->expected), "%s: one byte at a time: got %.*s", c->name, (int)got.len,
         got.data);
}

/* A truncated message yields lines in UTF-8. */
static void devices_truncate(struct devices_run *run, const struct unit_case *c)
{
    for (size_t len = 0; len < c->input.len; len++) {
        devices_start(run, c->name);
        devices_feed(run, unit_guarded((struct slice){c->input.data, len}));
        struct slice got = devices_finish(run);
        const char *end = got.data + got.len;
        unit(got.len == 0 || utf8_find_invalid(got.data, end) == end,
             "%s: truncated at %zu, not UTF-8", c->name, len);
    }
}

static void devices_check(const char *path, unsigned least)
{
    FILE *table = unit_table(path);
    struct devices_run run = {0};
    struct unit_case c;
    unsigned cases = 0;
    for (; unit_next_case(table, &c); cases++) {
        devices_check_case(&run, &c);
        devices_truncate(&run, &c);
        unit_case_free(&c);
    }
    unit(cases >= least, "%s: only %u cases", path, cases);
    syslog_message_free(&run.message);
    buffer_free(&run.out);
    fclose(table);
}

int main(void)
{
    devices_check("tests/data/devices.cases", 140);
    devices_check("tests/data/device-rules.cases", 150);
    return unit_end("devices");
}
