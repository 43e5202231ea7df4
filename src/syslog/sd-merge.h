#ifndef SHNEK_SYSLOG_SD_MERGE_H
#define SHNEK_SYSLOG_SD_MERGE_H

#include "syslog/structured-data.h"

/*
 * Links repeated SD-IDs and PARAM-NAMEs to their first occurrence (`repeats`, `more` and `next`).
 * Requires that nothing is linked yet. The cost is linear in the number of names.
 */
void sd_merge(struct structured_data *sd);

#endif
