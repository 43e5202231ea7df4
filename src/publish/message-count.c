#include "publish/message-count.h"

#include <stddef.h>
#include <stdio.h>

const char *message_count_format(char *to, uint64_t count)
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *p = to;
    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *p++ = ',';
        *p++ = digits[i];
    }
    snprintf(p, (size_t)(to + MESSAGE_COUNT_MAX - p), " message%s", count == 1 ? "" : "s");
    return to;
}
