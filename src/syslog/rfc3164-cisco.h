#ifndef SHNEK_SYSLOG_RFC3164_CISCO_H
#define SHNEK_SYSLOG_RFC3164_CISCO_H

#include "syslog/lenient-time.h"
#include "syslog/message.h"
#include "syslog/rfc3164-tag.h"
#include "syslog/rfc3164-word.h"

/* The parts that Cisco devices and others write around TIMESTAMP, by rules 3 and 4. */

/*
 * Returns the mnemonic at `p`, or after ": " or "%$VDC-2%$ ", or NULL if there is none. Other text
 * before it is not skipped.
 */
const char *cisco_find_mnemonic(const char *p, const char *end);

/*
 * Parses what is in place of TIMESTAMP after PRI: sequence numbers, the name of the device, its
 * module or its task, and TIMESTAMP. Sets the fields of `m` that it finds. Returns the byte after
 * it, or NULL if the text at `p` is nothing of this kind.
 */
const char *cisco_parse_prefix(struct lenient_time *time, const char *p, const char *end,
                               struct syslog_message *m);

/*
 * Reads the rest of a second header, of which `w` is the first word, after the HOSTNAME of a relay,
 * and the mnemonic after it as `tag`. Returns the byte after it, or NULL if there is no such
 * header. Sets `has_time` to whether a time follows, perhaps after sequence numbers, a host or a
 * module.
 */
const char *cisco_read_second_header(const struct word *w, const char *end, struct tag *tag,
                                     bool *has_time);

#endif
