#ifndef SHNEK_LOAD_SEND_REPORT_H
#define SHNEK_LOAD_SEND_REPORT_H

#include "base/number.h"
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

enum { SEND_REPORT_RATE_SIZE = 2 * NUMBER_SIZE + 8 };

/* Formats the requested rate: "max", "1,000/s" or "1..100/s". If `bare`, it has no separators. */
void send_report_format_rate(const struct arrivals_config *config, bool bare,
                             char to[SEND_REPORT_RATE_SIZE]);

/* Logs the report: a line each for the messages, the rate, the lag and the malformed messages. */
void send_report_log(const struct send_report *report);

/* Appends the report as one line of JSON. */
void send_report_append_json(const struct send_report *report, struct buffer *out);

#endif
