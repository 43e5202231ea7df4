#ifndef SHNEK_SYSLOG_RFC5424_FAST_H
#define SHNEK_SYSLOG_RFC5424_FAST_H

#include <stdbool.h>

#include "base/slice.h"
#include "syslog/message.h"

/*
 * An accelerator for the usual RFC 5424 message. It recognises valid messages only, with the same
 * result as rfc5424_parse_reference(), which decides about all others. Build without it by
 * `make CPPFLAGS=-DSHNEK_NO_FAST_PATH`.
 *
 * A message must be longer than one window of RFC5424_FAST_WINDOW bytes. All of PRI, VERSION and
 * TIMESTAMP is then read without looking for the end:
 *
 *     0      7                               39       48
 *     |      |                               |        |
 *     <165>1 2024-12-15T21:08:09.484123+09:00 web1.example.net nginx 3126 ID47 [x@1 k="v"] text
 *            '--- minute ---''--- second ---'        '- no read goes beyond
 *
 * The minute, the number of fraction digits and the offset are compared with those of the last
 * TIMESTAMP, which most often are equal, and validated only if they differ.
 *
 * From HOSTNAME on, a window is a word with one bit for each of the next 48 bytes, set for a mark:
 * SP, '"', '\\' and every byte that is not PRINTUSASCII. Four marks, all of them SP, end the four
 * fields:
 *
 *     bytes  mantoshkin-pc spamlog 18895 0 - hello from rust!     (bit 0 is on the left)
 *     marks  000000000000010000000100000101010000010000100000
 *                         ^       ^     ^ ^   ends of HOSTNAME, APP-NAME, PROCID and MSGID
 *
 * In STRUCTURED-DATA there are two such words, one with the bytes that can end an SD-NAME and one
 * with those that can end a PARAM-VALUE or need an escape in JSON; both are shifted as the cursor
 * moves, and filled again when they are empty:
 *
 *     bytes  x@1 k="a b\"c"][y] text
 *     name   00010110101101100110000
 *     value  00000010001101100100000
 *
 * Near the end of the message a window is loaded from blocks that overlap or begin before it, so
 * nothing is read outside the message.
 */
enum { RFC5424_FAST_WINDOW = 48 };

/*
 * Fills `m`, including header_verbatim and the flags of sd, and returns true if `message` is valid
 * and usual. Otherwise returns false and reports no defect; nothing in `m` is valid then but its
 * allocations and its cache, and rfc5424_parse_reference() must parse the message from the start.
 */
bool rfc5424_fast_parse(struct slice message, struct syslog_message *m);

#endif
