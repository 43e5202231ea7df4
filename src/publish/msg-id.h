#ifndef SHNEK_PUBLISH_MSG_ID_H
#define SHNEK_PUBLISH_MSG_ID_H

#include "json/locate-error.h"

enum { MSG_ID_SIZE = 1024 /* bytes, with the NUL */ };

/*
 * How identifiers (Nats-Msg-Id) are made: "auto", from the position in the input; "hash", the
 * SHA-256 of the line; or a template with members of the line in braces.
 */
struct msg_id {
    const char *rule;
    uint64_t input_id; /* for auto */
    struct json_checker json;
};

/* Returns NULL if `rule` is a valid rule, else what is wrong with it. */
const char *msg_id_defect(const char *rule);

/*
 * Writes the identifier of a line to `id`, of MSG_ID_SIZE bytes: by the rule, or the hash if a
 * member of the template is missing or null, or the result is empty or too long.
 */
void msg_id_format(struct msg_id *m, uint64_t offset, struct slice line, char *id);

void msg_id_free(struct msg_id *m);

#endif
