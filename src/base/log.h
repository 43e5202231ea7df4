#ifndef SHNEK_BASE_LOG_H
#define SHNEK_BASE_LOG_H

/*
 * Lines to stderr: "program: ...", each in one write, from any thread. Control characters are
 * printed as '?', so that one call is one line whatever a peer sent. %m is strerror(errno), and
 * errno is preserved.
 */
void log_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Prints a status line, which the next line of either kind replaces if stderr is a terminal. Uses
 * no escape sequences under NO_COLOR or with TERM=dumb.
 */
void log_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Keeps the status line on the terminal: later lines follow it. */
void log_status_end(void);

/* Erases the status line. */
void log_status_clear(void);

/* log_printf() that never blocks: prints nothing if stderr is not writable or the lock is taken.
 * For a thread that is about to end the process. */
void log_try(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
