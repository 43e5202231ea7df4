#ifndef SHNEK_BASE_EXIT_STATUS_H
#define SHNEK_BASE_EXIT_STATUS_H

/* Exit statuses, the same for every program. */
enum status {
    STATUS_OK = 0,       /* everything was delivered */
    STATUS_REJECTED = 1, /* some input was rejected */
    STATUS_FAILED = 2    /* usage error, failure at startup or run time, or undelivered messages */
};

#endif
