#include "spamlog-config.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "load/profile.h"

static bool config_refuse(const char *error_text)
{
    log_printf("%s", error_text);
    return false;
}

static bool config_is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static bool config_complete_verify(struct spamlog_config *c, char **files, int count)
{
    struct verify_config *verify = &c->verify;
    verify->files = files;
    verify->file_count = count;
    verify->connection_count = c->load.senders.count;
    verify->require_checksum = c->load.message.checksum;
    verify->stats_interval_ns = c->load.stats_interval_ns;
    verify->quiet = c->load.quiet;
    verify->sampler = c->sampler;
    verify->sampler.plot_skips_silence = true;
    verify->json_path = c->json_path && !*c->json_path ? "-" : c->json_path;
    if (config_is_stdout(c->sampler.csv_path) + config_is_stdout(verify->json_path) +
            config_is_stdout(verify->hgrm_path) >
        1)
        return config_refuse("--csv, --json, --hgrm: only one of them can use stdout");
    if (verify->require_checksum && verify->connection_count > 1)
        return config_refuse("--connections: has no effect with --verify --checksum; the messages "
                             "contain the number");
    return !c->load_option_given ||
           config_refuse("--verify: of the options for sending, only --connections and --checksum "
                         "are allowed");
}

static bool config_check_rfc3164(const struct spamlog_config *c)
{
    const struct message_config *m = &c->load.message;
    const char *error_text = m->profile                    ? "--profile: requires --format=rfc5424"
                             : m->msgid                    ? "--msgid: RFC 3164 has no MSGID"
                             : c->sd                       ? "--sd: RFC 3164 has no STRUCTURED-DATA"
                             : c->load.malformed.threshold ? "--bad: requires --format=rfc5424"
                             : m->checksum
                                 ? "--checksum: RFC 3164 has no STRUCTURED-DATA to contain it"
                                 : NULL;
    return !error_text || config_refuse(error_text);
}

static bool config_complete_message(struct spamlog_config *c)
{
    struct message_config *m = &c->load.message;
    const struct destination *destination = &c->load.destination;
    enum transport transport = destination->address.transport;
    bool is_datagram = destination->text && transport_is_datagram(transport);
    bool is_tls = destination->text && transport == TRANSPORT_TLS;
    if (is_datagram && c->framing != SPAMLOG_FRAMING_DEFAULT)
        return config_refuse("--framing: datagrams have no framing");
    if (m->format == MESSAGE_RFC3164 && !config_check_rfc3164(c))
        return false;
    m->sd = c->sd ? c->sd : "-";
    m->connection_count = c->load.senders.count;
    if (is_datagram)
        m->framing = MESSAGE_DATAGRAM;
    else if (c->framing == SPAMLOG_FRAMING_OCTET ||
             (c->framing == SPAMLOG_FRAMING_DEFAULT && is_tls))
        m->framing = MESSAGE_OCTET_COUNTED;
    else
        m->framing = MESSAGE_NEWLINE;
    m->require_rfc5424 = c->load.malformed.threshold > 0;
    return malformed_check(&c->load.malformed, m->framing, destination->text && !is_datagram);
}

static bool config_check_tls(const struct destination *destination)
{
    const struct tls_config *tls = &destination->tls;
    const char *flag = tls->cert         ? "--tls-cert"
                       : tls->key        ? "--tls-key"
                       : tls->ca         ? "--tls-ca"
                       : tls->peer_count ? "--tls-peer"
                       : tls->insecure   ? "--tls-insecure"
                                         : NULL;
    if (flag && (!destination->text || destination->address.transport != TRANSPORT_TLS)) {
        log_printf("%s: requires a destination tls://HOST[:PORT]", flag);
        return false;
    }
    if (tls->insecure && (tls->ca || tls->peer_count))
        return config_refuse("--tls-insecure: cannot be combined with --tls-ca or --tls-peer");
    bool has_name = false;
    for (size_t i = 0; i < tls->peer_count; i++)
        has_name = has_name || tls->peers[i].name;
    if (tls->ca && tls->peer_count && !has_name)
        return config_refuse("--tls-ca: has no effect if all --tls-peer are fingerprints");
    return !tls->key || tls->cert || config_refuse("--tls-key: requires --tls-cert");
}

