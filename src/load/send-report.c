#include "load/send-report.h"

#include <inttypes.h>
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

static void send_report_build(const struct send_report *r, struct values *v)
{
    const struct senders *senders = r->senders;
    const char *destination = senders->destination->text ? senders->destination->text : "-";
    double seconds = (double)r->elapsed_ns / (double)NS_PER_S;
    char asked[SEND_REPORT_RATE_SIZE];
    send_report_format_rate(&r->config->arrivals, true, asked);
    values_add_text(v, "destination", (struct slice){destination, strlen(destination)});
    values_add_count(v, "sent", senders->sent);
    values_add_count(v, "dropped", senders->dropped);
    values_add_bytes(v, "bytes", senders->bytes);
    values_add_real(v, "seconds", seconds, 6);
    values_add_rate(v, "rate", r->elapsed_ns ? (double)senders->sent / seconds : 0, 3);
    values_add_text(v, "asked", (struct slice){asked, strlen(asked)});
    values_add_duration(v, "lag", r->max_lag_ns);
    if (r->uses_seed)
        values_add_id(v, "seed", r->config->message.seed);
    if (r->config->senders.reconnects) {
        values_add_count(v, "lost", senders->lost);
        values_add_count(v, "reconnects", senders->reconnects);
    }
}

/* The counts are an object "bad" with their sum as "all". */
static void send_report_build_malformed(const struct malformed *m, struct values *v)
{
    static const char group[] = "bad";
    values_add_count(v, "all", malformed_total(m))->group = group;
    for (unsigned i = 0; i < m->kind_count; i++)
        values_add_count(v, malformed_kind_name(m->kinds[i]), m->count[m->kinds[i]])->group = group;
}

static void send_report_log_malformed(const struct malformed *m)
{
    struct buffer text = {0};
    char number[NUMBER_SIZE];
    for (unsigned i = 0; i < m->kind_count; i++)
        buffer_printf(&text, " %s %s", malformed_kind_name(m->kinds[i]),
                      number_format(number, m->count[m->kinds[i]]));
    log_info("bad %s%.*s", number_format(number, malformed_total(m)), (int)text.len, text.data);
    buffer_free(&text);
}

void send_report_log(const struct send_report *r)
{
    const struct senders *senders = r->senders;
    double seconds = (double)r->elapsed_ns / (double)NS_PER_S;
    double rate = r->elapsed_ns ? (double)senders->sent / seconds : 0;
    double bytes_per_s = r->elapsed_ns ? (double)senders->bytes / seconds : 0;
    char number[NUMBER_SIZE];
    char bytes[NUMBER_SIZE];
    char seed[NUMBER_SIZE] = "";
    char asked[SEND_REPORT_RATE_SIZE];
    log_info("sent %s message%s, %s bytes in %.3f s", number_format(number, senders->sent),
             senders->sent == 1 ? "" : "s", number_format(bytes, senders->bytes), seconds);
    if (r->config->senders.reconnects)
        log_printf("lost %s of them, reconnected %s time%s", number_format(number, senders->lost),
                   number_format(bytes, senders->reconnects), senders->reconnects == 1 ? "" : "s");
    send_report_format_rate(&r->config->arrivals, false, asked);
    log_info("rate %s/s, %.*f MB/s, asked %s", number_format_real(number, rate),
             bytes_per_s < 1e7 ? 3 : 1, bytes_per_s / 1e6, asked);
    if (r->uses_seed)
        snprintf(seed, sizeof seed, ", seed %" PRIu64, r->config->message.seed);
    log_info("lag %.3f ms%s", (double)r->max_lag_ns / 1e6, seed);
    if (r->config->malformed.threshold)
        send_report_log_malformed(r->malformed);
}

void send_report_append_json(const struct send_report *r, struct buffer *out)
{
    struct values v = {0};
    send_report_build(r, &v);
    if (r->config->malformed.threshold)
        send_report_build_malformed(r->malformed, &v);
    values_print_json(&v, out);
    values_free(&v);
}
