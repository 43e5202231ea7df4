#ifndef SHNEK_SYSLOG_NAME_HASH_H
#define SHNEK_SYSLOG_NAME_HASH_H

#include <stdint.h>

#include "base/slice.h"

/*
 * A hash table from names to indexes, for STRUCTURED-DATA with many names. It has a random seed, so
 * that a sender cannot choose names that collide.
 */
struct name_hash;

#define NAME_HASH_NONE UINT32_MAX

/* Empties the table, with capacity for `names` names; allocates it if `t` is NULL. */
struct name_hash *name_hash_reset(struct name_hash *t, size_t names);

/*
 * Sets the index of a name. Returns its previous index, or NAME_HASH_NONE. The bytes of the name
 * are borrowed until the next reset.
 */
uint32_t name_hash_replace(struct name_hash *t, struct slice name, uint32_t index);

void name_hash_destroy(struct name_hash *t);

#endif
