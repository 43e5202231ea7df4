#include "syslog/msg-len.h"

#include <stdint.h>

#include "syslog/field-parse.h"
#include "syslog/pri.h"

size_t msg_len_prefix(struct slice message)
{
    const char *end = message.data + message.len;
    const char *p = message.data;
    uint64_t msg_len = 0;
    unsigned pri;
    if (p == end || *p == '0')
        return 0;
    for (; p < end && is_digit(*p) && p - message.data < MSG_LEN_DIGITS; p++)
        msg_len = msg_len * 10 + (uint64_t)(*p - '0');
    if (p == message.data || p == end || *p++ != ' ' || !pri_read(p, end, &pri))
        return 0;
    uint64_t rest = (uint64_t)(end - p);
    return msg_len == rest || msg_len == rest + 1 ? (size_t)(p - message.data) : 0;
}
