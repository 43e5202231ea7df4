#include "load/message.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/report.h"
#include "base/utf8.h"
#include "load/fields.h"

enum { NUMBER_MAX = 20, PADDING = '.' };

static struct slice text_slice(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void add(struct buffer *b, const char *text)
{
    buffer_add(b, text_slice(text));
}

static char *put(char *to, const struct buffer *b, size_t n)
{
    memcpy(to, b->at, n);
    return to + n;
}

static unsigned digits(uint64_t k)
{
    unsigned n = 1;
    for (; k >= 10; k /= 10)
        n++;
    return n;
}

static char *put_number(char *to, uint64_t k, unsigned n)
{
    for (unsigned i = n; i-- > 0; k /= 10)
        to[i] = (char)('0' + k % 10);
    return to + n;
}

static size_t stamp_length(const struct message_config *c)
{
    return c->timestamp ? 0 : c->format == FORMAT_RFC3164 ? TIMESTAMP_RFC3164 : TIMESTAMP_MAX;
}

static bool fits(const struct message_writer *w)
{
    const struct message_config *c = w->config;
    size_t least =
        w->head.len + stamp_length(c) + w->middle.len + (c->msgid ? 0 : NUMBER_MAX) + w->tail.len;
    if (c->size && c->size < least) {
        report("--size: the parts before MSG can take %zu bytes", least);
        return false;
    }
    if (c->frame == MESSAGE_LINE && (strchr(c->text, '\n') || strchr(c->sd, '\n'))) {
        report("%s: a line end in it wants --framing=octet",
               strchr(c->sd, '\n') ? "--sd" : "--message");
        return false;
    }
    return true;
}

static void add_rfc5424(struct message_writer *w)
{
    const struct message_config *c = w->config;
    const char *const fields[] = {c->hostname, c->appname, c->procid, c->msgid ? c->msgid : ""};
    add(&w->head, "1 ");
    for (int i = 0; i < 4; i++) {
        add(&w->middle, " ");
        add(&w->middle, fields[i]);
    }
    add(&w->tail, " ");
    add(&w->tail, c->sd);
    add(&w->tail, " ");
}

static void add_rfc3164(struct message_writer *w)
{
    const struct message_config *c = w->config;
    add(&w->middle, " ");
    if (strcmp(c->hostname, "-") != 0) {
        add(&w->middle, c->hostname);
        add(&w->middle, " ");
    }
    add(&w->middle, c->appname);
    if (strcmp(c->procid, "-") != 0) {
        add(&w->middle, "[");
        add(&w->middle, c->procid);
        add(&w->middle, "]");
    }
    add(&w->middle, ": ");
    add(&w->tail, " ");
}

bool message_start(struct message_writer *w, const struct message_config *config)
{
    char pri[16];
    *w = (struct message_writer){.config = config, .digits = 1, .next_digit = 10};
    if (!fields_valid(config))
        return false;
    snprintf(pri, sizeof pri, "<%u>", config->pri);
    add(&w->head, pri);
    if (config->format == FORMAT_RFC3164)
        add_rfc3164(w);
    else
        add_rfc5424(w);
    if (config->timestamp)
        add(&w->head, config->timestamp);
    buffer_add(&w->text, (struct slice){w->tail.at, w->tail.len});
    add(&w->text, config->text);
    w->text_length = w->text.len;
    if (config->size > w->text.len) {
        size_t more = (size_t)config->size - w->text.len;
        memset(buffer_room(&w->text, more), PADDING, more);
        w->text.len += more;
    }
    w->before = w->head.len + stamp_length(config) + w->middle.len;
    w->room = w->before + w->text.len + 2 * NUMBER_MAX + 2;
    w->shortest =
        config->size ? (size_t)config->size : w->before + (config->msgid ? 0 : 1) + w->text.len;
    return fits(w);
}

/* Text that is cut is cut between characters; what that leaves is padded. */
static char *put_text(const struct message_writer *w, char *to, size_t n)
{
    struct slice text = {w->text.at, w->text_length};
    size_t whole = utf8_cut(text, n);
    if (n >= w->text_length || whole == n)
        return put(to, &w->text, n);
    memset(put(to, &w->text, whole), PADDING, n - whole);
    return to + n;
}

static unsigned count_digits(struct message_writer *w, uint64_t k)
{
    while (k >= w->next_digit && w->digits < NUMBER_MAX) {
        w->digits++;
        w->next_digit *= 10;
    }
    return w->digits;
}

char *message_write(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    const struct message_config *c = w->config;
    unsigned number = c->msgid ? 0 : count_digits(w, k);
    size_t before = w->before + number;
    size_t text = c->size ? (size_t)c->size - before : w->text.len;
    if (c->frame == MESSAGE_COUNTED) {
        to = put_number(to, before + text, digits(before + text));
        *to++ = ' ';
    }
    to = put(to, &w->head, w->head.len);
    if (!c->timestamp)
        to = c->format == FORMAT_RFC3164 ? timestamp_write_rfc3164(&w->clock, ns, to)
                                         : timestamp_write(&w->clock, ns, to);
    to = put(to, &w->middle, w->middle.len);
    if (number)
        to = put_number(to, k, number);
    to = put_text(w, to, text);
    if (c->frame == MESSAGE_LINE)
        *to++ = '\n';
    return to;
}

void message_free(struct message_writer *w)
{
    buffer_free(&w->head);
    buffer_free(&w->middle);
    buffer_free(&w->tail);
    buffer_free(&w->text);
}
