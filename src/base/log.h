#ifndef SHNEK_BASE_LOG_H
#define SHNEK_BASE_LOG_H

/*
 * Lines to stderr: "program: ...", each in one write, from any thread. printable_copy() applies, so
 * that one call is one line whatever a peer sent. %m is strerror(errno), and errno is preserved.
 *
 * Never blocks: while stderr does not accept a line, lines are dropped, and their number is logged
 * before the next line that is accepted, or at exit.
 *
 * If stderr is the stream to the journal that JOURNAL_STREAM names, lines begin with the priority
 * of sd-daemon(3). log_printf() is for errors: what failed, was refused as usage, or is lost.
 * log_warning() is for what the program copes with: rejected messages, refused peers, outages that
 * are retried. log_info() is for states and counters.
 */
void log_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Prints a status line, which the next line of either kind replaces if stderr is a terminal. Uses
 * no escape sequences under NO_COLOR or with TERM=dumb.
 */
void log_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Keeps the status line on the terminal: later lines follow it. */
void log_status_end(void);

/* Erases the status line. */
void log_status_clear(void);

/* Log an error or a state like log_printf() and log_info(), but print nothing if another thread is
 * printing. For a thread that is about to end the process. */
void log_try(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_try_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
