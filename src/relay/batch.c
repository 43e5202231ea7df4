#include "relay/batch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "json/record.h"
#include "json/reject.h"
#include "syslog/pri.h"

void batch_init(struct batch *b, size_t max_frames)
{
    b->count = b->rejected = b->filtered = 0;
    b->rfc3164 = NULL;
    b->max_frames = max_frames;
    b->bytes = b->records = b->rejects = (struct buffer){0};
}

void batch_free(struct batch *b)
{
    buffer_free(&b->bytes);
    buffer_free(&b->records);
    buffer_free(&b->rejects);
}

/* Frames point into the copies, so only the first one may move them: later ones fit. */
void batch_add_copy(struct batch *b, enum frame_kind kind, const struct frame *frame)
{
    struct frame copy = *frame;
    if (b->count == 0)
        buffer_reserve(&b->bytes, BATCH_BYTES);
    buffer_append(&b->bytes, frame->message);
    copy.message.data = b->bytes.data + b->bytes.len - frame->message.len;
    batch_add(b, kind, &copy);
}

bool batch_parser_init(struct batch_parser *p, const struct relay_config *config)
{
    *p = (struct batch_parser){
        .config = config,
        .syslog = {.format = config->format, .time = {.tz = config->tz}, .host = config->host},
        .is_custom = config->charset || config->schema.meta || config->schema.raw ||
                     config->selector.is_active || config->host_from_peer ||
                     !schema_is_plain(&config->schema)};
    schema_writer_init(&p->schema, &config->schema);
    if (!config->charset || charset_open(&p->charset, config->charset))
        return true;
    log_printf("--charset: %s: %m", config->charset);
    return false;
}

void batch_parser_free(struct batch_parser *p)
{
    syslog_message_free(&p->message);
    buffer_free(&p->reject_meta);
    schema_writer_free(&p->schema);
    if (p->config->charset)
        charset_close(&p->charset);
}

static void batch_parser_set_origin(struct batch_parser *p, const struct batch_origin *origin)
{
    struct record_origin from = {.peer = {origin->peer, strlen(origin->peer)},
                                 .transport = {origin->transport, strlen(origin->transport)},
                                 .sender = origin->sender};
    p->syslog.time.now = (int64_t)(origin->received_ns / NS_PER_S);
    if (!schema_needs_time(&p->config->schema) && !p->config->rejects)
        return;
    schema_set_origin(&p->schema, &from, origin->received_ns);
    if (!p->config->rejects)
        return;
    from.received = (struct slice){p->schema.received, p->schema.received_len};
    p->reject_meta.len = 0;
    record_format_meta(&p->reject_meta, &from);
}

/* Whether a message, which rfc5424 has rejected, looks like RFC 3164: it has a PRI or a TIMESTAMP,
 * but no VERSION. Overwrites p->message. */
static bool batch_is_rfc3164(struct batch_parser *p, struct slice message,
                             const struct defect *defect)
{
    struct syslog_parser parser = {.format = FORMAT_AUTO, .time = {.tz.fixed = true}};
    struct defect ignored = {0};
    unsigned pri;
    if (strcmp(defect->field, "PRI") != 0 && strcmp(defect->field, "VERSION") != 0)
        return false;
    return syslog_parse_slow(&parser, message, &p->message, &ignored) && p->message.version == 0 &&
           (p->message.timestamp.data || pri_read(message.data, message.data + message.len, &pri));
}

static __attribute__((noinline)) void batch_reject(struct batch *b, struct batch_parser *p,
                                                   size_t i)
{
    struct batch_frame *f = &b->frames[i];
    if (!f->rejected && !b->rfc3164 && p->config->format == FORMAT_RFC5424 &&
        batch_is_rfc3164(p, (struct slice){f->data, f->len}, &b->defects[i]))
        b->rfc3164 = f;
    f->rejected = true;
    b->rejected++;
    if (p->config->rejects)
        reject_write(&b->rejects, b->origin.name, f->number, &b->defects[i],
                     (struct slice){f->data, f->len},
                     (struct slice){p->reject_meta.data, p->reject_meta.len});
}

/* Returns a message in UTF-8. It is unchanged if it is that already or cannot be converted. */
static struct slice batch_convert(struct batch_parser *p, struct slice message)
{
    const char *end = message.data + message.len;
    struct slice utf8;
    if (utf8_find_invalid(message.data, end) == end ||
        !charset_convert(&p->charset, message, &utf8))
        return message;
    return utf8;
}

static bool batch_parse_converted(struct batch_parser *p, struct slice message,
                                  struct defect *defect)
{
    struct slice text = p->config->charset ? batch_convert(p, message) : message;
    bool good = syslog_parse(&p->syslog, text, &p->message, defect);
    if (!good && text.data != message.data)
        defect->offset = charset_offset(&p->charset, message, (size_t)defect->offset);
    return good;
}

/* RFC 3164, section 4.3.2. The address is not in the message, of which blocks can be read. */
static void batch_set_hostname(struct syslog_message *m, const struct peer *sender)
{
    if (!*sender->ip)
        return;
    m->hostname = (struct slice){sender->ip, strlen(sender->ip)};
    m->header_verbatim = false;
}

/* batch_parse() with options that change records or select messages. */
static __attribute__((noinline)) void batch_parse_custom(struct batch *b, struct batch_parser *p)
{
    const struct relay_config *config = p->config;
    bool is_plain = schema_is_plain(&config->schema) && !config->schema.meta && !config->schema.raw;
    for (size_t i = 0; i < b->count; i++) {
        const struct batch_frame *f = &b->frames[i];
        struct slice message = {f->data, f->len};
        if (f->rejected || !batch_parse_converted(p, message, &b->defects[i])) {
            batch_reject(b, p, i);
            continue;
        }
        if (config->host_from_peer && !p->message.hostname.data)
            batch_set_hostname(&p->message, b->origin.sender);
        if (config->selector.is_active && !selector_selects(&config->selector, &p->message)) {
            b->filtered++;
            continue;
        }
        if (is_plain)
            record_write(&b->records, &p->message);
        else
            schema_write(&p->schema, &b->records, &p->message, message);
    }
}

/* "flatten", because the size of the inlined parser must not decide whether it is inlined. */
__attribute__((flatten)) void batch_parse(struct batch *b, struct batch_parser *p)
{
    if (b->origin.received_ns)
        batch_parser_set_origin(p, &b->origin);
    if (p->is_custom) {
        batch_parse_custom(b, p);
        return;
    }
    for (size_t i = 0; i < b->count; i++) {
        const struct batch_frame *f = &b->frames[i];
        struct slice message = {f->data, f->len};
        if (f->rejected || !syslog_parse(&p->syslog, message, &p->message, &b->defects[i]))
            batch_reject(b, p, i);
        else
            record_write(&b->records, &p->message);
    }
}
