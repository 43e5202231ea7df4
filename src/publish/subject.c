#include "publish/subject.h"

#include <string.h>

#include "json/unescape.h"

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

/* White space and control characters beyond ASCII; `c` is well-formed UTF-8. */
static bool subject_is_blank(struct slice c)
{
    unsigned char b0 = (unsigned char)c.data[0];
    unsigned char b1 = (unsigned char)c.data[1];
    unsigned char b2 = c.len > 2 ? (unsigned char)c.data[2] : 0;
    if (b0 == 0xC2)
        return b1 <= 0xA0; /* U+0080 to U+00A0 */
    if (b0 == 0xE1)
        return b1 == 0x9A && b2 == 0x80; /* U+1680 */
    if (b0 == 0xE2 && b1 == 0x80)
        return b2 <= 0x8A || b2 == 0xA8 || b2 == 0xA9 || b2 == 0xAF; /* U+2000 to 200A, 2028, ... */
    if (b0 == 0xE2)
        return b1 == 0x81 && b2 == 0x9F;           /* U+205F */
    return b0 == 0xE3 && b1 == 0x80 && b2 == 0x80; /* U+3000 */
}

static inline bool subject_is_safe(char c)
{
    return (unsigned char)c > ' ' && c != 127 && c != '.' && c != '*' && c != '>';
}

static char *subject_put_decoded(char *to, struct slice text)
{
    const char *end = to + SUBJECT_TOKEN_MAX;
    struct json_pieces pieces = {.p = text.data, .end = text.data + text.len};
    struct slice piece;
    while (to < end && json_next_piece(&pieces, &piece)) {
        if (piece.len > 1 && (unsigned char)*piece.data >= 0x80) {
            if (subject_is_blank(piece))
                piece = (struct slice){"_", 1};
            if (piece.len > (size_t)(end - to))
                break;
            memcpy(to, piece.data, piece.len);
            to += piece.len;
            continue;
        }
        for (size_t i = 0; i < piece.len && to < end; i++) {
            *to = '_';
            if (subject_is_safe(piece.data[i]))
                *to = piece.data[i];
            to++;
        }
    }
    return to;
}

char *subject_put_token(char *to, struct slice text, const char *limit)
{
    size_t n = text.len < SUBJECT_TOKEN_MAX ? text.len : SUBJECT_TOKEN_MAX;
    for (size_t i = 0; i < n; i += SIMD_SIZE) {
        if (limit - (text.data + i) < SIMD_SIZE)
            return subject_put_decoded(to, text);
        simd_block b = simd_load(text.data + i);
        uint64_t mask =
            simd_not_print(b) | simd_is_any(b, '.', '*', '>') | simd_is_any(b, '\\', '\\', '\\');
        simd_store(to + i, b);
        if (!simd_none(mask, n - i < SIMD_SIZE ? n - i : SIMD_SIZE))
            return subject_put_decoded(to, text);
    }
    return to + n;
}
