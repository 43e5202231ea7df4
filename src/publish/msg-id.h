#ifndef SHNEK_PUBLISH_MSG_ID_H
#define SHNEK_PUBLISH_MSG_ID_H

#include "json/locate-error.h"
#include "publish/line-template.h"

enum {
    MSG_ID_SIZE = LINE_TEMPLATE_CAPACITY, /* bytes */
    MSG_ID_BATCH_MAX = 80                 /* bytes; of a batch, without NUL */
};

/*
 * How identifiers (Nats-Msg-Id) are made: "auto", from the position in the input; "hash", the
 * SHA-256 of the line or the batch; or a template.
 */
struct msg_id {
    uint64_t input_id; /* for auto */
    bool is_auto;
    bool checks_lines;             /* lines may be invalid; these have no members */
    struct line_template template; /* unused if it has no field */
    struct member_scan scan;
    struct json_checker checker;
};

/*
 * Returns false if `rule` is invalid, and writes the reason to error_text, of
 * LINE_TEMPLATE_TEXT_MAX bytes; msg_id_free() must be called then, too.
 */
bool msg_id_init(struct msg_id *m, const char *rule, char *error_text);

/* Returns whether batches can have identifiers by the rule: it is auto or hash. */
bool msg_id_is_for_batches(const char *rule);

/*
 * Writes the identifier of a line to `id`, of MSG_ID_SIZE bytes: by the rule, or the hash if the
 * template results in none; see line_template_expand().
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
