#include "relay/run.h"

#include "base/exit-status.h"
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
    return source_file_read_all(config, pipeline, signals);
}

int relay_run(const struct relay_config *config)
{
    struct stats stats = {0};
    struct signals signals = {.handle_hangup = true,
                              .shutdown_timeout_ns = config->shutdown_timeout_ns};
    struct command command;
    struct sink sink;
    struct pipeline pipeline;
    if (!command_open(&command, config->exec, &signals) || !sink_open(&sink, config, &stats) ||
        !signals_open(&signals, &stats, config->stats_interval_ns) ||
        !pipeline_init(&pipeline, config, &sink) || !command_watch(&command, &sink))
        return STATUS_FAILED;
    bool all_read = relay_read(config, &pipeline, &signals);
    pipeline_free(&pipeline);
    command_end_input(&command);
    bool all_written = sink_close(&sink);
    int command_status = command_wait(&command);
    signals_close(&signals);
    command_close(&command);
    int status = counter_read(&stats.rejected) ? STATUS_REJECTED : STATUS_OK;
    if (!all_read || !all_written || counter_read(&stats.dropped))
        status = STATUS_FAILED;
    return command_status > status ? command_status : status;
}
