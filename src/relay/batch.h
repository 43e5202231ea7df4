#ifndef SHNEK_RELAY_BATCH_H
#define SHNEK_RELAY_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/charset.h"
#include "base/defect.h"
#include "base/peer.h"
#include "json/schema.h"
#include "relay/config.h"
#include "syslog/frame.h"
#include "syslog/message.h"
#include "syslog/parse.h"

enum { BATCH_FRAMES = 1024, BATCH_BYTES = 64 * 1024 };

/* Source and time of arrival of the frames in a batch. The strings must outlive the batch. */
struct batch_origin {
    const char *name; /* in log lines and --rejects */
    const char *peer; /* in --meta */
    const char *transport;
    const struct peer *sender;
    uint64_t received_ns; /* clock_real, or 0 if no option needs it */
};

/* Kept small, because it moves from one core's cache to another's. */
struct batch_frame {
    uint64_t number;
    const char *data;
    uint32_t len;
    bool rejected;
};

/* Frames of one origin, and the records that batch_parse() creates from them. */
struct batch {
    struct batch_origin origin;
    size_t count;
    size_t rejected;
    size_t filtered; /* not selected */
    size_t max_frames;
    const struct batch_frame *rfc3164; /* the first rejected frame that --format=auto would accept
                                          as RFC 3164, or NULL */
    /* Copies of the messages, unless they are borrowed. Exceeds BATCH_BYTES only if one does. */
    struct buffer bytes;
    struct buffer records;
    struct buffer rejects;
    struct batch_frame frames[BATCH_FRAMES];
    struct defect defects[BATCH_FRAMES]; /* valid for rejected frames */
};

/* Initializes a batch for up to `max_frames` frames, at most BATCH_FRAMES. */
void batch_init(struct batch *b, size_t max_frames);
void batch_free(struct batch *b);

/* Removes the frames; the records and rejects stay. */
static inline void batch_clear(struct batch *b)
{
    b->count = b->rejected = b->filtered = 0;
    b->rfc3164 = NULL;
    b->bytes.len = 0;
}

/* Returns whether another frame fits, and also its copy of `copied` bytes. */
static inline bool batch_has_space(const struct batch *b, size_t copied)
{
    return b->count < b->max_frames &&
           (copied == 0 || b->count == 0 || b->bytes.len + copied <= BATCH_BYTES);
}

/* Appends a frame. Its message must stay valid until batch_parse(). */
static inline void batch_add(struct batch *b, enum frame_kind kind, const struct frame *frame)
{
    struct batch_frame *f = &b->frames[b->count];
    f->number = frame->number;
    f->data = frame->message.data;
    f->len = (uint32_t)frame->message.len;
    f->rejected = kind != FRAME_MESSAGE;
    if (f->rejected)
        b->defects[b->count] = frame->defect;
    b->count++;
}

/* Appends a frame with a copy of its message. */
void batch_add_copy(struct batch *b, enum frame_kind kind, const struct frame *frame);

/* State of the parser that one thread needs. */
struct batch_parser {
    const struct relay_config *config;
    bool is_custom; /* options change records or select messages */
    struct syslog_parser syslog;
    struct syslog_message message;
    struct schema_writer schema;
    struct buffer reject_meta; /* members of --meta in --rejects */
    struct charset charset;    /* with --charset */
};

/* Returns false and logs the reason if --charset cannot be loaded. */
bool batch_parser_init(struct batch_parser *p, const struct relay_config *config);
void batch_parser_free(struct batch_parser *p);

/*
 * Appends a JSON line to `records` for each frame that is valid and selected, and marks the others
 * as rejected. With --rejects it also appends those to `rejects`.
 */
void batch_parse(struct batch *b, struct batch_parser *p);

#endif
