#ifndef SHNEK_LOAD_MALFORMED_H
#define SHNEK_LOAD_MALFORMED_H

#include <stdbool.h>

#include "base/buffer.h"
#include "load/message.h"
#include "load/random.h"

/* What is wrong with a message. */
enum malformed_kind {
    MALFORMED_PRI,
    MALFORMED_VERSION,
    MALFORMED_DATE,
    MALFORMED_LENGTH,
    MALFORMED_SD,
    MALFORMED_TRUNCATED,
    MALFORMED_UTF8, /* this and the next two are allowed by RFC 5424 */
    MALFORMED_NUL,
    MALFORMED_CONTROL,
    MALFORMED_OVERLONG, /* not as a datagram */
    MALFORMED_MSG_LEN,  /* in octet counting; it ends the connection, as does the next one */
    MALFORMED_DROP,
    MALFORMED_KINDS
};

struct malformed_config {
    uint64_t threshold; /* a message is bad where a random number is below this; 0: none is */
    unsigned kinds;     /* a bit for each */
    bool all_kinds;     /* no kinds were given: those that can be */
};

/* --bad=RATIO[:KIND,...]. False, and a report, where it is none. */
bool malformed_parse(struct malformed_config *c, const char *text);

/* Leaves those kinds that can be there. False, and a report, where one was asked for that cannot.
 */
bool malformed_check(struct malformed_config *c, enum message_framing framing, bool connected);

struct malformed {
    const struct malformed_config *config;
    struct random random;
    struct buffer message;
    struct buffer output;
    enum malformed_kind kinds[MALFORMED_KINDS]; /* those that are drawn from */
    unsigned kind_count;
    uint64_t count[MALFORMED_KINDS];
};

void malformed_init(struct malformed *m, const struct malformed_config *config, uint64_t seed);

/* Whether the next message is bad, and how. Only where some are. */
static inline bool malformed_draw(struct malformed *m, enum malformed_kind *kind)
{
    if (random_next(&m->random) >= m->config->threshold)
        return false;
    *kind = m->kinds[random_below(&m->random, m->kind_count)];
    return true;
}

static inline bool malformed_ends_connection(enum malformed_kind kind)
{
    return kind >= MALFORMED_MSG_LEN;
}

/* Adds a message of RFC 5424, given in its frame, as a bad one in that frame. It may lie in the
 * room of `to`. */
void malformed_append(struct malformed *m, enum malformed_kind kind, struct slice framed,
                      enum message_framing framing, struct buffer *to);

/* Prints how many there were of each kind. */
void malformed_report(const struct malformed *m);

/* The same as a key of JSON, with a comma before it. */
void malformed_report_json(const struct malformed *m, struct buffer *out);

void malformed_free(struct malformed *m);

#endif
