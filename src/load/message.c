#include "load/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/report.h"
#include "base/utf8.h"
#include "syslog/rfc5424.h"

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

/* Whether a value is one field of its own in the place that its option has in a message. */
static bool valid(const char *flag, const char *format, const char *value)
{
    struct syslog_message m = {0};
    struct defect defect = {0};
    char *message;
    int length = asprintf(&message, format, value);
    if (length < 0) {
        report("out of memory");
        return false;
    }
    bool good = rfc5424_parse((struct slice){message, (size_t)length}, &m, &defect);
    if (!good) {
        report("%s: '%s': %s: %s", flag, value, defect.field, defect.reason);
    } else if (m.msg.at) {
        report("%s: '%s': a SP ends the field", flag, value);
        good = false;
    }
    syslog_message_free(&m);
    free(message);
    return good;
}

/* Where a value has a SP too many, what was to be STRUCTURED-DATA is left over as MSG. */
static bool all_valid(const struct message_config *c)
{
    return (!c->timestamp || valid("--timestamp", "<0>1 %s - - - - -", c->timestamp)) &&
           valid("--hostname", "<0>1 - %s - - - -", c->hostname) &&
           valid("--appname", "<0>1 - - %s - - -", c->appname) &&
           valid("--procid", "<0>1 - - - %s - -", c->procid) &&
           (!c->msgid || valid("--msgid", "<0>1 - - - - %s -", c->msgid)) &&
           valid("--sd", "<0>1 - - - - - %s", c->sd);
}

static bool fits(const struct message_writer *w)
{
    const struct message_config *c = w->config;
    size_t least = w->head.len + (c->timestamp ? 0 : TIMESTAMP_MAX) + w->middle.len +
                   (c->msgid ? 0 : NUMBER_MAX) + w->tail.len;
    if (c->size && c->size < least) {
        report("--size: the parts before MSG can take %zu bytes", least);
        return false;
    }
    if (!c->octet_counting && (strchr(c->text, '\n') || strchr(c->sd, '\n'))) {
        report("%s: a line end in it wants --framing=octet",
               strchr(c->sd, '\n') ? "--sd" : "--message");
        return false;
    }
    return true;
}

bool message_start(struct message_writer *w, const struct message_config *config)
{
    char pri[16];
    *w = (struct message_writer){.config = config};
    snprintf(pri, sizeof pri, "<%u>1 ", config->pri);
    add(&w->head, pri);
    if (config->timestamp)
        add(&w->head, config->timestamp);
    for (int i = 0; i < 3; i++) {
        add(&w->middle, " ");
        add(&w->middle, i == 0 ? config->hostname : i == 1 ? config->appname : config->procid);
    }
    add(&w->middle, " ");
    if (config->msgid)
        add(&w->middle, config->msgid);
    add(&w->tail, " ");
    add(&w->tail, config->sd);
    add(&w->tail, " ");
    buffer_add(&w->text, (struct slice){w->tail.at, w->tail.len});
    add(&w->text, config->text);
    w->text_length = w->text.len;
    if (config->size > w->text.len) {
        size_t more = (size_t)config->size - w->text.len;
        memset(buffer_room(&w->text, more), PADDING, more);
        w->text.len += more;
    }
    w->room = w->head.len + w->middle.len + w->text.len + TIMESTAMP_MAX + 2 * NUMBER_MAX + 2;
    return all_valid(config) && fits(w);
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

char *message_write(struct message_writer *w, uint64_t k, uint64_t ns, char *to)
{
    const struct message_config *c = w->config;
    char stamp[TIMESTAMP_MAX];
    size_t stamp_length =
        c->timestamp ? 0 : (size_t)(timestamp_write(&w->clock, ns, stamp) - stamp);
    unsigned number_length = c->msgid ? 0 : digits(k);
    size_t before = w->head.len + stamp_length + w->middle.len + number_length;
    size_t text = c->size ? (size_t)c->size - before : w->text.len;
    if (c->octet_counting) {
        to = put_number(to, before + text, digits(before + text));
        *to++ = ' ';
    }
    to = put(to, &w->head, w->head.len);
    memcpy(to, stamp, stamp_length);
    to = put(to + stamp_length, &w->middle, w->middle.len);
    if (number_length)
        to = put_number(to, k, number_length);
    to = put_text(w, to, text);
    if (!c->octet_counting)
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
