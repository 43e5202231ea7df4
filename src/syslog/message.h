#ifndef SHNEK_SYSLOG_MESSAGE_H
#define SHNEK_SYSLOG_MESSAGE_H

#include "base/slice.h"
#include "syslog/structured-data.h"
#include "syslog/timestamp.h"

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
    bool bare; /* hostname to msgid are shorter than a block, each block lies in `bytes`, and has no
                  '"' or '\\' in the field */
    struct slice hostname;
    struct slice appname;
    struct slice procid;
    struct slice msgid;
    struct structured_data sd;
    struct slice msg;              /* without the BOM; at == NULL where there is no MSG */
    char minute[TIMESTAMP_MINUTE]; /* of timestamp_parse */
};

static inline void syslog_message_free(struct syslog_message *m)
{
    structured_data_free(&m->sd);
}

#endif
