#ifndef SHNEK_PUBLISH_CONTEXT_H
#define SHNEK_PUBLISH_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A file of connection settings, in the format of nats(1): nats/context/NAME.json below
 * $XDG_CONFIG_HOME or ~/.config, or any other file. */
struct context {
    char *name; /* as in "context NAME"; NULL if there is no context */
    char *path;
};

/*
 * Finds the context with the given name, or that of a path that ends in ".json". If `name` is NULL,
 * finds the one that "nats context select" has selected, if any. Returns false and logs the reason,
 * which names `source`, if the name is invalid.
 */
bool context_find(struct context *c, const char *source, const char *name);

enum context_kind {
    CONTEXT_TEXT,
    CONTEXT_SECRET, /* may be env://VARIABLE */
    CONTEXT_PATH    /* may contain ~ and variables, and begin with file:// */
};

/* A member that the caller reads. */
struct context_member {
    const char *name;
    enum context_kind kind;
    char *text; /* set by context_read() unless it is missing or empty; freed by the caller */
};

/*
 * Reads the members. Returns false and logs the reason if the file is not a valid context, or
 * requires what nats.c does not have. Logs unknown members.
 */
bool context_read(const struct context *c, struct context_member *members, size_t count);

void context_free(struct context *c);

#endif
