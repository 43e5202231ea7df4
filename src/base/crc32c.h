#ifndef SHNEK_BASE_CRC32C_H
#define SHNEK_BASE_CRC32C_H

#include <stdint.h>

#include "base/slice.h"

/* CRC-32C (Castagnoli; RFC 3720, section 12.1). */

/* Fills the tables that all other functions use. May be called from several threads. */
void crc32c_init_tables(void);

/* Returns the checksum `crc` continued over more bytes. The checksum of no bytes is 0. */
uint32_t crc32c_update(uint32_t crc, struct slice bytes);

/* Continues over a value followed by a byte FF, or over a byte FE if it is absent. */
uint32_t crc32c_update_value(uint32_t crc, struct slice value);

/* crc32c_update() without the instruction of SSE 4.2, as on other processors. */
uint32_t crc32c_update_by_table(uint32_t crc, struct slice bytes);

#endif
