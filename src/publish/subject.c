#include "publish/subject.h"

#include <string.h>

enum { SUBJECT_MAX = 1024 }; /* well below the server's limit for a line of its protocol */

const char *subject_defect(const char *subject)
{
    char before = '.';
    if (strlen(subject) > SUBJECT_MAX)
        return "it is longer than 1024 bytes";
    for (const char *p = subject; *p; before = *p++) {
        if ((unsigned char)*p <= ' ' || *p == 127)
            return "it contains white space or a control character";
        if (*p == '*' || *p == '>')
            return "it contains a wildcard";
        if (*p == '.' && before == '.')
            return "it has an empty token";
    }
    return before == '.' ? "it has an empty token" : NULL;
}
