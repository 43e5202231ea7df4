#ifndef SHNEK_SYSLOG_CALENDAR_H
#define SHNEK_SYSLOG_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* The Gregorian calendar, without zones: for years from 0 on. */

static inline bool calendar_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int calendar_days_in(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && calendar_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01. Years are counted from March here, so that the leap day is the last. */
static inline int64_t calendar_days(int year, int month, int day)
{
    int y = month <= 2 ? year + 399 : year + 400; /* one cycle up: never negative */
    int from_march = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t days = (int64_t)365 * y + y / 4 - y / 100 + y / 400 + from_march;
    return days - 719468 - 146097;
}

/* The year in which that many days since 1970-01-01 have passed; from year 0 on. */
static inline int calendar_year(int64_t days)
{
    int64_t since = days + 719468;
    int year = (int)(since / 146097 * 400 + since % 146097 * 400 / 146097);
    while (calendar_days(year + 1, 1, 1) <= days)
        year++;
    while (calendar_days(year, 1, 1) > days)
        year--;
    return year;
}

#endif