static bool config_is_random(const struct load_config *c)
{
    const char *profile = c->message.profile;
    return c->arrivals.poisson || c->message.size_max || c->malformed.threshold ||
           (profile && strcmp(profile, PROFILE_MIXED) == 0);
}

/* Refuses options that have no effect. */
static bool config_check_message(const struct spamlog_config *c)
{
    const struct message_config *m = &c->load.message;
    const char *error_text =
        m->fresh && !m->profile ? "--fresh: requires --profile=mixed or --profile=FILE"
        : (m->fresh & MESSAGE_FRESH_TIME) && m->timestamp
            ? "--fresh: time cannot be combined with --timestamp"
        : (m->fresh & MESSAGE_FRESH_COUNTER) && m->msgid
            ? "--fresh: counter cannot be combined with --msgid"
        : c->seed_given && !config_is_random(&c->load)
            ? "--seed: requires --arrivals=poisson, --sizes, --profile=mixed or --bad"
            : NULL;
    return !error_text || config_refuse(error_text);
}

/* Loss can be computed for TCP only, and a PROXY header contains TCP addresses. */
static bool config_check_tcp(const struct spamlog_config *c)
{
    const struct destination *destination = &c->load.destination;
    const char *flag = c->load.senders.reconnects   ? "--reconnect"
                       : destination->proxy_version ? "--proxy-protocol"
                                                    : NULL;
    if (flag && (!destination->text || (destination->address.transport != TRANSPORT_TCP &&
                                        destination->address.transport != TRANSPORT_TLS))) {
        log_printf("%s: requires a destination tcp:// or tls://", flag);
        return false;
    }
    return !c->load.senders.reconnects || !c->load.senders.bytes_per_s ||
           config_refuse("--reconnect: cannot be combined with --slow");
}

static bool config_check_load(const struct spamlog_config *c)
{
    const struct senders_config *senders = &c->load.senders;
    const struct arrivals_config *arrivals = &c->load.arrivals;
    const struct destination *destination = &c->load.destination;
    const char *flag = senders->reconnect_after ? "--reconnect-every"
                       : senders->idle          ? "--idle-connections"
                       : senders->bytes_per_s   ? "--slow"
                                                : NULL;
    if (c->load.message.profile && (c->size_given || c->sizes_given))
        return config_refuse("--profile: cannot be combined with --size or --sizes");
    if (c->rate && c->burst_given)
        return config_refuse("--rate, --burst: cannot be combined");
    if (c->size_given && c->sizes_given)
        return config_refuse("--size, --sizes: cannot be combined");
    if (arrivals->poisson && arrivals_unlimited(arrivals))
        return config_refuse("--arrivals: poisson cannot be combined with --rate=max");
    if (flag && !destination->text) {
        log_printf("%s: requires a connection, not stdout", flag);
        return false;
    }
    if (flag && transport_is_datagram(destination->address.transport)) {
        log_printf("%s: requires a connection, not a datagram socket", flag);
        return false;
    }
    return config_check_tcp(c) && config_check_message(c);
}

/* Without a destination, the messages are written to stdout. */
static bool config_complete_outputs(struct spamlog_config *c)
{
    struct load_config *load = &c->load;
    load->sampler = c->sampler;
    load->json_path = c->json_path && !*c->json_path && load->destination.text ? "-" : c->json_path;
    if (!load->destination.text && config_is_stdout(load->sampler.csv_path))
        return config_refuse("--csv: stdout is used for the messages");
    if (!load->destination.text && config_is_stdout(load->json_path))
        return config_refuse("--json: stdout is used for the messages");
    return !config_is_stdout(load->sampler.csv_path) || !config_is_stdout(load->json_path) ||
           config_refuse("--csv, --json: only one of them can use stdout");
}

static bool config_complete_load(struct spamlog_config *c, char **operands, int count)
{
    struct destination *destination = &c->load.destination;
    if (c->verify_option_given)
        return config_refuse("--expect, --hgrm: require --verify");
    if (c->rate && !c->find_max_given && !arrivals_parse_rate(&c->load.arrivals, c->rate))
        return false;
    if (count > 1) {
        log_printf("'%s': unexpected argument; only one DESTINATION is accepted", operands[1]);
        return false;
    }
    if (count == 1 && strcmp(operands[0], "-") != 0)
        destination->text = operands[0];
    if (!destination->text && c->load.senders.count > 1) {
        log_printf("--connections: %" PRIu64 " connections require a DESTINATION",
                   c->load.senders.count);
        return false;
    }
    if (!config_complete_outputs(c))
        return false;
    return (!destination->text ||
            address_parse("DESTINATION", destination->text, &destination->address)) &&
           config_check_tls(destination) && config_check_load(c) && config_complete_message(c);
}

