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
    for (double n = number; n < 100000 && decimals < 15; n *= 10)
        decimals++;
    snprintf(text, NUMBER_SIZE, "%.*f", decimals, number);
    size_t len = strlen(text);
    while (text[len - 1] == '0')
        len--;
    text[text[len - 1] == '.' ? len - 1 : len] = '\0';
    return text;
}

const char *number_format_bytes(char text[NUMBER_SIZE], uint64_t bytes)
{
    static const char units[] = "MGTPE";
    double scaled = (double)bytes / 1e6;
    size_t unit = 0;
    if (bytes < 1000000)
        return number_format(text, bytes);
    for (; scaled >= 999.95; scaled /= 1000)
        unit++;
    snprintf(text, NUMBER_SIZE, "%.1f %cB", scaled, units[unit]);
    return text;
}
