/* Metrics: the text format, the histogram of durations, the file that is replaced, and the queue of
 * times of shnek-pub. */

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "metrics/exposition.h"
#include "metrics/text-file.h"
#include "publish/time-marks.h"

static bool text_is(const struct buffer *b, const char *expected)
{
    return b->len == strlen(expected) && memcmp(b->data, expected, b->len) == 0;
}

static void test_text(void)
{
    static const char *const values[] = {"a", "b", "other", NULL};
    struct labelled l = {.values = values};
    struct buffer b = {0};
    counter_add(labelled_find(&l, "b"), 3);
    exposition_labelled(&b, "x_total", "Help.", "field", &l);
    unit(text_is(&b, "# HELP x_total Help.\n# TYPE x_total counter\n"
                     "x_total{field=\"a\"} 0\nx_total{field=\"b\"} 3\n"),
         "each value of a label is printed, but not \"other\": %.*s", SHOW(b));
    counter_add(labelled_find(&l, "c\"\n"), 1);
    counter_add(labelled_find(&l, "other"), 1);
    b.len = 0;
    exposition_labelled(&b, "x_total", "Help.", "field", &l);
    unit(memmem(b.data, b.len, "x_total{field=\"other\"} 2\n", 25) != NULL,
         "unknown values are counted as other: %.*s", SHOW(b));
    b.len = 0;
    exposition_gauge_seconds(&b, "y_seconds", "Help.", 12 * NS_PER_S + 34);
    unit(text_is(&b, "# HELP y_seconds Help.\n# TYPE y_seconds gauge\ny_seconds 12.000000034\n"),
         "seconds have all digits: %.*s", SHOW(b));
    buffer_free(&b);
}

static void test_histogram(void)
{
    struct duration_histogram h = {0};
    struct buffer b = {0};
    duration_histogram_add(&h, 0, 5);
    duration_histogram_add(&h, NS_PER_S / 1000, 2);
    duration_histogram_add(&h, NS_PER_S / 1000 + 1, 1);
    duration_histogram_add(&h, 3600 * NS_PER_S, 4);
    exposition_histogram(&b, "z_seconds", "Help.", &h);
    static const char *const lines[] = {
        "z_seconds_bucket{le=\"0.001\"} 7\n", "z_seconds_bucket{le=\"0.0025\"} 8\n",
        "z_seconds_bucket{le=\"60\"} 8\n",    "z_seconds_bucket{le=\"+Inf\"} 12\n",
        "z_seconds_sum 14400.003000001\n",    "z_seconds_count 12\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        unit(memmem(b.data, b.len, lines[i], strlen(lines[i])) != NULL, "%s in %.*s", lines[i],
             SHOW(b));
    for (int i = 1; i < DURATION_BUCKETS; i++)
        unit(duration_histogram_bound_ns(i - 1) < duration_histogram_bound_ns(i),
             "bound %d is in ascending order", i);
    buffer_free(&b);
}

static void test_time_marks(void)
{
    static struct time_marks t;
    time_marks_append(&t, &(struct time_mark){0, 0, 7});
    unit(!time_marks_first(&t), "nothing was reached at offset 0");
    time_marks_append(&t, &(struct time_mark){10, 1, 100});
    time_marks_append(&t, &(struct time_mark){10, 1, 200});
    time_marks_append(&t, &(struct time_mark){5, 1, 300});
    unit(t.count == 1 && time_marks_first(&t)->reached_ns == 100,
         "an offset keeps the time when it was reached first");
    time_marks_remove(&t);
    time_marks_append(&t, &(struct time_mark){10, 1, 400});
    unit(!time_marks_first(&t), "also after its mark was removed");
    for (uint64_t i = 1; i <= 100000; i++)
        time_marks_append(&t, &(struct time_mark){10 + i, i, 1000 + i});
    unit(time_marks_first(&t)->reached_ns == 1001, "a full queue keeps the oldest time");
    uint64_t last = 10;
    bool ascending = true;
    while (time_marks_first(&t)) {
        const struct time_mark *m = time_marks_first(&t);
        /* Each time is that of the first offset after the mark before. */
        ascending = ascending && m->offset > last && m->reached_ns == 1000 + last - 10 + 1;
        last = m->offset;
        time_marks_remove(&t);
    }
    unit(ascending && last == 100010, "merged marks cover all offsets, with the earlier time");
}

enum { FILE_LINES = 2000, FILE_WRITES = 300 };

/* The file: the number of its write in each line. */
static void write_lines(void *argument, struct buffer *to)
{
    unsigned *writes = argument;
    for (int i = 0; i < FILE_LINES; i++)
        buffer_printf(to, "%08u\n", *writes);
    ++*writes;
}

struct reader {
    const char *path;
    atomic_bool ending;
    unsigned reads;
    unsigned partial;
};

static void *read_repeatedly(void *argument)
{
    static char text[FILE_LINES * 9 + 1];
    struct reader *r = argument;
    while (!atomic_load(&r->ending)) {
        FILE *f = fopen(r->path, "r");
        size_t len = f ? fread(text, 1, sizeof text, f) : 0;
        r->reads++;
        r->partial += len != FILE_LINES * 9 || memcmp(text, text + len - 9, 9) != 0;
        if (f)
            fclose(f);
    }
    return NULL;
}

static void test_file(void)
{
    const char *directory = getenv("TMPDIR");
    char path[4096];
    char temporary[sizeof path + 4];
    unsigned writes = 0;
    struct metrics_provider provider = {.write = write_lines, .argument = &writes};
    struct text_file file;
    struct reader reader = {.path = path};
    pthread_t thread;
    snprintf(path, sizeof path, "%s/metrics.XXXXXX", directory ? directory : "/tmp");
    int fd = mkstemp(path);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    unit(fd >= 0 && text_file_open(&file, path, &provider), "the file is written");
    close(fd);
    if (pthread_create(&thread, NULL, read_repeatedly, &reader) != 0)
        abort();
    for (int i = 0; i < FILE_WRITES; i++)
        unit(text_file_write(&file), "write %d", i);
    atomic_store(&reader.ending, true);
    pthread_join(thread, NULL);
    text_file_close(&file);
    unit(reader.reads && !reader.partial, "%u of %u reads are partial", reader.partial,
         reader.reads);
    unit(writes == FILE_WRITES + 2, "it is also written at the start and at the end");
    unlink(path);
    unit(access(temporary, F_OK) != 0, "no other file remains");
}

int main(void)
{
    test_text();
    test_histogram();
    test_time_marks();
    test_file();
    return unit_end("metrics");
}
