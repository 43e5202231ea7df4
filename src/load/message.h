#ifndef SHNEK_LOAD_MESSAGE_H
#define SHNEK_LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "load/profile.h"
#include "load/random.h"
#include "syslog/timestamp.h"

/* The last message, of which the next one is made. */
struct message_pattern {
    struct buffer bytes; /* with its frame */
    char *fraction;      /* the six digits in its TIMESTAMP, or NULL */
    char *number;        /* the end of its number, or NULL */
    unsigned digits;
    uint64_t next_number; /* the message that can be made of it */
    uint64_t second_ns;   /* nanoseconds since 1970, that its TIMESTAMP is in */
};

/* Writes messages that differ in TIMESTAMP and in their number, and may differ in their bodies. */
struct message_writer {
    const struct message_config *config;
    char *(*write)(struct message_writer *w, uint64_t k, uint64_t ns, char *to);
    struct timestamp_writer clock;
    struct timestamp_writer utc_clock;
    struct random size_random;
    struct random template_random; /* of bodies */
    bool random_order;             /* they are drawn, not taken in turn */
    struct template_set templates;
    struct template *template; /* of the next message */
    struct message_pattern pattern;
    uint64_t step;     /* from message to message */
    struct buffer msg; /* MSG, to be summed */
    struct buffer normalized;
    size_t max_len;         /* the most that one message can take, with its frame */
    size_t min_len;         /* the least, without it */
    unsigned number_digits; /* of the number of the last message */
    uint64_t digits_until;  /* the number from which on it has one more */
};

/* False, and a report that names the field, where the messages would not be valid. `step`: by how
 * much the number of a message is, most often, more than that of the one before. */
bool message_writer_init(struct message_writer *w, const struct message_config *config,
                         uint64_t step);

/* Message k, framed, for a time in nanoseconds since 1970, into room bytes; gives its end. */
static inline char *message_write(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    return w->write(w, k, ns, to);
}

void message_writer_free(struct message_writer *w);

#endif
