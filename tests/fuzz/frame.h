#ifndef SHNEK_TESTS_FRAME_H
#define SHNEK_TESTS_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* The first two bytes of the input select options of the framer; the others are the stream. Aborts
 * the process if its frames depend on how it is split, or differ from those of a simple framer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
