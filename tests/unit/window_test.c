/* The window and its ring lose no line in random reads, confirmations, rewinds and reopenings. */

#include <fcntl.h>

#include "publish/window.h"
#include "unit.h"

enum { LINES = 60000, SIZE = 1 << 20 };

static unsigned seed = 1;

static unsigned random_below(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

/* Writes line k, which contains its number; its len varies, and every fifth ends in CR LF. */
static size_t make_line(unsigned k, char *to)
{
    size_t len = (size_t)sprintf(to, "{\"n\":%u,\"pad\":\"", k);
    size_t pad = k * 7919 % 400;
    memset(to + len, 'x', pad);
    len += pad;
    return len + (size_t)sprintf(to + len, k % 5 ? "\"}\n" : "\"}\r\n");
}

struct stream {
    char *bytes;
    size_t len;
    size_t fed;
};

static struct stream make_stream(void)
{
    struct stream s = {malloc(LINES * 440), 0, 0};
    if (!s.bytes)
        abort();
    for (unsigned k = 0; k < LINES; k++)
        s.len += make_line(k, s.bytes + s.len);
    return s;
}

static void feed(struct window *w, struct stream *s)
{
    size_t space;
    struct window_line too_long;
    char *to = window_reserve(w, &space);
    size_t n = to ? 1 + random_below((unsigned)space) : 0;
    if (n > s->len - s->fed)
        n = s->len - s->fed;
    if (!n)
        return;
    memcpy(to, s->bytes + s->fed, n);
    s->fed += n;
    unit(!window_commit(w, n, &too_long), "no line is too long");
}

static bool is_line(const struct window_line *line, unsigned k)
{
    char expected[512];
    size_t len = make_line(k, expected);
    while (expected[len - 1] == '\n' || expected[len - 1] == '\r')
        len--;
    return line->number == k + 1 && slice_equal(line->text, (struct slice){expected, len});
}

/* Every 97th line is rejected when it is first returned, and must not be returned again. */
static void test_random(const char *path)
{
    struct window w;
    struct stream s = make_stream();
    struct window_line line;
    unsigned next = 0;      /* the line that is expected */
    unsigned confirmed = 0; /* lines before it */
    unsigned returned = 0;  /* lines before it were returned, every 97th for the only time */
    unsigned rewinds = 0;
    bool matches = true;
    unit(window_open(&w, path, SIZE, false), "opens");
    while (matches && confirmed < LINES) {
        feed(&w, &s);
        for (unsigned turns = random_below(2000);
             matches && turns && window_next_line(&w, NULL, &line); turns--) {
            if (next % 97 == 96 && next < returned)
                next++;
            matches = is_line(&line, next);
            if (next % 97 == 96)
                window_reject(&w, &line);
            next++;
            returned = next > returned ? next : returned;
        }
        while (next < w.next.lines) /* the last one was rejected */
            next++;
        struct window_mark mark = w.next;
        if (random_below(3) == 0) {
            window_confirm(&w, &mark);
            confirmed = next;
            unit(mark.messages == next - next / 97, "%u messages of %u lines",
                 (unsigned)mark.messages, next);
        }
        if (random_below(5) == 0) {
            window_rewind(&w);
            next = confirmed;
            rewinds++;
        }
    }
    unit(matches, "line %u after %u rewinds: got %.*s", next, rewinds, SHOW(line.text));
    unit(rewinds > 20 && w.confirmed.offset == s.len, "all of it, rewound %u times", rewinds);
    free(s.bytes);
    window_close(&w);
}

/* A process that is killed anywhere leaves its window to the next one. */
static void test_reopen(const char *path)
{
    struct window w;
    struct window_line line;
    struct window_line too_long;
    size_t space;
    unit(window_open(&w, path, SIZE, false), "opens");
    char *to = window_reserve(&w, &space);
    memcpy(to, "one\ntwo\nthr", 11);
    window_commit(&w, 11, &too_long);
    unit(window_next_line(&w, NULL, &line) && line.text.len == 3 && line.text.data[0] == 'o',
         "one");
    window_confirm(&w, &w.next);
    window_next_line(&w, NULL, &line);
    to = window_reserve(&w, &space);
    memcpy(to, "ee\nfo", 5); /* it is killed before window_commit() */
    window_close(&w);

    unit(window_open(&w, path, 0, false), "opens again");
    unit(window_next_line(&w, NULL, &line) && slice_equal(line.text, (struct slice){"two", 3}),
         "two again");
    unit(window_next_line(&w, NULL, &line) && slice_equal(line.text, (struct slice){"three", 5}),
         "three");
    unit(!window_next_line(&w, NULL, &line) && window_mid_line(&w), "within a line");
    window_end_line(&w);
    unit(window_next_line(&w, NULL, &line) && slice_equal(line.text, (struct slice){"fo", 2}),
         "finished");
    window_close(&w);
}

/* The next process finds the batches that were saved, the last one for each offset, and rejected
 * lines beside them. */
static void test_batches(const char *path)
{
    struct window w;
    struct window_line too_long;
    size_t space;
    uint32_t saved = 0;
    unit(window_open(&w, path, SIZE, false), "opens");
    char *to = window_reserve(&w, &space);
    memset(to, '\n', 20000);
    window_commit(&w, 20000, &too_long);
    for (int i = 0; i < 100; i++)
        unit(window_mark_batch(&w, 5, 3), "a batch is saved once");
    unit(window_mark_batch(&w, 5, 2) && window_mark_batch(&w, 17000, 250000), "others");
    unit(!window_mark_batch(&w, 18000, 300000), "a count that is too large");
    window_mark_rejected(&w, 100);
    while (saved < 100 && window_mark_batch(&w, 200 + saved, 2))
        saved++;
    window_mark_rejected(&w, 101);
    unit(saved == SPOOL_BATCH_MARKS - 2, "a block has space for %u batches", saved + 2);
    window_close(&w);

    unit(window_open(&w, path, 0, false), "opens again");
    unit(window_find_batch(&w, 5) == 2 && window_find_batch(&w, 17000) == 250000, "finds them");
    unit(window_find_batch(&w, 200) == 2 && window_find_batch(&w, 200 + saved) == 0, "not others");
    unit(window_find_batch(&w, 100) == 0 && window_find_batch(&w, 6) == 0, "nor lines");
    window_close(&w);
    unit(window_open(&w, NULL, SIZE, false), "opens in memory");
    unit(window_mark_batch(&w, 5, 2) && window_find_batch(&w, 5) == 0, "nothing is saved");
    window_close(&w);
}

/* The caller may pass the end of an unchecked line; lines after a rewind are not unchecked. */
static void test_unchecked(void)
{
    struct window w;
    struct window_line line;
    struct window_line too_long;
    size_t space;
    unit(window_open(&w, NULL, SIZE, false), "opens");
    unit(window_unchecked(&w).len == 0, "nothing was read");
    memcpy(window_reserve(&w, &space), "one\r\n\ntwo\nth", 13);
    window_commit(&w, 13, &too_long);
    struct slice fresh = window_unchecked(&w);
    unit(slice_equal(fresh, (struct slice){"one\r\n\ntwo\n", 10}), "whole lines: %.*s",
         SHOW(fresh));
    unit(window_next_line(&w, fresh.data + 4, &line) &&
             slice_equal(line.text, (struct slice){"one", 3}) && line.is_new,
         "the first one");
    fresh = window_unchecked(&w);
    unit(slice_equal(fresh, (struct slice){"\ntwo\n", 5}), "the rest: %.*s", SHOW(fresh));
    window_rewind(&w);
    unit(window_unchecked(&w).len == 0, "none while there are others");
    unit(window_next_line(&w, NULL, &line) && line.text.len == 3 && !line.is_new,
         "the first one again");
    unit(window_unchecked(&w).data == fresh.data && window_unchecked(&w).len == 5,
         "the rest again");
    unit(window_next_line(&w, fresh.data, &line) &&
             slice_equal(line.text, (struct slice){"two", 3}) && line.number == 3 && line.is_new,
         "an empty line is skipped");
    unit(!window_next_line(&w, NULL, &line) && window_unchecked(&w).len == 0, "no more");
    window_close(&w);
}

static void test_too_long(void)
{
    struct window w;
    struct window_line line;
    struct window_line too_long;
    size_t space;
    unit(window_open(&w, NULL, SIZE, false), "opens");
    window_set_line_max(&w, 100);
    char *to = window_reserve(&w, &space);
    memcpy(to, "a\n", 2);
    memset(to + 2, 'b', 300);
    unit(window_commit(&w, 302, &too_long), "a line over the limit");
    unit(too_long.text.len == 300 && too_long.text.data[0] == 'b' && too_long.number == 2,
         "its beginning");
    window_mark_rejected(&w, too_long.offset);
    for (int i = 0; i < 100; i++) {
        to = window_reserve(&w, &space);
        memset(to, 'b', space);
        unit(!window_commit(&w, space, &too_long), "the rest of it is skipped");
    }
    to = window_reserve(&w, &space);
    memcpy(to, "bb\nc\n", 5);
    window_commit(&w, 5, &too_long);
    unit(window_next_line(&w, NULL, &line) && line.text.data[0] == 'a', "the line before it");
    unit(window_next_line(&w, NULL, &line) && line.text.data[0] == 'c' && line.text.len == 1 &&
             line.number == 3,
         "and the one after it, line %u", (unsigned)line.number);
    unit(!window_next_line(&w, NULL, &line), "no more");
    window_close(&w);
}

int main(void)
{
    char path[] = "/tmp/window-test-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    test_random(NULL);
    test_unchecked();
    test_too_long();
    test_random(path);
    unlink(path);
    test_reopen(path);
    unlink(path);
    test_batches(path);
    unlink(path);
    return unit_end("window");
}
