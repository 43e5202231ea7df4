/*
 * Parses each input with -f auto and -f rfc3164 and every --host, in front of a guard page. Fields
 * must be in the message, in their order, and MSG must be its end; a level is never HOSTNAME; the
 * record must be UTF-8.
 *
 *     make build/fuzz/syslog_parse && build/fuzz/syslog_parse -max_len=512 CORPUS
 */

#include <stdint.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "json/record.h"
#include "syslog/level.h"
#include "syslog/parse.h"
#include "unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_fail(struct slice message, const char *what)
{
    printf("not ok %s: %.*s\n", what, (int)message.len, message.data);
    fflush(stdout);
    abort();
}

/* Returns the end of a field that must not begin before `p`. */
static const char *fuzz_field(struct slice message, struct slice field, const char *p)
{
    if (!field.data)
        return p;
    if (field.data < p || field.data + field.len > message.data + message.len)
        fuzz_fail(message, "a field is out of order");
    return field.data + field.len;
}

static void fuzz_rfc3164(struct slice message, const struct syslog_message *m, enum host_mode host)
{
    unsigned unused;
    const char *p = fuzz_field(message, m->hostname, message.data);
    p = fuzz_field(message, m->appname, p);
    p = fuzz_field(message, m->procid, p);
    p = fuzz_field(message, m->msg, p);
    if (!m->msg.data || p != message.data + message.len)
        fuzz_fail(message, "MSG is not the end");
    if (host == HOST_NEVER && m->hostname.data)
        fuzz_fail(message, "HOSTNAME with --host=never");
    if (host == HOST_RULE && m->hostname.data &&
        (level_read(m->hostname, &unused) || level_read_pri(m->hostname, &unused)))
        fuzz_fail(message, "a level is HOSTNAME");
}

static void fuzz_parse(struct slice message, enum syslog_format format, enum host_mode host)
{
    static struct syslog_message m;
    static struct buffer out;
    struct defect defect;
    struct syslog_parser parser = {.format = format, .host = host, .time = {.now = 1795366800}};
    parser.time.tz.fixed = true;
    if (!syslog_parse(&parser, message, &m, &defect))
        return;
    if (m.version == 0)
        fuzz_rfc3164(message, &m, host);
    out.len = 0;
    record_write(&out, &m);
    if (utf8_find_invalid(out.data, out.data + out.len) != out.data + out.len)
        fuzz_fail(message, "the record is not UTF-8");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice message = unit_guarded((struct slice){(const char *)data, size});
    for (int host = HOST_RULE; host <= HOST_NEVER; host++) {
        fuzz_parse(message, FORMAT_AUTO, (enum host_mode)host);
        fuzz_parse(message, FORMAT_RFC3164, (enum host_mode)host);
    }
    return 0;
}
