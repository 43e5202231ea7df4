#ifndef SHNEK_BASE_PRINTABLE_H
#define SHNEK_BASE_PRINTABLE_H

#include "base/slice.h"

/*
 * Copies text of unknown origin so that a terminal prints it as one line, in its order, and
 * executes none of it. '?' replaces each control character (C0, DEL, C1), line or paragraph
 * separator, control of bidirectional text, and maximal subpart of ill-formed UTF-8. Returns the
 * length of the copy, which is at most text.len; `to` may be text.data.
 */
size_t printable_copy(char *to, struct slice text);

#endif
