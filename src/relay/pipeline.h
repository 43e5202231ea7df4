#ifndef SHNEK_RELAY_PIPELINE_H
#define SHNEK_RELAY_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "relay/batch.h"
#include "relay/config.h"
#include "relay/sink.h"
#include "relay/workers.h"
#include "syslog/frame.h"

/* A source of messages: stdin, a file, a connection or a datagram socket. */
struct source {
    const char *name; /* in log lines and --rejects: "stdin", a path or a peer */
    const char *peer; /* in --meta: the name, perhaps with the subject of a certificate */
    const char *transport;
    const struct peer *sender;
    counter *messages; /* of this transport */
    struct framer framer;
};

/*
 * The way of a message: framer -> batch -> parser -> record -> sink. It knows no descriptor but
 * those of the sink. Without workers a batch borrows its messages from the block that was fed and
 * is parsed before the call returns; with workers it copies them and is parsed by another thread.
 * After sink_failed() all input is ignored.
 */
struct pipeline {
    const struct relay_config *config;
    struct sink *sink;
    struct workers *workers; /* NULL to parse inline */
    struct batch_parser parser;
    struct batch_origin origin;
    counter *messages;   /* of its transport */
    struct batch *batch; /* being filled, or NULL if the workers have it */
    struct batch inline_batch;
};

/* Returns false and logs the reason if --charset cannot be loaded or the threads of --jobs cannot
 * be started. */
bool pipeline_init(struct pipeline *p, const struct relay_config *config, struct sink *sink);

/* Processes and writes what is left, ends the threads and frees the pipeline. */
void pipeline_free(struct pipeline *p);

/* Initializes a source. The strings and `sender`, which may be NULL, must outlive it;
 * pipeline_end() frees it. */
void pipeline_source_init(const struct pipeline *p, struct source *s, const char *name,
                          const char *transport, const struct peer *sender);

/* Processes the next bytes of a stream. Returns false if its framing is broken, so that no further
 * message can be found (RFC 6587, section 3.4.1); that was logged. */
bool pipeline_feed(struct pipeline *p, struct source *s, struct slice block);

/*
 * Datagrams: pipeline_begin() for a run of them from one peer, then pipeline_add_datagram() for
 * each, then pipeline_submit(), until which their bytes must stay valid. `len` is the length of the
 * datagram on the wire, which may exceed bytes.len.
 */
void pipeline_begin(struct pipeline *p, const struct source *s);
void pipeline_add_datagram(struct pipeline *p, struct source *s, struct slice bytes, size_t len);
void pipeline_submit(struct pipeline *p);

/*
 * If a message is held back because the next bytes decide whether it is complete (see
 * framer_has_held()), and none have arrived for PIPELINE_HOLD_MS, call pipeline_release().
 */
enum { PIPELINE_HOLD_MS = 200 };
void pipeline_release(struct pipeline *p, struct source *s);

/* Ends and frees a source. `complete` is false if it was not the sender that ended the stream, so
 * that an unfinished line is rejected. */
void pipeline_end(struct pipeline *p, struct source *s, bool complete);

/* Timeout in ms for a wait for input, -1 for none; pipeline_on_idle() runs when it expires. */
int pipeline_timeout_ms(const struct pipeline *p);

/* Writes everything that is buffered; if there is nothing, logs the number of suppressed lines. */
void pipeline_on_idle(struct pipeline *p);

/* Returns once all messages so far are parsed and their defects logged. */
void pipeline_wait(struct pipeline *p);

#endif
