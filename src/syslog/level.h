#ifndef SHNEK_SYSLOG_LEVEL_H
#define SHNEK_SYSLOG_LEVEL_H

#include "base/slice.h"

/* Words in a message that name its severity. */

/*
 * Whether `word` is a level of a logging library, such as WARN or critical, in upper or lower case.
 * Sets its severity (RFC 5424, section 6.2.1).
 */
bool level_read(struct slice word, unsigned *severity);

/* Whether `word` is facility.severity in lower case, such as daemon.info. Sets its PRI. */
bool level_read_pri(struct slice word, unsigned *pri);

/*
 * Whether `word` is the topics of a RouterOS message, such as wireless,info: two or more words in
 * lower case, one of which is a level.
 */
bool level_is_topics(struct slice word);

#endif
