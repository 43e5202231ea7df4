#ifndef SHNEK_RELAY_PIPELINE_H
#define SHNEK_RELAY_PIPELINE_H

#include "relay/relay.h"
#include "relay/workers.h"

/* One source of messages: stdin, a file, or a connection. */
struct stream {
    const char *name;      /* for reports: "stdin", the file, the peer */
    const char *transport; /* for --meta, as is the peer where it is more than the name */
    const char *peer;
    struct framer framer;
};

enum stream_state {
    STREAM_OPEN,
    STREAM_BROKEN, /* no more of it can be understood; it was reported */
    STREAM_STUCK   /* the records could not be written; it was reported */
};

void stream_start(struct stream *s, struct relay *r, const char *name, const char *transport);

/* Takes what was read: every message in it becomes a record, or is refused. */
enum stream_state stream_take(struct stream *s, struct relay *r, struct slice block);

/* The same for one datagram, which had `length` bytes. */
enum stream_state stream_take_datagram(struct stream *s, struct relay *r, struct slice bytes,
                                       size_t length);

/*
 * Whether a message is held that may go on in a further line, as --multiline has it; when nothing
 * has come for STREAM_PATIENCE milliseconds, release it.
 */
enum { STREAM_PATIENCE = 200 };
bool stream_holds(const struct stream *s);
enum stream_state stream_release(struct stream *s, struct relay *r);

/* The end; `whole` says that it was the sender's. Frees what the stream holds. */
enum stream_state stream_end(struct stream *s, struct relay *r, bool whole);

/*
 * With --jobs the functions above collect messages, and these, as jobs_tasks has them, make records
 * of them and write those. `relay` is a struct relay.
 */
void stream_work(void *relay, struct jobs *jobs);
bool stream_write(void *relay, struct batch *batch);

#endif
