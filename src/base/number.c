#include "base/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

const char *number_format_real(char text[NUMBER_SIZE], double number)
{
    static const double half_of_last_digit = 0.0005;
    int decimals = 0;
    if (number >= 1000 - half_of_last_digit)
        return number_format(text, (uint64_t)(number + 0.5));
    double scaled = number;
    while (scaled < 100000 && decimals < 15) {
        scaled *= 10;
        decimals++;
    }
    snprintf(text, NUMBER_SIZE, "%.*f", decimals, number);
    size_t len = strlen(text);
    while (text[len - 1] == '0')
        len--;
    text[text[len - 1] == '.' ? len - 1 : len] = '\0';
    return text;
}

const char *number_format_bytes(char text[NUMBER_SIZE], uint64_t bytes)
{
    static const char prefixes[] = "MGTPE";
    uint64_t unit = 1000000;
    uint64_t tenths;
    size_t i = 0;
    if (bytes < unit)
        return number_format(text, bytes);
    while ((tenths = (bytes / (unit / 20) + 1) / 2) >= 10000) {
        unit *= 1000;
        i++;
    }
    snprintf(text, NUMBER_SIZE, "%" PRIu64 ".%" PRIu64 " %cB", tenths / 10, tenths % 10,
             prefixes[i]);
    return text;
}
