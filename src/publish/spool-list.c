#include "publish/spool-list.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/exit-status.h"
#include "base/log.h"
#include "base/output.h"
#include "publish/message-count.h"
#include "publish/window.h"

int spool_list(const char *path)
{
    struct window w;
    struct window_line line;
    struct output out;
    char count[MESSAGE_COUNT_MAX];
    uint64_t lines = 0;
    if (!window_open(&w, path, 0, true))
        return STATUS_FAILED;
    output_init(&out, STDOUT_FILENO, "stdout");
    while (window_next_line(&w, NULL, &line) && output_flush_full(&out)) {
        buffer_append(&out.buffer, line.text);
        buffer_append(&out.buffer, (struct slice){"\n", 1});
        lines++;
    }
    bool written = output_close(&out);
    log_info("%s: %s unconfirmed, %" PRIu64 " bytes of an unfinished line", path,
             message_count_format(count, lines), w.read - w.tail);
    bool has_loss = w.has_loss;
    window_close(&w);
    return written && !has_loss ? STATUS_OK : STATUS_FAILED;
}
