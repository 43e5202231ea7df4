#include "publish/publish-metrics.h"

#include "base/clock.h"
#include "metrics/exposition.h"

static const char *const fields[] = {"JSON", "PAYLOAD", "STREAM", "MSG-ID", "other", NULL};

void publish_metrics_init(struct publish_metrics *m, struct stats *stats, struct signals *signals)
{
    *m = (struct publish_metrics){
        .stats = stats, .signals = signals, .rejected = {.values = fields}};
}

void publish_metrics_begin_send(struct publish_metrics *m)
{
    if (m->measures)
        m->sent_ns = clock_monotonic();
}

/* The time since the lines were read, which begins before they are published. */
static void publish_metrics_update_oldest(struct publish_metrics *m, const struct window *w,
                                          uint64_t now_ns)
{
    const struct time_mark *first;
    time_marks_append(&m->reads, &(struct time_mark){w->tail, 0, now_ns});
    while ((first = time_marks_first(&m->reads)) && first->offset <= w->confirmed.offset)
        time_marks_remove(&m->reads);
    counter_set(&m->oldest_ns, first ? first->reached_ns : 0);
}

/* Messages between two marks are counted with the time of the later one, when all of them were
 * published. Those of a mark that is confirmed in part have its time, too. */
static void publish_metrics_update_confirm(struct publish_metrics *m, const struct window *w,
                                           uint64_t now_ns)
{
    uint64_t left = counter_read(&m->stats->out) - m->counted;
    uint64_t published_ns = now_ns;
    const struct time_mark *first;
    time_marks_append(&m->sends, &(struct time_mark){w->next.offset, w->next.messages, m->sent_ns});
    m->counted += left;
    while ((first = time_marks_first(&m->sends))) {
        published_ns = first->reached_ns;
        if (first->offset > w->confirmed.offset)
            break;
        uint64_t between =
            first->messages > m->counted_messages ? first->messages - m->counted_messages : 0;
        uint64_t count = between < left ? between : left;
        duration_histogram_add(&m->confirm, now_ns - published_ns, count);
        left -= count;
        m->counted_messages = first->messages;
        time_marks_remove(&m->sends);
    }
    duration_histogram_add(&m->confirm, now_ns - published_ns, left);
    if (w->confirmed.messages > m->counted_messages)
        m->counted_messages = w->confirmed.messages;
}

void publish_metrics_update(struct publish_metrics *m, const struct window *w,
                            const struct publish_transport *t)
{
    if (!m->measures)
        return;
    uint64_t now_ns = clock_monotonic();
    uint64_t bytes = w->read - w->confirmed.offset;
    counter_set(&m->resent, counter_read(&m->rewound) + t->resent);
    counter_set(&m->window_bytes, bytes);
    counter_set(&m->window_limit_bytes, w->ring.capacity);
    if (m->has_spool)
        counter_set(&m->spool_bytes, bytes);
    publish_metrics_update_oldest(m, w, now_ns);
    publish_metrics_update_confirm(m, w, now_ns);
}

void publish_metrics_on_event(struct publish_metrics *m, enum transport_event event)
{
    if (event == TRANSPORT_CONNECTED)
        counter_add(&m->connections, 1);
    atomic_store_explicit(&m->connected, event == TRANSPORT_UP || event == TRANSPORT_CONNECTED,
                          memory_order_relaxed);
}

static uint64_t publish_metrics_oldest_age_ns(struct publish_metrics *m)
{
    uint64_t oldest_ns = counter_read(&m->oldest_ns);
    uint64_t now_ns = clock_monotonic();
    return oldest_ns && now_ns > oldest_ns ? now_ns - oldest_ns : 0;
}

static void publish_metrics_write_counts(struct publish_metrics *m, struct buffer *to)
{
    struct stats *s = m->stats;
    exposition_counter(to, "shnek_pub_lines_total", "Lines read.", counter_read(&s->in));
    exposition_counter(to, "shnek_pub_confirmed_total",
                       "Messages that the server or the stream has confirmed.",
                       counter_read(&s->out));
    exposition_labelled(to, "shnek_pub_rejected_total",
                        "Lines rejected, by the field that is invalid.", "field", &m->rejected);
    exposition_counter(to, "shnek_pub_duplicates_total", "Messages that the stream had already.",
                       counter_read(&s->duplicates));
    exposition_counter(to, "shnek_pub_resent_total", "Messages resent.", counter_read(&m->resent));
}

static void publish_metrics_write_window(struct publish_metrics *m, struct buffer *to)
{
    exposition_gauge(to, "shnek_pub_window_bytes", "Input that is not confirmed.",
                     counter_read(&m->window_bytes));
    exposition_gauge(to, "shnek_pub_window_limit_bytes",
                     "Capacity of the window; if it is full, nothing is read.",
                     counter_read(&m->window_limit_bytes));
    exposition_gauge_seconds(to, "shnek_pub_oldest_unconfirmed_seconds",
                             "Time since the oldest unconfirmed line was read, 0 without one.",
                             publish_metrics_oldest_age_ns(m));
    exposition_gauge(to, "shnek_pub_spool_bytes", "Unconfirmed input in the spool file.",
                     counter_read(&m->spool_bytes));
}

void publish_metrics_write(void *argument, struct buffer *to)
{
    struct publish_metrics *m = argument;
    uint64_t connections = counter_read(&m->connections);
    exposition_build_info(to);
    publish_metrics_write_counts(m, to);
    publish_metrics_write_window(m, to);
    exposition_counter(to, "shnek_pub_reconnects_total", "Connections after the first one.",
                       connections ? connections - 1 : 0);
    exposition_gauge(to, "shnek_pub_connected", "Whether there is a connection to a server.",
                     atomic_load_explicit(&m->connected, memory_order_relaxed));
    exposition_histogram(to, "shnek_pub_confirm_seconds",
                         "Time from publishing a message to its confirmation.", &m->confirm);
}

const char *publish_metrics_not_ready(void *argument)
{
    struct publish_metrics *m = argument;
    if (signals_stopping(m->signals))
        return "stopping";
    return atomic_load_explicit(&m->connected, memory_order_relaxed) ? NULL : "not connected";
}
