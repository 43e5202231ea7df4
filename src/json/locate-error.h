#ifndef SHNEK_JSON_LOCATE_ERROR_H
#define SHNEK_JSON_LOCATE_ERROR_H

#include "base/defect.h"
#include "base/slice.h"

/* What json_is_valid keeps from line to line. All zero is ready for use. */
struct json_checker {
    void *tokens;
    size_t capacity;
    int count;
};

/*
 * Whether a line is one JSON object and nothing more: RFC 8259 and UTF-8, at any depth. False, and
 * the defect, whose offset is that of the first byte at which the text can no longer be valid (of
 * an ill-formed UTF-8 sequence, its first).
 */
bool json_is_valid(struct json_checker *c, struct slice line, struct defect *defect);

/* Makes json_get_member ready for a line that is a JSON object. */
void json_tokenize(struct json_checker *c, struct slice line);

/* A member of that line's object, as it stands there, a string without its quotes; data == NULL
 * where there is none. */
struct slice json_get_member(const struct json_checker *c, struct slice line, struct slice name);

void json_checker_free(struct json_checker *c);

#endif
