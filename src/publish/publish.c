#include "publish/publish.h"

#include <errno.h>
#include <unistd.h>

#include "base/input.h"
#include "base/output.h"
#include "base/report.h"
#include "syslog/frame.h"
#include "json/check.h"
#include "json/reject.h"

enum {
    BLOCK_SIZE = 128 * 1024,
    PAYLOAD_MAX = 64 * 1024 * 1024 /* no server can be set to take more */
};

struct publisher {
    const struct publish_config *config;
    struct connection *connection; /* NULL in a dry run */
    struct stats stats;
    struct signals signals;
    struct output printed; /* in a dry run */
    struct output rejects;
    struct complaints complaints;
    struct json_check check;
    struct framer lines;
    char block[BLOCK_SIZE];
};

static bool refuse(struct publisher *p, const struct frame *line)
{
    count(&p->stats.rejected, 1);
    complain(&p->complaints, "stdin", line->number, &line->defect);
    if (!p->config->rejects)
        return true;
    reject_write(&p->rejects.buffer, "stdin", line->number, &line->defect, line->message);
    return output_flush_full(&p->rejects);
}

static bool deliver(struct publisher *p, struct slice payload)
{
    const char *subject = p->config->subject;
    if (p->connection)
        return connection_publish(p->connection, subject, payload);
    buffer_add(&p->printed.buffer, (struct slice){subject, strlen(subject)});
    buffer_add(&p->printed.buffer, (struct slice){"\t", 1});
    buffer_add(&p->printed.buffer, payload);
    buffer_add(&p->printed.buffer, (struct slice){"\n", 1});
    return output_flush_full(&p->printed);
}

/* The way of one line: frame -> check -> NATS. */
static bool take_line(struct publisher *p, enum frame_kind kind, struct frame *line)
{
    count(&p->stats.in, 1);
    if (kind != FRAME_MESSAGE) {
        line->defect = (struct defect){"PAYLOAD", "longer than the server takes (max_payload)",
                                       p->lines.max_size};
        return refuse(p, line);
    }
    if (!p->config->no_check && !json_check(&p->check, line->message, &line->defect))
        return refuse(p, line);
    if (!deliver(p, line->message))
        return false;
    count(&p->stats.out, 1);
    return true;
}

static bool take_block(struct publisher *p, size_t n)
{
    enum frame_kind kind;
    struct frame line;
    count(&p->stats.bytes, n);
    framer_feed(&p->lines, (struct slice){p->block, n});
    while ((kind = framer_next(&p->lines, &line)) != FRAME_NONE)
        if (!take_line(p, kind, &line))
            return false;
    return true;
}

static bool take_end(struct publisher *p, bool whole)
{
    struct frame line;
    enum frame_kind kind = framer_end(&p->lines, whole, &line);
    return kind == FRAME_NONE || take_line(p, kind, &line);
}

static bool pending(const struct publisher *p)
{
    return p->printed.buffer.len || p->rejects.buffer.len;
}

static bool idle(struct publisher *p)
{
    if (pending(p))
        return output_flush(&p->printed) && output_flush(&p->rejects);
    complaints_settle(&p->complaints);
    return true;
}

/* False where not everything could be read, or handed on. */
static bool copy(struct publisher *p)
{
    struct input in;
    input_start(&in, STDIN_FILENO);
    for (;;) {
        bool within = framer_within(&p->lines);
        int patience = pending(p) ? 0 : p->complaints.held_back ? 1000 : -1;
        enum input_state state = input_wait(&in, &p->signals, within, patience);
        if (state == INPUT_END)
            return take_end(p, false);
        if (state == INPUT_IDLE) {
            if (!idle(p))
                return false;
            continue;
        }
        ssize_t n = input_read(&in, p->block, sizeof p->block, within);
        if (n == 0)
            return take_end(p, true);
        if (n < 0 && errno != EAGAIN) {
            report("stdin: %m");
            take_end(p, true);
            return false;
        }
        if (n > 0 && !take_block(p, (size_t)n))
            return false;
    }
}

static bool start(struct publisher *p)
{
    size_t most = PAYLOAD_MAX;
    if (p->config->rejects && !output_open(&p->rejects, "--rejects", p->config->rejects))
        return false;
    if (p->config->dry_run) {
        output_start(&p->printed, STDOUT_FILENO, "stdout");
    } else {
        p->connection = connection_open(&p->config->connection, &p->signals);
        if (!p->connection)
            return false;
        most = connection_max_payload(p->connection);
    }
    framer_start(&p->lines, FRAMING_NEWLINE, most, false);
    return true;
}

static bool end(struct publisher *p, bool good)
{
    if (p->connection) {
        good = connection_confirm(p->connection) && good;
        connection_close(p->connection);
    }
    if (p->config->dry_run)
        good = output_end(&p->printed) && good;
    if (p->config->rejects)
        good = output_end(&p->rejects) && good;
    complaints_settle(&p->complaints);
    framer_free(&p->lines);
    json_check_free(&p->check);
    return good;
}

int publish_run(const struct publish_config *config)
{
    struct publisher p = {.config = config, .complaints = {.quiet = config->quiet}};
    if (!signals_start(&p.signals, &p.stats, config->stats_interval))
        return STATUS_FAILED;
    bool good = start(&p);
    if (good)
        good = end(&p, copy(&p));
    signals_end(&p.signals);
    if (!good)
        return STATUS_FAILED;
    return counted(&p.stats.rejected) ? STATUS_REJECTED : STATUS_OK;
}
