#ifndef SHNEK_PUBLISH_UNDELIVERED_H
#define SHNEK_PUBLISH_UNDELIVERED_H

#include <pthread.h>

#include "publish/window.h"

/*
 * Where the lines go that were read, and that the server will not have from this process: to a
 * file, to stdout, or they stay in the spool.
 */
struct spill {
    struct window *window;
    const char *path;
    const char *spool;
    pthread_mutex_t reading;
};

void spill_start(struct spill *s, struct window *w, const char *path, const char *spool);

/* Around each reading into the window, so that an abort takes all of it or none. */
void spill_hold(struct spill *s);
void spill_release(struct spill *s);

/* Writes what is not confirmed, and reports how much it is. False where there is nothing. */
bool spill_rest(struct spill *s);

/* The same from another thread, while the owner of the window is stuck; nothing may be read after
 * it. `argument` is the struct spill. */
void spill_abort(void *argument);

#endif
