/* Numbers for people. */

#include "base/number.h"
#include "unit.h"

static void is(const char *got, const char *expected)
{
    unit(strcmp(got, expected) == 0, "'%s', expected '%s'", got, expected);
}

int main(void)
{
    char text[NUMBER_SIZE];
    is(number_format(text, 0), "0");
    is(number_format(text, 999), "999");
    is(number_format(text, 1936690), "1,936,690");
    is(number_format(text, UINT64_MAX), "18,446,744,073,709,551,615");
    is(number_format_real(text, 0), "0");
    is(number_format_real(text, 5), "5");
    is(number_format_real(text, 12.5), "12.5");
    is(number_format_real(text, 1.0 / 3600), "0.000277778");
    is(number_format_real(text, 1.0 / (24 * 3600)), "0.0000115741");
    is(number_format_real(text, 999.9994), "999.999");
    is(number_format_real(text, 999.9996), "1,000");
    is(number_format_real(text, 1234.5), "1,235");
    is(number_format_real(text, 1936689.7), "1,936,690");
    is(number_format_real(text, 1e9), "1,000,000,000");
    is(number_format_bytes(text, 0), "0");
    is(number_format_bytes(text, 999999), "999,999");
    is(number_format_bytes(text, 1000000), "1.0 MB");
    is(number_format_bytes(text, 999949999), "999.9 MB");
    is(number_format_bytes(text, 999950000), "1.0 GB");
    is(number_format_bytes(text, 78900000000), "78.9 GB");
    is(number_format_bytes(text, UINT64_MAX), "18.4 EB");
    return unit_end("number");
}