static bool config_complete_find_max(struct spamlog_config *c, char **operands, int count)
{
    static const uint64_t trial_ns = 2 * NS_PER_S;
    struct find_max_config *find_max = &c->find_max;
    struct load_config *load = &c->load;
    const char *error_text =
        c->interval_ns
            ? "--interval: cannot be combined with --find-max; --csv has a row for each trial"
        : c->burst_given            ? "--burst: cannot be combined with --find-max; use --rate"
        : load->count               ? "--count: cannot be combined with --find-max; use --duration"
        : load->malformed.threshold ? "--bad: cannot be combined with --find-max"
        : load->senders.reconnects  ? "--reconnect: cannot be combined with --find-max"
        : load->message.timestamp
            ? "--timestamp: cannot be combined with --find-max, which computes latency from it"
        : count == 0 || strcmp(operands[0], "-") == 0 ? "--find-max: requires a DESTINATION"
                                                      : NULL;
    if (error_text)
        return config_refuse(error_text);
    if (!find_max_parse_rate(find_max, c->rate ? c->rate : "1k"))
        return false;
    find_max->load = load;
    find_max->csv_path = c->sampler.csv_path;
    find_max->plot_path = c->sampler.plot_path;
    find_max->json_path = c->json_path && !*c->json_path ? "-" : c->json_path;
    if (config_is_stdout(find_max->csv_path) && config_is_stdout(find_max->json_path))
        return config_refuse("--csv, --json: only one of them can use stdout");
    c->sampler = (struct sampler_config){0};
    c->json_path = NULL;
    find_max->input_path = count > 1 ? operands[1] : NULL;
    find_max->idle_timeout_ns = c->verify.idle_timeout_ns ? c->verify.idle_timeout_ns : NS_PER_S;
    find_max->max_latency_ns = find_max->max_latency_ns ? find_max->max_latency_ns : NS_PER_S / 100;
    load->duration_ns = load->duration_ns ? load->duration_ns : trial_ns;
    load->message.checksum = true;
    load->message.fresh |= load->message.profile ? MESSAGE_FRESH_TIME : 0;
    load->senders.quiet = true;
    if (count > 2) {
        log_printf("'%s': unexpected argument; only DESTINATION and FILE are accepted",
                   operands[2]);
        return false;
    }
    return config_complete_load(c, operands, 1);
}

/* A plot alone has shorter intervals, so that a run of two seconds is more than two points. */
static uint64_t config_interval(const struct spamlog_config *c)
{
    const struct sampler_config *sampler = &c->sampler;
    return c->interval_ns                             ? c->interval_ns
           : c->load.stats_interval_ns                ? c->load.stats_interval_ns
           : sampler->plot_path && !sampler->csv_path ? NS_PER_S / 5
                                                      : NS_PER_S;
}

bool spamlog_config_complete(struct spamlog_config *c, char **operands, int count)
{
    const char *plot = c->sampler.plot_path;
    if (plot && (strlen(plot) < 4 || strcmp(plot + strlen(plot) - 4, ".svg") != 0)) {
        log_printf("--plot: '%s' is not an SVG file; the name must end in .svg", plot);
        return false;
    }
    c->sampler.interval_ns = config_interval(c);
    if (c->interval_ns && !c->sampler.csv_path && !c->sampler.plot_path)
        return config_refuse("--interval: requires --csv or --plot");
    c->sampler.allow_status = !c->load.quiet && !c->load.stats_interval_ns;
    if (c->verify_given)
        return config_complete_verify(c, operands, count);
    if (c->find_max_given)
        return config_complete_find_max(c, operands, count);
    if (c->find_max.max_latency_ns)
        return config_refuse("--latency: requires --find-max");
    if (c->verify.idle_timeout_ns)
        return config_refuse("--idle: requires --verify or --find-max");
    return config_complete_load(c, operands, count);
}
