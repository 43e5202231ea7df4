#ifndef SHNEK_PUBLISH_UNDELIVERED_H
#define SHNEK_PUBLISH_UNDELIVERED_H

#include <pthread.h>

#include "publish/window.h"

/*
 * Where the lines go that were read, and that the server will not have from this process: to a
 * file, to stdout, or they stay in the spool.
 */
struct undelivered {
    struct window *window;
    const char *path;
    const char *spool;
    pthread_mutex_t read_lock;
};

void undelivered_init(struct undelivered *s, struct window *w, const char *path, const char *spool);

/* Around each reading into the window, so that an abort takes all of it or none. */
void undelivered_lock(struct undelivered *s);
void undelivered_unlock(struct undelivered *s);

/* Writes what is not confirmed, and reports how much it is. False where there is nothing. */
bool undelivered_write(struct undelivered *s);

/* The same from another thread, while the owner of the window is stuck; nothing may be read after
 * it. `argument` is the struct spill. */
void undelivered_on_abort(void *argument);

#endif
