#ifndef SHNEK_SYSLOG_SD_MERGE_H
#define SHNEK_SYSLOG_SD_MERGE_H

#include "syslog/structured-data.h"

/* Chains what repeats to its first occurrence, where nothing is chained yet. */
void sd_merge(struct structured_data *sd);

#endif
