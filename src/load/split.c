#include "load/split.h"

#include <stdbool.h>
#include <string.h>

static const char *sd_end(const char *p)
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

struct parts parts_of(struct slice message)
{
    struct parts m = {.start = message.data, .end = message.data + message.len};
    m.version = (const char *)memchr(message.data, '>', message.len) + 1;
    const char *p = strchr(m.version, ' ') + 1;
    for (int i = 0; i < 5; i++) {
        const char *end = strchr(p, ' ');
        m.fields[i] = slice_between(p, end);
        p = end + 1;
    }
    m.sd = p;
    m.sd_end = sd_end(p);
    return m;
}
