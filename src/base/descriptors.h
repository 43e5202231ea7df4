#ifndef SHNEK_BASE_DESCRIPTORS_H
#define SHNEK_BASE_DESCRIPTORS_H

/*
 * Where stdin, stdout or stderr is closed, takes its number, so that no file or socket gets it; to
 * use it fails with EBADF all the same. To be called first.
 */
void descriptors_reserve_standard(void);

/* As many descriptors as the system allows. */
void descriptors_raise_limit(void);

#endif
