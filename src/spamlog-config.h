#ifndef SHNEK_SPAMLOG_CONFIG_H
#define SHNEK_SPAMLOG_CONFIG_H

#include "load/config.h"
#include "verify/find-max.h"
#include "verify/verify.h"

/* Values of --framing; the default depends on the destination. */
enum { SPAMLOG_FRAMING_DEFAULT = -1, SPAMLOG_FRAMING_NEWLINE, SPAMLOG_FRAMING_OCTET };

/* The configuration of a run: --verify, --find-max, or sending if neither is given. */
struct spamlog_config {
    struct load_config load;
    struct verify_config verify;
    struct find_max_config find_max;
    struct sampler_config sampler; /* for any of them */
    bool verify_given;
    bool find_max_given;
    /* Options that spamlog_config_complete() evaluates. */
    int framing;
    const char *rate;      /* NULL: not given */
    const char *sd;        /* NULL: not given */
    const char *json_path; /* NULL: not given; "": --json without a file */
    uint64_t interval_ns;  /* 0: not given */
    bool burst_given;
    bool seed_given;
    bool size_given;
    bool sizes_given;
    bool load_option_given;   /* an option that is only for sending */
    bool verify_option_given; /* an option that is only for --verify */
};

/*
 * Checks the combination of all options and operands, and completes the configuration of what was
 * requested: load, verify or find_max. Returns false and logs the reason if it is invalid.
 */
bool spamlog_config_complete(struct spamlog_config *config, char **operands, int count);

#endif
