#include "load/template.h"

#include <inttypes.h>

#include "base/crc32c.h"
#include "base/log.h"
#include "syslog/timestamp.h"

static struct slice template_text_slice(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static size_t template_timestamp_len(const struct message_config *c)
{
    if (c->timestamp)
        return 0;
    if (c->format == MESSAGE_RFC3164)
        return TIMESTAMP_RFC3164;
    return c->utc ? TIMESTAMP_UTC : TIMESTAMP_MAX;
}

static struct slice template_field_value(const char *text)
{
    struct slice none = {0};
    return strcmp(text, "-") == 0 ? none : template_text_slice(text);
}

static void template_init_sequence(struct template *t, const struct message_config *c)
{
    struct template_sequence *s = &t->sequence;
    crc32c_init_tables();
    buffer_printf(&s->connection_count, "%" PRIu64, c->connection_count);
    s->values = (struct sequence_values){
        .pri = c->pri,
        .hostname = template_field_value(c->hostname),
        .appname = template_field_value(c->appname),
        .procid = template_field_value(c->procid),
        .run = template_text_slice(c->run),
        .connection_count = {s->connection_count.data, s->connection_count.len}};
    if (c->timestamp)
        s->values.timestamp = template_field_value(c->timestamp);
    if (c->msgid)
        s->values.msgid = template_field_value(c->msgid);
    s->text_len = SIZE_MAX;
    buffer_printf(&s->lead, " %s[" SEQUENCE_SD_ID " run=\"%s\" conn=\"",
                  strcmp(c->sd, "-") == 0 ? "" : c->sd, c->run);
    buffer_printf(&s->middle, "\" of=\"%" PRIu64 "\" n=\"", c->connection_count);
    buffer_puts(&t->text, c->text ? "\"] " : "\"]");
}

static void template_add_rfc5424(struct template *t, const struct message_config *c)
{
    buffer_puts(&t->head, "1 ");
    buffer_printf(&t->middle, " %s %s %s %s", c->hostname, c->appname, c->procid,
                  c->msgid ? c->msgid : "");
    if (c->checksum)
        return template_init_sequence(t, c);
    buffer_printf(&t->text, " %s%s", c->sd, c->text ? " " : "");
}

static void template_add_rfc3164(struct template *t, const struct message_config *c)
{
    buffer_puts(&t->middle, " ");
    if (strcmp(c->hostname, "-") != 0)
        buffer_printf(&t->middle, "%s ", c->hostname);
    buffer_puts(&t->middle, c->appname);
    if (strcmp(c->procid, "-") != 0)
        buffer_printf(&t->middle, "[%s]", c->procid);
    buffer_puts(&t->middle, ": ");
    buffer_puts(&t->text, " ");
}

/* Copying from an empty buffer must not be memcpy() from NULL. */
static void template_allocate(struct template *t)
{
    buffer_reserve(&t->head, 1);
    buffer_reserve(&t->middle, 1);
    buffer_reserve(&t->text, 1);
}

void template_init(struct template *t, const struct message_config *c)
{
    *t = (struct template){
        .has_timestamp = !c->timestamp, .utc = c->utc, .has_number = !c->msgid, .no_msg = !c->text};
    template_allocate(t);
    buffer_printf(&t->head, "<%u>", c->pri);
    if (c->format == MESSAGE_RFC3164)
        template_add_rfc3164(t, c);
    else
        template_add_rfc5424(t, c);
    if (c->timestamp)
        buffer_puts(&t->head, c->timestamp);
    t->prefix_len = t->text.len;
    buffer_puts(&t->text, c->text ? c->text : "");
    t->text_len = t->text.len;
    uint64_t size = c->size_max ? c->size_max : c->size;
    if (size > t->text.len) {
        size_t padding = (size_t)size - t->text.len;
        memset(buffer_reserve(&t->text, padding), TEMPLATE_PADDING, padding);
        t->text.len += padding;
    }
    t->before_number_len = t->head.len + template_timestamp_len(c) + t->middle.len;
}

void template_init_line(struct template *t, struct slice line)
{
    *t = (struct template){.before_number_len = line.len};
    template_allocate(t);
    buffer_append(&t->head, line);
}

static size_t template_sequence_max_len(const struct template_sequence *s)
{
    return s->lead.len + s->middle.len + 2 * TEMPLATE_NUMBER_MAX + sizeof TEMPLATE_CRC_PARAM - 1 +
           SEQUENCE_CRC_DIGITS;
}

/* The most that can precede MSG. */
static size_t template_overhead(const struct template *t, const struct message_config *c)
{
    return t->before_number_len + (t->has_number ? TEMPLATE_NUMBER_MAX : 0) +
           (c->checksum ? template_sequence_max_len(&t->sequence) : 0) + t->prefix_len;
}

size_t template_max_len(const struct template *t, const struct message_config *c)
{
    return template_overhead(t, c) + t->text.len;
}

size_t template_min_len(const struct template *t, const struct message_config *c)
{
    return c->size ? (size_t)c->size : t->before_number_len + t->has_number + t->text.len;
}

bool template_check(const struct template *t, const struct message_config *c)
{
    size_t overhead = template_overhead(t, c);
    if (c->size && c->size < overhead) {
        log_printf("--size%s: %" PRIu64 " is too small; the fields before MSG need up to %zu bytes",
                   c->size_max ? "s" : "", c->size, overhead);
        return false;
    }
    if (c->framing == MESSAGE_NEWLINE && (strchr(c->text, '\n') || strchr(c->sd, '\n'))) {
        log_printf("%s: the value contains a line feed; use --framing=octet",
                   strchr(c->sd, '\n') ? "--sd" : "--message");
        return false;
    }
    return true;
}

void template_free(struct template *t)
{
    buffer_free(&t->head);
    buffer_free(&t->middle);
    buffer_free(&t->text);
    buffer_free(&t->sequence.connection_count);
    buffer_free(&t->sequence.lead);
    buffer_free(&t->sequence.middle);
}
