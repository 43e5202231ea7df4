#ifndef SHNEK_LOAD_FIELD_CHECK_H
#define SHNEK_LOAD_FIELD_CHECK_H

#include <stdbool.h>

#include "load/message-config.h"

/* Checks that the value of each option is exactly one valid field of a message. Returns false and
 * logs the option and the reason if it is not. */
bool field_check_config(const struct message_config *config);

#endif
