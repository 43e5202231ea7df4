#include "load/field-check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/byte-scan.h"
#include "base/defect.h"
#include "base/log.h"
#include "syslog/rfc5424.h"
#include "syslog/timestamp.h"

/*
 * Parses a message that is NILVALUE except for the value. A value with a space too many moves the
 * fields after it, so that STRUCTURED-DATA becomes MSG.
 */
static bool field_check_syntax(const char *flag, const char *format, const char *value)
{
    struct syslog_message m = {0};
    struct defect defect = {0};
    char *message;
    int len = asprintf(&message, format, value);
    if (len < 0) {
        log_printf("out of memory");
        return false;
    }
    bool good = rfc5424_parse((struct slice){message, (size_t)len}, &m, &defect);
    if (!good) {
        log_printf("%s: '%s': %s: %s", flag, value, defect.field, defect.reason);
    } else if (m.msg.data) {
        log_printf("%s: '%s': the value contains a space", flag, value);
        good = false;
    }
    syslog_message_free(&m);
    free(message);
    return good;
}

static bool field_check_rfc5424(const struct message_config *c)
{
    return (!c->timestamp ||
            field_check_syntax("--timestamp", "<0>1 %s - - - - -", c->timestamp)) &&
           field_check_syntax("--hostname", "<0>1 - %s - - - -", c->hostname) &&
           field_check_syntax("--appname", "<0>1 - - %s - - -", c->appname) &&
           field_check_syntax("--procid", "<0>1 - - - %s - -", c->procid) &&
           (!c->msgid || field_check_syntax("--msgid", "<0>1 - - - - %s -", c->msgid)) &&
           field_check_syntax("--sd", "<0>1 - - - - - %s", c->sd);
}

static bool field_check_refuse(const char *flag, const char *value, const char *reason)
{
    log_printf("%s: '%s': %s", flag, value, reason);
    return false;
}

/* Accepts 1 to max_len printable characters that are not delimiters. */
static bool field_check_characters(const char *value, size_t max_len, const char *delimiters)
{
    size_t len = strlen(value);
    return len > 0 && len <= max_len && scan_print(value, value + len) == value + len &&
           strcspn(value, delimiters) == len;
}

/* Accepts exactly "Nov  2 15:04:05", or the TIMESTAMP of RFC 5424, which many senders use. */
static bool field_check_rfc3164_time(const char *text)
{
    static const char format[] = "%b %e %H:%M:%S";
    char formatted[32];
    struct tm t = {0};
    const char *end = strptime(text, format, &t);
    if (end && *end == '\0' && strftime(formatted, sizeof formatted, format, &t) > 0)
        return strcmp(text, formatted) == 0;
    struct defect ignored;
    const struct parse_input in = {text, text + strlen(text), &ignored};
    return timestamp_parse(&in, text) == in.end;
}

static bool field_check_rfc3164(const struct message_config *c)
{
    if (c->timestamp && !field_check_rfc3164_time(c->timestamp))
        return field_check_refuse("--timestamp", c->timestamp,
                                  "not a TIMESTAMP; expected 'Nov  2 15:04:05' or one of RFC 5424");
    if (!field_check_characters(c->hostname, 255, ""))
        return field_check_refuse(
            "--hostname", c->hostname,
            "not a HOSTNAME; expected 1 to 255 printable characters, no space");
    if (strcmp(c->appname, "-") == 0 || !field_check_characters(c->appname, 32, ":[]"))
        return field_check_refuse(
            "--appname", c->appname,
            "not a TAG; expected 1 to 32 characters, no space, ':', '[' or ']'");
    if (!field_check_characters(c->procid, 128, "[]"))
        return field_check_refuse("--procid", c->procid,
                                  "not a PID; expected 1 to 128 characters, no space, '[' or ']'");
    return true;
}

bool field_check_config(const struct message_config *c)
{
    return c->format == MESSAGE_RFC3164 ? field_check_rfc3164(c) : field_check_rfc5424(c);
}
