#ifndef SHNEK_BASE_LOG_H
#define SHNEK_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses, the same for every program. */
enum status {
    STATUS_OK = 0,       /* all went through */
    STATUS_REJECTED = 1, /* it ran, but some input was rejected */
    STATUS_FAILED = 2    /* usage, start-up or run-time failure, or anything undelivered */
};

/* One line to stderr, "program: ...", in one write; any thread. %m is strerror(errno). */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The same, but where stderr is a terminal the line stays open and the next one, of either kind,
 * takes its place; without escape sequences under NO_COLOR and where TERM is dumb.
 * report_settle ends an open line, report_clear takes it away.
 */
void report_live(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_settle(void);
void report_clear(void);

/*
 * A line that is left out where stderr cannot take it now, or another thread is stuck in it: for
 * who must end the process all the same.
 */
void report_last(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Why something was refused: the field of the grammar, what is wrong, and the byte, from 0. */
struct defect {
    const char *field;
    const char *reason;
    uint64_t offset;
};

/*
 * Reports of refused input, "program: SOURCE:NUMBER: FIELD: reason (at byte N)": ten a second, then
 * a line that says how many were held back. All zero is ready for use; `quiet` prints none.
 */
struct complaints {
    bool quiet;
    unsigned printed;
    uint64_t second;
    uint64_t held_back;
};

void complain(struct complaints *c, const char *source, uint64_t number,
              const struct defect *defect);

/* Whether one more line of this kind may be printed now; counts it as printed or held back. */
bool complaints_allow(struct complaints *c);

/* Says how many were held back, where any were and their second is over. */
void complaints_tick(struct complaints *c);

/* The same at once: when input is idle, and at the end. */
void complaints_settle(struct complaints *c);

#endif
