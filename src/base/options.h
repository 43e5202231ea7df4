#ifndef SHNEK_BASE_OPTIONS_H
#define SHNEK_BASE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Values of options. Each function takes the flag as the user knows it ("--max-size") and the text
 * behind it, and reports what is wrong, naming both. False then, and the value is untouched.
 */

/* Bytes: a number, with k, M or G (binary). */
bool option_size(const char *flag, const char *text, uint64_t low, uint64_t high, uint64_t *value);

/* Things: a number, with k or M (decimal). */
bool option_count(const char *flag, const char *text, uint64_t low, uint64_t high, uint64_t *value);

/* Nanoseconds, from a number with us, ms, s, m or h; a plain one is seconds; a fraction is taken.
 */
bool option_duration(const char *flag, const char *text, uint64_t low, uint64_t high,
                     uint64_t *value);

/* A count a second, or, behind a '/', in another time: "10/m", "5/2s". */
bool option_rate(const char *flag, const char *text, uint64_t *things, uint64_t *ns);

/* The index of the text in a NULL-terminated list of words. */
bool option_choice(const char *flag, const char *text, const char *const *words, int *value);

/* The value of --stats[=DURATION]. */
bool option_stats(const char *text, uint64_t *interval);

/* "Try 'program --help'", and the status for a usage error. */
int print_usage_hint(void);

/* --version. */
int print_version(void);

/* Prints --help's text; the status says whether all of it could be written. */
int print_help(const char *text);

#endif
