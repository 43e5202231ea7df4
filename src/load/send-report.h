#ifndef SHNEK_LOAD_SEND_REPORT_H
#define SHNEK_LOAD_SEND_REPORT_H

#include "load/load.h"
#include "load/malformed.h"

/* What was sent. */
struct send_report {
    const struct load_config *config;
    const struct senders *senders;
    const struct malformed *malformed;
    uint64_t elapsed_ns; /* that it took */
    uint64_t max_lag_ns; /* nanoseconds, the most that a message was behind its time */
    bool uses_seed;      /* anything was, by chance */
};

/* The rate that was asked for: "max", "5/s", "1..100/s". */
int send_report_format_rate(const struct arrivals_config *s, char *to, size_t size);

/* The report, in a line on stderr, and one more where messages are bad. */
void send_report_print(const struct send_report *s);

/* The same as a line of JSON, with keys in an order that stays; times are in seconds. */
void send_report_append_json(const struct send_report *s, struct buffer *out);

#endif
