#ifndef SHNEK_PUBLISH_TRANSPORT_H
#define SHNEK_PUBLISH_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "publish/span.h"

/*
 * The destination of the lines, as the loop of publish.c sees it. There are three: core NATS
 * (core.h), a JetStream stream (jetstream.h) and standard output (dry-run.h). All functions are
 * called from one thread.
 *
 *     open -> poll -> DOWN ... CONNECTED -> UP: send ... -> LOST -> DOWN ... CONNECTED -> ...
 */
enum transport_event {
    TRANSPORT_UP,        /* nothing new: messages can be sent if can_send() agrees */
    TRANSPORT_DOWN,      /* nothing new: there is no connection */
    TRANSPORT_CONNECTED, /* up since this call: the loop has to rewind or drop unconfirmed lines */
    TRANSPORT_LOST,      /* the connection to `peer` was lost because of `error_text` */
    TRANSPORT_FAILED     /* permanently; the reason was logged */
};

enum transport_result {
    TRANSPORT_SENT,
    TRANSPORT_TOO_LONG,     /* the message is longer than line_max, which depends on it */
    TRANSPORT_DISCONNECTED, /* the lines are still in the window; poll() reports the loss */
    TRANSPORT_CLOSED        /* permanently; the reason was logged */
};

enum { TRANSPORT_TEXT_MAX = 256 };

#define TRANSPORT_PAYLOAD_VIOLATED "longer than the server's max_payload; it closed the connection"

/* A record, or a batch of them. */
struct transport_message {
    struct slice text;                 /* valid until send() returns, as all of it */
    const struct span *span;           /* NULL: the line that window_next_line() returned last */
    const struct window_line *line;    /* that line, or NULL */
    const struct window_mark *settled; /* all lines before it were sent, or will not be */
    bool is_batch; /* is published with the headers of a batch, even for one record */
};

/* A record that was sent and then refused permanently. */
struct transport_refusal {
    uint64_t number;   /* of its line, from 1 */
    uint64_t offset;   /* of its line */
    struct slice text; /* in the window */
    const char *field;
    uint64_t error_offset; /* in the line */
    char error_text[TRANSPORT_TEXT_MAX];
};

struct publish_transport {
    const struct transport_ops *ops;
    size_t max_payload;     /* bytes; of the server of the last TRANSPORT_CONNECTED */
    size_t batch_max;       /* bytes of a batch; may change at each poll() */
    size_t line_max;        /* bytes; of the last TRANSPORT_TOO_LONG */
    bool payload_violated;  /* this TRANSPORT_LOST: a message was too long */
    bool needs_headers;     /* set by the owner: a server that accepts none is of no use */
    bool unavailable;       /* connected, but nothing is confirmed for the moment */
    uint64_t duplicates;    /* messages that the stream had already */
    uint64_t resent;        /* messages that the transport itself has resent */
    int wake_fd;            /* readable when poll() has something to do, -1 for none */
    const char *peer;       /* URL of the last server, without credentials */
    const char *error_text; /* of the last TRANSPORT_LOST */
};

struct transport_ops {
    bool needs_server; /* unconfirmed lines are written out at the end */
    bool resends;      /* resends unconfirmed messages itself; the window is not rewound */

    /* Starts threads and opens descriptors. Returns false and logs the reason on failure. */
    bool (*open)(struct publish_transport *t);

    /* Connects, detects losses, resends: whatever is due. May block for the connect timeout. */
    enum transport_event (*poll)(struct publish_transport *t);

    /* Returns whether send() may be called. If not, wake_fd becomes readable once it may. NULL: it
     * always may. */
    bool (*can_send)(struct publish_transport *t);

    /* Sends a message. Only one record can be TRANSPORT_TOO_LONG if the transport resends. */
    enum transport_result (*send)(struct publish_transport *t, const struct transport_message *m);

    /* Requests the confirmation of all lines before `sent`; confirmed() returns the outcome. */
    void (*request_confirmation)(struct publish_transport *t, const struct window_mark *sent);

    /* Returns the end of the lines before `sent` that were confirmed or refused. */
    struct window_mark (*confirmed)(struct publish_transport *t, const struct window_mark *sent);

    /* Returns whether there was another refused message. NULL: send() is the last word. */
    bool (*take_refusal)(struct publish_transport *t, struct transport_refusal *refusal);

    /* Returns the milliseconds until poll() has something to do, -1 for no limit. */
    int (*timeout_ms)(struct publish_transport *t);

    /* Closes and frees the transport, opened or not. Returns false if output was lost. */
    bool (*destroy)(struct publish_transport *t);
};

#endif
