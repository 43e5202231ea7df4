#include "relay/run.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/log.h"
#include "base/number.h"
#include "base/signals.h"
#include "relay/command.h"
#include "relay/pipeline.h"
#include "relay/server.h"
#include "relay/sink.h"
#include "relay/source-file.h"

static bool relay_read(const struct relay_config *config, struct pipeline *pipeline,
                       struct signals *signals)
{
    if (config->listen_count || config->listen_systemd)
        return server_run(config, pipeline, signals);
    atomic_bool *reading = &pipeline->sink->metrics.reading;
    atomic_store(reading, true);
    bool good = source_file_read_all(config, pipeline, signals);
    atomic_store(reading, false);
    return good;
}

/* For the thread that handles signals. */
struct relay_hooks {
    const struct relay_config *config;
    struct command *command;
    pthread_mutex_t lock;
    bool closed; /* stdout; guarded by the lock */
};

static void relay_on_hangup(void *argument)
{
    command_hang_up(((struct relay_hooks *)argument)->command);
}

static void relay_on_abort(void *argument)
{
    command_terminate(((struct relay_hooks *)argument)->command);
}

/* Returns the number of bytes that the reader of stdout has to read, 0 if that is unknown. */
static int relay_count_unread(struct relay_hooks *hooks)
{
    int bytes = 0;
    struct stat output;
    pthread_mutex_lock(&hooks->lock);
    bool has_reader = !hooks->closed && fstat(STDOUT_FILENO, &output) == 0 &&
                      (S_ISFIFO(output.st_mode) || S_ISSOCK(output.st_mode));
    if (has_reader && ioctl(STDOUT_FILENO, FIONREAD, &bytes) != 0)
        bytes = 0;
    pthread_mutex_unlock(&hooks->lock);
    return bytes;
}

static bool relay_close_output(struct relay_hooks *hooks, struct sink *sink)
{
    pthread_mutex_lock(&hooks->lock);
    hooks->closed = true;
    pthread_mutex_unlock(&hooks->lock);
    return sink_close(sink);
}

/* Called by the thread that handles signals: a slow reader of stdout is what a drain waits for. */
static void relay_on_drain(void *argument)
{
    struct relay_hooks *hooks = argument;
    const struct relay_config *config = hooks->config;
    char text[80] = "draining";
    char number[NUMBER_SIZE];
    int bytes = relay_count_unread(hooks);
    if (bytes <= 0)
        return;
    if (config->shutdown_timeout_ns)
        snprintf(text, sizeof text, "draining for at most %g s (--shutdown-timeout)",
                 (double)config->shutdown_timeout_ns / (double)NS_PER_S);
    log_info("%s; the reader of stdout has %s bytes to read", text,
             number_format(number, (uint64_t)bytes));
}

int relay_run(const struct relay_config *config)
{
    struct stats stats = {0};
    struct command command;
    struct relay_hooks hooks = {config, &command, PTHREAD_MUTEX_INITIALIZER, false};
    struct signals signals = {.handle_hangup = true,
                              .shutdown_timeout_ns = config->shutdown_timeout_ns,
                              .abort_timeout_ns = config->exec ? COMMAND_ABORT_NS : 0,
                              .on_drain = relay_on_drain,
                              .on_hangup = config->exec ? relay_on_hangup : NULL,
                              .on_abort = config->exec ? relay_on_abort : NULL,
                              .argument = &hooks};
    struct sink sink;
    struct pipeline pipeline;
    struct metrics metrics;
    struct metrics_provider provider = {relay_metrics_write, relay_metrics_not_ready,
                                        &sink.metrics};
    if (!command_open(&command, config->exec) || !sink_open(&sink, config, &stats) ||
        !signals_open(&signals, &stats, config->stats_interval_ns) ||
        !metrics_open(&metrics, &config->metrics, &provider))
        return STATUS_FAILED;
    if (!pipeline_init(&pipeline, config, &sink) || !command_watch(&command, &sink, &signals)) {
        metrics_close(&metrics);
        return STATUS_FAILED;
    }
    bool all_read = relay_read(config, &pipeline, &signals);
    pipeline_free(&pipeline);
    command_end_input(&command);
    bool all_written = relay_close_output(&hooks, &sink);
    int command_status = command_wait(&command);
    metrics_close(&metrics);
    signals_close(&signals);
    command_close(&command);
    int status = counter_read(&stats.rejected) ? STATUS_REJECTED : STATUS_OK;
    if (!all_read || !all_written || counter_read(&stats.dropped))
        status = STATUS_FAILED;
    return command_status > status ? command_status : status;
}
