#ifndef SHNEK_SYSLOG_RFC5424_H
#define SHNEK_SYSLOG_RFC5424_H

#include "base/defect.h"
#include "syslog/message.h"
#include "syslog/rfc5424-fast.h"

/* The whole of it from `p`, the SP behind MSGID, or, where that is NULL, from its beginning. */
bool rfc5424_parse_from(struct slice message, const char *p, struct syslog_message *m,
                        struct defect *defect);

/*
 * Takes one message of RFC 5424, section 6, as it comes out of its frame, into `m`. The grammar is
 * kept strictly, but that an SD-ID may repeat; invalid UTF-8 in MSG and PARAM-VALUE is no defect.
 * False, and the defect, where it is not kept.
 */
static inline __attribute__((always_inline)) bool
rfc5424_parse(struct slice message, struct syslog_message *m, struct defect *defect)
{
    const char *end = message.data + message.len;
    const char *p = usual_header(message.data, end, m);
    if (!p || end - p < 3 || memcmp(p + 1, "- ", 2) != 0)
        return rfc5424_parse_from(message, p, m, defect);
    m->bytes = message;
    m->version = 1;
    m->sd.element_count = m->sd.param_count = 0;
    m->msg = slice_between(skip_bom(p + 3, end), end);
    return true;
}

#endif
