#include "relay/relay-metrics.h"

#include "base/clock.h"
#include "metrics/exposition.h"

static const char *const transports[] = {"tcp",   "tls",  "udp",   "unix", "unixgram",
                                         "stdin", "file", "other", NULL};

static const char *const fields[] = {
    "PRI",   "VERSION", "TIMESTAMP",  "HOSTNAME",   "APP-NAME",    "PROCID",
    "MSGID", "SD-ID",   "SD-ELEMENT", "PARAM-NAME", "PARAM-VALUE", "STRUCTURED-DATA",
    "MSG",   "MSG-LEN", "SYSLOG-MSG", "other",      NULL};

static const char *const refusals[] = {
    [REFUSED_ADDRESS] = "address",   [REFUSED_UID] = "uid",     [REFUSED_LIMIT] = "limit",
    [REFUSED_PROXY] = "proxy",       [REFUSED_TLS] = "tls",     [REFUSED_TIMEOUT] = "timeout",
    [REFUSED_PROTOCOL] = "protocol", [REFUSED_OTHER] = "other", NULL};

void relay_metrics_init(struct relay_metrics *m, struct stats *stats, atomic_bool *failed,
                        bool times_writes)
{
    *m = (struct relay_metrics){.stats = stats,
                                .messages = {.values = transports},
                                .rejected = {.values = fields},
                                .refused = {.values = refusals},
                                .failed = failed,
                                .times_writes = times_writes};
}

/* CPU time is subtracted: copying to a pipe is not waiting. */
void relay_metrics_begin_write(struct relay_metrics *m)
{
    if (!m->times_writes)
        return;
    m->write_cpu_ns = clock_read(CLOCK_THREAD_CPUTIME_ID);
    atomic_store(&m->write_started_ns, clock_monotonic());
}

/* A reader may see neither this write nor its time, but never both. */
void relay_metrics_end_write(struct relay_metrics *m)
{
    if (!m->times_writes)
        return;
    uint64_t passed_ns = clock_monotonic() - counter_read(&m->write_started_ns);
    uint64_t cpu_ns = clock_read(CLOCK_THREAD_CPUTIME_ID) - m->write_cpu_ns;
    atomic_store(&m->write_started_ns, 0);
    if (passed_ns > cpu_ns)
        atomic_store(&m->blocked_ns, counter_read(&m->blocked_ns) + passed_ns - cpu_ns);
}

static uint64_t relay_metrics_blocked_ns(struct relay_metrics *m)
{
    uint64_t blocked_ns = atomic_load(&m->blocked_ns);
    uint64_t started_ns = atomic_load(&m->write_started_ns);
    uint64_t now_ns = clock_monotonic();
    if (started_ns && now_ns > started_ns)
        blocked_ns += now_ns - started_ns;
    if (blocked_ns > m->reported_ns)
        m->reported_ns = blocked_ns;
    return m->reported_ns;
}

void relay_metrics_write(void *argument, struct buffer *to)
{
    struct relay_metrics *m = argument;
    struct stats *s = m->stats;
    exposition_build_info(to);
    exposition_labelled(to, "shnek_parse_messages_total", "Messages received, by transport.",
                        "transport", &m->messages);
    exposition_counter(to, "shnek_parse_received_bytes_total", "Bytes of input.",
                       counter_read(&s->bytes));
    exposition_counter(to, "shnek_parse_records_total", "Messages written as records.",
                       counter_read(&s->out));
    exposition_labelled(to, "shnek_parse_rejected_total",
                        "Messages rejected, by the field that is invalid.", "field", &m->rejected);
    exposition_counter(to, "shnek_parse_filtered_total", "Messages that were not selected.",
                       counter_read(&s->filtered));
    exposition_counter(to, "shnek_parse_dropped_datagrams_total",
                       "UDP datagrams that the kernel dropped.", counter_read(&s->dropped));
    exposition_gauge(to, "shnek_parse_connections", "Open connections.",
                     counter_read(&m->connections));
    exposition_labelled(to, "shnek_parse_refused_total", "Peers and datagrams refused, by reason.",
                        "reason", &m->refused);
    exposition_counter_seconds(to, "shnek_parse_output_blocked_seconds_total",
                               "Time that writes to stdout waited for its reader.",
                               relay_metrics_blocked_ns(m));
}

const char *relay_metrics_not_ready(void *argument)
{
    struct relay_metrics *m = argument;
    if (atomic_load(m->failed))
        return "the output has failed";
    return atomic_load(&m->reading) ? NULL : "not receiving";
}
