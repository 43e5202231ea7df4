#ifndef SHNEK_TESTS_JSON_VALIDATE_H
#define SHNEK_TESTS_JSON_VALIDATE_H

#include <stddef.h>
#include <stdint.h>

/* Aborts the process if json_validate() and json_is_valid() disagree about a line of the input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
