#ifndef SHNEK_REPORT_NUMBER_H
#define SHNEK_REPORT_NUMBER_H

#include <stdint.h>

enum { NUMBER_SIZE = 27 }; /* 20 digits, 6 separators and a NUL */

/* Formats a number for people, with thousands separators: "1,936,690". Returns `text`. */
const char *number_format(char text[NUMBER_SIZE], uint64_t number);

#endif
