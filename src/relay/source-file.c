#include "relay/source-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/input.h"
#include "base/log.h"

enum { FILE_BLOCK_SIZE = 128 * 1024 };

struct source_file {
    struct pipeline *pipeline;
    struct input input;
    struct source source;
    bool ended;
    bool complete; /* the end was the end of the file */
    bool failed;
    char block[FILE_BLOCK_SIZE];
};

/* Defects of earlier messages are logged first. */
static void source_file_log(struct pipeline *p, const char *name, const char *error_text)
{
    pipeline_wait(p);
    log_printf("%s: %s", name, error_text);
}

static void source_file_read(struct source_file *f)
{
    ssize_t n =
        input_read(&f->input, f->block, sizeof f->block, framer_mid_message(&f->source.framer));
    if (n < 0 && errno == EAGAIN)
        return;
    if (n < 0) {
        source_file_log(f->pipeline, f->source.name, strerror(errno));
        f->failed = true;
        f->complete = false;
    }
    f->ended =
        n <= 0 || !pipeline_feed(f->pipeline, &f->source, (struct slice){f->block, (size_t)n});
}

/* Waits for input once, at most until the pipeline or a held message is due. */
static void source_file_step(struct source_file *f, struct signals *signals)
{
    if (signals_take_hangup(signals)) {
        pipeline_wait(f->pipeline);
        sink_reopen(f->pipeline->sink);
    }
    bool mid_message = framer_mid_message(&f->source.framer);
    int timeout_ms = pipeline_timeout_ms(f->pipeline);
    bool release =
        framer_has_held(&f->source.framer) && (timeout_ms < 0 || timeout_ms > PIPELINE_HOLD_MS);
    if (release)
        timeout_ms = PIPELINE_HOLD_MS;
    switch (input_wait(&f->input, signals, mid_message, timeout_ms)) {
    case INPUT_READY:
        source_file_read(f);
        break;
    case INPUT_IDLE:
        if (release)
            pipeline_release(f->pipeline, &f->source);
        else
            pipeline_on_idle(f->pipeline);
        break;
    case INPUT_ENDED:
        f->ended = true;
        f->complete = false;
        if (!f->input.live) {
            source_file_log(f->pipeline, f->source.name, "stopped before its end");
            f->failed = true;
        }
    }
}

static bool source_file_read_fd(struct pipeline *p, struct signals *signals, int fd,
                                const char *name)
{
    struct source_file f = {.pipeline = p, .complete = true};
    input_init(&f.input, fd);
    pipeline_source_init(p, &f.source, name, fd == STDIN_FILENO ? "stdin" : "file", NULL);
    while (!f.ended && !sink_failed(p->sink))
        source_file_step(&f, signals);
    pipeline_end(p, &f.source, f.complete);
    if (f.input.error)
        signals_request_stop(signals); /* poll(2) would fail for the next file, too */
    return !f.failed;
}

static bool source_file_read_path(struct pipeline *p, struct signals *signals, const char *path)
{
    if (strcmp(path, "-") == 0)
        return source_file_read_fd(p, signals, STDIN_FILENO, "stdin");
    /* O_NONBLOCK, so that a FIFO without a writer does not delay a drain. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        source_file_log(p, path, strerror(errno));
        return false;
    }
    bool good = source_file_read_fd(p, signals, fd, path);
    close(fd);
    return good;
}

bool source_file_read_all(const struct relay_config *config, struct pipeline *pipeline,
                          struct signals *signals)
{
    bool good = true;
    if (config->file_count == 0)
        return source_file_read_path(pipeline, signals, "-");
    for (int i = 0; i < config->file_count && !sink_failed(pipeline->sink); i++) {
        if (signals_stopping(signals)) {
            source_file_log(pipeline, config->files[i], "stopped before it was read");
            good = false;
        } else {
            good = source_file_read_path(pipeline, signals, config->files[i]) && good;
        }
    }
    return good;
}
