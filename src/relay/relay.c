#include "relay/relay.h"

#include <unistd.h>

bool relay_pending(const struct relay *r)
{
    return r->records.buffer.len || r->rejects.buffer.len;
}

bool relay_flush(struct relay *r)
{
    return output_flush(&r->records) && output_flush(&r->rejects);
}

int relay_patience(const struct relay *r)
{
    return relay_pending(r) ? 0 : r->complaints.held_back ? 1000 : -1;
}

bool relay_idle(struct relay *r)
{
    if (relay_pending(r))
        return relay_flush(r);
    complaints_settle(&r->complaints);
    return true;
}

static bool start(struct relay *r)
{
    output_start(&r->records, STDOUT_FILENO, "stdout");
    if (r->config->rejects && !output_open(&r->rejects, "--rejects", r->config->rejects))
        return false;
    return signals_start(&r->signals, &r->stats, r->config->stats_interval);
}

static int end(struct relay *r, bool wrote)
{
    wrote = output_end(&r->records) && wrote;
    if (r->config->rejects)
        wrote = output_end(&r->rejects) && wrote;
    complaints_settle(&r->complaints);
    signals_end(&r->signals);
    rfc5424_free(&r->message);
    buffer_free(&r->meta);
    if (!wrote || r->failed)
        return STATUS_FAILED;
    return counted(&r->stats.rejected) ? STATUS_REJECTED : STATUS_OK;
}

int relay_run(const struct relay_config *config)
{
    struct relay r = {
        .config = config, .complaints = {.quiet = config->quiet}, .clock = {.utc = true}};
    if (!start(&r))
        return STATUS_FAILED;
    bool wrote = config->listen_count ? relay_serve(&r) : relay_files(&r);
    return end(&r, wrote);
}
