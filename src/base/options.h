#ifndef SHNEK_BASE_OPTIONS_H
#define SHNEK_BASE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Parsers of option values. The arguments are the flag as the user knows it ("--max-size") and its
 * value as text. On failure each function returns false and logs the flag, the refused value and
 * the accepted ones.
 */

/* A size in bytes within [low, high]; the suffixes K, KB and KiB are 1024, and so on for M, G
 * and T, in any case of letters. */
bool option_size(const char *flag, const char *text, uint64_t low, uint64_t high, uint64_t *value);

/* A count within [low, high]; the suffixes k and M are decimal. */
bool option_count(const char *flag, const char *text, uint64_t low, uint64_t high, uint64_t *value);

/* A duration within [low, high], in nanoseconds. The suffixes are us, ms, s, m, h, d and w, the
 * default is seconds; fractions are accepted. */
bool option_duration(const char *flag, const char *text, uint64_t low, uint64_t high,
                     uint64_t *value);

/* A rate as a count per interval: "1k" and "1k/s" are per second, "10/m", "5/2s". */
bool option_rate(const char *flag, const char *text, uint64_t *count, uint64_t *interval_ns);

/* The index of text in a NULL-terminated list of words. */
bool option_choice(const char *flag, const char *text, const char *const *words, int *value);

/* The optional value of --stats[=DURATION]; text may be NULL. */
bool option_stats(const char *text, uint64_t *interval_ns);

struct option;

/* The options of a command line, by the values that getopt_long() returns. */
enum { OPTION_VALUE_MAX = 512 };
struct option_set {
    bool has[OPTION_VALUE_MAX];
};

/* An option that has no effect without another one. */
struct option_requirement {
    int option;
    int required;
};

/* Checks the requirements of all options that were given; the list ends with an option 0. Returns
 * false and logs the first one that is not met. */
bool option_check_requirements(const struct option_set *given, const struct option *options,
                               const struct option_requirement *requirements);

/* After getopt_long() has reported an unknown option: print_usage_hint() will suggest the one with
 * the most similar name, if there is one. */
void option_suggest(const char *argument, const struct option *options);

/* Logs "try 'PROGRAM --help'", perhaps after a suggestion, and returns the exit status of a usage
 * error. */
int print_usage_hint(void);

/* Returns the version, as in "1.2.3". */
const char *program_version(void);

/* Prints the version and returns the exit status. */
int print_version(void);

/* Prints the text of --help. Returns STATUS_FAILED if stdout cannot be written. */
int print_help(const char *text);

#endif
