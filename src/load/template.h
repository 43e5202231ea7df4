#ifndef SHNEK_LOAD_TEMPLATE_H
#define SHNEK_LOAD_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "load/message-config.h"
#include "load/sequence.h"

enum { TEMPLATE_NUMBER_MAX = 20 /* digits */, TEMPLATE_PADDING = '.' };

#define TEMPLATE_CRC_PARAM "\" crc=\""

/* The constant parts of the sequence element, and its values. */
struct template_sequence {
    struct sequence_values values;
    struct buffer connection_count; /* in digits */
    struct buffer lead;             /* up to the value of conn */
    struct buffer middle;           /* from there to the value of n */
    size_t text_len;                /* of the text that shared_crc covers; SIZE_MAX: not computed */
    uint32_t shared_crc;
};

/*
 * A message without its variable parts, which are in angle brackets:
 *
 *     head <timestamp> middle <number> <sequence element> text
 *
 * The text is padded to the largest size that can be drawn, and is truncated to the one that is.
 */
struct template
{
    struct buffer head;
    bool has_timestamp; /* generated for each message */
    bool utc;           /* with Z */
    struct buffer middle;
    bool has_number;
    struct template_sequence sequence;
    struct buffer text;
    size_t prefix_len;        /* bytes of the text before MSG */
    size_t text_len;          /* bytes of the text without its padding */
    size_t before_number_len; /* bytes of the message before the number */
    bool no_msg;
};

/* Initializes a template from `config`, whose strings must outlive it. */
void template_init(struct template *t, const struct message_config *config);

/* Initializes a template that has no variable part: every message is a copy of the line. */
void template_init_line(struct template *t, struct slice line);

/* Return the largest and the smallest size of a message, in bytes without its framing. */
size_t template_max_len(const struct template *t, const struct message_config *config);
size_t template_min_len(const struct template *t, const struct message_config *config);

/* Returns false and logs the reason if --size is too small or a line end breaks the framing. */
bool template_check(const struct template *t, const struct message_config *config);

void template_free(struct template *t);

#endif
