#include "load/template.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "load/crc32c.h"
#include "syslog/timestamp.h"

static struct slice text_slice(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void add(struct buffer *b, const char *text)
{
    buffer_append(b, text_slice(text));
}

static size_t stamp_length(const struct message_config *c)
{
    if (c->timestamp)
        return 0;
    if (c->format == MESSAGE_RFC3164)
        return TIMESTAMP_RFC3164;
    return c->utc ? TIMESTAMP_UTC : TIMESTAMP_MAX;
}

static struct slice value_of(const char *text)
{
    struct slice none = {0};
    return strcmp(text, "-") == 0 ? none : text_slice(text);
}

static void mark_start(struct body *b, const struct message_config *c)
{
    struct body_mark *m = &b->mark;
    char of[BODY_NUMBER + 1];
    crc32c_prepare();
    snprintf(of, sizeof of, "%" PRIu64, c->connections);
    add(&m->of, of);
    m->values = (struct mark_values){.pri = c->pri,
                                     .hostname = value_of(c->hostname),
                                     .appname = value_of(c->appname),
                                     .procid = value_of(c->procid),
                                     .run = text_slice(c->run),
                                     .of = {m->of.data, m->of.len}};
    if (c->timestamp)
        m->values.timestamp = value_of(c->timestamp);
    if (c->msgid)
        m->values.msgid = value_of(c->msgid);
    m->text_length = SIZE_MAX;
    add(&m->lead, " ");
    add(&m->lead, strcmp(c->sd, "-") == 0 ? "" : c->sd);
    add(&m->lead, "[" MARK_ID " run=\"");
    add(&m->lead, c->run);
    add(&m->lead, "\" conn=\"");
    add(&m->middle, "\" of=\"");
    add(&m->middle, of);
    add(&m->middle, "\" n=\"");
    add(&b->text, c->text ? "\"] " : "\"]");
}

static void add_rfc5424(struct body *b, const struct message_config *c)
{
    const char *const fields[] = {c->hostname, c->appname, c->procid, c->msgid ? c->msgid : ""};
    add(&b->head, "1 ");
    for (int i = 0; i < 4; i++) {
        add(&b->middle, " ");
        add(&b->middle, fields[i]);
    }
    if (c->checksum)
        return mark_start(b, c);
    add(&b->text, " ");
    add(&b->text, c->sd);
    add(&b->text, c->text ? " " : "");
}

static void add_rfc3164(struct body *b, const struct message_config *c)
{
    add(&b->middle, " ");
    if (strcmp(c->hostname, "-") != 0) {
        add(&b->middle, c->hostname);
        add(&b->middle, " ");
    }
    add(&b->middle, c->appname);
    if (strcmp(c->procid, "-") != 0) {
        add(&b->middle, "[");
        add(&b->middle, c->procid);
        add(&b->middle, "]");
    }
    add(&b->middle, ": ");
    add(&b->text, " ");
}

/* So that there is something to copy nothing from. */
static void set_apart(struct body *b)
{
    buffer_reserve(&b->head, 1);
    buffer_reserve(&b->middle, 1);
    buffer_reserve(&b->text, 1);
}

void body_start(struct body *b, const struct message_config *c)
{
    char pri[16];
    *b = (struct body){
        .stamped = !c->timestamp, .utc = c->utc, .numbered = !c->msgid, .no_msg = !c->text};
    set_apart(b);
    snprintf(pri, sizeof pri, "<%u>", c->pri);
    add(&b->head, pri);
    if (c->format == MESSAGE_RFC3164)
        add_rfc3164(b, c);
    else
        add_rfc5424(b, c);
    if (c->timestamp)
        add(&b->head, c->timestamp);
    b->tail = b->text.len;
    add(&b->text, c->text ? c->text : "");
    b->text_length = b->text.len;
    uint64_t longest = c->size_high ? c->size_high : c->size;
    if (longest > b->text.len) {
        size_t more = (size_t)longest - b->text.len;
        memset(buffer_reserve(&b->text, more), BODY_PADDING, more);
        b->text.len += more;
    }
    b->before = b->head.len + stamp_length(c) + b->middle.len;
}

void body_start_line(struct body *b, struct slice line)
{
    *b = (struct body){.before = line.len};
    set_apart(b);
    buffer_append(&b->head, line);
}

static size_t mark_room(const struct body_mark *m)
{
    return m->lead.len + m->middle.len + 2 * BODY_NUMBER + sizeof BODY_CRC_NAME - 1 +
           MARK_SUM_DIGITS;
}

static size_t before_msg(const struct body *b, const struct message_config *c)
{
    return b->before + (b->numbered ? BODY_NUMBER : 0) + (c->checksum ? mark_room(&b->mark) : 0) +
           b->tail;
}

size_t body_longest(const struct body *b, const struct message_config *c)
{
    return before_msg(b, c) + b->text.len;
}

size_t body_shortest(const struct body *b, const struct message_config *c)
{
    return c->size ? (size_t)c->size : b->before + b->numbered + b->text.len;
}

bool body_fits(const struct body *b, const struct message_config *c)
{
    size_t least = before_msg(b, c);
    if (c->size && c->size < least) {
        log_printf("--size%s: the parts before MSG can take %zu bytes", c->size_high ? "s" : "",
                   least);
        return false;
    }
    if (c->frame == MESSAGE_LINE && (strchr(c->text, '\n') || strchr(c->sd, '\n'))) {
        log_printf("%s: a line end in it wants --framing=octet",
                   strchr(c->sd, '\n') ? "--sd" : "--message");
        return false;
    }
    return true;
}

void body_free(struct body *b)
{
    buffer_free(&b->head);
    buffer_free(&b->middle);
    buffer_free(&b->text);
    buffer_free(&b->mark.of);
    buffer_free(&b->mark.lead);
    buffer_free(&b->mark.middle);
}
