#include "syslog/frame.h"

#include "base/defect.h"
#include "base/utf8.h"
#include "syslog/field-parse.h"
#include "syslog/msg-len.h"
#include "syslog/pri.h"

/* Bytes kept above max_size: CR and NUL, the end of a UTF-8 sequence, or a tail. */
enum { SLACK = 8 };

/* The calendar does not matter for framing, so that any 29 February is a date. */
#define FRAMER_LEAP_DAY 1709164800

void framer_init(struct framer *f, enum framing framing, size_t max_size, bool truncate)
{
    *f = (struct framer){.framing = framing,
                         .max_size = max_size,
                         .truncate = truncate,
                         .delimiter = framing == FRAMING_NUL ? '\0' : '\n'};
}

void framer_enable_multiline(struct framer *f, bool lenient)
{
    f->multiline = f->framing != FRAMING_NUL;
    f->lenient = lenient;
    f->time = (struct lenient_time){.now = FRAMER_LEAP_DAY, .tz.fixed = true};
}

void framer_free(struct framer *f)
{
    buffer_free(&f->held);
    buffer_free(&f->partial);
}

/* Returns the first byte `c` in the block, or its end. `known` is the result of the last search. */
static const char *framer_find(const struct framer *f, const char *known, char c)
{
    const char *found = known;
    if (!known || known < f->block.data)
        found = memchr(f->block.data, c, f->block.len);
    return found ? found : f->block.data + f->block.len;
}

static bool framer_has_lines(const struct framer *f)
{
    return f->framing == FRAMING_NEWLINE || f->framing == FRAMING_NUL;
}

static const char *framer_lines_end(struct framer *f)
{
    if (!framer_has_lines(f) || f->multiline || f->skipping || f->partial.len || f->tail_len)
        return NULL;
    size_t len = f->block.len;
    if (f->nul_ends) {
        f->next_nul = framer_find(f, f->next_nul, '\0');
        len = (size_t)(f->next_nul - f->block.data);
    }
    const char *end = memrchr(f->block.data, f->delimiter, len);
    return end ? end + 1 : NULL;
}

void framer_feed(struct framer *f, struct slice block)
{
    f->block = block;
    f->next_delimiter = f->next_nul = NULL;
    f->lines_end = framer_lines_end(f);
}

/* A NUL that is the last byte of the input ends a line if nothing follows in time. */
static bool framer_ends_with_nul(const struct framer *f)
{
    return f->tail_len == 1 && !f->tail_ends;
}

