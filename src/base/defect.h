#ifndef SHNEK_BASE_DEFECT_H
#define SHNEK_BASE_DEFECT_H

#include <stdint.h>

/* Why input was rejected. Both strings are static or live at least until the next parser call. */
struct defect {
    const char *field;  /* of the grammar, in the RFC's spelling */
    const char *reason; /* printed after "FIELD: " */
    uint64_t offset;    /* in bytes, from 0 */
};

#endif
