#include "base/reject-file.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { REJECTS_KEPT = 1024 * 1024 /* bytes */ };

bool reject_file_open(struct reject_file *f, const char *path)
{
    *f = (struct reject_file){.output = {.fd = -1}};
    return !path || output_open_append(&f->output, "--rejects", path);
}

static uint64_t reject_file_count_lines(const struct buffer *lines)
{
    uint64_t count = 0;
    const char *end = lines->data + lines->len;
    for (const char *p = lines->data; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        count++;
    return count;
}

void reject_file_append(struct reject_file *f, struct buffer *lines)
{
    if (f->output.buffer.len < REJECTS_KEPT)
        buffer_append(&f->output.buffer, (struct slice){lines->data, lines->len});
    else
        f->lost += reject_file_count_lines(lines);
    lines->len = 0;
}

static void reject_file_flush(struct reject_file *f)
{
    if (output_try_flush(&f->output)) {
        if (f->failing)
            log_info("%s: can be written again", f->output.name);
        f->failing = false;
        return;
    }
    if (!f->failing)
        log_warning("%s: %m; retrying every second", f->output.name);
    f->failing = true;
    f->retry_ns = clock_monotonic() + NS_PER_S;
}

void reject_file_write(struct reject_file *f)
{
    if (f->output.buffer.len && (!f->failing || clock_monotonic() >= f->retry_ns))
        reject_file_flush(f);
}

bool reject_file_is_pending(const struct reject_file *f)
{
    return f->output.buffer.len && !f->failing;
}

void reject_file_reopen(struct reject_file *f)
{
    if (f->output.fd >= 0 && output_reopen(&f->output))
        reject_file_flush(f);
}

bool reject_file_close(struct reject_file *f)
{
    if (f->output.fd < 0)
        return true;
    reject_file_flush(f);
    f->lost += reject_file_count_lines(&f->output.buffer);
    f->output.buffer.len = 0;
    if (f->lost)
        log_printf("%s: %" PRIu64 " rejected message%s not written", f->output.name, f->lost,
                   f->lost == 1 ? "" : "s");
    bool closed = output_close(&f->output);
    f->output.fd = -1;
    return closed && f->lost == 0;
}
