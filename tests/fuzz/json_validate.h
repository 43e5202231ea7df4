#ifndef SHNEK_TESTS_JSON_CHECK_H
#define SHNEK_TESTS_JSON_CHECK_H

#include <stddef.h>
#include <stdint.h>

/* Ends the process where json_line and json_is_valid disagree. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
