#include "metrics/exposition.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/options.h"

static void exposition_begin(struct buffer *to, const char *name, const char *help,
                             const char *type)
{
    buffer_printf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void exposition_add(struct buffer *to, const char *name, uint64_t value)
{
    buffer_printf(to, "%s %" PRIu64 "\n", name, value);
}

static void exposition_add_seconds(struct buffer *to, const char *name, const char *suffix,
                                   uint64_t value_ns)
{
    buffer_printf(to, "%s%s %" PRIu64 ".%09" PRIu64 "\n", name, suffix, value_ns / NS_PER_S,
                  value_ns % NS_PER_S);
}

void exposition_counter(struct buffer *to, const char *name, const char *help, uint64_t value)
{
    exposition_begin(to, name, help, "counter");
    exposition_add(to, name, value);
}

void exposition_counter_seconds(struct buffer *to, const char *name, const char *help,
                                uint64_t value_ns)
{
    exposition_begin(to, name, help, "counter");
    exposition_add_seconds(to, name, "", value_ns);
}

void exposition_gauge(struct buffer *to, const char *name, const char *help, uint64_t value)
{
    exposition_begin(to, name, help, "gauge");
    exposition_add(to, name, value);
}

void exposition_gauge_seconds(struct buffer *to, const char *name, const char *help,
                              uint64_t value_ns)
{
    exposition_begin(to, name, help, "gauge");
    exposition_add_seconds(to, name, "", value_ns);
}

void exposition_labelled(struct buffer *to, const char *name, const char *help, const char *label,
                         struct labelled *l)
{
    exposition_begin(to, name, help, "counter");
    for (size_t i = 0; l->values[i]; i++) {
        uint64_t value = counter_read(&l->counts[i]);
        if (value || l->values[i + 1])
            buffer_printf(to, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, l->values[i], value);
    }
}

/* The count is computed from the buckets, so that they agree while the writer adds. */
void exposition_histogram(struct buffer *to, const char *name, const char *help,
                          struct duration_histogram *h)
{
    uint64_t count = 0;
    exposition_begin(to, name, help, "histogram");
    for (int i = 0; i < DURATION_BUCKETS; i++) {
        count += counter_read(&h->counts[i]);
        buffer_printf(to, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                      (double)duration_histogram_bound_ns(i) / (double)NS_PER_S, count);
    }
    count += counter_read(&h->counts[DURATION_BUCKETS]);
    buffer_printf(to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
    exposition_add_seconds(to, name, "_sum", counter_read(&h->sum_ns));
    buffer_printf(to, "%s_count %" PRIu64 "\n", name, count);
}

void exposition_build_info(struct buffer *to)
{
    static const char name[] = "shnek_build_info";
    exposition_begin(to, name, "Program and version; the value is 1.", "gauge");
    buffer_printf(to, "%s{program=\"%s\",version=\"%s\"} 1\n", name, program_invocation_short_name,
                  program_version());
}
