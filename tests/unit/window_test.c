/* The window and its ring: random reading, confirming, rewinding and reopening lose nothing. */

#include <fcntl.h>

#include "publish/window.h"
#include "unit.h"

enum { LINES = 60000, SIZE = 1 << 20 };

static unsigned seed = 1;

static unsigned chance(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

/* Line k, which says its number, has a length of its own, and now and then ends in CR LF. */
static size_t make_line(unsigned k, char *to)
{
    size_t length = (size_t)sprintf(to, "{\"n\":%u,\"pad\":\"", k);
    size_t pad = k * 7919 % 400;
    memset(to + length, 'x', pad);
    length += pad;
    return length + (size_t)sprintf(to + length, k % 5 ? "\"}\n" : "\"}\r\n");
}

struct stream {
    char *bytes;
    size_t length;
    size_t fed;
};

static struct stream make_stream(void)
{
    struct stream s = {malloc(LINES * 440), 0, 0};
    if (!s.bytes)
        abort();
    for (unsigned k = 0; k < LINES; k++)
        s.length += make_line(k, s.bytes + s.length);
    return s;
}

static void feed(struct window *w, struct stream *s)
{
    size_t room;
    struct slice too_long;
    char *to = window_reserve(w, &room);
    size_t n = to ? 1 + chance((unsigned)room) : 0;
    if (n > s->length - s->fed)
        n = s->length - s->fed;
    if (!n)
        return;
    memcpy(to, s->bytes + s->fed, n);
    s->fed += n;
    unit(!window_commit(w, n, &too_long), "no line is too long");
}

static bool is_line(const struct window_line *line, unsigned k)
{
    char expected[512];
    size_t length = make_line(k, expected);
    while (expected[length - 1] == '\n' || expected[length - 1] == '\r')
        length--;
    return line->number == k + 1 && slice_equal(line->text, (struct slice){expected, length});
}

/* Every 97th line is refused when it is met first, and must not be met again. */
static void run(const char *path)
{
    struct window w;
    struct stream s = make_stream();
    struct window_line line;
    unsigned next = 0;      /* the line that is expected */
    unsigned confirmed = 0; /* lines before it */
    unsigned refused = 0;   /* lines before it were met, every 97th of them for the only time */
    unsigned again = 0;
    bool good = true;
    unit(window_open(&w, path, SIZE), "opens");
    while (good && confirmed < LINES) {
        feed(&w, &s);
        for (unsigned turns = chance(2000); good && turns && window_next_line(&w, NULL, &line);
             turns--) {
            if (next % 97 == 96 && next < refused)
                next++;
            good = is_line(&line, next);
            if (next % 97 == 96)
                window_reject(&w, &line);
            next++;
            refused = next > refused ? next : refused;
        }
        while (next < w.next.lines) /* a refused one stood at the end */
            next++;
        struct window_mark mark = w.next;
        if (chance(3) == 0) {
            window_confirm(&w, &mark);
            confirmed = next;
            unit(mark.messages == next - next / 97, "%u messages of %u lines",
                 (unsigned)mark.messages, next);
        }
        if (chance(5) == 0) {
            window_rewind(&w);
            next = confirmed;
            again++;
        }
    }
    unit(good, "line %u after %u rewinds: got %.*s", next, again, SHOW(line.text));
    unit(again > 20 && w.confirmed.offset == s.length, "all of it, rewound %u times", again);
    free(s.bytes);
    window_close(&w);
}

/* A process that ends anywhere leaves its window to the next one. */
static void reopened(const char *path)
{
    struct window w;
    struct window_line line;
    struct slice too_long;
    size_t room;
    unit(window_open(&w, path, SIZE), "opens");
    char *to = window_reserve(&w, &room);
    memcpy(to, "one\ntwo\nthr", 11);
    window_commit(&w, 11, &too_long);
    unit(window_next_line(&w, NULL, &line) && line.text.len == 3 && line.text.data[0] == 'o',
         "one");
    window_confirm(&w, &w.next);
    window_next_line(&w, NULL, &line);
    to = window_reserve(&w, &room);
    memcpy(to, "ee\nfo", 5); /* and is killed before it can count them in */
    window_close(&w);

    unit(window_open(&w, path, 0), "opens again");
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

/* Whoever knows where a line ends may say so; what comes again is not asked for. */
static void fresh_lines(void)
{
    struct window w;
    struct window_line line;
    struct slice too_long;
    size_t room;
    unit(window_open(&w, NULL, SIZE), "opens");
    unit(window_unchecked(&w).len == 0, "nothing was read");
    memcpy(window_reserve(&w, &room), "one\r\n\ntwo\nth", 13);
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
         "an empty line is passed over");
    unit(!window_next_line(&w, NULL, &line) && window_unchecked(&w).len == 0, "no more");
    window_close(&w);
}

static void too_long_lines(void)
{
    struct window w;
    struct window_line line;
    struct slice too_long;
    size_t room;
    unit(window_open(&w, NULL, SIZE), "opens");
    window_set_line_max(&w, 100);
    char *to = window_reserve(&w, &room);
    memcpy(to, "a\n", 2);
    memset(to + 2, 'b', 300);
    unit(window_commit(&w, 302, &too_long), "a line over the limit");
    unit(too_long.len == 300 && too_long.data[0] == 'b', "its beginning");
    for (int i = 0; i < 100; i++) {
        to = window_reserve(&w, &room);
        memset(to, 'b', room);
        unit(!window_commit(&w, room, &too_long), "its rest falls out");
    }
    to = window_reserve(&w, &room);
    memcpy(to, "bb\nc\n", 5);
    window_commit(&w, 5, &too_long);
    unit(window_next_line(&w, NULL, &line) && line.text.data[0] == 'a', "the line before it");
    unit(window_next_line(&w, NULL, &line) && line.text.data[0] == 'c' && line.text.len == 1,
         "and behind it");
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
    run(NULL);
    fresh_lines();
    too_long_lines();
    run(path);
    unlink(path);
    reopened(path);
    unlink(path);
    return unit_end("window");
}
