#ifndef SHNEK_TESTS_LINE_TEMPLATE_H
#define SHNEK_TESTS_LINE_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

/* Aborts the process if the subject, header or identifier of a line of the input is wrong. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
