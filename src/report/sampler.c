#include "report/sampler.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* An interval that is too short for a rate of its own is extended by the previous one. */
static double sampler_rate(const struct sampler *s, uint64_t end_ns, uint64_t messages)
{
    const struct sample *from = &s->previous[0];
    if (end_ns - from->end_ns < s->config->interval_ns / 2)
        from = &s->previous[1];
    uint64_t ns = end_ns - from->end_ns;
    return ns ? (double)(messages - from->messages) * (double)NS_PER_S / (double)ns : 0;
}

static void sampler_write_row(struct sampler *s)
{
    if (s->csv.fd < 0)
        return;
    values_print_csv_row(&s->row, &s->csv.buffer);
    output_flush(&s->csv);
}

static bool sampler_write_header(struct sampler *s, const struct values *columns)
{
    struct values row = {0};
    values_add_absent(&row, "seconds", VALUE_REAL);
    values_add_absent(&row, s->source.count_name, VALUE_COUNT);
    values_add_absent(&row, "rate", VALUE_RATE);
    for (size_t i = 0; i < columns->count; i++)
        values_add_absent(&row, columns->all[i].name, columns->all[i].kind);
    values_print_csv_header(&row, &s->csv.buffer);
    values_free(&row);
    return output_flush(&s->csv);
}

/* The rest after the last interval has too few messages for a point of the plot. */
static bool sampler_is_rest(const struct sampler *s, uint64_t end_ns)
{
    uint64_t last_ns = s->previous[0].end_ns;
    return last_ns && end_ns - last_ns < s->config->interval_ns / 2;
}

static void sampler_take(struct sampler *s)
{
    struct sample sample = {.messages = s->source.end_interval(s->source.context),
                            .end_ns = clock_monotonic() - s->start_ns};
    sample.rate = sampler_rate(s, sample.end_ns, sample.messages);
    struct status_line status = {.messages = sample.messages,
                                 .rate = sample.rate,
                                 .latency_ns = STATUS_LINE_UNKNOWN,
                                 .fraction_done = -1,
                                 .remaining_ns = STATUS_LINE_UNKNOWN};
    values_clear(&s->row);
    values_add_real(&s->row, "seconds", (double)sample.end_ns / (double)NS_PER_S, 3);
    values_add_count(&s->row, s->source.count_name, sample.messages);
    values_add_rate(&s->row, "rate", sample.rate, 1);
    s->source.on_sample(s->source.context, &sample, &s->row, &status);
    if (!sampler_is_rest(s, sample.end_ns))
        plot_add_row(&s->plot, &s->row, sample.messages);
    s->previous[1] = s->previous[0];
    s->previous[0] = sample;
    sampler_write_row(s);
    if (s->shows_status)
        status_line_show(&status);
}

/* Waits until `due_ns`; returns true if the sampler is to stop. */
static bool sampler_wait(struct sampler *s, uint64_t due_ns)
{
    struct timespec until = {(time_t)(due_ns / NS_PER_S), (long)(due_ns % NS_PER_S)};
    pthread_mutex_lock(&s->lock);
    while (!s->stop && clock_monotonic() < due_ns)
        pthread_cond_timedwait(&s->stop_changed, &s->lock, &until);
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

static void *sampler_run_thread(void *argument)
{
    struct sampler *s = argument;
    uint64_t interval = s->config->interval_ns;
    uint64_t due = s->start_ns + interval;
    while (!sampler_wait(s, due)) {
        sampler_take(s);
        uint64_t late = clock_monotonic() - due;
        due += interval * (late / interval + 1);
    }
    return NULL;
}

bool sampler_open(struct sampler *s, const struct sampler_config *config,
                  const struct sampler_source *source, const struct values *columns,
                  bool terminal_is_free)
{
    *s = (struct sampler){.config = config, .source = *source, .csv = {.fd = -1}};
    s->shows_status = terminal_is_free && config->allow_status && isatty(STDERR_FILENO);
    if (!plot_open(&s->plot, config->plot_path) ||
        !output_open_truncate(&s->csv, "--csv", config->csv_path))
        return false;
    s->plot.skips_silence = config->plot_skips_silence;
    return s->csv.fd < 0 || sampler_write_header(s, columns);
}

bool sampler_start_thread(struct sampler *s, uint64_t start_ns)
{
    pthread_condattr_t clock;
    s->start_ns = start_ns;
    if (!sampler_is_enabled(s))
        return true;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&s->stop_changed, &clock);
    pthread_condattr_destroy(&clock);
    errno = pthread_create(&s->thread, NULL, sampler_run_thread, s);
    if (errno)
        log_printf("thread: %m");
    s->running = errno == 0;
    return s->running;
}

void sampler_finish(struct sampler *s)
{
    if (!s->running)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->stop_changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    s->running = false;
    if (s->shows_status)
        log_status_clear();
    s->shows_status = false;
    sampler_take(s);
}

double sampler_mean_rate(const struct sampler *s)
{
    const struct sample *last = &s->previous[0];
    return last->end_ns ? (double)last->messages * (double)NS_PER_S / (double)last->end_ns : 0;
}

bool sampler_plot(struct sampler *s, enum plot_kind kind, const char *title)
{
    return plot_draw(&s->plot, kind, title);
}

bool sampler_close(struct sampler *s)
{
    if (!s->config)
        return true;
    bool ok = s->csv.fd < 0 || output_close(&s->csv);
    s->csv.fd = -1;
    values_free(&s->row);
    return plot_close(&s->plot) && ok;
}
