#ifndef SHNEK_VERIFY_OPTIONS_H
#define SHNEK_VERIFY_OPTIONS_H

#include "load/load.h"
#include "verify/find-max.h"
#include "verify/verify.h"

enum { FRAMING_BY_DESTINATION = -1, FRAMING_LINES, FRAMING_COUNTED };

/* What the command line asks for, and what it leaves open until all of it is read. */
struct task {
    struct load_config load;
    struct verify_config verify;
    struct sampler_config series;
    const char *json; /* a file; "": none was given */
    struct find_max_config find_max;
    int framing;
    const char *rate; /* NULL: none was given */
    const char *sd;   /* NULL: none was given */
    bool burst_given;
    bool size_given;
    bool sizes_given;
    bool finding_max; /* try rates */
    bool verifying;   /* read messages back, rather than make them */
    bool for_load;    /* an option was given that makes messages */
    bool for_verify;  /* an option was given that goes with --verify */
};

/* Completes what was asked for with the operands; a report, and false, where it does not make
 * sense. */
bool task_complete(struct task *t, char **operands, int count);

#endif
