#ifndef SHNEK_SYSLOG_NAME_HASH_H
#define SHNEK_SYSLOG_NAME_HASH_H

#include <stdint.h>

#include "base/slice.h"

/*
 * Names to indexes, for STRUCTURED-DATA with many of them. Its hash has a random seed for each
 * process, so no sender can choose names that collide.
 */
struct name_hash;

#define NAME_TABLE_NONE UINT32_MAX

/* Makes the table, where it is NULL, and empties it, with room for `names` names. */
struct name_hash *name_table_clear(struct name_hash *t, size_t names);

/* Sets the index of a name, and gives the one that it had, or NAME_TABLE_NONE. */
uint32_t name_table_replace(struct name_hash *t, struct slice name, uint32_t index);

void name_hash_free(struct name_hash *t);

#endif
