#include "json/schema-text.h"

char *schema_put_number(char *to, uint64_t n)
{
    char digits[20];
    char *p = digits + sizeof digits;
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    return json_copy(to, slice_between(p, digits + sizeof digits));
}
