#include "publish/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/unescape.h"

enum { REPLY_TEXT_MAX = 1024 };

bool reply_parse(struct reply *r, struct slice text)
{
    struct defect defect;
    r->text = text;
    if (!json_is_valid(&r->checker, text, &defect))
        return false;
    json_tokenize(&r->checker, text);
    return true;
}

static struct slice reply_get(const struct reply *r, const char *name)
{
    return json_get_member(&r->checker, r->text, (struct slice){name, strlen(name)});
}

static bool reply_decode(struct slice value, char *to, size_t size)
{
    char decoded[REPLY_TEXT_MAX];
    if (!value.data || value.len > sizeof decoded)
        return false;
    size_t len = (size_t)(json_unescape(decoded, value) - decoded);
    if (len >= size)
        return false;
    memcpy(to, decoded, len);
    to[len] = '\0';
    return true;
}

bool reply_get_text(const struct reply *r, const char *name, char *to, size_t size)
{
    struct slice value = json_get_string(&r->checker, r->text, (struct slice){name, strlen(name)});
    return reply_decode(value, to, size);
}

bool reply_get_number(const struct reply *r, const char *name, uint64_t *value)
{
    char digits[24] = "";
    struct slice text = reply_get(r, name);
    if (!text.data || text.data[-1] == '"' || text.len == 0 || text.len >= sizeof digits)
        return false;
    memcpy(digits, text.data, text.len);
    if (strspn(digits, "0123456789") != text.len)
        return false;
    *value = strtoull(digits, NULL, 10);
    return true;
}

bool reply_is_true(const struct reply *r, const char *name)
{
    struct slice text = reply_get(r, name);
    return text.data && text.data[-1] != '"' && slice_equal(text, (struct slice){"true", 4});
}

bool reply_enter(struct reply *r, const char *name)
{
    struct slice value = reply_get(r, name);
    if (!value.data || value.len == 0 || *value.data != '{' || value.data[-1] == '"')
        return false;
    r->text = value;
    json_tokenize(&r->checker, value);
    return true;
}

bool reply_get_error(struct reply *r, struct reply_error *error)
{
    struct slice value = reply_get(r, "error");
    *error = (struct reply_error){0};
    if (!value.data || slice_equal(value, (struct slice){"null", 4}))
        return false;
    if (reply_enter(r, "error")) {
        reply_get_number(r, "code", &error->code);
        reply_get_number(r, "err_code", &error->err_code);
        if (reply_get_text(r, "description", error->text, sizeof error->text) && *error->text)
            return true;
    }
    snprintf(error->text, sizeof error->text, "error %" PRIu64 " without a description",
             error->err_code ? error->err_code : error->code);
    return true;
}

void reply_free(struct reply *r)
{
    json_checker_free(&r->checker);
}
