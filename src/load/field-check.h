#ifndef SHNEK_LOAD_FIELD_CHECK_H
#define SHNEK_LOAD_FIELD_CHECK_H

#include <stdbool.h>

#include "load/message.h"

/* Whether each value is one field in the place that its option has in a message; a report that
 * names the option says which is not. */
bool field_check_config(const struct message_config *config);

#endif
