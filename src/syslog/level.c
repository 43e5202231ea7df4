#include "syslog/level.h"

#include "syslog/pri.h"

enum { EMERG, ALERT, CRIT, ERR, WARNING, NOTICE, INFO, DEBUG };
enum { LEVEL_MAX_LEN = 13 };

/* In the order of their lengths. Some are used without facility only. */
static const struct {
    char name[LEVEL_MAX_LEN + 1];
    unsigned char severity;
    bool after_facility;
} levels[] = {
    {"err", ERR, true},        {"crit", CRIT, true},         {"info", INFO, true},
    {"warn", WARNING, true},   {"alert", ALERT, true},       {"debug", DEBUG, true},
    {"emerg", EMERG, true},    {"error", ERR, true},         {"fatal", CRIT, false},
    {"panic", EMERG, true},    {"trace", DEBUG, false},      {"notice", NOTICE, true},
    {"severe", ERR, false},    {"verbose", DEBUG, false},    {"warning", WARNING, true},
    {"critical", CRIT, false}, {"information", INFO, false}, {"informational", INFO, false},
};

/* levels[level_first[n]] is the first one with n letters. */
static const unsigned char level_first[LEVEL_MAX_LEN + 2] = {0,  0,  0,  0,  1,  4,  11, 13,
                                                             15, 16, 16, 16, 17, 17, 18};

/* Compares a name with letters in upper or lower case. */
static bool level_equal(const char *name, struct slice word, char case_bit)
{
    for (size_t i = 0; i < word.len; i++)
        if ((char)(word.data[i] | case_bit) != name[i])
            return false;
    return true;
}

/* Returns an index in levels[], or -1. `case_bit` is 32 to ignore the case, else 0. */
static int level_find(struct slice word, char case_bit)
{
    if (word.len > LEVEL_MAX_LEN)
        return -1;
    for (int i = level_first[word.len]; i < level_first[word.len + 1]; i++)
        if (level_equal(levels[i].name, word, case_bit))
            return i;
    return -1;
}

bool level_read(struct slice word, unsigned *severity)
{
    int i = level_find(word, 32);
    if (i >= 0)
        *severity = levels[i].severity;
    return i >= 0;
}

static bool level_find_facility(struct slice name, unsigned *facility)
{
    static const struct slice security = {"security", 8};
    for (*facility = 0; *facility < 24; ++*facility)
        if (slice_equal(facility_names[*facility], name))
            return true;
    *facility = 4; /* auth */
    return slice_equal(security, name);
}

bool level_read_pri(struct slice word, unsigned *pri)
{
    unsigned facility;
    const char *dot = word.len ? memchr(word.data, '.', word.len) : NULL;
    if (!dot)
        return false;
    int i = level_find(slice_between(dot + 1, word.data + word.len), 0);
    if (i < 0 || !levels[i].after_facility ||
        !level_find_facility(slice_between(word.data, dot), &facility))
        return false;
    *pri = facility * 8 + levels[i].severity;
    return true;
}

bool level_is_topics(struct slice word)
{
    const char *end = word.data + word.len;
    const char *start = word.data;
    unsigned topics = 0;
    bool has_level = false;
    for (const char *p = start; p <= end; p++) {
        if (p < end && ((*p >= 'a' && *p <= 'z') || *p == '-'))
            continue;
        if (p == start || (p < end && *p != ','))
            return false;
        has_level = has_level || level_find(slice_between(start, p), 0) >= 0;
        topics++;
        start = p + 1;
    }
    return topics >= 2 && has_level;
}
