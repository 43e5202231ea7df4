#include "syslog/tz-name.h"

#define HM(hours, minutes) ((hours)*60 + (minutes))

/* In alphabetical order. EST, EDT, CST and the like are those of North America. */
static const struct {
    char name[TZ_NAME_MAX_LEN];
    int16_t minutes;
} tz_names[] = {
    {"ACDT", HM(10, 30)},       {"ACST", HM(9, 30)},        {"ADT", TZ_NAME_AMBIGUOUS},
    {"AEDT", HM(11, 0)},        {"AEST", HM(10, 0)},        {"AKDT", -HM(8, 0)},
    {"AKST", -HM(9, 0)},        {"ART", -HM(3, 0)},         {"AST", TZ_NAME_AMBIGUOUS},
    {"AWST", HM(8, 0)},         {"BRST", -HM(2, 0)},        {"BRT", -HM(3, 0)},
    {"BST", TZ_NAME_AMBIGUOUS}, {"CAT", HM(2, 0)},          {"CDT", -HM(5, 0)},
    {"CEST", HM(2, 0)},         {"CET", HM(1, 0)},          {"CLST", -HM(3, 0)},
    {"CLT", -HM(4, 0)},         {"CST", TZ_NAME_AMBIGUOUS}, {"EAT", HM(3, 0)},
    {"EDT", -HM(4, 0)},         {"EEST", HM(3, 0)},         {"EET", HM(2, 0)},
    {"EST", -HM(5, 0)},         {"HKT", HM(8, 0)},          {"HST", -HM(10, 0)},
    {"ICT", HM(7, 0)},          {"IDT", HM(3, 0)},          {"IST", TZ_NAME_AMBIGUOUS},
    {"JST", HM(9, 0)},          {"KST", HM(9, 0)},          {"MDT", -HM(6, 0)},
    {"MEST", HM(2, 0)},         {"MET", HM(1, 0)},          {"MSK", HM(3, 0)},
    {"MST", -HM(7, 0)},         {"NDT", -HM(2, 30)},        {"NST", -HM(3, 30)},
    {"NZDT", HM(13, 0)},        {"NZST", HM(12, 0)},        {"PDT", -HM(7, 0)},
    {"PHT", HM(8, 0)},          {"PKT", HM(5, 0)},          {"PST", -HM(8, 0)},
    {"SAST", HM(2, 0)},         {"SGT", HM(8, 0)},          {"WAT", HM(1, 0)},
    {"WEST", HM(1, 0)},         {"WET", HM(0, 0)},          {"WIB", HM(7, 0)},
};

enum { TZ_NAMES = sizeof tz_names / sizeof *tz_names };

static int tz_name_compare(const char *name, const char *p, size_t len)
{
    int order = memcmp(name, p, len);
    return order ? order : len < TZ_NAME_MAX_LEN && name[len] ? 1 : 0;
}

bool tz_name_read(struct slice word, int *minutes)
{
    size_t low = 0;
    size_t high = TZ_NAMES;
    if (word.len < TZ_NAME_MIN_LEN || word.len > TZ_NAME_MAX_LEN)
        return false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = tz_name_compare(tz_names[middle].name, word.data, word.len);
        if (order == 0) {
            *minutes = tz_names[middle].minutes;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
