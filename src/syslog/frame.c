#include "syslog/frame.h"

#include "base/defect.h"
#include "base/utf8.h"
#include "syslog/field-parse.h"

enum {
    MSG_LEN_DIGITS = 10,
    PRI_DIGITS = 3,
    SLACK = 4 /* kept above max_size: CR and NUL, or the end of a UTF-8 sequence */
};

void framer_init(struct framer *f, enum framing framing, size_t max_size, bool truncate)
{
    *f = (struct framer){.framing = framing, .max_size = max_size, .truncate = truncate};
}

void framer_enable_multiline(struct framer *f)
{
    f->multiline = true;
}

void framer_free(struct framer *f)
{
    buffer_free(&f->held);
    buffer_free(&f->partial);
}

static const char *framer_lines_end(const struct framer *f)
{
    if (f->framing != FRAMING_NEWLINE || f->multiline || f->skipping || f->partial.len)
        return NULL;
    const char *lf = memrchr(f->block.data, '\n', f->block.len);
    return lf ? lf + 1 : NULL;
}

void framer_feed(struct framer *f, struct slice block)
{
    f->block = block;
    f->lines_end = framer_lines_end(f);
}

bool framer_mid_message(const struct framer *f)
{
    return (f->partial.len && !f->partial_returned) || f->skipping || f->digits || f->left;
}

static struct slice framer_consume(struct framer *f, size_t n)
{
    struct slice taken = {f->block.data, n};
    f->block.data += n;
    f->block.len -= n;
    f->offset += n;
    return taken;
}

static void framer_drop_returned(struct framer *f)
{
    if (f->partial_returned)
        buffer_free(&f->partial);
    f->partial_returned = false;
}

static struct slice framer_trim(struct slice s, char last)
{
    if (s.len && s.data[s.len - 1] == last)
        s.len--;
    return s;
}

static enum frame_kind framer_too_long(struct framer *f, struct slice message, struct frame *frame)
{
    if (f->truncate) {
        frame->message = (struct slice){message.data, utf8_truncate(message, f->max_size)};
        return FRAME_MESSAGE;
    }
    frame->message = (struct slice){message.data, f->max_size};
    frame->defect = (struct defect){"SYSLOG-MSG", "longer than --max-size", f->max_size};
    return FRAME_REJECTED;
}

/*
 * Adds the next part of a message; `ends` if it is the last one. Returns FRAME_MESSAGE if the
 * message is complete or too long, else FRAME_NONE.
 */
static enum frame_kind framer_join(struct framer *f, struct slice part, bool ends,
                                   struct slice *message)
{
    if (ends && f->partial.len == 0) {
        *message = part;
        return FRAME_MESSAGE;
    }
    size_t space = f->max_size + SLACK - f->partial.len;
    bool over = part.len > space;
    buffer_append(&f->partial, (struct slice){part.data, over ? space : part.len});
    if (!ends && !over)
        return FRAME_NONE;
    f->skipping = !ends;
    f->partial_returned = true;
    *message = (struct slice){f->partial.data, f->partial.len};
    return FRAME_MESSAGE;
}

static enum frame_kind framer_emit(struct framer *f, uint64_t number, struct slice message,
                                   struct frame *frame)
{
    frame->number = number;
    frame->message = message;
    return message.len > f->max_size ? framer_too_long(f, message, frame) : FRAME_MESSAGE;
}

/* The next line that is not empty; false if it is not complete. */
static inline __attribute__((always_inline)) bool framer_find_line(struct framer *f,
                                                                   struct slice *line)
{
    while (f->block.len) {
        const char *lf = memchr(f->block.data, '\n', f->block.len);
        struct slice part = framer_consume(f, lf ? (size_t)(lf - f->block.data) : f->block.len);
        if (lf)
            framer_consume(f, 1);
        if (f->skipping) {
            f->skipping = !lf;
            continue;
        }
        if (framer_join(f, part, lf != NULL, line) == FRAME_NONE)
            return false;
        f->number++;
        if (!f->skipping)
            *line = framer_trim(framer_trim(*line, '\r'), '\0');
        if (line->len)
            return true;
        f->empty_lines++;
        framer_drop_returned(f);
    }
    return false;
}

static enum frame_kind framer_next_line(struct framer *f, struct frame *frame)
{
    struct slice line;
    return framer_find_line(f, &line) ? framer_emit(f, f->number, line, frame) : FRAME_NONE;
}

static bool framer_has_pri(struct slice line)
{
    size_t i = 1;
    while (i < line.len && i <= PRI_DIGITS && is_digit(line.data[i]))
        i++;
    return i > 1 && i < line.len && line.data[0] == '<' && line.data[i] == '>';
}

