#include "load/split.h"

#include <stdbool.h>
#include <string.h>

/* Returns the end of the STRUCTURED-DATA at p. */
static const char *split_skip_sd(const char *p)
{
    bool quoted = false;
    if (*p == '-')
        return p + 1;
    for (;; p++) {
        if (quoted && *p == '\\')
            p++;
        else if (*p == '"')
            quoted = !quoted;
        else if (!quoted && *p == ']' && p[1] != '[')
            return p + 1;
    }
}

struct message_parts split_message(struct slice message)
{
    struct message_parts parts = {.start = message.data, .end = message.data + message.len};
    parts.version = (const char *)memchr(message.data, '>', message.len) + 1;
    const char *p = strchr(parts.version, ' ') + 1;
    for (int i = 0; i < 5; i++) {
        const char *end = strchr(p, ' ');
        parts.fields[i] = slice_between(p, end);
        p = end + 1;
    }
    parts.sd = p;
    parts.sd_end = split_skip_sd(p);
    return parts;
}
