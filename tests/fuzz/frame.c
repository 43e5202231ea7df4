/*
 * Frames a stream as a whole, a byte at a time and split at random, and compares the results with
 * each other and, for lines, with those of an independent implementation.
 *
 *     make build/fuzz/frame && build/fuzz/frame -max_len=512 CORPUS
 *
 * requires clang and its runtime (libclang-rt-14-dev). tests/unit/frame_fuzz_test.c does 300,000
 * runs without clang in `make check`.
 */

#include "frame.h"

#include "base/buffer.h"
#include "base/utf8.h"
#include "syslog/frame.h"
#include "syslog/pri.h"
#include "unit.h"

enum { MAX_SIZE = 20, OPTION_BYTES = 2 };

struct options {
    enum framing framing;
    bool truncate;
    bool multiline;
    bool lenient;
};

static void frame_append(struct buffer *events, uint64_t number, const char *kind,
                         struct slice message)
{
    buffer_printf(events, "%" PRIu64 "%s", number, kind);
    buffer_append(events, message);
    buffer_append(events, (struct slice){";", 1});
}

static bool frame_show(struct buffer *events, enum frame_kind kind, const struct frame *frame)
{
    char text[80] = "=";
    if (kind != FRAME_MESSAGE)
        snprintf(text, sizeof text, "!%s %s %" PRIu64 " ", frame->defect.field,
                 frame->defect.reason, frame->defect.offset);
    frame_append(events, frame->number, text, frame->message);
    return kind != FRAME_BROKEN;
}

/* Frames the stream in steps of at most `step` bytes, of random length if `seed` is not 0. */
static void frame_split(const struct options *o, struct slice bytes, size_t step, uint32_t seed,
                        struct buffer *events)
{
    struct framer f;
    struct frame frame;
    enum frame_kind kind;
    bool good = true;
    framer_init(&f, o->framing, MAX_SIZE, o->truncate);
    if (o->multiline)
        framer_enable_multiline(&f, o->lenient);
    events->len = 0;
    while (good && bytes.len) {
        size_t n = step < bytes.len ? step : bytes.len;
        if (seed) {
            seed = seed * 1664525 + 1013904223;
            n = 1 + (seed >> 16) % n;
        }
        framer_feed(&f, unit_guarded((struct slice){bytes.data, n}));
        bytes = (struct slice){bytes.data + n, bytes.len - n};
        while (good && (kind = framer_next(&f, &frame)) != FRAME_NONE)
            good = frame_show(events, kind, &frame);
        if (f.partial.len > MAX_SIZE + 8 || f.held.len > MAX_SIZE + 8)
            abort();
    }
    while (good && (kind = framer_end(&f, true, &frame)) != FRAME_NONE)
        good = frame_show(events, kind, &frame);
    if (good && framer_mid_message(&f) && !f.skipping)
        abort();
    framer_free(&f);
}

static bool simple_is_counted(struct slice s)
{
    size_t i = 0;
    while (i < s.len && i < 10 && s.data[i] >= '0' && s.data[i] <= '9')
        i++;
    return i && s.data[0] != '0' && i < s.len && s.data[i] == ' ' &&
           pri_find(s.data + i + 1, s.data + s.len) == PRI_PRESENT;
}

static bool simple_drop(struct slice *s, char c)
{
    bool found = s->len && s->data[s->len - 1] == c;
    s->len -= found;
    return found;
}

/* Removes what belongs to the end of a line, which is the byte `end`, or -1 for that of the stream.
 */
static void simple_trim(const struct options *o, int end, struct slice *line)
{
    if (o->framing == FRAMING_NUL) {
        if (simple_drop(line, '\n'))
            simple_drop(line, '\r');
    } else if (end == '\n') {
        simple_drop(line, '\r');
        simple_drop(line, '\0');
    } else if (end < 0) {
        simple_drop(line, '\0');
    }
}

static void simple_line(const struct options *o, int end, uint64_t number, struct slice line,
                        struct buffer *events)
{
    simple_trim(o, end, &line);
    if (line.len > MAX_SIZE && !o->truncate) {
        frame_append(events, number, "!SYSLOG-MSG longer than --max-size 20 ",
                     (struct slice){line.data, MAX_SIZE});
    } else if (line.len) {
        if (line.len > MAX_SIZE)
            line.len = utf8_truncate(line, MAX_SIZE);
        frame_append(events, number, "=", line);
    }
}

/* The frames of a whole stream of lines. */
static void simple_frames(const struct options *o, struct slice bytes, struct buffer *events)
{
    const char *end = bytes.data + bytes.len;
    const char *start = bytes.data;
    char delimiter = o->framing == FRAMING_NUL ? '\0' : '\n';
    uint64_t number = 0;
    events->len = 0;
    for (const char *p = start; p < end; p++) {
        bool nul = o->framing == FRAMING_AUTO && *p == '\0' && pri_find(p + 1, end) == PRI_PRESENT;
        if (*p != delimiter && !nul)
            continue;
        simple_line(o, *p, ++number, slice_between(start, p), events);
        start = p + 1;
    }
    if (start < end)
        simple_line(o, -1, number + 1, slice_between(start, end), events);
}

static void frame_compare(const struct options *o, struct slice bytes, const struct buffer *got,
                          const struct buffer *expected, const char *what)
{
    struct slice a = {got->data, got->len};
    struct slice b = {expected->data, expected->len};
    if (slice_equal(a, b))
        return;
    printf("not ok %s: %s%s%s framing %d, stream ", what, o->truncate ? "truncated " : "",
           o->multiline ? "joined " : "", o->lenient ? "lenient " : "", o->framing);
    for (size_t i = 0; i < bytes.len; i++)
        printf(bytes.data[i] > ' ' && bytes.data[i] < 127 ? "%c" : "%%%02X",
               (unsigned char)bytes.data[i]);
    printf("\ngot      %.*s\nexpected %.*s\n", SHOW(a), SHOW(b));
    fflush(stdout);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer whole;
    static struct buffer parts;
    if (size <= OPTION_BYTES)
        return 0;
    struct options o = {.framing = (enum framing)(data[0] & 3),
                        .truncate = data[0] & 4,
                        .multiline = data[0] & 8,
                        .lenient = data[0] & 16};
    struct slice bytes = {(const char *)data + OPTION_BYTES, size - OPTION_BYTES};
    frame_split(&o, bytes, bytes.len, 0, &whole);
    frame_split(&o, bytes, 1, 0, &parts);
    frame_compare(&o, bytes, &parts, &whole, "a byte at a time");
    frame_split(&o, bytes, 1 + bytes.len / 2, 1U + data[1], &parts);
    frame_compare(&o, bytes, &parts, &whole, "split at random");
    bool counted = o.framing == FRAMING_AUTO && simple_is_counted(bytes);
    if (counted || o.framing == FRAMING_OCTET || (o.multiline && o.framing != FRAMING_NUL))
        return 0;
    simple_frames(&o, bytes, &parts);
    frame_compare(&o, bytes, &whole, &parts, "another implementation");
    return 0;
}
