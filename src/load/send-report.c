#include "load/send-report.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "report/values.h"

static const char *send_report_format_number(char text[NUMBER_SIZE], double number, bool bare)
{
    if (!bare)
        return number_format_real(text, number);
    snprintf(text, NUMBER_SIZE, "%.15g", number);
    return text;
}

void send_report_format_rate(const struct arrivals_config *config, bool bare,
                             char to[SEND_REPORT_RATE_SIZE])
{
    char number[NUMBER_SIZE];
    char top[NUMBER_SIZE];
    double rate = (double)config->rate.messages * (double)NS_PER_S / (double)config->rate.period_ns;
    send_report_format_number(number, rate * (double)config->burst, bare);
    send_report_format_number(top, (double)config->ramp_top, bare);
    if (arrivals_unlimited(config))
        snprintf(to, SEND_REPORT_RATE_SIZE, "max");
    else if (config->ramp_ns)
        snprintf(to, SEND_REPORT_RATE_SIZE, "%s..%s/s", number, top);
    else
        snprintf(to, SEND_REPORT_RATE_SIZE, "%s/s", number);
}

static void send_report_build(const struct send_report *r, bool bare, struct values *v)
{
    const struct senders *senders = r->senders;
    const char *destination = senders->destination->text ? senders->destination->text : "-";
    double seconds = (double)r->elapsed_ns / (double)NS_PER_S;
    char asked[SEND_REPORT_RATE_SIZE];
    send_report_format_rate(&r->config->arrivals, bare, asked);
    values_add_text(v, "destination", (struct slice){destination, strlen(destination)})
        ->in_summary = false;
    values_add_count(v, "sent", senders->sent);
    values_add_count(v, "dropped", senders->dropped)->in_summary = false;
    values_add_bytes(v, "bytes", senders->bytes);
    values_add_real(v, "seconds", seconds, 6);
    values_add_rate(v, "rate", r->elapsed_ns ? (double)senders->sent / seconds : 0, 3);
    values_add_text(v, "asked", (struct slice){asked, strlen(asked)});
    values_add_duration(v, "lag", r->max_lag_ns);
    if (r->uses_seed)
        values_add_id(v, "seed", r->config->message.seed);
}

/* In JSON the counts are an object "bad" with their sum as "all"; in text they are a line. */
static void send_report_build_malformed(const struct malformed *m, const char *total_name,
                                        const char *group, struct values *v)
{
    values_add_count(v, total_name, malformed_total(m))->group = group;
    for (unsigned i = 0; i < m->kind_count; i++)
        values_add_count(v, malformed_kind_name(m->kinds[i]), m->count[m->kinds[i]])->group = group;
}

static void send_report_log_summary(const struct values *v)
{
    struct buffer text = {0};
    values_print_summary(v, &text);
    log_info("%.*s", (int)text.len, text.data);
    buffer_free(&text);
}

void send_report_log(const struct send_report *r)
{
    struct values v = {0};
    send_report_build(r, false, &v);
    send_report_log_summary(&v);
    values_clear(&v);
    if (r->config->malformed.threshold) {
        send_report_build_malformed(r->malformed, "bad", NULL, &v);
        send_report_log_summary(&v);
    }
    values_free(&v);
}

void send_report_append_json(const struct send_report *r, struct buffer *out)
{
    struct values v = {0};
    send_report_build(r, true, &v);
    if (r->config->malformed.threshold)
        send_report_build_malformed(r->malformed, "all", "bad", &v);
    values_print_json(&v, out);
    values_free(&v);
}
