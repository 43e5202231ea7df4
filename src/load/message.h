#ifndef SHNEK_LOAD_MESSAGE_H
#define SHNEK_LOAD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "load/random.h"
#include "load/template-set.h"
#include "syslog/timestamp.h"

/* The last message, if the next one differs from it only in the number and in the time. */
struct message_pattern {
    struct buffer bytes;  /* with the framing */
    char *fraction;       /* the six digits in TIMESTAMP, or NULL */
    char *number;         /* the end of the number, or NULL */
    unsigned digits;      /* of the number */
    uint64_t next_number; /* the only message that can be derived from it */
    uint64_t second_ns;   /* start of the second of TIMESTAMP, in ns since 1970 */
};

/* Writes numbered messages from templates. The fields are private, except space and min_len. */
struct message_writer {
    const struct message_config *config;
    char *(*write)(struct message_writer *w, uint64_t k, uint64_t ns, char *to);
    struct timestamp_writer clock;
    struct timestamp_writer utc_clock;
    struct random size_random;
    struct random template_random;
    bool random_order; /* of the templates; otherwise message k has template k % count */
    struct template_set templates;
    struct template *template; /* of the current message */
    struct message_pattern pattern;
    uint64_t step;            /* from one message to the next */
    struct buffer msg;        /* MSG, for its checksum */
    struct buffer normalized; /* MSG as the checksum covers it */
    size_t space;             /* bytes that message_write() requires */
    size_t min_len;           /* bytes of the shortest message, without its framing */
    unsigned number_digits;   /* of the last number */
    uint64_t digits_until;    /* the next number with more digits */
};

/*
 * Checks `config`, which must outlive the writer, and loads its templates. `step` is the usual
 * distance between the numbers of consecutive messages. Returns false and logs the reason if the
 * messages would be invalid; message_writer_free() is required in either case.
 */
bool message_writer_init(struct message_writer *w, const struct message_config *config,
                         uint64_t step);

/* Writes message k, framed, with a time in ns since 1970, to w->space bytes. Returns its end. */
static inline char *message_write(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    return w->write(w, k, ns, to);
}

void message_writer_free(struct message_writer *w);

#endif