bool framer_mid_message(const struct framer *f)
{
    if (framer_ends_with_nul(f))
        return false;
    return f->tail_len || (f->partial.len && !f->partial_returned) || f->skipping || f->digits ||
           f->left;
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

/* The end of a part of a line: that of the block, the delimiter, or a NUL before a PRI. */
enum line_end { LINE_OPEN, LINE_DELIMITER, LINE_NUL };

/* The block ends with a NUL and what may become a PRI: keeps these bytes for the next one. */
static void framer_keep_tail(struct framer *f, const char *nul)
{
    f->tail_len = (uint8_t)(f->block.data + f->block.len - nul);
    memcpy(f->tail, nul, f->tail_len);
    f->block.len -= f->tail_len;
}

/* Returns the end of the first NUL-terminated line before `limit`, or `limit`. */
static const char *framer_find_nul_line(struct framer *f, const char *limit, enum line_end *end)
{
    const char *block_end = f->block.data + f->block.len;
    f->next_nul = framer_find(f, f->next_nul, '\0');
    while (f->next_nul < limit) {
        const char *nul = f->next_nul;
        enum pri_form form = pri_find(nul + 1, block_end);
        if (form == PRI_PRESENT)
            *end = LINE_NUL;
        else if (form == PRI_INCOMPLETE)
            framer_keep_tail(f, nul);
        if (form != PRI_ABSENT)
            return nul;
        f->next_nul = memchr(nul + 1, '\0', (size_t)(block_end - nul - 1));
        if (!f->next_nul)
            f->next_nul = block_end;
    }
    return limit;
}

/* Decides with the next bytes whether the NUL in the tail ends a line. */
static struct slice framer_take_tail(struct framer *f, enum line_end *end)
{
    while (!f->tail_ends && f->block.len) {
        char text[FRAMER_TAIL_MAX + 1];
        memcpy(text, f->tail, f->tail_len);
        text[f->tail_len] = *f->block.data;
        enum pri_form form = pri_find(text + 1, text + f->tail_len + 1);
        if (form == PRI_ABSENT) {
            struct slice data = {f->tail, f->tail_len};
            f->tail_len = 0;
            return data;
        }
        f->tail_ends = form == PRI_PRESENT;
        if (f->tail_ends)
            *end = LINE_NUL;
        else
            f->tail[f->tail_len++] = *framer_consume(f, 1).data;
    }
    return (struct slice){f->block.data, 0};
}

/* The NUL has ended a line; the rest of the tail is the beginning of the next one. */
static struct slice framer_take_pri(struct framer *f)
{
    struct slice start = {f->tail + 1, f->tail_len - 1U};
    f->tail_len = 0;
    f->tail_ends = false;
    return start;
}

/* Consumes the next part of a line. */
static inline struct slice framer_take_part(struct framer *f, enum line_end *end)
{
    *end = LINE_OPEN;
    if (f->tail_len)
        return f->tail_ends ? framer_take_pri(f) : framer_take_tail(f, end);
    const char *stop = f->next_delimiter = framer_find(f, f->next_delimiter, f->delimiter);
    if (stop < f->block.data + f->block.len)
        *end = LINE_DELIMITER;
    if (f->nul_ends)
        stop = framer_find_nul_line(f, stop, end);
    struct slice part = framer_consume(f, (size_t)(stop - f->block.data));
    if (*end != LINE_OPEN)
        framer_consume(f, 1);
    return part;
}

/* Removes one trailing LF, CR LF or NUL. */
static struct slice framer_trim_message(struct slice message)
{
    if (message.len && message.data[message.len - 1] == '\n')
        return framer_trim(framer_trim(message, '\n'), '\r');
    return framer_trim(message, '\0');
}

/* Removes what precedes the delimiter of a line but belongs to it. */
static struct slice framer_trim_line(const struct framer *f, struct slice line)
{
    if (f->framing == FRAMING_NUL)
        return framer_trim_message(line);
    return framer_trim(framer_trim(line, '\r'), '\0');
}

/* The next line that is not empty; false if it is not complete. */
static inline __attribute__((always_inline)) bool framer_find_line(struct framer *f,
                                                                   struct slice *line)
{
    while (f->block.len) {
        enum line_end end;
        struct slice part = framer_take_part(f, &end);
        if (f->skipping) {
            f->skipping = end == LINE_OPEN;
            continue;
        }
        if (framer_join(f, part, end != LINE_OPEN, line) == FRAME_NONE)
            continue;
        f->number++;
        f->nul_ended = end == LINE_NUL;
        if (!f->skipping && end == LINE_DELIMITER)
            *line = framer_trim_line(f, *line);
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

/* Appends to the held message, at most as much as shows that it is too long. */
static void framer_hold_more(struct framer *f, struct slice bytes)
{
    size_t space = f->max_size + SLACK - f->held.len;
    buffer_append(&f->held, (struct slice){bytes.data, bytes.len < space ? bytes.len : space});
}

static bool framer_has_pri(struct slice line)
{
    return pri_find(line.data, line.data + line.len) == PRI_PRESENT;
}

static bool framer_has_timestamp(struct framer *f, struct slice line)
{
    struct slice timestamp;
    return lenient_time_read(&f->time, line.data, line.data + line.len, &timestamp) != NULL;
}

/* The length of the MSG-LEN before a PRI. A line that is too long may have been cut off. */
static size_t framer_msg_len_prefix(const struct framer *f, struct slice line)
{
    bool whole = line.len <= f->max_size + SLACK && !f->skipping;
    return f->lenient && whole ? msg_len_prefix(line) : 0;
}

/* Whether a line begins a message, and does not continue the held one. */
static bool framer_begins_message(struct framer *f, struct slice line)
{
    if (framer_has_pri(line) || framer_msg_len_prefix(f, line))
        return true;
    return f->lenient && !f->held_has_pri && framer_has_timestamp(f, line);
}

static void framer_hold(struct framer *f, struct slice line)
{
    size_t prefix = framer_msg_len_prefix(f, line);
    line = (struct slice){line.data + prefix, line.len - prefix};
    f->held_has_pri = framer_has_pri(line);
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

/* Adds a line to the held message, or returns that, which the line ends. */
static enum frame_kind framer_add_line(struct framer *f, struct slice line, struct frame *frame)
{
    if (f->holding && framer_begins_message(f, line)) {
        f->pending = line;
        return framer_emit_held(f, frame);
    }
    if (f->holding)
        framer_hold_continuation(f, line);
    else
        framer_hold(f, line);
    return FRAME_NONE;
}

/* A NUL before a PRI ends the message, not only the line. */
static enum frame_kind framer_emit_ended(struct framer *f, struct frame *frame)
{
    if (!f->holding || !f->nul_ended)
        return FRAME_NONE;
    f->nul_ended = false;
    return framer_emit_held(f, frame);
}

static enum frame_kind framer_next_multiline(struct framer *f, struct frame *frame)
{
    struct slice line;
    enum frame_kind kind = framer_emit_ended(f, frame);
    while (kind == FRAME_NONE && framer_find_line(f, &line)) {
        kind = framer_add_line(f, line, frame);
        if (kind != FRAME_NONE)
            return kind;
        framer_drop_returned(f);
        kind = framer_emit_ended(f, frame);
    }
    return kind;
}

bool framer_has_held(const struct framer *f)
{
    return f->holding || framer_ends_with_nul(f);
}

/* Processes the line that ends with the NUL in the tail, if there is one. */
static enum frame_kind framer_release_nul_line(struct framer *f, struct frame *frame)
{
    if (!framer_ends_with_nul(f))
        return FRAME_NONE;
    struct slice line = {f->partial.data, f->partial.len};
    bool skipped = f->skipping;
    f->tail_len = 0;
    f->skipping = false;
    if (skipped)
        return FRAME_NONE;
    f->number++;
    f->partial_returned = true;
    if (line.len == 0)
        return FRAME_NONE;
    return f->multiline ? framer_add_line(f, line, frame) : framer_emit(f, f->number, line, frame);
}

/* The memory of the last frame can be reused. */
static void framer_begin(struct framer *f)
{
    if (f->multiline)
        framer_hold_pending(f);
    framer_drop_returned(f);
}

enum frame_kind framer_release(struct framer *f, struct frame *frame)
{
    framer_begin(f);
    enum frame_kind kind = framer_release_nul_line(f, frame);
    return kind == FRAME_NONE && f->holding ? framer_emit_held(f, frame) : kind;
}

static enum frame_kind framer_broken(struct framer *f, const char *reason, struct frame *frame)
{
    frame->number = f->number + 1;
    frame->message = (struct slice){"", 0};
    frame->defect = (struct defect){"MSG-LEN", reason, f->offset};
    f->digits = 0;
    f->left = 0;
    f->block.len = f->next_block.len = 0;
    return FRAME_BROKEN;
}

/* Reads one byte of MSG-LEN, SP, or what is skipped before them. Returns NULL, or why it is
 * malformed. */
static const char *framer_msg_len_step(struct framer *f, char c)
{
    if (f->digits == 0 && c == '\0' && !f->after_cr)
        return NULL;
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
    switch (pri_find(bytes.data + i + 1, bytes.data + bytes.len)) {
    case PRI_PRESENT:
        return FRAMING_OCTET;
    case PRI_INCOMPLETE:
        return FRAMING_AUTO;
    default:
        return FRAMING_NEWLINE;
    }
}

/* Sets the framing if the first bytes, including those of earlier blocks, are enough. */
static void framer_decide(struct framer *f)
{
    char head[FRAMER_HEAD_MAX + 1];
    size_t kept = f->partial.len;
    size_t fresh = f->block.len < sizeof head - kept ? f->block.len : sizeof head - kept;
    if (kept)
        memcpy(head, f->partial.data, kept);
    memcpy(head + kept, f->block.data, fresh);
    f->framing = framer_detect((struct slice){head, kept + fresh});
    f->nul_ends = f->framing == FRAMING_NEWLINE;
    if (f->framing == FRAMING_AUTO) {
        buffer_append(&f->partial, framer_consume(f, f->block.len));
    } else if (f->framing == FRAMING_OCTET && kept) {
        memcpy(f->head, head, kept);
        f->next_block = f->block;
        f->block = (struct slice){f->head, kept};
        f->offset = 0;
        f->partial.len = 0;
    }
}

/* Returns the next frame of the bytes that decided the framing, and then of the block. */
static enum frame_kind framer_next_octet(struct framer *f, struct frame *frame)
{
    enum frame_kind kind = framer_next_counted(f, frame);
    if (kind != FRAME_NONE || f->next_block.len == 0)
        return kind;
    f->block = f->next_block;
    f->next_block.len = 0;
    return framer_next_counted(f, frame);
}

static enum frame_kind framer_dispatch(struct framer *f, struct frame *frame)
{
    framer_begin(f);
    if (f->framing == FRAMING_AUTO && f->block.len)
        framer_decide(f);
    if (f->framing == FRAMING_AUTO)
        return FRAME_NONE;
    if (f->framing == FRAMING_OCTET)
        return framer_next_octet(f, frame);
    if (f->multiline)
        return framer_next_multiline(f, frame);
    return framer_next_line(f, frame);
}

enum frame_kind framer_next_slow(struct framer *f, struct frame *frame)
{
    enum frame_kind kind = framer_dispatch(f, frame);
    if (f->block.data >= f->lines_end)
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
    struct slice line = {f->partial.data, f->partial.len};
    return f->framing == FRAMING_NUL ? framer_trim_message(line) : framer_trim(line, '\0');
}

/* The held message, with the last line if that continues it. */
static enum frame_kind framer_end_held(struct framer *f, bool whole, struct frame *frame)
{
    struct slice rest = {f->partial.data, f->partial.len};
    if (whole && rest.len && !f->skipping && !framer_begins_message(f, rest)) {
        rest = framer_last_line(f);
        if (rest.len)
            framer_hold_continuation(f, rest);
    }
    return framer_emit_held(f, frame);
}

/* The bytes that might have become a PRI after NUL are the end of the last line. */
static void framer_end_tail(struct framer *f)
{
    size_t space = f->max_size + SLACK - f->partial.len;
    if (!f->skipping)
        buffer_append(&f->partial,
                      (struct slice){f->tail, f->tail_len < space ? f->tail_len : space});
    f->tail_len = 0;
    f->tail_ends = false;
}

enum frame_kind framer_end(struct framer *f, bool whole, struct frame *frame)
{
    framer_begin(f);
    enum frame_kind kind = framer_release_nul_line(f, frame);
    if (kind != FRAME_NONE)
        return kind;
    framer_drop_returned(f);
    framer_end_tail(f);
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

static bool framer_is_end(char c)
{
    return c == '\n' || c == '\r' || c == '\0';
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
        while (bytes.len && framer_is_end(bytes.data[bytes.len - 1]))
            bytes.len--;
    return bytes.len ? framer_emit(f, f->number, bytes, frame) : FRAME_NONE;
}
