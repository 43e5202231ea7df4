#ifndef SHNEK_JSON_LOCATE_ERROR_H
#define SHNEK_JSON_LOCATE_ERROR_H

#include "base/defect.h"
#include "base/slice.h"

/* Token array, reused from line to line. All zero is ready for use. */
struct json_checker {
    void *tokens;
    size_t capacity;
    int count;
};

/*
 * Returns whether line is one JSON object and nothing else: RFC 8259, UTF-8, any depth. Otherwise
 * fills in the defect, whose offset is the first byte at which the text cannot be valid any more,
 * for ill-formed UTF-8 the first byte of the sequence.
 */
bool json_is_valid(struct json_checker *c, struct slice line, struct defect *defect);

/* Tokenizes a line that is a valid JSON object, for json_get_member(). */
void json_tokenize(struct json_checker *c, struct slice line);

/* Returns the value of a member of the tokenized line's object, in its JSON form, a string without
 * its quotes. data == NULL if there is no member of that name. */
struct slice json_get_member(const struct json_checker *c, struct slice line, struct slice name);

/* The same for members that are strings; data == NULL for others. */
struct slice json_get_string(const struct json_checker *c, struct slice line, struct slice name);

/* Returns the first element of a tokenized array if that is a string, or data == NULL. */
struct slice json_get_first(const struct json_checker *c, struct slice array);

void json_checker_free(struct json_checker *c);

#endif
