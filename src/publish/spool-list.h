#ifndef SHNEK_PUBLISH_SPOOL_LIST_H
#define SHNEK_PUBLISH_SPOOL_LIST_H

/* Prints the unconfirmed lines of a spool to stdout, and a summary to stderr. Does not change the
 * file. Returns the exit status. */
int spool_list(const char *path);

#endif
