#ifndef SHNEK_JSON_VALIDATE_H
#define SHNEK_JSON_VALIDATE_H

#include <stdint.h>

#include "base/slice.h"

/*
 * What json_line keeps from line to line: the names that it met last, in their order, each with
 * what stands around it, such as `,"msg":`. Lines of one origin have the same ones, and what is
 * expected is found sooner than what has to be looked for. All zero is ready for use.
 */
struct json_validator {
    struct json_name {
        uint64_t text[2];   /* as it stands in memory, all ones where it has ended */
        uint64_t beyond[2]; /* all ones there */
        size_t length;
    } names[16];
};

enum { JSON_VALIDATE_DEPTH = 62 };

/*
 * The LF of the line that begins at text.at, where that line is one JSON object and nothing more,
 * as json_is_valid has it. NULL where it is not, or nests deeper than JSON_VALIDATE_DEPTH:
 * json_is_valid then decides, and tells why. The text has at least one line, and ends with LF.
 */
const char *json_validate(struct json_validator *j, struct slice text);

#endif
