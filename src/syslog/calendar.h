#ifndef SHNEK_SYSLOG_CALENDAR_H
#define SHNEK_SYSLOG_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* The proleptic Gregorian calendar, in UTC, from year 0 on. */

enum { CALENDAR_DAY = 86400 }; /* seconds */

static inline bool calendar_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days of a month, 1 to 12. */
static inline int calendar_days_in(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && calendar_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to a date, which is negative before. */
static inline int64_t calendar_days(int year, int month, int day)
{
    /* Years begin in March, so that the leap day is the last, and 400 years, one cycle, are added,
     * so that none is negative. */
    int y = month <= 2 ? year + 399 : year + 400;
    int from_march = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t days = (int64_t)365 * y + y / 4 - y / 100 + y / 400 + from_march;
    return days - 719468 - 146097;
}

/* The year of the day that is `days` after 1970-01-01. */
static inline int calendar_year(int64_t days)
{
    int64_t since_year_0 = days + 719468;
    int year = (int)(since_year_0 / 146097 * 400 + since_year_0 % 146097 * 400 / 146097);
    while (calendar_days(year + 1, 1, 1) <= days)
        year++;
    while (calendar_days(year, 1, 1) > days)
        year--;
    return year;
}

#endif
