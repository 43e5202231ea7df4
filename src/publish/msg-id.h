#ifndef SHNEK_PUBLISH_MSG_ID_H
#define SHNEK_PUBLISH_MSG_ID_H

#include "json/locate-error.h"

enum {
    MSG_ID_SIZE = 1024,   /* bytes, with the NUL */
    MSG_ID_BATCH_MAX = 80 /* bytes; of a batch, without it */
};

/*
 * How identifiers (Nats-Msg-Id) are made: "auto", from the position in the input; "hash", the
 * SHA-256 of the line or the batch; or a template with members of the line in braces.
 */
struct msg_id {
    const char *rule;
    uint64_t input_id; /* for auto */
    struct json_checker json;
};

/* Returns NULL if `rule` is a valid rule, else what is wrong with it. */
const char *msg_id_defect(const char *rule);

/* Returns whether batches can have identifiers by the rule: it is auto or hash. */
bool msg_id_is_for_batches(const char *rule);

/*
 * Writes the identifier of a line to `id`, of MSG_ID_SIZE bytes: by the rule, or the hash if a
 * member of the template is missing or null, or the result is empty or too long.
 */
void msg_id_format(struct msg_id *m, uint64_t offset, struct slice line, char *id);

/*
 * Writes the identifier of a batch of `count` records, of which `offset` is the first, to `id`:
 * equal batches have equal ones. The rule is auto or hash.
 */
void msg_id_format_batch(struct msg_id *m, uint64_t offset, uint32_t count, struct slice batch,
                         char *id);

void msg_id_free(struct msg_id *m);

#endif
