#ifndef SHNEK_JSON_LOCATE_ERROR_H
#define SHNEK_JSON_LOCATE_ERROR_H

#include "base/defect.h"
#include "base/slice.h"

/* Memory of the functions below, reused from line to line. All zero is ready for use. */
struct json_checker {
    uint64_t *containers; /* json_is_valid(): a stack of bits */
    size_t container_capacity;
    void *tokens; /* json_tokenize() */
    size_t token_capacity;
    size_t token_count;
};

/*
 * Returns whether line is one JSON object and nothing else: RFC 8259, UTF-8, any depth. Linear
 * in the length, with one bit of memory for each level of nesting. Otherwise fills in the defect,
 * whose offset is the first byte at which the text cannot be valid any more, for ill-formed UTF-8
 * the first byte of the sequence.
 */
bool json_is_valid(struct json_checker *c, struct slice line, struct defect *defect);

/*
 * Tokenizes text, which must be a valid JSON object (json_is_valid()), for json_get_member(). For
 * the members of a nested object, tokenize that member. Replaces the tokens of the previous call.
 * Linear in the length. An object of more than 2 GiB appears to have no members.
 */
void json_tokenize(struct json_checker *c, struct slice text);

/*
 * Returns the value of a member of the object `text` that was tokenized last: the bytes of its JSON
 * form within text, for a string those between its quotes, which json_unescape() decodes. Of equal
 * names the first counts; a name with escapes is not found. data == NULL if there is none.
 */
struct slice json_get_member(const struct json_checker *c, struct slice text, struct slice name);

enum json_kind {
    JSON_ABSENT,
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* Returns the kind of a value of json_get_member(), JSON_ABSENT if its data is NULL. */
enum json_kind json_get_kind(struct slice value);

/* The same for members that are strings; data == NULL for others. */
struct slice json_get_string(const struct json_checker *c, struct slice line, struct slice name);

/*
 * Returns the text of the i-th token within the object or array `text` that was tokenized last: its
 * names and values in turn, or its elements. data == NULL if there are not so many.
 */
struct slice json_get_token(const struct json_checker *c, struct slice text, size_t i);

void json_checker_free(struct json_checker *c);

#endif
