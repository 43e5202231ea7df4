#ifndef SHNEK_LOAD_SEND_REPORT_H
#define SHNEK_LOAD_SEND_REPORT_H

#include "load/load.h"
#include "load/malformed.h"

/* What was sent. */
struct sent {
    const struct load_config *config;
    const struct senders *senders;
    const struct bad *bad;
    uint64_t ns;  /* that it took */
    uint64_t lag; /* nanoseconds, the most that a message was behind its time */
    bool drawn;   /* anything was, by chance */
};

/* The rate that was asked for: "max", "5/s", "1..100/s". */
int sent_asked(const struct shape *s, char *to, size_t size);

/* The report, in a line on stderr, and one more where messages are bad. */
void sent_report(const struct sent *s);

/* The same as a line of JSON, with keys in an order that stays; times are in seconds. */
void sent_json(const struct sent *s, struct buffer *out);

#endif
