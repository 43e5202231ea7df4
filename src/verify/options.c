#include "verify/options.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static bool misuse(const char *text)
{
    log_printf("%s", text);
    return false;
}

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static bool complete_verify(struct task *t, char **files, int count)
{
    struct verify_config *c = &t->verify;
    c->files = files;
    c->file_count = count;
    c->connections = t->load.senders.count;
    c->marked = t->load.message.checksum;
    c->stats_interval = t->load.stats_interval_ns;
    c->quiet = t->load.quiet;
    c->series = t->series;
    c->json = t->json && !*t->json ? "-" : t->json;
    if (is_stdout(t->series.csv_path) + is_stdout(c->json) + is_stdout(c->hgrm) > 1)
        return misuse("--csv, --json, --hgrm: stdout is only one");
    return !t->for_load || misuse("--verify: of the options that make messages only --connections "
                                  "and --checksum go with it");
}

static bool complete_rfc3164(const struct task *t)
{
    const struct message_config *m = &t->load.message;
    const char *wrong = m->profile                    ? "--profile: its messages have a format"
                        : m->msgid                    ? "--msgid: RFC 3164 has no MSGID"
                        : t->sd                       ? "--sd: RFC 3164 has no STRUCTURED-DATA"
                        : t->load.malformed.threshold ? "--bad: it is for messages of RFC 5424"
                        : m->checksum ? "--checksum: RFC 3164 has no STRUCTURED-DATA for it"
                                      : NULL;
    return !wrong || misuse(wrong);
}

static bool complete_message(struct task *t)
{
    struct message_config *m = &t->load.message;
    const struct destination *to = &t->load.destination;
    bool bare = to->text && transport_is_datagram(to->address.transport);
    bool tls = to->text && to->address.transport == TRANSPORT_TLS;
    if (bare && t->framing != FRAMING_BY_DESTINATION)
        return misuse("--framing: a datagram has none");
    if (m->format == MESSAGE_RFC3164 && !complete_rfc3164(t))
        return false;
    m->sd = t->sd ? t->sd : "-";
    m->connection_count = t->load.senders.count;
    if (t->framing == FRAMING_BY_DESTINATION)
        t->framing = tls ? FRAMING_COUNTED : FRAMING_LINES;
    m->framing = bare                            ? MESSAGE_DATAGRAM
                 : t->framing == FRAMING_COUNTED ? MESSAGE_OCTET_COUNTED
                                                 : MESSAGE_NEWLINE;
    m->require_rfc5424 = t->load.malformed.threshold > 0;
    return malformed_check(&t->load.malformed, m->framing, to->text && !bare);
}

static bool complete_tls(const struct destination *to)
{
    const struct tls_config *tls = &to->tls;
    const char *flag = tls->cert         ? "--tls-cert"
                       : tls->key        ? "--tls-key"
                       : tls->ca         ? "--tls-ca"
                       : tls->peer_count ? "--tls-peer"
                                         : NULL;
    if (flag && (!to->text || to->address.transport != TRANSPORT_TLS)) {
        log_printf("%s: it is for tls://HOST[:PORT]", flag);
        return false;
    }
    return !tls->key || tls->cert || misuse("--tls-key: it wants --tls-cert");
}

static bool complete_shape(const struct task *t)
{
    const struct senders_config *s = &t->load.senders;
    const struct arrivals_config *shape = &t->load.arrivals;
    const struct destination *to = &t->load.destination;
    bool bare = to->text && transport_is_datagram(to->address.transport);
    const char *flag = s->reconnect_after ? "--reconnect-every"
                       : s->idle          ? "--idle-connections"
                       : s->bytes_per_s   ? "--slow"
                                          : NULL;
    if (t->load.message.profile && (t->size_given || t->sizes_given))
        return misuse("--profile: its messages have sizes");
    if (t->load.message.fresh && !t->load.message.profile)
        return misuse("--fresh: it wants a --profile");
    if (t->rate && t->burst_given)
        return misuse("--rate, --burst: each says when messages are due");
    if (t->size_given && t->sizes_given)
        return misuse("--size, --sizes: each says how long a message is");
    if (shape->poisson && arrivals_unlimited(shape))
        return misuse("--arrivals: with --rate=max nothing is due");
    if (flag && (!to->text || bare)) {
        log_printf("%s: %s is no connection", flag, to->text ? "a datagram socket" : "stdout");
        return false;
    }
    return true;
}

