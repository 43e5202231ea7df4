#ifndef SHNEK_PUBLISH_UNDELIVERED_H
#define SHNEK_PUBLISH_UNDELIVERED_H

#include <pthread.h>

#include "base/output.h"
#include "publish/window.h"

/*
 * Writes the lines that were read but not confirmed when the program ends: to a file (--spill),
 * else to stdout, or nowhere if the spool keeps them.
 */
struct undelivered {
    struct window *window;
    const char *path;  /* NULL: stdout, or the spool if there is one; "-" is stdout */
    const char *spool; /* NULL: none */
    struct output file;
    pthread_mutex_t read_lock;
};

/* All arguments are borrowed. */
void undelivered_init(struct undelivered *u, struct window *w, const char *path, const char *spool);

/* Opens the file, if there is one. Returns false and logs the reason on failure. */
bool undelivered_open(struct undelivered *u);

/* Opens the file again, as after it was renamed. If that fails, the reason is logged and the open
 * file is kept. */
void undelivered_reopen(struct undelivered *u);

/* Enclose each read into the window, and its end, so that undelivered_on_abort() sees all of it or
 * nothing. */
void undelivered_lock(struct undelivered *u);
void undelivered_unlock(struct undelivered *u);

/* Writes the unconfirmed lines, to stdout if the file fails, and logs their number. Returns whether
 * there were any. */
bool undelivered_write(struct undelivered *u);

/*
 * Writes the unconfirmed lines from another thread while the owner of the window is blocked.
 * Afterwards nothing can be read into the window. `argument` is a struct undelivered.
 */
void undelivered_on_abort(void *argument);

void undelivered_free(struct undelivered *u);

#endif
