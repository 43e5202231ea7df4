/* Random patterns and texts, compared with fnmatch(3). */

#include "base/glob.h"

#include <fnmatch.h>

#include "unit.h"

static const char *const items[] = {"a",    "b",    "A",   "-",     "?",    "*",  "*",
                                    "[ab]", "[!a]", "\\*", "[]a-]", "\\\\", "\\["};
enum { ITEMS = sizeof items / sizeof *items, MOST_ITEMS = 6, LONGEST_TEXT = 9, RUNS = 300000 };

static uint32_t random_below(uint32_t limit)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)((state >> 33) % limit);
}

static void compare(const char *pattern, const char *text, bool fold)
{
    struct glob glob;
    struct slice guarded = unit_guarded((struct slice){text, strlen(text)});
    bool expected = fnmatch(pattern, text, fold ? FNM_CASEFOLD : 0) == 0;
    unit(glob_compile(&glob, pattern) && glob_match(&glob, guarded, fold) == expected,
         "pattern %s, text %s, fold %d: expected %d", pattern, text, fold, expected);
}

static void compare_random(void)
{
    char pattern[MOST_ITEMS * 5 + 1] = "";
    size_t len = 0;
    char text[LONGEST_TEXT + 1] = "";
    for (uint32_t i = 0, n = random_below(MOST_ITEMS + 1); i < n; i++)
        len +=
            (size_t)snprintf(pattern + len, sizeof pattern - len, "%s", items[random_below(ITEMS)]);
    for (uint32_t i = 0, n = random_below(LONGEST_TEXT + 1); i < n; i++)
        text[i] = "aabbAB*-\\[]"[random_below(11)];
    compare(pattern, text, random_below(2));
}

int main(void)
{
    static const char *const malformed[] = {"[", "a[", "*[a", "[]", "[!]", "a\\", "*\\", "\\\\["};
    struct glob glob;
    for (int i = 0; i < RUNS; i++)
        compare_random();
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        unit(!glob_compile(&glob, malformed[i]), "%s is malformed", malformed[i]);
    return unit_end("glob");
}
