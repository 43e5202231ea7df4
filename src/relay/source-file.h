#ifndef SHNEK_RELAY_SOURCE_FILE_H
#define SHNEK_RELAY_SOURCE_FILE_H

#include <stdbool.h>

#include "base/signals.h"
#include "relay/config.h"
#include "relay/pipeline.h"

/*
 * Reads the configured files, or stdin, one after the other until their end, a drain or a failure
 * of the sink. Returns false if any of them was not read completely; the reason was logged.
 */
bool source_file_read_all(const struct relay_config *config, struct pipeline *pipeline,
                          struct signals *signals);

#endif
