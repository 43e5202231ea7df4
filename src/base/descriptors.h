#ifndef SHNEK_BASE_DESCRIPTORS_H
#define SHNEK_BASE_DESCRIPTORS_H

/*
 * Opens /dev/null for each of stdin, stdout and stderr that is closed, so that no other file or
 * socket gets its number. Using it still fails with EBADF. Must be called before anything is
 * opened.
 */
void descriptors_reserve_standard(void);

/* Raises the soft limit of open descriptors (RLIMIT_NOFILE) to the hard limit. */
void descriptors_raise_limit(void);

#endif