/* Appends to the held message, at most as much as shows that it is too long. */
static void framer_hold_more(struct framer *f, struct slice bytes)
{
    size_t space = f->max_size + SLACK - f->held.len;
    buffer_append(&f->held, (struct slice){bytes.data, bytes.len < space ? bytes.len : space});
}

static void framer_hold(struct framer *f, struct slice line)
{
    f->held.len = 0;
    f->held_number = f->number;
    f->holding = true;
    f->empty_lines = 0;
    framer_hold_more(f, line);
}

static void framer_hold_continuation(struct framer *f, struct slice line)
{
    size_t full = f->max_size + SLACK;
    for (f->empty_lines++; f->empty_lines && f->held.len < full; f->empty_lines--)
        framer_hold_more(f, (struct slice){"\n", 1});
    f->empty_lines = 0;
    framer_hold_more(f, line);
}

static enum frame_kind framer_emit_held(struct framer *f, struct frame *frame)
{
    f->holding = false;
    return framer_emit(f, f->held_number, (struct slice){f->held.data, f->held.len}, frame);
}

/* The pending line becomes the held message. */
static void framer_hold_pending(struct framer *f)
{
    if (f->pending.data)
        framer_hold(f, f->pending);
    f->pending = (struct slice){0};
}

static enum frame_kind framer_next_multiline(struct framer *f, struct frame *frame)
{
    struct slice line;
    for (; framer_find_line(f, &line); framer_drop_returned(f)) {
        if (!f->holding) {
            framer_hold(f, line);
        } else if (!framer_has_pri(line)) {
            framer_hold_continuation(f, line);
        } else {
            f->pending = line;
            return framer_emit_held(f, frame);
        }
    }
    return FRAME_NONE;
}

bool framer_has_held(const struct framer *f)
{
    return f->holding;
}

enum frame_kind framer_release(struct framer *f, struct frame *frame)
{
    return f->holding ? framer_emit_held(f, frame) : FRAME_NONE;
}

static enum frame_kind framer_broken(struct framer *f, const char *reason, struct frame *frame)
{
    frame->number = f->number + 1;
    frame->message = (struct slice){"", 0};
    frame->defect = (struct defect){"MSG-LEN", reason, f->offset};
    f->digits = 0;
    f->left = 0;
    f->block.len = 0;
    return FRAME_BROKEN;
}

/* Reads one byte of a line end, MSG-LEN or SP. Returns NULL, or why it is malformed. */
static const char *framer_msg_len_step(struct framer *f, char c)
{
    if (f->after_cr || (f->digits == 0 && c == '\n')) {
        f->after_cr = false;
        return c == '\n' ? NULL : "expected LF";
    }
    if (f->digits == 0 && c == '\r') {
        f->after_cr = true;
        return NULL;
    }
    if (f->digits && c == ' ') {
        f->digits = 0;
        f->number++;
        return NULL;
    }
    if (!is_digit(c))
        return f->digits ? "expected a digit or SP" : "expected a digit";
    if (f->digits == 0 && c == '0')
        return "begins with 0";
    if (f->digits == MSG_LEN_DIGITS)
        return "more than 10 digits";
    f->left = (f->digits ? f->left * 10 : 0) + (uint64_t)(c - '0');
    f->digits++;
    return NULL;
}

/* Removes one trailing LF, CR LF or NUL. */
static struct slice framer_trim_message(struct slice message)
{
    if (message.len && message.data[message.len - 1] == '\n')
        return framer_trim(framer_trim(message, '\n'), '\r');
    return framer_trim(message, '\0');
}

static enum frame_kind framer_next_counted(struct framer *f, struct frame *frame)
{
    while (f->block.len) {
        if (f->digits || f->left == 0) {
            const char *reason = framer_msg_len_step(f, *f->block.data);
            if (reason)
                return framer_broken(f, reason, frame);
            framer_consume(f, 1);
            continue;
        }
        struct slice part =
            framer_consume(f, f->left < f->block.len ? (size_t)f->left : f->block.len);
        f->left -= part.len;
        if (f->skipping) {
            f->skipping = f->left != 0;
            continue;
        }
        struct slice message;
        if (framer_join(f, part, f->left == 0, &message) == FRAME_NONE)
            return FRAME_NONE;
        if (!f->skipping)
            message = framer_trim_message(message);
        if (message.len)
            return framer_emit(f, f->number, message, frame);
        framer_drop_returned(f);
    }
    return FRAME_NONE;
}

