#ifndef SHNEK_PUBLISH_NKEY_H
#define SHNEK_PUBLISH_NKEY_H

#include <stdbool.h>

enum {
    NKEY_PUBLIC_SIZE = 57, /* a public key as text, with its NUL */
    NKEY_ERROR_MAX = 256
};

/*
 * Derives the public key of the first user seed (a line "SU...") in the file `path`; nats.c
 * requires both. `key` has NKEY_PUBLIC_SIZE bytes. Returns false and writes the reason to
 * `error_text`, of NKEY_ERROR_MAX bytes, if the file is not readable or has no such seed.
 */
bool nkey_public_key(const char *path, char *key, char *error_text);

/* Returns whether `text` is the seed of a user and nothing else. */
bool nkey_is_user_seed(const char *text);

#endif
