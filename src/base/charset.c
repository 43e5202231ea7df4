#include "base/charset.h"

#include <errno.h>
#include <stdint.h>

enum { CHARSET_SPACE = 16 }; /* for at least one character, so that each step converts some */

/* Punctuation of syslog headers and STRUCTURED-DATA. '\\' and '~' are missing, which some Asian
 * character sets replace. */
static const char charset_required[] =
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}";

static bool charset_has_ascii(struct charset *c)
{
    struct slice text = {charset_required, sizeof charset_required - 1};
    struct slice utf8;
    return charset_convert(c, text, &utf8) && slice_equal(utf8, text);
}

bool charset_open(struct charset *c, const char *name)
{
    /* An empty name would be that of the locale. */
    errno = EINVAL;
    *c = (struct charset){.descriptor =
                              *name && *name != '/' ? iconv_open("UTF-8", name) : (iconv_t)-1};
    if (c->descriptor == (iconv_t)-1)
        return false;
    if (charset_has_ascii(c))
        return true;
    charset_close(c);
    errno = EDOM;
    return false;
}

void charset_close(struct charset *c)
{
    iconv_close(c->descriptor);
    buffer_free(&c->text);
}

/* Converts into a space of `capacity` bytes, and sets `text` to what is left. Returns the end of
 * the output, or NULL if `text` is malformed. */
static char *charset_step(struct charset *c, struct slice *text, char *to, size_t capacity)
{
    char *from = (char *)(uintptr_t)text->data;
    size_t result = iconv(c->descriptor, &from, &text->len, &to, &capacity);
    text->data = from;
    return result != (size_t)-1 || errno == E2BIG ? to : NULL;
}

/* Adds a character that waited for one to combine with. */
static void charset_flush(struct charset *c)
{
    size_t capacity = CHARSET_SPACE;
    char *to = buffer_reserve(&c->text, capacity);
    iconv(c->descriptor, NULL, NULL, &to, &capacity);
    buffer_commit(&c->text, to);
}

bool charset_convert(struct charset *c, struct slice text, struct slice *utf8)
{
    iconv(c->descriptor, NULL, NULL, NULL, NULL);
    c->text.len = 0;
    while (text.len) {
        size_t capacity = 2 * text.len + CHARSET_SPACE;
        char *to = buffer_reserve(&c->text, capacity);
        to = charset_step(c, &text, to, capacity);
        if (!to)
            return false;
        buffer_commit(&c->text, to);
    }
    charset_flush(c);
    *utf8 = (struct slice){c->text.data, c->text.len};
    return true;
}

size_t charset_offset(struct charset *c, struct slice text, size_t offset)
{
    struct slice rest = text;
    iconv(c->descriptor, NULL, NULL, NULL, NULL);
    charset_step(c, &rest, c->text.data, offset);
    return text.len - rest.len;
}
