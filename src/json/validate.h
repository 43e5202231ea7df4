#ifndef SHNEK_JSON_VALIDATE_H
#define SHNEK_JSON_VALIDATE_H

#include <stdint.h>

#include "base/slice.h"

/*
 * State of json_validate() across lines: the names of the last line in order, each with the bytes
 * around it, such as `,"msg":`. Lines of one producer usually have the same names, which are then
 * recognized by one comparison. All zero is ready for use.
 */
struct json_validator {
    struct json_name {
        uint64_t bytes[2]; /* in memory order, padded with all ones */
        uint64_t mask[2];  /* all ones in the padding */
        size_t len;
    } names[16];
};

enum { JSON_VALIDATE_DEPTH = 62 };

/*
 * Checks the first line of text, which must end with LF. Returns the LF of that line if it is one
 * JSON object and nothing else, as defined by json_is_valid(). Returns NULL if it is invalid or
 * nested deeper than JSON_VALIDATE_DEPTH; json_is_valid() then decides and locates the error.
 */
const char *json_validate(struct json_validator *j, struct slice text);

#endif
