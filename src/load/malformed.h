#ifndef SHNEK_LOAD_MALFORMED_H
#define SHNEK_LOAD_MALFORMED_H

#include <stdbool.h>

#include "base/buffer.h"
#include "load/message-config.h"
#include "load/random.h"

/* The kinds of --bad. The man page describes them. */
enum malformed_kind {
    MALFORMED_PRI,
    MALFORMED_VERSION,
    MALFORMED_DATE,
    MALFORMED_LENGTH,
    MALFORMED_SD,
    MALFORMED_TRUNCATED,
    MALFORMED_UTF8, /* RFC 5424 allows this one, NUL and CONTROL in MSG */
    MALFORMED_NUL,
    MALFORMED_CONTROL,
    MALFORMED_OVERLONG, /* not as a datagram */
    MALFORMED_MSG_LEN,  /* octet counting only; ends the connection, as DROP does */
    MALFORMED_DROP,
    MALFORMED_KINDS
};

struct malformed_config {
    uint64_t threshold; /* a message is malformed if a random number is below it; 0: never */
    unsigned kinds;     /* bits 1 << enum malformed_kind */
    bool all_kinds;     /* --bad names no kinds: malformed_check() selects those that apply */
};

/* Parses --bad=RATIO[:KIND,...]. Returns false and logs the reason if the value is invalid. */
bool malformed_parse(struct malformed_config *config, const char *text);

/* Checks the kinds against the framing and the kind of destination. Returns false and logs the
 * reason if one was requested that does not apply. */
bool malformed_check(struct malformed_config *config, enum message_framing framing, bool connected);

/* Replaces random messages by malformed ones, and counts them. */
struct malformed {
    const struct malformed_config *config;
    struct random random;
    struct buffer message;                      /* the valid message */
    struct buffer output;                       /* the malformed one, without its framing */
    enum malformed_kind kinds[MALFORMED_KINDS]; /* the selected ones */
    unsigned kind_count;
    uint64_t count[MALFORMED_KINDS]; /* messages of each kind */
};

void malformed_init(struct malformed *m, const struct malformed_config *config, uint64_t seed);

/* Returns whether the next message is to be malformed, and draws its kind. Requires a threshold. */
static inline bool malformed_draw(struct malformed *m, enum malformed_kind *kind)
{
    if (random_next(&m->random) >= m->config->threshold)
        return false;
    *kind = m->kinds[random_below(&m->random, m->kind_count)];
    return true;
}

/* Returns whether the sender must reconnect after a message of this kind. */
static inline bool malformed_ends_connection(enum malformed_kind kind)
{
    return kind >= MALFORMED_MSG_LEN;
}

/*
 * Appends a malformed variant of a valid RFC 5424 message to `to`. Both are framed. The message may
 * be in the unused capacity of `to`, which this call overwrites.
 */
void malformed_append(struct malformed *m, enum malformed_kind kind, struct slice framed,
                      enum message_framing framing, struct buffer *to);

/* Returns the name of a kind, as users know it. */
const char *malformed_kind_name(enum malformed_kind kind);

/* Returns the number of malformed messages. */
uint64_t malformed_total(const struct malformed *m);

void malformed_free(struct malformed *m);

#endif
