#ifndef SHNEK_SYSLOG_MESSAGE_H
#define SHNEK_SYSLOG_MESSAGE_H

#include "base/slice.h"
#include "syslog/structured-data.h"

/* The form of the last TIMESTAMP that rfc5424-fast.c validated; no other file uses it. */
struct timestamp_cache {
    char minute[16];   /* "2026-11-22T17:04" */
    char range[16];    /* of the bytes after it: how far each may be above ":00.000000" */
    size_t offset_pos; /* of 'Z' or the offset in the TIMESTAMP; 0 if nothing is cached */
    uint64_t offset;   /* "+01:00" as a word, 0 if none is cached */
};

/*
 * A parsed message. Its slices point into `bytes` or to memory of the parser, and are valid until
 * that parses again; data == NULL means absent, as for NILVALUE. All zero is ready for use; `sd` is
 * reused from message to message, and syslog_message_free() releases it.
 */
struct syslog_message {
    struct slice bytes; /* the whole message */
    unsigned pri;
    unsigned version; /* 1, or 0 for RFC 3164, which has none */
    struct slice timestamp;
    /*
     * If true, json/record.c may copy the header in whole blocks, without a search for characters
     * to escape: TIMESTAMP as 32 bytes, HOSTNAME as 2 blocks of SIMD_SIZE, and APP-NAME, PROCID and
     * MSGID, each shorter than a block, as one. From the first byte of each field so many can be
     * read, and no field has a '"' or '\\'. False promises nothing.
     */
    bool header_verbatim;
    bool rfc3164_verbatim; /* the same if version is 0, and there is a TIMESTAMP */
    struct slice hostname;
    struct slice appname;
    struct slice procid;
    struct slice msgid;
    struct structured_data sd;
    struct slice msg; /* without its BOM; data == NULL if there is no MSG */
    struct timestamp_cache cache;
};

static inline void syslog_message_free(struct syslog_message *m)
{
    structured_data_free(&m->sd);
}

#endif