/* The messages go to stdout where there is no destination. */
static bool complete_outputs(struct task *t)
{
    struct load_config *c = &t->load;
    c->sampler = t->series;
    c->json = t->json && !*t->json && c->destination.text ? "-" : t->json;
    if (!c->destination.text && is_stdout(c->sampler.csv_path))
        return misuse("--csv: stdout has the messages");
    if (!c->destination.text && is_stdout(c->json))
        return misuse("--json: stdout has the messages");
    return !is_stdout(c->sampler.csv_path) || !is_stdout(c->json) ||
           misuse("--csv, --json: stdout is only one");
}

static bool complete_load(struct task *t, char **operands, int count)
{
    struct destination *to = &t->load.destination;
    if (t->for_verify)
        return misuse("--expect and --hgrm: only with --verify");
    if (t->rate && !t->finding_max && !arrivals_parse_rate(&t->load.arrivals, t->rate))
        return false;
    if (count > 1) {
        log_printf("'%s': only one DESTINATION is taken", operands[1]);
        return false;
    }
    if (count == 1 && strcmp(operands[0], "-") != 0)
        to->text = operands[0];
    if (!to->text && t->load.senders.count > 1)
        return misuse("--connections: stdout is only one");
    if (!complete_outputs(t))
        return false;
    return (!to->text || address_parse("DESTINATION", to->text, &to->address)) &&
           complete_tls(to) && complete_shape(t) && complete_message(t);
}

static bool complete_find_max(struct task *t, char **operands, int count)
{
    static const uint64_t trial = 2 * NS_PER_S;
    struct find_max_config *c = &t->find_max;
    struct load_config *load = &t->load;
    const char *wrong =
        t->series.csv_path || t->series.plot_path || t->json
            ? "--csv, --json, --plot: --find-max has a report of its own"
        : t->burst_given ? "--burst: with --find-max it is --rate that changes"
        : load->count    ? "--count: with --find-max a trial is as long as --duration says"
        : load->malformed.threshold ? "--bad: with --find-max all messages must come back"
        : load->message.timestamp   ? "--timestamp: --find-max tells the latency by it"
        : count == 0 || strcmp(operands[0], "-") == 0 ? "--find-max: it wants a DESTINATION"
                                                      : NULL;
    if (wrong)
        return misuse(wrong);
    if (!find_max_bounds(c, t->rate ? t->rate : "1k"))
        return false;
    c->load = load;
    c->file = count > 1 ? operands[1] : NULL;
    c->idle = t->verify.idle ? t->verify.idle : NS_PER_S;
    c->latency = c->latency ? c->latency : NS_PER_S / 100;
    load->duration_ns = load->duration_ns ? load->duration_ns : trial;
    load->message.checksum = true;
    load->message.fresh |= load->message.profile ? MESSAGE_FRESH_TIME : 0;
    load->senders.quiet = true;
    if (count > 2) {
        log_printf("'%s': only one DESTINATION and one FILE are taken", operands[2]);
        return false;
    }
    return complete_load(t, operands, 1);
}

bool task_complete(struct task *t, char **operands, int count)
{
    const char *plot = t->series.plot_path;
    if (plot && (strlen(plot) < 4 || strcmp(plot + strlen(plot) - 4, ".svg") != 0)) {
        log_printf("--plot: '%s': it draws SVG, so the name must end in .svg", plot);
        return false;
    }
    t->series.interval_ns = t->load.stats_interval_ns ? t->load.stats_interval_ns : NS_PER_S;
    t->series.allow_status = !t->load.quiet && !t->load.stats_interval_ns;
    if (t->verifying)
        return complete_verify(t, operands, count);
    if (t->finding_max)
        return complete_find_max(t, operands, count);
    if (t->find_max.latency || t->verify.idle)
        return misuse("--latency, --idle: only with --find-max, and --idle with --verify");
    return complete_load(t, operands, count);
}
