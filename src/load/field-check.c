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

static bool field_check_syntax(const char *flag, const char *format, const char *value)
{
    struct syslog_message m = {0};
    struct defect defect = {0};
    char *message;
    int length = asprintf(&message, format, value);
    if (length < 0) {
        log_printf("out of memory");
        return false;
    }
    bool good = rfc5424_parse((struct slice){message, (size_t)length}, &m, &defect);
    if (!good) {
        log_printf("%s: '%s': %s: %s", flag, value, defect.field, defect.reason);
    } else if (m.msg.data) {
        log_printf("%s: '%s': a SP ends the field", flag, value);
        good = false;
    }
    syslog_message_free(&m);
    free(message);
    return good;
}

/* Where a value has a SP too many, what was to be STRUCTURED-DATA is left over as MSG. */
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

/* Printable characters, at most `most`, none of them in `ends`, which would end the field. */
static bool field_check_length(const char *value, size_t max_len, const char *delimiters)
{
    size_t len = strlen(value);
    return len > 0 && len <= max_len && scan_print(value, value + len) == value + len &&
           strcspn(value, delimiters) == len;
}

/* "Nov  2 15:04:05" and no other way of writing it, or, as many send it, what RFC 5424 has. */
static bool field_check_rfc3164_time(const char *text)
{
    static const char form[] = "%b %e %H:%M:%S";
    char again[32];
    struct tm t = {0};
    const char *end = strptime(text, form, &t);
    if (end && *end == '\0' && strftime(again, sizeof again, form, &t) > 0)
        return strcmp(text, again) == 0;
    struct defect ignored;
    const struct parse_input in = {text, text + strlen(text), &ignored};
    return timestamp_parse(&in, text) == in.end;
}

static bool field_check_rfc3164(const struct message_config *c)
{
    if (c->timestamp && !field_check_rfc3164_time(c->timestamp))
        return field_check_refuse("--timestamp", c->timestamp,
                                  "is no TIMESTAMP, as in Nov  2 15:04:05");
    if (!field_check_length(c->hostname, 255, ""))
        return field_check_refuse("--hostname", c->hostname,
                                  "is no HOSTNAME: up to 255 characters, no SP");
    if (strcmp(c->appname, "-") == 0 || !field_check_length(c->appname, 32, ":[]"))
        return field_check_refuse("--appname", c->appname,
                                  "is no TAG: up to 32 characters, no SP, ':', '[', ']'");
    if (!field_check_length(c->procid, 128, "[]"))
        return field_check_refuse("--procid", c->procid,
                                  "is no PID: up to 128 characters, no SP, '[', ']'");
    return true;
}

bool field_check_config(const struct message_config *c)
{
    return c->format == MESSAGE_RFC3164 ? field_check_rfc3164(c) : field_check_rfc5424(c);
}
