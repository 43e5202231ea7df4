#ifndef SHNEK_PUBLISH_SPOOL_RECOVERY_H
#define SHNEK_PUBLISH_SPOOL_RECOVERY_H

#include "publish/spool-file.h"

/*
 * Finds what the previous process left in a mapped file, after it was killed or after a power
 * failure: the latest cursor, extended by blocks that are complete. Loads the ring from the file if
 * `is_private`. Blocks whose data is missing are logged, and become lines that are marked. Returns
 * false and logs the reason if there is no valid cursor.
 */
bool spool_recover(struct spool_file *f, bool is_private, struct spool_cursor *cursor,
                   bool *has_loss);

/* Returns the number of bytes that a read, which the process did not survive, added to the end. */
size_t spool_find_unsaved(const struct spool_file *f, const struct spool_cursor *cursor);

static inline uint64_t spool_cursor_end(const struct spool_cursor *c)
{
    return c->last.number * SPOOL_BLOCK + c->last.all.length;
}

#endif
