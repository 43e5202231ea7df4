#ifndef SHNEK_SYSLOG_RFC5424_H
#define SHNEK_SYSLOG_RFC5424_H

#include <stdint.h>

#include "base/report.h"
#include "base/slice.h"
#include "syslog/structured-data.h"

/* A message of RFC 5424, section 6. The slices point into its bytes; at == NULL is NILVALUE. */
struct rfc5424 {
    size_t length; /* of the whole message */
    unsigned facility;
    unsigned severity;
    struct slice timestamp;
    struct slice hostname;
    struct slice appname;
    struct slice procid;
    struct slice msgid;
    struct structured_data sd;
    struct slice msg; /* without the BOM; at == NULL where there is no MSG */
};

/*
 * Takes one message, as it comes out of its frame, into `m`, whose `sd` is used anew. The grammar
 * is kept strictly, but that an SD-ID may repeat; invalid UTF-8 in MSG and PARAM-VALUE is no
 * defect. False, and the defect, where it is not kept.
 */
bool rfc5424_parse(struct slice message, struct rfc5424 *m, struct defect *defect);

void rfc5424_free(struct rfc5424 *m);

#endif
