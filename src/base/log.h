#ifndef SHNEK_BASE_LOG_H
#define SHNEK_BASE_LOG_H

/*
 * Lines to stderr: "program: ...", each in one write, from any thread. printable_copy() applies, so
 * that one call is one line whatever a peer sent. %m is strerror(errno), and errno is preserved.
 *
 * Never blocks: while stderr does not accept a line, lines are dropped, and their number is logged
 * before the next line that is accepted, or at exit.
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

/* log_printf() that prints nothing if another thread is printing. For a thread that is about to end
 * the process. */
void log_try(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
