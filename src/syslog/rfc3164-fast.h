#ifndef SHNEK_SYSLOG_RFC3164_FAST_H
#define SHNEK_SYSLOG_RFC3164_FAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "syslog/lenient-time.h"
#include "syslog/message.h"

/*
 * An accelerator for the usual RFC 3164 message. It parses a whole header with the same result as
 * rfc3164_parse() with HOST_RULE, or declines, and then that decides. Build without it by
 * `make CPPFLAGS=-DSHNEK_NO_FAST_PATH`.
 *
 *     <38>Nov 22 17:00:00 web1 sshd[4123]: text                   the host is optional
 *     <38>2026-11-22T17:00:00.123456+01:00 web1 kernel: text      rsyslog's forward format
 *     <189>44: sw1: *Nov 22 17:00:00.123 CET: %SYS-5-CONFIG_I: text
 *                                                                 Cisco; up to 3 counters, or none
 *
 * It declines whenever another rule of shnek-parse(1) could apply: other blanks or signs, names
 * that can be a level or part of the time, a mnemonic after a TAG. Nothing outside the message is
 * read.
 *
 * A time is looked up by its minute and its zone, which are those of other messages most often:
 *
 *     Nov 22 17:00:00.123 CET:    ->    2026-11-22T17:00: 00 .123 +01:00
 *     '-- minute -'      '---'          '---- cached ---'         '----'
 *
 * lenient_time_read() converts the first and the last second of a minute that is not cached. If
 * both results differ in the second only, they are those of all seconds between: the year and the
 * offset change at most once in a minute.
 */

enum { RFC3164_FAST_SLOTS = 8 };

struct rfc3164_fast_minute {
    uint64_t key[4]; /* text of the minute, and its zone; all zero if the slot is empty */
    char start[17];  /* "2026-11-22T17:00:" */
    char zone[7];    /* 'Z' or the offset */
    size_t zone_len;
};

/* Times of one parser, in its time zone. All zero is ready for use. */
struct rfc3164_fast {
    int64_t now; /* time->now of the minutes */
    struct rfc3164_fast_minute minutes[RFC3164_FAST_SLOTS];
};

/*
 * Fills `m` and returns true if `message` is usual; its TIMESTAMP points to time->text. Otherwise
 * returns false, and rfc3164_parse() or another parser must parse the message from the start.
 * `time->tz` must be the same in all calls with `f`.
 */
bool rfc3164_fast_parse(struct rfc3164_fast *f, struct slice message, struct lenient_time *time,
                        struct syslog_message *m);

#endif
