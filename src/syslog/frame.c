#include "syslog/frame.h"

#include "base/defect.h"
#include "base/utf8.h"
#include "syslog/field-parse.h"

enum {
    MSG_LEN_DIGITS = 10,
    PRI_DIGITS = 3,
    SLACK = 4 /* kept over max_size: CR, NUL, and enough to see where a UTF-8 sequence ends */
};

void framer_init(struct framer *f, enum framing framing, size_t max_size, bool truncate)
{
    *f = (struct framer){.framing = framing, .max_size = max_size, .truncate = truncate};
}

void framer_enable_multiline(struct framer *f)
{
    f->joining = true;
}

void framer_free(struct framer *f)
{
    buffer_free(&f->held);
    buffer_free(&f->partial);
}

static const char *usual_lines_end(const struct framer *f)
{
    if (f->framing != FRAMING_NEWLINE || f->joining || f->skipping || f->partial.len)
        return NULL;
    const char *lf = memrchr(f->block.data, '\n', f->block.len);
    return lf ? lf + 1 : NULL;
}

void framer_feed(struct framer *f, struct slice block)
{
    f->block = block;
    f->lines_end = usual_lines_end(f);
}

bool framer_mid_message(const struct framer *f)
{
    return (f->partial.len && !f->partial_given) || f->skipping || f->digits || f->left;
}

static struct slice take(struct framer *f, size_t n)
{
    struct slice taken = {f->block.data, n};
    f->block.data += n;
    f->block.len -= n;
    f->offset += n;
    return taken;
}

static void forget_given(struct framer *f)
{
    if (f->partial_given)
        buffer_free(&f->partial);
    f->partial_given = false;
}

static struct slice without(struct slice s, char last)
{
    if (s.len && s.data[s.len - 1] == last)
        s.len--;
    return s;
}

static enum frame_kind too_long(struct framer *f, struct slice message, struct frame *frame)
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
 * Joins `part` to what there is of the message. FRAME_MESSAGE: it is whole, or more than can be
 * kept; FRAME_NONE: its end has not come.
 */
static enum frame_kind join(struct framer *f, struct slice part, bool ends, struct slice *message)
{
    if (ends && f->partial.len == 0) {
        *message = part;
        return FRAME_MESSAGE;
    }
    size_t room = f->max_size + SLACK - f->partial.len;
    bool over = part.len > room;
    buffer_append(&f->partial, (struct slice){part.data, over ? room : part.len});
    if (!ends && !over)
        return FRAME_NONE;
    f->skipping = !ends;
    f->partial_given = true;
    *message = (struct slice){f->partial.data, f->partial.len};
    return FRAME_MESSAGE;
}

static enum frame_kind give(struct framer *f, uint64_t number, struct slice message,
                            struct frame *frame)
{
    frame->number = number;
    frame->message = message;
    return message.len > f->max_size ? too_long(f, message, frame) : FRAME_MESSAGE;
}

/* The next line that is not empty; false where its end has not come. */
static inline __attribute__((always_inline)) bool find_line(struct framer *f, struct slice *line)
{
    while (f->block.len) {
        const char *lf = memchr(f->block.data, '\n', f->block.len);
        struct slice part = take(f, lf ? (size_t)(lf - f->block.data) : f->block.len);
        if (lf)
            take(f, 1);
        if (f->skipping) {
            f->skipping = !lf;
            continue;
        }
        if (join(f, part, lf != NULL, line) == FRAME_NONE)
            return false;
        f->number++;
        if (!f->skipping)
            *line = without(without(*line, '\r'), '\0');
        if (line->len)
            return true;
        f->empty_lines++;
        forget_given(f);
    }
    return false;
}

static enum frame_kind next_line(struct framer *f, struct frame *frame)
{
    struct slice line;
    return find_line(f, &line) ? give(f, f->number, line, frame) : FRAME_NONE;
}

static bool begins_with_pri(struct slice line)
{
    size_t i = 1;
    while (i < line.len && i <= PRI_DIGITS && is_digit(line.data[i]))
        i++;
    return i > 1 && i < line.len && line.data[0] == '<' && line.data[i] == '>';
}

/* No more than it takes to see that the message is too long. */
static void hold_more(struct framer *f, struct slice bytes)
{
    size_t room = f->max_size + SLACK - f->held.len;
    buffer_append(&f->held, (struct slice){bytes.data, bytes.len < room ? bytes.len : room});
}

static void hold(struct framer *f, struct slice line)
{
    f->held.len = 0;
    f->held_number = f->number;
    f->holding = true;
    f->empty_lines = 0;
    hold_more(f, line);
}

static void hold_continuation(struct framer *f, struct slice line)
{
    size_t full = f->max_size + SLACK;
    for (f->empty_lines++; f->empty_lines && f->held.len < full; f->empty_lines--)
        hold_more(f, (struct slice){"\n", 1});
    f->empty_lines = 0;
    hold_more(f, line);
}

static enum frame_kind give_held(struct framer *f, struct frame *frame)
{
    f->holding = false;
    return give(f, f->held_number, (struct slice){f->held.data, f->held.len}, frame);
}

/* What was held has been given and used: now the line behind it is held. */
static void settle(struct framer *f)
{
    if (f->waiting.data)
        hold(f, f->waiting);
    f->waiting = (struct slice){0};
}

