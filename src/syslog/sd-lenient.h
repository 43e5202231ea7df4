#ifndef SHNEK_SYSLOG_SD_LENIENT_H
#define SHNEK_SYSLOG_SD_LENIENT_H

#include "syslog/structured-data.h"

/*
 * Parses 1*SD-ELEMENT at `p` with the common defects that shnek-parse(1) lists: long names, blanks,
 * values without quotes. Returns the byte after it, SP or the end, or NULL with `sd` empty. The
 * cost is linear in the number of bytes.
 */
const char *sd_lenient_parse(const char *p, const char *end, struct structured_data *sd);

#endif
