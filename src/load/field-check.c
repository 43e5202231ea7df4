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

static bool valid(const char *flag, const char *format, const char *value)
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
static bool rfc5424_valid(const struct message_config *c)
{
    return (!c->timestamp || valid("--timestamp", "<0>1 %s - - - - -", c->timestamp)) &&
           valid("--hostname", "<0>1 - %s - - - -", c->hostname) &&
           valid("--appname", "<0>1 - - %s - - -", c->appname) &&
           valid("--procid", "<0>1 - - - %s - -", c->procid) &&
           (!c->msgid || valid("--msgid", "<0>1 - - - - %s -", c->msgid)) &&
           valid("--sd", "<0>1 - - - - - %s", c->sd);
}

static bool refuse(const char *flag, const char *value, const char *reason)
{
    log_printf("%s: '%s': %s", flag, value, reason);
    return false;
}

/* Printable characters, at most `most`, none of them in `ends`, which would end the field. */
static bool is_field(const char *value, size_t most, const char *ends)
{
    size_t length = strlen(value);
    return length > 0 && length <= most && scan_print(value, value + length) == value + length &&
           strcspn(value, ends) == length;
}

/* "Nov  2 15:04:05" and no other way of writing it, or, as many send it, what RFC 5424 has. */
static bool is_time(const char *text)
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

static bool rfc3164_valid(const struct message_config *c)
{
    if (c->timestamp && !is_time(c->timestamp))
        return refuse("--timestamp", c->timestamp, "is no TIMESTAMP, as in Nov  2 15:04:05");
    if (!is_field(c->hostname, 255, ""))
        return refuse("--hostname", c->hostname, "is no HOSTNAME: up to 255 characters, no SP");
    if (strcmp(c->appname, "-") == 0 || !is_field(c->appname, 32, ":[]"))
        return refuse("--appname", c->appname,
                      "is no TAG: up to 32 characters, no SP, ':', '[', ']'");
    if (!is_field(c->procid, 128, "[]"))
        return refuse("--procid", c->procid, "is no PID: up to 128 characters, no SP, '[', ']'");
    return true;
}

bool fields_valid(const struct message_config *c)
{
    return c->format == MESSAGE_RFC3164 ? rfc3164_valid(c) : rfc5424_valid(c);
}
