#ifndef SHNEK_BASE_NUMBER_H
#define SHNEK_BASE_NUMBER_H

#include <stdint.h>

enum { NUMBER_SIZE = 32 };

/* Numbers for people. All functions return `text`. */

/* Formats with thousands separators: "1,936,690". */
const char *number_format(char text[NUMBER_SIZE], uint64_t number);

/* Formats a number that is not negative and less than 10^18: an integer from 1000 on, otherwise
 * with up to six significant digits, and never with an exponent: "1,936,690", "12.5",
 * "0.000277778". */
const char *number_format_real(char text[NUMBER_SIZE], double number);

/* Formats bytes in at most 8 characters, up to 999.9 PB: "999,999", "1.0 MB", "78.9 GB". */
const char *number_format_bytes(char text[NUMBER_SIZE], uint64_t bytes);

#endif
