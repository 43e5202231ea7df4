#include "json/record.h"

#include "syslog/pri.h"
#include "json/string.h"

static char *string_or_null(char *to, struct slice value)
{
    return value.at ? json_string(to, value) : json_literal(to, "null");
}

/* Digits only, no leading zero, at most 2^63 - 1: whoever reads the JSON can hold it. */
static bool is_number(struct slice procid)
{
    static const char most[] = "9223372036854775807";
    size_t digits = sizeof most - 1;
    if (procid.len > digits || (procid.at[0] == '0' && procid.len > 1))
        return false;
    for (size_t i = 0; i < procid.len; i++)
        if (procid.at[i] < '0' || procid.at[i] > '9')
            return false;
    return procid.len < digits || memcmp(procid.at, most, digits) <= 0;
}

static char *procid(char *to, struct slice value)
{
    return value.at && is_number(value) ? json_raw(to, value) : string_or_null(to, value);
}

/* PARAM-VALUE: \" \\ and \] are unescaped (RFC 5424, section 6.3.3), then it is any string. */
static char *param_value(char *to, struct slice value)
{
    const char *end = value.at + value.len;
    const char *piece = value.at;
    const char *p = piece;
    *to++ = '"';
    while ((p = memchr(p, '\\', (size_t)(end - p)))) {
        if (p + 1 < end && (p[1] == '"' || p[1] == '\\' || p[1] == ']')) {
            to = json_text(to, slice_between(piece, p));
            piece = ++p;
        }
        p++;
    }
    to = json_text(to, slice_between(piece, end));
    *to++ = '"';
    return to;
}

static char *param(char *to, const struct structured_data *sd, const struct sd_param *first)
{
    to = json_string(to, first->name);
    *to++ = ':';
    if (first->next == SD_NONE)
        return param_value(to, first->value);
    *to++ = '[';
    to = param_value(to, first->value);
    for (uint32_t i = first->next; i != SD_NONE; i = sd->params[i].next) {
        *to++ = ',';
        to = param_value(to, sd->params[i].value);
    }
    *to++ = ']';
    return to;
}

static char *element(char *to, const struct structured_data *sd, const struct sd_element *first)
{
    bool comma = false;
    to = json_string(to, first->id);
    to = json_literal(to, ":{");
    for (const struct sd_element *e = first;; e = &sd->elements[e->next]) {
        for (uint32_t i = e->first; i < e->end; i++) {
            if (sd->params[i].repeats)
                continue;
            if (comma)
                *to++ = ',';
            comma = true;
            to = param(to, sd, &sd->params[i]);
        }
        if (e->next == SD_NONE)
            break;
    }
    *to++ = '}';
    return to;
}

static char *structured_data(char *to, const struct structured_data *sd)
{
    *to++ = '{';
    for (uint32_t i = 0; i < sd->element_count; i++) {
        if (sd->elements[i].repeats)
            continue;
        if (i)
            *to++ = ',';
        to = element(to, sd, &sd->elements[i]);
    }
    *to++ = '}';
    return to;
}

void record_write(struct buffer *out, const struct syslog_message *m,
                  const struct record_extras *extras)
{
    /* What is added to a message by itself is less than six times the bytes that ask for it. */
    size_t fixed = 512 + extras->meta.len;
    char *to =
        buffer_room(out, fixed + JSON_STRING_ROOM(m->length) + JSON_STRING_ROOM(extras->raw.len));
    to = json_literal(to, "{\"severity\":\"");
    to = json_raw(to, severity_names[m->severity]);
    to = json_literal(to, "\",\"facility\":\"");
    to = json_raw(to, facility_names[m->facility]);
    if (m->version)
        to = json_literal(to, "\",\"version\":1,\"timestamp\":");
    else
        to = json_literal(to, "\",\"version\":null,\"timestamp\":");
    to = string_or_null(to, m->timestamp);
    to = json_literal(to, ",\"hostname\":");
    to = string_or_null(to, m->hostname);
    to = json_literal(to, ",\"appname\":");
    to = string_or_null(to, m->appname);
    to = json_literal(to, ",\"procid\":");
    to = procid(to, m->procid);
    to = json_literal(to, ",\"msgid\":");
    to = string_or_null(to, m->msgid);
    to = json_literal(to, ",\"sd\":");
    to = structured_data(to, &m->sd);
    to = json_literal(to, ",\"msg\":");
    to = string_or_null(to, m->msg);
    if (extras->meta.at)
        to = json_raw(to, extras->meta);
    if (extras->raw.at) {
        to = json_literal(to, ",\"raw\":");
        to = json_string(to, extras->raw);
    }
    to = json_literal(to, "}\n");
    buffer_wrote(out, to);
}

void record_meta(struct buffer *out, struct slice peer, struct slice transport,
                 struct slice received)
{
    char *to = buffer_room(out, 64 + JSON_STRING_ROOM(peer.len) + JSON_STRING_ROOM(transport.len) +
                                    JSON_STRING_ROOM(received.len));
    to = json_literal(to, ",\"peer\":");
    to = json_string(to, peer);
    to = json_literal(to, ",\"transport\":");
    to = json_string(to, transport);
    to = json_literal(to, ",\"received\":");
    to = json_string(to, received);
    buffer_wrote(out, to);
}
