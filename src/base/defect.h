#ifndef SHNEK_BASE_DEFECT_H
#define SHNEK_BASE_DEFECT_H

#include <stdint.h>

/* Why input was rejected. Both strings are static or outlive the next call of the parser. */
struct defect {
    const char *field;  /* of the grammar, as the RFC spells it */
    const char *reason; /* completes "FIELD: " */
    uint64_t offset;    /* bytes, from 0 */
};

#endif
