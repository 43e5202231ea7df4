#ifndef SHNEK_PUBLISH_REPLY_H
#define SHNEK_PUBLISH_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json/locate-error.h"

/* A JSON object that NATS sent. All zero is ready for use. */
struct reply {
    struct json_checker checker;
    struct slice text; /* borrowed */
};

struct reply_error {
    uint64_t code;     /* as of HTTP; 0 if missing */
    uint64_t err_code; /* of JetStream; 0 if missing */
    char text[256];
};

/* Returns false unless `text` is one valid JSON object. */
bool reply_parse(struct reply *r, struct slice text);

/*
 * Decodes a string to `to`, of `size` bytes, and ends it with a NUL. Returns false if there is no
 * such member, if it is not a string, or if it is too long.
 */
bool reply_get_text(const struct reply *r, const char *name, char *to, size_t size);

/* Returns false if there is no such member, or if it is not an unsigned integer. */
bool reply_get_number(const struct reply *r, const char *name, uint64_t *value);

/* Returns whether the member is the literal true. */
bool reply_is_true(const struct reply *r, const char *name);

/* Continues with the object that is the value of a member. Returns false if it is not an object. */
bool reply_enter(struct reply *r, const char *name);

/* Returns whether the reply is an error, and fills it in. The reply must then be parsed again. */
bool reply_get_error(struct reply *r, struct reply_error *error);

void reply_free(struct reply *r);

#endif
