#ifndef SHNEK_SYSLOG_MESSAGE_H
#define SHNEK_SYSLOG_MESSAGE_H

#include "base/slice.h"
#include "syslog/structured-data.h"

enum { USUAL_MINUTE = 16 }; /* "2026-11-22T17:04" */

/*
 * What every way of reading a message finds. The slices point into its bytes, or to what the reader
 * wrote; at == NULL: there is none, as where NILVALUE stands. All zero is ready for use; `sd` is
 * used anew for each message.
 */
struct syslog_message {
    struct slice bytes; /* the whole message */
    unsigned facility;
    unsigned severity;
    unsigned version; /* 0: that of RFC 3164, which has none */
    struct slice timestamp;
    bool bare; /* as usual_header says; else false */
    struct slice hostname;
    struct slice appname;
    struct slice procid;
    struct slice msgid;
    struct structured_data sd;
    struct slice msg;          /* without the BOM; at == NULL where there is no MSG */
    char minute[USUAL_MINUTE]; /* of usual_header: of the last TIMESTAMP */
};

static inline void syslog_message_free(struct syslog_message *m)
{
    structured_data_free(&m->sd);
}

#endif
