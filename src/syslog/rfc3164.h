#ifndef SHNEK_SYSLOG_RFC3164_H
#define SHNEK_SYSLOG_RFC3164_H

#include "base/defect.h"
#include "syslog/lenient-time.h"
#include "syslog/message.h"
#include "syslog/rfc3164-host.h"

struct rfc3164_options {
    enum host_mode host;
    bool version_0; /* removes VERSION 0 before TIMESTAMP, as VERSION 1 */
};

/*
 * Parses an RFC 3164 message, or any other line, into `m`, by the rules that shnek-parse(1) lists;
 * all that they do not cover belongs to MSG. Returns false with the defect only if there is no text
 * after PRI. The TIMESTAMP points to time->text.
 */
bool rfc3164_parse(struct slice message, const struct rfc3164_options *options,
                   struct lenient_time *time, struct syslog_message *m, struct defect *defect);

/* Returns the position of PRI: after a BOM, and after SPs if a PRI follows them. */
const char *rfc3164_start(struct slice message);

#endif
