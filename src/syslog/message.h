#ifndef SHNEK_SYSLOG_MESSAGE_H
#define SHNEK_SYSLOG_MESSAGE_H

#include "base/slice.h"
#include "syslog/structured-data.h"

/* Of the last TIMESTAMP that was as usual, which the next one is compared with. */
struct usual_time {
    char minute[16]; /* "2026-11-22T17:04" */
    char range[16];  /* of usual-header.h: how many digits the fraction has */
    size_t zone;     /* where 'Z' or the offset is; 0: there was no last one */
    uint64_t offset;
};

/*
 * What every way of reading a message finds. The slices point into its bytes, or to what the reader
 * wrote; data == NULL: there is none, as where NILVALUE stands. All zero is ready for use; `sd` is
 * used anew for each message.
 */
struct syslog_message {
    struct slice bytes; /* the whole message */
    unsigned pri;
    unsigned version; /* 0: that of RFC 3164, which has none */
    struct slice timestamp;
    bool bare; /* as usual_header says; else false */
    struct slice hostname;
    struct slice appname;
    struct slice procid;
    struct slice msgid;
    struct structured_data sd;
    struct slice msg; /* without the BOM; data == NULL where there is no MSG */
    struct usual_time time;
};

static inline void syslog_message_free(struct syslog_message *m)
{
    structured_data_free(&m->sd);
}

#endif
