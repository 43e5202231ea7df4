#ifndef SHNEK_LOAD_SEND_REPORT_H
#define SHNEK_LOAD_SEND_REPORT_H

#include "load/config.h"

/* The results of a sending run. */
struct send_report {
    const struct load_config *config;
    const struct senders *senders;
    const struct malformed *malformed;
    uint64_t elapsed_ns;
    uint64_t max_lag_ns; /* the largest delay of a message after its due time */
    bool uses_seed;      /* the messages depended on random numbers */
};

/* Formats the requested rate: "max", "5/s" or "1..100/s". Returns as snprintf(3) does. */
int send_report_format_rate(const struct arrivals_config *config, char *to, size_t size);

/* Logs the report as one line, and the malformed messages as another. */
void send_report_log(const struct send_report *report);

/* Appends the report as one line of JSON. */
void send_report_append_json(const struct send_report *report, struct buffer *out);

#endif
