#include "publish/subject.h"

#include <string.h>

enum { SUBJECT_MAX = 1024 }; /* bytes; less than the server's max_control_line */

const char *subject_defect(const char *subject)
{
    char previous = '.';
    if (strlen(subject) > SUBJECT_MAX)
        return "it is longer than 1024 bytes";
    for (const char *p = subject; *p; previous = *p++) {
        if ((unsigned char)*p <= ' ' || *p == 127)
            return "it contains white space or a control character";
        if (*p == '*' || *p == '>')
            return "it contains a wildcard";
        if (*p == '.' && previous == '.')
            return "it has an empty token";
    }
    return previous == '.' ? "it has an empty token" : NULL;
}