static enum frame_kind next_joined(struct framer *f, struct frame *frame)
{
    struct slice line;
    for (; find_line(f, &line); forget_given(f)) {
        if (!f->holding) {
            hold(f, line);
        } else if (!begins_with_pri(line)) {
            hold_continuation(f, line);
        } else {
            f->waiting = line;
            return give_held(f, frame);
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
    return f->holding ? give_held(f, frame) : FRAME_NONE;
}

static enum frame_kind broken(struct framer *f, const char *reason, struct frame *frame)
{
    frame->number = f->number + 1;
    frame->message = (struct slice){"", 0};
    frame->defect = (struct defect){"MSG-LEN", reason, f->offset};
    f->digits = 0;
    f->left = 0;
    f->block.len = 0;
    return FRAME_BROKEN;
}

/* One byte of MSG-LEN, of the SP behind it, or of a line end before it. NULL, or what is wrong. */
static const char *msg_len_step(struct framer *f, char c)
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

/* One trailing LF, CR LF or NUL is no part of a counted message. */
static struct slice trim_counted(struct slice message)
{
    if (message.len && message.data[message.len - 1] == '\n')
        return without(without(message, '\n'), '\r');
    return without(message, '\0');
}

static enum frame_kind next_counted(struct framer *f, struct frame *frame)
{
    while (f->block.len) {
        if (f->digits || f->left == 0) {
            const char *wrong = msg_len_step(f, *f->block.data);
            if (wrong)
                return broken(f, wrong, frame);
            take(f, 1);
            continue;
        }
        struct slice part = take(f, f->left < f->block.len ? (size_t)f->left : f->block.len);
        f->left -= part.len;
        if (f->skipping) {
            f->skipping = f->left != 0;
            continue;
        }
        struct slice message;
        if (join(f, part, f->left == 0, &message) == FRAME_NONE)
            return FRAME_NONE;
        if (!f->skipping)
            message = trim_counted(message);
        if (message.len)
            return give(f, f->number, message, frame);
        forget_given(f);
    }
    return FRAME_NONE;
}

/* What `bytes`, the first of a stream, are; FRAMING_AUTO while they do not say. */
static enum framing detect(struct slice bytes)
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

/* Sets the framing where the first bytes, those kept from earlier blocks included, tell it. */
static void decide(struct framer *f)
{
    char head[MSG_LEN_DIGITS + 2];
    size_t kept = f->partial.len;
    size_t fresh = f->block.len < sizeof head - kept ? f->block.len : sizeof head - kept;
    if (kept)
        memcpy(head, f->partial.data, kept);
    memcpy(head + kept, f->block.data, fresh);
    f->framing = detect((struct slice){head, kept + fresh});
    if (f->framing == FRAMING_AUTO) {
        buffer_append(&f->partial, take(f, f->block.len));
    } else if (f->framing == FRAMING_OCTET) {
        for (size_t i = 0; i < kept; i++)
            msg_len_step(f, head[i]);
        f->partial.len = 0;
    }
}

static enum frame_kind look(struct framer *f, struct frame *frame)
{
    if (f->joining)
        settle(f);
    forget_given(f);
    if (f->framing == FRAMING_AUTO && f->block.len)
        decide(f);
    if (f->framing == FRAMING_AUTO)
        return FRAME_NONE;
    if (f->framing == FRAMING_OCTET)
        return next_counted(f, frame);
    if (f->joining)
        return next_joined(f, frame);
    return next_line(f, frame);
}

enum frame_kind framer_look(struct framer *f, struct frame *frame)
{
    enum frame_kind kind = look(f, frame);
    if (!f->lines_end)
        f->lines_end = usual_lines_end(f);
    return kind;
}

static enum frame_kind cut(struct framer *f, const char *field, struct frame *frame)
{
    frame->message = (struct slice){f->partial.len ? f->partial.data : "", f->partial.len};
    frame->defect =
        (struct defect){field, "stream ends within it", f->digits ? f->offset : f->partial.len};
    f->digits = 0;
    f->left = 0;
    f->partial_given = true;
    return FRAME_REJECTED;
}

/* The last line, which has no LF. */
static struct slice take_rest(struct framer *f)
{
    f->partial_given = true;
    return without((struct slice){f->partial.data, f->partial.len}, '\0');
}

/* What is held, with the last line where that belongs to it. */
static enum frame_kind end_held(struct framer *f, bool whole, struct frame *frame)
{
    struct slice rest = {f->partial.data, f->partial.len};
    if (whole && rest.len && !f->skipping && !begins_with_pri(rest)) {
        rest = take_rest(f);
        if (rest.len)
            hold_continuation(f, rest);
    }
    return give_held(f, frame);
}

enum frame_kind framer_end(struct framer *f, bool whole, struct frame *frame)
{
    settle(f);
    forget_given(f);
    if (f->holding)
        return end_held(f, whole, frame);
    if (f->skipping || !framer_mid_message(f))
        return FRAME_NONE;
    if (f->digits || f->framing != FRAMING_OCTET)
        f->number++;
    frame->number = f->number;
    if (f->digits)
        return cut(f, "MSG-LEN", frame);
    if (f->framing == FRAMING_OCTET || !whole)
        return cut(f, "SYSLOG-MSG", frame);
    struct slice line = take_rest(f);
    return line.len ? give(f, f->number, line, frame) : FRAME_NONE;
}

size_t framer_datagram_capacity(size_t max_size)
{
    return max_size + SLACK;
}

enum frame_kind framer_datagram(struct framer *f, struct slice bytes, size_t length,
                                struct frame *frame)
{
    f->number++;
    if (length <= bytes.len)
        bytes = trim_counted(bytes);
    return bytes.len ? give(f, f->number, bytes, frame) : FRAME_NONE;
}
