/* Text of unknown origin for a terminal. */

#include "base/printable.h"
#include "unit.h"

static void prints(const char *text, const char *expected)
{
    char copy[256];
    char in_place[256];
    size_t len = strlen(text);
    size_t n = printable_copy(copy, (struct slice){text, len});
    unit(n == strlen(expected) && memcmp(copy, expected, n) == 0, "'%.*s', expected '%s'", (int)n,
         copy, expected);
    memcpy(in_place, text, len);
    unit(printable_copy(in_place, (struct slice){in_place, len}) == n &&
             memcmp(in_place, copy, n) == 0,
         "in place: '%s'", expected);
}

int main(void)
{
    prints("", "");
    prints("plain text ~ \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80",
           "plain text ~ \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
    prints("a\nb\r\tc\x1B[31md\x7F", "a?b??c?[31md?");
    prints("\xC2\x80\xC2\x9B"
           "31m\xC2\x9F\xC2\xA0",
           "??31m?\xC2\xA0");
    prints("\xD8\x9C\xE2\x80\x8E\xE2\x80\x8F\xE2\x80\xA8\xE2\x80\xAE\xE2\x80\xAC\xE2\x80\xAF",
           "??????\xE2\x80\xAF");
    prints("\xE2\x81\xA5\xE2\x81\xA6\xE2\x81\xA9\xE2\x81\xAA", "\xE2\x81\xA5??\xE2\x81\xAA");
    prints("cut \xE2\x82", "cut ?");
    prints("cut \xF0\x9F\x98 cut \xC3", "cut ? cut ?");
    prints("\x9B"
           "31m \xC0\xAF \xED\xA0\x80",
           "?31m ?? ???");
    return unit_end("printable");
}
