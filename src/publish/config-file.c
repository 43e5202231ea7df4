#include "publish/config-file.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "json/unescape.h"

enum { CONFIG_FILE_MAX = 1 << 20, CONFIG_FILE_MESSAGE_MAX = 512 };

/* Returns whether the whole file was read; else errno is the reason. */
static bool config_file_read_all(const char *path, struct buffer *b)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t n = 1;
    while (n && b->len <= CONFIG_FILE_MAX) {
        n = fread(buffer_reserve(b, BUFSIZ), 1, BUFSIZ, file);
        b->len += n;
    }
    int error = ferror(file) ? errno : b->len > CONFIG_FILE_MAX ? EFBIG : 0;
    fclose(file);
    errno = error;
    return !error;
}

static bool config_file_check(const struct config_file *f)
{
    struct json_checker checker = {0};
    struct defect defect = {0};
    bool valid = json_is_valid(&checker, f->text, &defect);
    if (!valid)
        config_file_report(f, f->text.data + defect.offset, "%s",
                           defect.offset == f->text.len ? "unexpected end of the file"
                                                        : defect.reason);
    json_checker_free(&checker);
    return valid;
}

bool config_file_read(struct config_file *f, const char *what, const char *path)
{
    struct buffer b = {0};
    *f = (struct config_file){.what = what, .path = path};
    bool read = config_file_read_all(path, &b);
    if (!read)
        log_printf("%s: %s: %m", what, path);
    buffer_reserve(&b, 1); /* an empty file has a text, too */
    f->text = (struct slice){b.data, b.len};
    if (read && config_file_check(f))
        return true;
    config_file_free(f);
    return false;
}

const char *config_file_at(struct slice value)
{
    return json_get_kind(value) == JSON_STRING ? value.data - 1 : value.data;
}

bool config_file_report(const struct config_file *f, const char *at, const char *format, ...)
{
    char message[CONFIG_FILE_MESSAGE_MAX];
    unsigned line = 1;
    const char *line_start = f->text.data;
    va_list arguments;
    for (const char *p = f->text.data; p < at; p++) {
        if (*p == '\n') {
            line++;
            line_start = p + 1;
        }
    }
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    log_printf("%s: %s:%u:%td: %s", f->what, f->path, line, at - line_start + 1, message);
    return false;
}

bool config_file_get_text(const struct config_file *f, const char *name, struct slice value,
                          char **to)
{
    if (json_get_kind(value) != JSON_STRING)
        return config_file_report(f, config_file_at(value), "\"%s\" is not a string", name);
    char *text = calloc(1, value.len + 1);
    if (!text) {
        log_printf("out of memory");
        return false;
    }
    size_t len = (size_t)(json_unescape(text, value) - text);
    if (memchr(text, '\0', len)) {
        free(text);
        return config_file_report(f, config_file_at(value), "\"%s\" contains a NUL", name);
    }
    *to = text;
    return true;
}

bool config_file_is_zero(struct slice value)
{
    switch (json_get_kind(value)) {
    case JSON_STRING:
        return value.len == 0;
    case JSON_NUMBER:
        return value.len == 1 && *value.data == '0';
    case JSON_ARRAY:
    case JSON_OBJECT:
        return strspn(value.data + 1, " \t\r\n") == value.len - 2;
    case JSON_BOOLEAN:
        return *value.data == 'f';
    default:
        return true;
    }
}

void config_file_free(struct config_file *f)
{
    if (f->text.data)
        OPENSSL_cleanse((char *)f->text.data, f->text.len);
    free((char *)f->text.data);
    f->text = (struct slice){0};
}
