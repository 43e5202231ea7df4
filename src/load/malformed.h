#ifndef SHNEK_LOAD_MALFORMED_H
#define SHNEK_LOAD_MALFORMED_H

#include <stdbool.h>

#include "base/buffer.h"
#include "load/message.h"
#include "load/random.h"

/* What is wrong with a message. */
enum bad_kind {
    BAD_PRI,
    BAD_VERSION,
    BAD_DATE,
    BAD_LENGTH,
    BAD_SD,
    BAD_CUT,
    BAD_UTF8, /* this and the next two are allowed by RFC 5424 */
    BAD_NUL,
    BAD_CONTROL,
    BAD_OVERLONG, /* not as a datagram */
    BAD_MSG_LEN,  /* in octet counting; it ends the connection, as does the next one */
    BAD_DROP,
    BAD_KINDS
};

struct bad_config {
    uint64_t one_in; /* a message is bad where a random number is below this; 0: none is */
    unsigned kinds;  /* a bit for each */
    bool all;        /* no kinds were given: those that can be */
};

/* --bad=RATIO[:KIND,...]. False, and a report, where it is none. */
bool bad_option(struct bad_config *c, const char *text);

/* Leaves those kinds that can be there. False, and a report, where one was asked for that cannot.
 */
bool bad_fit(struct bad_config *c, enum message_frame frame, bool connected);

struct bad {
    const struct bad_config *config;
    struct random random;
    struct buffer message;
    struct buffer spoilt;
    enum bad_kind kinds[BAD_KINDS]; /* those that are drawn from */
    unsigned kind_count;
    uint64_t count[BAD_KINDS];
};

void bad_start(struct bad *b, const struct bad_config *config, uint64_t seed);

/* Whether the next message is bad, and how. Only where some are. */
static inline bool bad_draw(struct bad *b, enum bad_kind *kind)
{
    if (random_next(&b->random) >= b->config->one_in)
        return false;
    *kind = b->kinds[random_below(&b->random, b->kind_count)];
    return true;
}

static inline bool bad_ends_connection(enum bad_kind kind)
{
    return kind >= BAD_MSG_LEN;
}

/* Adds a message of RFC 5424, given in its frame, as a bad one in that frame. It may lie in the
 * room of `to`. */
void bad_add(struct bad *b, enum bad_kind kind, struct slice framed, enum message_frame frame,
             struct buffer *to);

/* Prints how many there were of each kind. */
void bad_report(const struct bad *b);

/* The same as a key of JSON, with a comma before it. */
void bad_json(const struct bad *b, struct buffer *out);

void bad_free(struct bad *b);

#endif
