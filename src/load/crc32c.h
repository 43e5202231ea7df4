#ifndef SHNEK_LOAD_CRC32C_H
#define SHNEK_LOAD_CRC32C_H

#include <stdint.h>

#include "base/slice.h"

/* CRC-32C (Castagnoli), as in RFC 3720, section 12.1. To be called before any of the others. */
void crc32c_init_tables(void);

/* Carries a sum on over more bytes; that of none is 0. */
uint32_t crc32c_update(uint32_t crc, struct slice bytes);

/* The same over a value and a byte FF behind it, or a byte FE where there is none (data == NULL).
 */
uint32_t crc32c_update_value(uint32_t crc, struct slice value);

/* As crc32c, by the table alone, which is what other processors do. */
uint32_t crc32c_update_by_table(uint32_t crc, struct slice bytes);

#endif
