#include "relay/relay.h"

#include <unistd.h>

#include "base/exit-status.h"
#include "base/log.h"
#include "base/rate-limit.h"
#include "relay/pipeline.h"
#include "relay/workers.h"

void parser_start(struct parser *p, const struct relay_config *config)
{
    *p = (struct parser){.config = config,
                         .format = {.format = config->format, .time = {.tz = config->zone}},
                         .clock = {.utc = true}};
}

void parser_free(struct parser *p)
{
    syslog_message_free(&p->message);
    buffer_free(&p->meta);
}

void relay_refuse(struct relay *r, const char *peer, const char *why)
{
    counter_add(&r->stats.refused, 1);
    if (rate_limit_allow(&r->refusals))
        log_printf("%s: refused: %s", peer, why);
}

bool relay_pending(const struct relay *r)
{
    return r->jobs ? jobs_collecting(r->jobs) : r->records.buffer.len || r->rejects.buffer.len;
}

bool relay_flush(struct relay *r)
{
    if (r->jobs)
        return jobs_hand_over(r->jobs);
    return output_flush(&r->records) && output_flush(&r->rejects);
}

void relay_settle(struct relay *r)
{
    if (r->jobs)
        jobs_settle(r->jobs);
}

int relay_patience(const struct relay *r)
{
    if (relay_pending(r))
        return 0;
    bool theirs = r->jobs && !jobs_written(r->jobs);
    return theirs || r->complaints.suppressed || r->refusals.suppressed ? 1000 : -1;
}

bool relay_idle(struct relay *r)
{
    if (relay_pending(r))
        return relay_flush(r);
    if (r->jobs && !jobs_written(r->jobs))
        return !jobs_failed(r->jobs);
    rate_limit_flush(&r->complaints);
    rate_limit_flush(&r->refusals);
    return true;
}

static bool start(struct relay *r)
{
    output_init(&r->records, STDOUT_FILENO, "stdout");
    if (r->config->rejects && !output_open_append(&r->rejects, "--rejects", r->config->rejects))
        return false;
    r->signals.handle_hangup = r->config->tls.cert != NULL;
    if (!signals_open(&r->signals, &r->stats, r->config->stats_interval))
        return false;
    if (r->config->jobs > 1)
        r->jobs = jobs_start((unsigned)r->config->jobs,
                             &(struct jobs_tasks){stream_work, stream_write, r});
    return r->config->jobs == 1 || r->jobs;
}

static int end(struct relay *r, bool wrote)
{
    if (r->jobs)
        wrote = jobs_end(r->jobs) && wrote;
    wrote = output_close(&r->records) && wrote;
    if (r->config->rejects)
        wrote = output_close(&r->rejects) && wrote;
    rate_limit_flush(&r->complaints);
    rate_limit_flush(&r->refusals);
    signals_close(&r->signals);
    parser_free(&r->parser);
    if (!wrote || r->failed || counter_read(&r->stats.dropped))
        return STATUS_FAILED;
    return counter_read(&r->stats.rejected) ? STATUS_REJECTED : STATUS_OK;
}

int relay_run(const struct relay_config *config)
{
    struct relay r = {.config = config,
                      .complaints = {.quiet = config->quiet},
                      .refusals = {.quiet = config->quiet}};
    parser_start(&r.parser, config);
    if (!start(&r))
        return STATUS_FAILED;
    bool wrote = config->listen_count || config->listen_systemd ? relay_serve(&r) : relay_files(&r);
    return end(&r, wrote);
}
