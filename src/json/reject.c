#include "json/reject.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/defect.h"
#include "json/raw.h"

void reject_write(struct buffer *out, const char *source, uint64_t number,
                  const struct defect *defect, struct slice raw, struct slice meta)
{
    struct slice name = {source, strlen(source)};
    char error[128];
    int error_len = snprintf(error, sizeof error, "%s: %s", defect->field, defect->reason);
    char *to = buffer_reserve(out, 256 + JSON_STRING_CAPACITY(name.len) +
                                       JSON_STRING_CAPACITY(sizeof error) + RAW_CAPACITY(raw.len) +
                                       meta.len);
    to = json_literal(to, "{\"source\":");
    to = json_quote(to, name);
    to += sprintf(to, ",\"number\":%" PRIu64 ",\"error\":", number);
    to = json_quote(to, (struct slice){error, (size_t)error_len});
    to += sprintf(to, ",\"offset\":%" PRIu64, defect->offset);
    to = raw_write(to, raw);
    if (meta.len)
        to = json_copy(to, meta);
    to = json_literal(to, "}\n");
    buffer_commit(out, to);
}
