#include "syslog/tz-name.h"

#include <stddef.h>
#include <string.h>

#include "syslog/field-parse.h"

enum { NAME_MAX_LETTERS = 5 };

/* Those that are met; each is a zone wherever it stands behind a time. */
static const char names[][NAME_MAX_LETTERS] = {
    "ACDT", "ACST", "ADT", "AEDT", "AEST", "AKDT", "AKST", "ART",  "AST", "AWST", "BRST",
    "BRT",  "BST",  "CAT", "CDT",  "CEST", "CET",  "CLST", "CLT",  "CST", "EAT",  "EDT",
    "EEST", "EET",  "EST", "HKT",  "HST",  "ICT",  "IDT",  "IST",  "JST", "KST",  "MDT",
    "MEST", "MET",  "MSK", "MST",  "NDT",  "NST",  "NZDT", "NZST", "PDT", "PHT",  "PKT",
    "PST",  "SAST", "SGT", "WAT",  "WEST", "WET",  "WIB"};

bool zone_stops(const char *p, const char *end)
{
    if (p < end && *p == ':')
        p++;
    return p == end || *p == ' ' || *p == '\t';
}

static bool two_digits(const char *p, const char *end, int *value)
{
    if (end - p < 2 || !is_digit(p[0]) || !is_digit(p[1]))
        return false;
    *value = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

const char *zone_offset_read(const char *p, const char *end, struct zone_reading *zone)
{
    int hours;
    int minutes = 0;
    if (p < end && (*p | 32) == 'z') {
        zone->kind = ZONE_UTC;
        return p + 1;
    }
    if (p == end || (*p != '+' && *p != '-') || !two_digits(p + 1, end, &hours))
        return NULL;
    const char *q = p + 3;
    if (q < end && *q == ':' && two_digits(q + 1, end, &minutes))
        q += 3;
    else if (two_digits(q, end, &minutes))
        q += 2;
    if (hours > 23 || minutes > 59)
        return NULL;
    *zone = (struct zone_reading){ZONE_OFFSET, *p == '-', hours * 60 + minutes};
    if (zone->west)
        zone->minutes = -zone->minutes;
    return q;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_known(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (*p == *names[i] && strlen(names[i]) == n && memcmp(names[i], p, n) == 0)
            return true;
    return false;
}

/* Cisco lets anybody name his zone; what it says then begins with '%'. */
static bool cisco_goes_on(const char *p, const char *end)
{
    return end - p >= 3 && memcmp(p, ": %", 3) == 0;
}

static const char *letters(const char *p, const char *end, struct zone_reading *zone)
{
    size_t n = 0;
    while (p + n < end && n <= NAME_MAX_LETTERS && is_upper(p[n]))
        n++;
    const char *q = p + n;
    if (n < 2 || n > NAME_MAX_LETTERS)
        return NULL;
    if (n == 3 && (memcmp(p, "UTC", 3) == 0 || memcmp(p, "GMT", 3) == 0)) {
        const char *behind = zone_offset_read(q, end, zone);
        if (behind && zone->kind == ZONE_OFFSET)
            return behind;
        zone->kind = ZONE_UTC;
        return q;
    }
    if (!is_known(p, n) && !cisco_goes_on(q, end))
        return NULL;
    zone->kind = ZONE_LETTERS;
    return q;
}

const char *zone_read(const char *p, const char *end, struct zone_reading *zone)
{
    struct zone_reading found = {0};
    const char *q = zone_offset_read(p, end, &found);
    q = q ? q : letters(p, end, &found);
    if (!q || !zone_stops(q, end))
        return NULL;
    *zone = found;
    return q;
}