/* The framing of a stream that begins with `bytes`; FRAMING_AUTO if they are too few to decide. */
static enum framing framer_detect(struct slice bytes)
{
    size_t i = 0;
    while (i < bytes.len && i <= MSG_LEN_DIGITS && is_digit(bytes.data[i]))
        i++;
    if (i > MSG_LEN_DIGITS || (bytes.len && (i == 0 || bytes.data[0] == '0')))
        return FRAMING_NEWLINE;
    if (i == bytes.len)
        return FRAMING_AUTO;
    if (bytes.data[i] != ' ')
        return FRAMING_NEWLINE;
    if (i + 1 == bytes.len)
        return FRAMING_AUTO;
    return bytes.data[i + 1] == '<' ? FRAMING_OCTET : FRAMING_NEWLINE;
}

/* Sets the framing if the first bytes, including those of earlier blocks, are enough. */
static void framer_decide(struct framer *f)
{
    char head[MSG_LEN_DIGITS + 2];
    size_t kept = f->partial.len;
    size_t fresh = f->block.len < sizeof head - kept ? f->block.len : sizeof head - kept;
    if (kept)
        memcpy(head, f->partial.data, kept);
    memcpy(head + kept, f->block.data, fresh);
    f->framing = framer_detect((struct slice){head, kept + fresh});
    if (f->framing == FRAMING_AUTO) {
        buffer_append(&f->partial, framer_consume(f, f->block.len));
    } else if (f->framing == FRAMING_OCTET) {
        for (size_t i = 0; i < kept; i++)
            framer_msg_len_step(f, head[i]);
        f->partial.len = 0;
    }
}

static enum frame_kind framer_dispatch(struct framer *f, struct frame *frame)
{
    if (f->multiline)
        framer_hold_pending(f);
    framer_drop_returned(f);
    if (f->framing == FRAMING_AUTO && f->block.len)
        framer_decide(f);
    if (f->framing == FRAMING_AUTO)
        return FRAME_NONE;
    if (f->framing == FRAMING_OCTET)
        return framer_next_counted(f, frame);
    if (f->multiline)
        return framer_next_multiline(f, frame);
    return framer_next_line(f, frame);
}

enum frame_kind framer_next_slow(struct framer *f, struct frame *frame)
{
    enum frame_kind kind = framer_dispatch(f, frame);
    if (!f->lines_end)
        f->lines_end = framer_lines_end(f);
    return kind;
}

static enum frame_kind framer_truncated(struct framer *f, const char *field, struct frame *frame)
{
    frame->message = (struct slice){f->partial.len ? f->partial.data : "", f->partial.len};
    frame->defect =
        (struct defect){field, "stream ends within it", f->digits ? f->offset : f->partial.len};
    f->digits = 0;
    f->left = 0;
    f->partial_returned = true;
    return FRAME_REJECTED;
}

/* The last line, without LF. */
static struct slice framer_last_line(struct framer *f)
{
    f->partial_returned = true;
    return framer_trim((struct slice){f->partial.data, f->partial.len}, '\0');
}

/* The held message, with the last line if that continues it. */
static enum frame_kind framer_end_held(struct framer *f, bool whole, struct frame *frame)
{
    struct slice rest = {f->partial.data, f->partial.len};
    if (whole && rest.len && !f->skipping && !framer_has_pri(rest)) {
        rest = framer_last_line(f);
        if (rest.len)
            framer_hold_continuation(f, rest);
    }
    return framer_emit_held(f, frame);
}

enum frame_kind framer_end(struct framer *f, bool whole, struct frame *frame)
{
    framer_hold_pending(f);
    framer_drop_returned(f);
    if (f->holding)
        return framer_end_held(f, whole, frame);
    if (f->skipping || !framer_mid_message(f))
        return FRAME_NONE;
    if (f->digits || f->framing != FRAMING_OCTET)
        f->number++;
    frame->number = f->number;
    if (f->digits)
        return framer_truncated(f, "MSG-LEN", frame);
    if (f->framing == FRAMING_OCTET || !whole)
        return framer_truncated(f, "SYSLOG-MSG", frame);
    struct slice line = framer_last_line(f);
    return line.len ? framer_emit(f, f->number, line, frame) : FRAME_NONE;
}

size_t framer_datagram_capacity(size_t max_size)
{
    return max_size + SLACK;
}

enum frame_kind framer_datagram(struct framer *f, struct slice bytes, size_t len,
                                struct frame *frame)
{
    f->number++;
    if (len <= bytes.len)
        bytes = framer_trim_message(bytes);
    return bytes.len ? framer_emit(f, f->number, bytes, frame) : FRAME_NONE;
}
