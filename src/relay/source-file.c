#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/input.h"
#include "base/log.h"
#include "relay/pipeline.h"

enum progress { MORE, ENDED, STUCK };

/* Where `why` is NULL, errno says it. */
static void fail(struct relay *r, const char *name, const char *why)
{
    int error = errno;
    relay_settle(r);
    log_printf("%s: %s", name, why ? why : strerror(error));
    r->failed = true;
}

static enum progress read_block(struct relay *r, struct input *in, struct stream *s, bool *whole)
{
    ssize_t n = input_read(in, r->block, RELAY_BLOCK, framer_mid_message(&s->framer));
    if (n < 0 && errno == EAGAIN)
        return MORE;
    if (n < 0) {
        fail(r, s->name, NULL);
        *whole = false;
    }
    if (n <= 0)
        return ENDED;
    switch (stream_take(s, r, (struct slice){r->block, (size_t)n})) {
    case STREAM_STUCK:
        return STUCK;
    case STREAM_BROKEN:
        return ENDED;
    default:
        return MORE;
    }
}

/* Nothing came for the time that a wait may take. */
static enum progress rest(struct relay *r, struct stream *s, bool waited_for_lines)
{
    if (!waited_for_lines)
        return relay_idle(r) ? MORE : STUCK;
    return stream_release(s, r) == STREAM_STUCK ? STUCK : MORE;
}

/* To its end, or to the end of a drain. */
static bool copy(struct relay *r, int fd, const char *name)
{
    struct input in;
    struct stream s;
    enum progress progress = MORE;
    bool whole = true;
    input_init(&in, fd);
    stream_start(&s, r, name, fd == STDIN_FILENO ? "stdin" : "file");
    while (progress == MORE) {
        bool within = framer_mid_message(&s.framer);
        int patience = relay_patience(r);
        bool for_lines = stream_holds(&s) && (patience < 0 || patience > STREAM_PATIENCE);
        if (for_lines)
            patience = STREAM_PATIENCE;
        switch (input_wait(&in, &r->signals, within, patience)) {
        case INPUT_READY:
            progress = read_block(r, &in, &s, &whole);
            break;
        case INPUT_IDLE:
            progress = rest(r, &s, for_lines);
            break;
        case INPUT_ENDED:
            whole = false;
            progress = ENDED;
            if (!in.live)
                fail(r, name, "stopped before its end");
        }
    }
    return stream_end(&s, r, whole) != STREAM_STUCK && progress != STUCK;
}

/* Not blocking: a FIFO without a writer must not keep the program from its signals. */
static bool copy_file(struct relay *r, const char *path)
{
    if (strcmp(path, "-") == 0)
        return copy(r, STDIN_FILENO, "stdin");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        fail(r, path, NULL);
        return true;
    }
    bool wrote = copy(r, fd, path);
    close(fd);
    return wrote;
}

bool relay_files(struct relay *r)
{
    if (r->config->file_count == 0)
        return copy_file(r, "-");
    for (int i = 0; i < r->config->file_count; i++) {
        if (signals_stopping(&r->signals)) {
            fail(r, r->config->files[i], "stopped before it was read");
        } else if (!copy_file(r, r->config->files[i])) {
            return false;
        }
    }
    return true;
}
