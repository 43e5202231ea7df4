#ifndef SHNEK_PUBLISH_NKEY_H
#define SHNEK_PUBLISH_NKEY_H

#include <stdbool.h>

enum {
    NKEY_PUBLIC_SIZE = 57,
    NKEY_ERROR_MAX = 256
}; /* a public key of NATS as text, with its NUL */

/*
 * The public key that belongs to the user seed ("SU...") in a file, which nats.c wants beside the
 * seed. False, and why (NKEY_WHY bytes), where the file holds none.
 */
bool nkey_public_key(const char *path, char *key, char *why);

#endif
