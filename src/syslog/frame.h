#ifndef SHNEK_SYSLOG_FRAME_H
#define SHNEK_SYSLOG_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/defect.h"
#include "base/slice.h"
#include "syslog/lenient-time.h"

/* RFC 6587: non-transparent framing with LF or NUL, octet counting, or detected from the first
 * bytes. */
enum framing { FRAMING_AUTO, FRAMING_NEWLINE, FRAMING_OCTET, FRAMING_NUL };

/* MSG-LEN, SP and PRI without its '>', the longest beginning that does not decide the framing. */
enum { FRAMER_HEAD_MAX = 15, FRAMER_TAIL_MAX = 5 };

enum frame_kind {
    FRAME_NONE,     /* needs more input */
    FRAME_MESSAGE,  /* a message, which is not empty */
    FRAME_REJECTED, /* a defect; the next frame follows */
    FRAME_BROKEN    /* a defect after which no frame can be found; close the stream */
};

struct frame {
    struct slice message; /* if rejected, its first bytes; valid until the next call */
    uint64_t number;      /* of the line or frame, from 1 */
    struct defect defect; /* its offset is in the message, that of MSG-LEN in the stream */
};

/*
 * Splits a stream into messages. Copies only messages that span blocks, so that memory is limited
 * to a little more than max_size. The cost is linear in the number of bytes.
 */
struct framer {
    enum framing framing;  /* FRAMING_AUTO until detected */
    bool truncate;         /* truncate a message over max_size at a UTF-8 boundary; or reject it */
    bool skipping;         /* the rest of a message that is too long */
    bool partial_returned; /* the last frame points to `partial` */
    bool after_cr;         /* octet counting: CR between frames */
    bool nul_ends;         /* newline framing chosen by FRAMING_AUTO: NUL before PRI ends a line */
    bool tail_ends;        /* the NUL in `tail` ends a line, and the rest of it begins the next */
    uint8_t tail_len;      /* a NUL and what may become a PRI after it, at the end of the input */
    char tail[FRAMER_TAIL_MAX];
    char head[FRAMER_HEAD_MAX]; /* bytes from which octet counting was detected */
    char delimiter;             /* of lines: LF, or NUL */
    uint8_t digits;             /* of MSG-LEN so far */
    size_t max_size;
    uint64_t left;   /* octet counting: bytes of the message still to come */
    uint64_t number; /* of frames begun */
    uint64_t offset; /* octet counting: of `block` in the stream */
    struct slice block;
    struct slice next_block;    /* after `block` is `head` */
    const char *next_delimiter; /* in `block`, or its end; out of date if before its first byte */
    const char *next_nul;       /* likewise */
    const char *lines_end;      /* all lines before it are complete messages; NULL if unknown */
    struct buffer partial;      /* the beginning of a message from earlier blocks */
    bool multiline;             /* the rest is for framer_enable_multiline() only */
    bool lenient;
    bool holding;
    bool held_has_pri;
    bool nul_ended;       /* the last line ended with NUL, and so does the message */
    struct buffer held;   /* a message that may continue, limited as `partial` */
    uint64_t held_number; /* of its first line */
    uint64_t empty_lines; /* after it; part of it if it continues */
    struct slice pending; /* the line after the last frame, which begins the next message */
    struct lenient_time time;
};

void framer_init(struct framer *f, enum framing framing, size_t max_size, bool truncate);

void framer_free(struct framer *f);

/*
 * In newline framing, joins a line that does not begin with a PRI to the message before it, after a
 * LF. A message is then held until a line with a PRI, the end of the stream, or framer_release().
 * If `lenient`, a line that begins with a TIMESTAMP also begins a message, unless the message
 * before it has a PRI; and so does a PRI after its MSG-LEN, which is dropped. Has no effect with
 * octet counting or NUL.
 */
void framer_enable_multiline(struct framer *f, bool lenient);

/*
 * Whether a message is held, because the next bytes decide whether it is complete: with
 * framer_enable_multiline(), or after a NUL that is the last byte so far.
 */
bool framer_has_held(const struct framer *f);

/* Returns the held messages, which are complete now; call it until FRAME_NONE. */
enum frame_kind framer_release(struct framer *f, struct frame *frame);

/* Adds the next bytes of the stream. They are borrowed until framer_next() returns FRAME_NONE. */
void framer_feed(struct framer *f, struct slice block);

/* Returns the next frame of the bytes that were fed. */
static inline enum frame_kind framer_next(struct framer *f, struct frame *frame);

/*
 * Returns the frames at the end of the stream; call it until FRAME_NONE. A held message and a last
 * line without LF are messages, and a truncated counted frame is rejected. If `whole` is false, as
 * after a read error, the last line is rejected, too.
 */
enum frame_kind framer_end(struct framer *f, bool whole, struct frame *frame);

/*
 * Returns the frame of a datagram, which is one message (RFC 5426, section 3.1), or FRAME_NONE if
 * it is empty. `len` is its size; `bytes` may be limited to framer_datagram_capacity() bytes of it.
 */
enum frame_kind framer_datagram(struct framer *f, struct slice bytes, size_t len,
                                struct frame *frame);

/* The bytes to receive of a datagram, so that one over max_size is detected. */
size_t framer_datagram_capacity(size_t max_size);

/* Whether the input so far ends in the middle of a message. */
bool framer_mid_message(const struct framer *f);

/*
 * framer_next() in two steps, for a loop over many frames: framer_fast_line() returns whether there
 * is a complete line in the block that has no CR, NUL or the like to remove at its end;
 * framer_next_slow() returns any other frame.
 */
enum frame_kind framer_next_slow(struct framer *f, struct frame *frame);

/* Returns the end of the next line, which must be before lines_end. */
static inline const char *framer_find_delimiter(const struct framer *f)
{
    const char *start = f->block.data;
#ifdef __GLIBC__
    return rawmemchr(start, f->delimiter); /* needs fewer instructions than memchr */
#else
    return memchr(start, f->delimiter, (size_t)(f->lines_end - start));
#endif
}

static inline bool framer_fast_line(struct framer *f, struct frame *frame)
{
    const char *start = f->block.data;
    if (start >= f->lines_end)
        return false;
    const char *end = framer_find_delimiter(f);
    size_t len = (size_t)(end - start);
    if (len - 1 >= f->max_size || (unsigned char)end[-1] <= '\r')
        return false;
    f->block = (struct slice){end + 1, f->block.len - len - 1};
    frame->number = ++f->number;
    frame->message = (struct slice){start, len};
    return true;
}

static inline enum frame_kind framer_next(struct framer *f, struct frame *frame)
{
    return framer_fast_line(f, frame) ? FRAME_MESSAGE : framer_next_slow(f, frame);
}

#endif
