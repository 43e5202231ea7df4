#ifndef SHNEK_SYSLOG_FRAME_H
#define SHNEK_SYSLOG_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/defect.h"
#include "base/slice.h"

/* RFC 6587: non-transparent framing with LF, octet counting, or what the first bytes say. */
enum framing { FRAMING_AUTO, FRAMING_NEWLINE, FRAMING_OCTET };

enum frame_kind {
    FRAME_NONE,     /* all that was fed is used up */
    FRAME_MESSAGE,  /* a message, never empty */
    FRAME_REJECTED, /* a defect; the next frame is found all the same */
    FRAME_BROKEN    /* a defect behind which no frame can be found: the stream is over */
};

struct frame {
    struct slice message; /* or, where refused, its first bytes; until the next call */
    uint64_t number;      /* of the line or the frame, from 1 */
    struct defect defect; /* its offset is within the message, or, for MSG-LEN, the stream */
};

/*
 * Cuts a stream into messages. What was fed is not copied, but for the part of a message whose end
 * has not come, which is at most a little more than max_size. All times is linear in the bytes.
 */
struct framer {
    enum framing framing; /* FRAMING_AUTO until the first bytes have decided */
    bool truncate;        /* a message over max_size is cut at a UTF-8 boundary, not refused */
    bool skipping;        /* the rest of one that was too long */
    bool partial_given;   /* the last frame was in `partial` */
    bool after_cr;        /* octet counting: between frames */
    uint8_t digits;       /* of a MSG-LEN that is being read */
    size_t max_size;
    uint64_t left;   /* octet counting: MSG-LEN, less what came of its message */
    uint64_t number; /* of frames begun */
    uint64_t offset; /* of `block` in the stream, for octet counting */
    struct slice block;
    const char *lines_end; /* the lines up to here are whole, and each is a message; or NULL */
    struct buffer partial;
    /* Where lines are joined: */
    bool joining;
    bool holding;
    struct buffer held;   /* the message that may go on, at most a little more than max_size */
    uint64_t held_number; /* of its first line */
    uint64_t empty_lines; /* behind it, which count only where it goes on */
    struct slice waiting; /* the line behind the frame given last, of the next message */
};

void framer_init(struct framer *f, enum framing framing, size_t max_size, bool truncate);

/*
 * From now on, in newline framing, a line that does not begin with a PRI continues the message
 * before it, behind a LF. So a message is held until a line with a PRI comes, or the end, or until
 * it is released. Octet counting is not touched.
 */
void framer_enable_multiline(struct framer *f);

/* Whether a message is held that framer_release would give. */
bool framer_has_held(const struct framer *f);
enum frame_kind framer_release(struct framer *f, struct frame *frame);

/* The next bytes of the stream, which must stay until framer_next has given FRAME_NONE. */
void framer_feed(struct framer *f, struct slice block);
static inline enum frame_kind framer_next(struct framer *f, struct frame *frame);

/*
 * At the end of the stream, until it gives FRAME_NONE: a last line without LF is a message, a
 * counted frame that was cut is refused. Where it was not the sender who ended it (`whole` is
 * false), the line is refused too. What is held is a message.
 */
enum frame_kind framer_end(struct framer *f, bool whole, struct frame *frame);

/*
 * A datagram instead of a stream: it is one message (RFC 5426, section 3.1). `length` is what it
 * had, of which `bytes` need be no more than a little over max_size. FRAME_NONE where it holds
 * nothing.
 */
enum frame_kind framer_datagram(struct framer *f, struct slice bytes, size_t length,
                                struct frame *frame);

/* The bytes to keep of a datagram. */
size_t framer_datagram_capacity(size_t max_size);

/* Whether the stream so far ends within a message. */
bool framer_mid_message(const struct framer *f);

void framer_free(struct framer *f);

/* framer_next for all but the usual line. */
enum frame_kind framer_look(struct framer *f, struct frame *frame);

/* One that lies whole in the block, with nothing before its LF that might have to go. */
static inline bool framer_usual_line(struct framer *f, struct frame *frame)
{
    const char *start = f->block.data;
    if (start >= f->lines_end)
        return false;
    const char *lf = memchr(start, '\n', (size_t)(f->lines_end - start));
    size_t length = (size_t)(lf - start);
    if (length - 1 >= f->max_size || (unsigned char)lf[-1] <= '\r')
        return false;
    f->block = (struct slice){lf + 1, f->block.len - length - 1};
    frame->number = ++f->number;
    frame->message = (struct slice){start, length};
    return true;
}

static inline enum frame_kind framer_next(struct framer *f, struct frame *frame)
{
    return framer_usual_line(f, frame) ? FRAME_MESSAGE : framer_look(f, frame);
}

#endif
