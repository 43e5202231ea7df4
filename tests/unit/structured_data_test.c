/* The straight way through STRUCTURED-DATA against the careful one: made-up elements, most of them
 * valid, must give the same record, or the same defect. */

#include "base/buffer.h"
#include "base/defect.h"
#include "syslog/rfc5424.h"
#include "unit.h"
#include "json/record.h"

static uint64_t seed = 1;

static unsigned chance(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static void add(struct buffer *to, const char *text, size_t length)
{
    buffer_append(to, (struct slice){text, length});
}

/* Few names, so that some repeat. */
static void name(struct buffer *to)
{
    static const char *const names[] = {"a",  "b",    "ab",   "ba",           "origin", "x@32473",
                                        "ip", "key1", "key2", "a.long.name9", "\\",     ""};
    static const char longest[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    if (chance(12) == 0)
        add(to, longest, 30 + chance(4));
    else {
        const char *one = names[chance(chance(40) == 0 ? 12 : 10)];
        add(to, one, strlen(one));
    }
}

static void value(struct buffer *to)
{
    static const char *const pieces[] = {"v",   " ",        "=",    "\\\"", "\\\\", "\\]",
                                         "\\n", "\xc3\xa9", "\xff", "\t",   "[",    "a longer text",
                                         "\x7f"};
    for (unsigned i = chance(7); i; i--) {
        const char *piece = pieces[chance(13)];
        add(to, piece, strlen(piece));
    }
    if (chance(60) == 0)
        add(to, "]", 1);
}

static void elements(struct buffer *to)
{
    for (unsigned n = 1 + chance(4); n; n--) {
        add(to, "[", 1);
        name(to);
        for (unsigned params = chance(5) + (chance(20) == 0 ? 9 : 0); params; params--) {
            add(to, " ", 1);
            name(to);
            add(to, "=\"", 2);
            value(to);
            add(to, "\"", 1);
        }
        add(to, "]", 1);
    }
    if (chance(15) == 0)
        to->data[1 + chance((unsigned)to->len - 1)] = "[]\"= \\a"[chance(7)];
}

/* The SD with the text behind it as a record, or its defect. */
static bool outcome(struct slice message, bool straight, struct syslog_message *m,
                    struct buffer *out)
{
    struct defect defect = {0};
    struct parse_input in = {message.data, message.data + message.len, &defect};
    const char *p = straight ? structured_data_parse(&in, message.data, &m->sd)
                             : structured_data_parse_reference(&in, message.data, &m->sd);
    out->len = 0;
    if (!straight && p && p < in.end && *p != ' ')
        p = parse_fail(&in, "STRUCTURED-DATA", "expected SP or the end", p);
    if (p) {
        m->bytes = m->msg = message;
        record_write(out, m);
    } else {
        char line[200];
        add(out, line,
            (size_t)snprintf(line, sizeof line, "%s %s %" PRIu64, defect.field, defect.reason,
                             defect.offset));
    }
    return p != NULL;
}

int main(void)
{
    struct buffer text = {0};
    struct buffer straight = {0};
    struct buffer careful = {0};
    struct syslog_message one = {0};
    struct syslog_message other = {0};
    unsigned good = 0;
    for (unsigned i = 0; i < 200000; i++) {
        text.len = 0;
        elements(&text);
        add(&text, " a text that may be long enough for a block", chance(44));
        if (chance(8) == 0)
            text.len = 1 + chance((unsigned)text.len);
        struct slice message = {text.data, text.len};
        message = chance(2) ? unit_guarded(message) : unit_guarded_before(message);
        good += outcome(message, true, &one, &straight);
        outcome(message, false, &other, &careful);
        struct slice got = {straight.data, straight.len};
        unit(slice_equal(got, (struct slice){careful.data, careful.len}), "%.*s: %.*s",
             SHOW(message), SHOW(got));
    }
    unit(good > 100000, "only %u of 200000 are valid", good);
    buffer_free(&text);
    buffer_free(&straight);
    buffer_free(&careful);
    syslog_message_free(&one);
    syslog_message_free(&other);
    return unit_end("structured data");
}
