#include "report/number.h"

#include <inttypes.h>
#include <stdio.h>

const char *number_format(char text[NUMBER_SIZE], uint64_t number)
{
    uint64_t group = 1;
    while (number / group >= 1000)
        group *= 1000;
    int len = snprintf(text, NUMBER_SIZE, "%" PRIu64, number / group);
    while (group /= 1000)
        len +=
            snprintf(text + len, (size_t)(NUMBER_SIZE - len), ",%03" PRIu64, number / group % 1000);
    return text;
}
