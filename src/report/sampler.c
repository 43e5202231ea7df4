#include "report/sampler.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { COLUMNS = 80 };

static void print_live(const struct live *l)
{
    char line[512];
    struct winsize size = {0};
    size_t columns = COLUMNS;
    size_t name = strlen(program_invocation_short_name) + 2;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        columns = size.ws_col;
    /* The last column stays free: with it, some terminals go on to the next line. */
    if (columns > name + 1 && live_line(l, columns - name - 1, line, sizeof line))
        log_status("%s", line);
}

/* One that is too short to tell a rate has that of the one before, too. */
static double rate(const struct series *s, uint64_t end, uint64_t messages)
{
    const struct interval *from = &s->before[0];
    if (end - from->end < s->config->interval / 2)
        from = &s->before[1];
    uint64_t ns = end - from->end;
    return ns ? (double)(messages - from->messages) * (double)NS_PER_S / (double)ns : 0;
}

static void write_row(const struct values *row, struct output *to)
{
    if (to->fd < 0)
        return;
    values_print_csv_row(row, &to->buffer);
    output_flush(to);
}

static bool write_header(struct series *s, const struct values *columns)
{
    struct values row = {0};
    values_add_absent(&row, "seconds", VALUE_REAL);
    values_add_absent(&row, s->watched.count_name, VALUE_COUNT);
    values_add_absent(&row, "rate", VALUE_RATE);
    for (size_t i = 0; i < columns->count; i++)
        values_add_absent(&row, columns->all[i].name, columns->all[i].kind);
    values_print_csv_header(&row, &s->csv.buffer);
    values_free(&row);
    return output_flush(&s->csv);
}

static void take(struct series *s)
{
    struct interval i = {.end = clock_monotonic() - s->started,
                         .messages = counter_read(s->watched.messages)};
    struct live live = {.messages = i.messages, .share = -1, .left = LIVE_UNKNOWN};
    i.rate = live.rate = rate(s, i.end, i.messages);
    values_clear(&s->row);
    values_add_real(&s->row, "seconds", (double)i.end / (double)NS_PER_S, 3);
    values_add_count(&s->row, s->watched.count_name, i.messages);
    values_add_rate(&s->row, "rate", i.rate, 1);
    s->watched.look(s->watched.of, &i, &s->row, &live);
    s->before[1] = s->before[0];
    s->before[0] = i;
    write_row(&s->row, &s->csv);
    write_row(&s->row, &s->plot.rows);
    if (s->live)
        print_live(&live);
}

/* Until then, or the end, which gives true. */
static bool await(struct series *s, uint64_t due)
{
    struct timespec until = {(time_t)(due / NS_PER_S), (long)(due % NS_PER_S)};
    pthread_mutex_lock(&s->lock);
    while (!s->ending && clock_monotonic() < due)
        pthread_cond_timedwait(&s->end, &s->lock, &until);
    bool ending = s->ending;
    pthread_mutex_unlock(&s->lock);
    return ending;
}

static void *run(void *argument)
{
    struct series *s = argument;
    uint64_t interval = s->config->interval;
    uint64_t due = s->started + interval;
    while (!await(s, due)) {
        take(s);
        uint64_t late = clock_monotonic() - due;
        due += interval * (late / interval + 1);
    }
    return NULL;
}

bool series_open(struct series *s, const struct series_config *config, const struct watched *w,
                 const struct values *columns, bool live)
{
    *s = (struct series){
        .config = config, .watched = *w, .live = live && config->live && isatty(STDERR_FILENO)};
    s->csv.fd = -1;
    if (!plot_open(&s->plot, config->plot) || !output_open_truncate(&s->csv, "--csv", config->csv))
        return false;
    if (s->csv.fd < 0)
        return true;
    return write_header(s, columns);
}

bool series_start(struct series *s, uint64_t started)
{
    pthread_condattr_t clock;
    s->started = started;
    if (!series_wanted(s))
        return true;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&s->end, &clock);
    pthread_condattr_destroy(&clock);
    errno = pthread_create(&s->thread, NULL, run, s);
    if (errno)
        log_printf("thread: %m");
    s->running = errno == 0;
    return s->running;
}

void series_end(struct series *s)
{
    if (!s->running)
        return;
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_signal(&s->end);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    s->running = false;
    if (s->live)
        log_status_clear();
    s->live = false;
    take(s);
}

double series_rate(const struct series *s)
{
    const struct interval *i = &s->before[0];
    return i->end ? (double)i->messages * (double)NS_PER_S / (double)i->end : 0;
}

bool series_draw(struct series *s, enum plot_kind kind, const char *title)
{
    return plot_draw(&s->plot, kind, title);
}

bool series_close(struct series *s)
{
    if (!s->config)
        return true;
    bool good = s->csv.fd < 0 || output_close(&s->csv);
    s->csv.fd = -1;
    values_free(&s->row);
    return plot_close(&s->plot) && good;
}
