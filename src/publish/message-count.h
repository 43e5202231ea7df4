#ifndef SHNEK_PUBLISH_MESSAGE_COUNT_H
#define SHNEK_PUBLISH_MESSAGE_COUNT_H

#include <stdint.h>

enum { MESSAGE_COUNT_MAX = 48 };

/* Writes "1 message" or "12,345 messages" to `to`, of MESSAGE_COUNT_MAX bytes, and returns `to`. */
const char *message_count_format(char *to, uint64_t count);

#endif
