#ifndef SHNEK_SYSLOG_PARSE_H
#define SHNEK_SYSLOG_PARSE_H

#include "base/defect.h"
#include "syslog/lenient-time.h"
#include "syslog/rfc3164-fast.h"
#include "syslog/rfc3164-host.h"
#include "syslog/rfc5424-fast.h"

enum syslog_format {
    FORMAT_RFC5424, /* only valid RFC 5424 */
    FORMAT_AUTO,    /* RFC 5424, even with common defects, else RFC 3164 or any other line */
    FORMAT_RFC3164  /* RFC 3164 or any other line */
};

struct syslog_parser {
    enum syslog_format format;
    struct lenient_time time; /* of FORMAT_AUTO and FORMAT_RFC3164 */
    enum host_mode host;      /* the same */
    struct rfc3164_fast fast; /* of these with HOST_RULE */
};

/* syslog_parse() for messages that the accelerators do not accept. */
bool syslog_parse_slow(struct syslog_parser *parser, struct slice message, struct syslog_message *m,
                       struct defect *defect);

/*
 * Parses one message, without its framing, into `m`, whose slices are valid until the next call.
 * Returns false with the defect if the format does not accept it.
 */
static inline bool syslog_parse(struct syslog_parser *parser, struct slice message,
                                struct syslog_message *m, struct defect *defect)
{
    if (parser->format != FORMAT_RFC3164 && __builtin_expect(rfc5424_fast_parse(message, m), 1))
        return true;
    if (parser->format != FORMAT_RFC5424 && parser->host == HOST_RULE &&
        rfc3164_fast_parse(&parser->fast, message, &parser->time, m))
        return true;
    return syslog_parse_slow(parser, message, m, defect);
}

#endif
