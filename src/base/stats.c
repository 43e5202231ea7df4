#include "base/stats.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"

enum {
    STATS_TEXT_SIZE = 256,
    STATS_COLUMNS = 79,         /* the last column stays empty: some terminals wrap after it */
    STATS_RATE_COLUMNS = 17,    /* " rate 9,999,999/s" */
    STATS_BRIEF_MESSAGES = 1000 /* counters that are zero are omitted from here on */
};

struct stats_text {
    char text[STATS_TEXT_SIZE];
    size_t len;
};

static bool stats_is_pipe(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 && S_ISFIFO(s.st_mode);
}

void stats_init(struct stats *s)
{
    s->started_ns = s->printed_ns = clock_monotonic();
    s->in_pipeline = stats_is_pipe(STDIN_FILENO) || stats_is_pipe(STDOUT_FILENO);
}

static uint64_t stats_rate(uint64_t messages, uint64_t ns)
{
    return ns ? (uint64_t)((double)messages * (double)NS_PER_S / (double)ns + 0.5) : 0;
}

static void stats_text_append(struct stats_text *t, const char *text)
{
    size_t len = strlen(text);
    if (len > sizeof t->text - 1 - t->len)
        len = sizeof t->text - 1 - t->len;
    memcpy(t->text + t->len, text, len);
    t->len += len;
}

static void stats_text_add(struct stats_text *t, const char *name, const char *number)
{
    if (t->len)
        stats_text_append(t, " ");
    stats_text_append(t, name);
    stats_text_append(t, " ");
    stats_text_append(t, number);
}

static void stats_text_add_count(struct stats_text *t, const char *name, uint64_t count,
                                 bool omit_zero)
{
    char number[NUMBER_SIZE];
    if (count || !omit_zero)
        stats_text_add(t, name, number_format(number, count));
}

/* The rate decides nothing about omissions, so that the columns do not alternate. */
static void stats_format(struct stats *s, uint64_t out, uint64_t per_second, struct stats_text *t)
{
    char number[NUMBER_SIZE];
    char rate[NUMBER_SIZE + 2];
    struct stats_text bytes = {0};
    struct stats_text others = {0};
    uint64_t in = counter_read(&s->in);
    bool is_brief = in >= STATS_BRIEF_MESSAGES;
    snprintf(rate, sizeof rate, "%s/s", number_format(number, per_second));
    stats_text_add_count(&others, " filtered", counter_read(&s->filtered), true);
    stats_text_add_count(&others, others.len ? "duplicates" : " duplicates",
                         counter_read(&s->duplicates), true);
    stats_text_add_count(&others, others.len ? "refused" : " refused", counter_read(&s->refused),
                         true);
    stats_text_add_count(t, "in", in, false);
    stats_text_add_count(t, "out", out, false);
    stats_text_add_count(t, "rejected", counter_read(&s->rejected), is_brief);
    stats_text_add_count(t, "dropped", counter_read(&s->dropped), is_brief);
    stats_text_add(&bytes, " bytes", number_format_bytes(number, counter_read(&s->bytes)));
    if (strlen(program_invocation_short_name) + 2 + t->len + bytes.len + STATS_RATE_COLUMNS +
            others.len <=
        STATS_COLUMNS)
        stats_text_append(t, bytes.text);
    stats_text_add(t, "rate", rate);
    stats_text_append(t, others.text);
}

/* The path through both programs: messages read, and messages that the command has delivered. */
static void stats_format_both(struct stats *s, uint64_t per_second, struct stats_text *t)
{
    char number[NUMBER_SIZE];
    struct stats *command = s->command;
    stats_text_add_count(t, "in", counter_read(&s->in), false);
    stats_text_add_count(t, "rejected", counter_read(&s->rejected), true);
    stats_text_add_count(t, "dropped", counter_read(&s->dropped), true);
    stats_text_add_count(t, "filtered", counter_read(&s->filtered), true);
    stats_text_append(t, " | shnek-pub:");
    stats_text_add_count(t, "out", counter_read(&command->out), false);
    stats_text_add_count(t, "rejected", counter_read(&command->rejected), true);
    stats_text_add_count(t, "duplicates", counter_read(&command->duplicates), true);
    stats_text_add(t, "rate", number_format(number, per_second));
    stats_text_append(t, "/s");
}

void stats_print(struct stats *s, enum stats_kind kind)
{
    static void (*const print_functions[])(const char *, ...) = {log_status, log_info,
                                                                 log_try_info};
    struct stats_text t = {0};
    uint64_t now = clock_monotonic();
    bool both = s->command && atomic_load(&s->command->is_part_of_line);
    uint64_t out = counter_read(both ? &s->command->out : &s->out);
    if (atomic_load(&s->is_part_of_line))
        return;
    uint64_t per_second = stats_rate(out, now - s->started_ns);
    if (kind == STATS_INTERVAL) {
        per_second =
            stats_rate(out > s->printed_out ? out - s->printed_out : 0, now - s->printed_ns);
        s->printed_ns = now;
        s->printed_out = out;
    }
    if (both)
        stats_format_both(s, per_second, &t);
    else
        stats_format(s, out, per_second, &t);
    if (kind == STATS_INTERVAL && !both && s->in_pipeline)
        kind = STATS_TOTAL;
    print_functions[kind]("%s", t.text);
}
