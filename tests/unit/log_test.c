#include "base/log.h"

#include "unit.h"

/* Text from outside and what is printed of it. */
static const struct {
    const char *text;
    const char *printed;
} log_cases[] = {
    {"plain text", "plain text"},
    {"tab\tLF\nESC\033[2JDEL\177", "tab?LF?ESC?[2JDEL?"},
    {"C1: \xC2\x80 \xC2\x9B"
     "31m \xC2\xA0",
     "C1: ? ?31m \xC2\xA0"},
    {"a raw C1 byte: \x9B"
     "31m",
     "a raw C1 byte: ?31m"},
    {"bidi: \xD8\x9C\xE2\x80\x8E\xE2\x80\x8F \xE2\x80\xAA\xE2\x80\xAC \xE2\x80\xAE\xE2\x80\xAC",
     "bidi: ??? ?? ??"},
    {"isolate: \xE2\x81\xA6\xE2\x81\xA9", "isolate: ??"},
    {"lines: \xE2\x80\xA8\xE2\x80\xA9", "lines: ??"},
    {"\xE2\x82\xAC and \xF0\x9F\x90\x8C stay", "\xE2\x82\xAC and \xF0\x9F\x90\x8C stay"},
    {"overlong \xC0\xAF, surrogate \xED\xA0\x80", "overlong ??, surrogate ???"},
    {"truncated \xE2\x82", "truncated ?"},
    {"", ""},
};

int main(void)
{
    for (size_t i = 0; i < sizeof log_cases / sizeof *log_cases; i++) {
        struct slice text = {log_cases[i].text, strlen(log_cases[i].text)};
        struct slice printed = unit_guarded(text);
        printed.len = log_filter((char *)(uintptr_t)printed.data, printed.len);
        unit(printed.len == strlen(log_cases[i].printed) &&
                 memcmp(printed.data, log_cases[i].printed, printed.len) == 0,
             "case %zu: %.*s", i, SHOW(printed));
    }
    return unit_end("log");
}
