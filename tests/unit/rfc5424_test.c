/* tests/data/rfc5424.cases, each message alone, before a guard page, and through the framer. */

#include "base/buffer.h"
#include "base/defect.h"
#include "json/record.h"
#include "syslog/frame.h"
#include "syslog/pri.h"
#include "syslog/rfc5424.h"
#include "unit.h"

/* Writes the record without LF, or "!FIELD: reason (at byte N)", as in the table. */
static void write_outcome(struct slice message, struct syslog_message *m, struct buffer *out)
{
    struct defect defect;
    struct slice guarded = unit_guarded(message);
    out->len = 0;
    if (rfc5424_parse(guarded, m, &defect)) {
        record_write(out, m);
        out->len--;
        return;
    }
    char line[256];
    int n = snprintf(line, sizeof line, "!%s: %s (at byte %" PRIu64 ")", defect.field,
                     defect.reason, defect.offset);
    buffer_append(out, (struct slice){line, (size_t)n});
}

/* Whether a frame, fed in two parts, is returned as the message. */
static bool framed(struct slice frame, size_t split, struct slice message, enum framing framing)
{
    struct framer f;
    struct frame got;
    bool same = false;
    unsigned frames = 0;
    framer_init(&f, framing, 1 << 20, false);
    for (int part = 0; part < 2; part++) {
        struct slice bytes = part ? (struct slice){frame.data + split, frame.len - split}
                                  : (struct slice){frame.data, split};
        framer_feed(&f, bytes);
        while (framer_next(&f, &got) == FRAME_MESSAGE) {
            frames++;
            same = slice_equal(got.message, message);
        }
    }
    bool ended = framer_end(&f, true, &got) == FRAME_NONE;
    framer_free(&f);
    return same && ended && frames == 1;
}

static bool framed_bytewise(struct slice frame, struct slice message)
{
    struct framer f;
    struct frame got;
    bool same = false;
    framer_init(&f, FRAMING_AUTO, 1 << 20, false);
    for (size_t i = 0; i < frame.len; i++) {
        framer_feed(&f, (struct slice){frame.data + i, 1});
        while (framer_next(&f, &got) == FRAME_MESSAGE)
            same = slice_equal(got.message, message);
    }
    framer_free(&f);
    return same;
}

static void compare_framed(const struct unit_case *c)
{
    struct slice message = c->input;
    struct buffer frame = {0};
    if (message.len == 0)
        return;
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%zu ", message.len);
    buffer_append(&frame, (struct slice){digits, (size_t)n});
    buffer_append(&frame, message);
    struct slice counted = {frame.data, frame.len};
    size_t step = message.len > 4096 ? 997 : 1;
    bool same = true;
    for (size_t split = 0; split <= counted.len; split += step)
        same = same && framed(counted, split, message, FRAMING_OCTET);
    unit(same, "%s: octet counting, split", c->name);
    if (pri_find(message.data, message.data + message.len) == PRI_PRESENT)
        unit(framed_bytewise(counted, message), "%s: octet counting, a byte at a time", c->name);

    if (!memchr(message.data, '\n', message.len)) {
        frame.len = 0;
        buffer_append(&frame, message);
        buffer_append(&frame, (struct slice){"\n", 1});
        struct slice line = {frame.data, frame.len};
        same = true;
        for (size_t split = 0; split <= line.len; split += step)
            same = same && framed(line, split, message, FRAMING_NEWLINE);
        unit(same, "%s: newline, split", c->name);
        if (message.data[0] == '<')
            unit(framed_bytewise(line, message), "%s: newline, a byte at a time", c->name);
    }
    buffer_free(&frame);
}

static void check_cases(const char *path)
{
    FILE *table = unit_table(path);
    struct unit_case c;
    struct syslog_message m = {0};
    struct buffer out = {0};
    unsigned cases = 0;
    while (unit_next_case(table, &c)) {
        write_outcome(c.input, &m, &out);
        struct slice got = {out.data, out.len};
        unit(slice_equal(got, c.expected), "%s: got %.*s, expected %.*s", c.name, SHOW(got),
             SHOW(c.expected));
        compare_framed(&c);
        cases++;
        unit_case_free(&c);
    }
    unit(cases >= 150, "only %u cases", cases);
    buffer_free(&out);
    syslog_message_free(&m);
    fclose(table);
}

int main(int argc, char **argv)
{
    check_cases(argc > 1 ? argv[1] : "tests/data/rfc5424.cases");
    return unit_end("rfc5424");
}
