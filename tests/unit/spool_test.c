/*
 * A spool after a power failure, damage and SIGKILL: each line is confirmed, recovered or reported
 * as missing, and no line that was confirmed before is returned.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "publish/window.h"
#include "unit.h"

enum { SIZE = 256 * 1024, PAGE = 4096, LINES_MAX = 1 << 20 };

static unsigned seed = 1;
static char path[] = "/tmp/spool-test-XXXXXX";
static char damaged[sizeof path + 9];
static char reports[sizeof path + 9];

static unsigned random_below(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

/* Writes line k without its LF. The bytes after its number depend on it, so that a line that is
 * composed of two is detected. */
static size_t make_line(unsigned k, char *to)
{
    size_t len = (size_t)sprintf(to, "%u:", k);
    size_t pad = k % 31 ? k * 7919 % 300 : k * 7919 % 9000;
    memset(to + len, 'a' + (int)(k % 26), pad);
    return len + pad;
}

/* The input: lines 0, 1, 2 ... */
struct feeder {
    unsigned line;
    size_t written; /* bytes of it */
};

static size_t feeder_fill(struct feeder *f, char *to, size_t n)
{
    char line[10000];
    size_t done = 0;
    while (done < n) {
        size_t len = make_line(f->line, line);
        line[len++] = '\n';
        size_t take = len - f->written < n - done ? len - f->written : n - done;
        /* From the start to the end, as read(2) does; memcpy() may write the end first. */
        for (size_t i = 0; i < take; i++)
            ((volatile char *)to)[done + i] = line[f->written + i];
        done += take;
        f->written += take;
        if (f->written == len)
            *f = (struct feeder){.line = f->line + 1};
    }
    return done;
}

static void feed(struct window *w, struct feeder *f)
{
    struct window_line too_long;
    size_t space;
    char *to = window_reserve(w, &space);
    if (to)
        window_commit(w, feeder_fill(f, to, 1 + random_below((unsigned)space)), &too_long);
}

/* Confirms a random part of what can be sent; `confirmed` lines were before. */
static unsigned confirm(struct window *w, unsigned confirmed)
{
    struct window_line line;
    window_rewind(w);
    for (unsigned n = random_below(2000); n && window_next_line(w, NULL, &line); n--)
        confirmed++;
    window_confirm(w, &w->next);
    return confirmed;
}

/* A copy of the file, and what was true when it was made. */
struct snapshot {
    char *bytes;
    size_t size;
    unsigned confirmed; /* lines before it */
    unsigned read;
};

static struct snapshot synced;
static bool takes_synced;

static void snapshot_take(struct snapshot *s, int fd)
{
    s->size = (size_t)lseek(fd, 0, SEEK_END);
    s->bytes = realloc(s->bytes, s->size);
    if (!s->bytes || pread(fd, s->bytes, s->size, 0) != (ssize_t)s->size)
        abort();
}

/* Instead of that of the C library: what is on the disk then, and maybe nothing newer. */
int fdatasync(int fd)
{
    if (takes_synced)
        snapshot_take(&synced, fd);
    return 0;
}

static void write_damaged(const char *bytes, size_t size)
{
    int fd = open(damaged, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || close(fd) != 0)
        abort();
}

/* Sets present[k] for all lines that are reported as missing. */
static void take_reports(bool *present, bool *is_unknown)
{
    char line[1024];
    FILE *f = fopen(reports, "r");
    while (f && fgets(line, sizeof line, f)) {
        const char *range = strstr(line, " missing (");
        if (strstr(line, "unknown number") || strstr(line, "more places"))
            *is_unknown = true;
        else if (range) {
            char *to;
            unsigned long k = strtoul(range + strlen(" missing ("), &to, 10);
            for (unsigned long last = strtoul(to + strlen(" to "), NULL, 10);
                 k && k <= last && k <= LINES_MAX; k++)
                present[k - 1] = true;
        }
    }
    if (f)
        fclose(f);
}

static bool open_reporting(struct window *w, const char *file, bool is_private)
{
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    int to = open(reports, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(to, STDERR_FILENO);
    bool opened = window_open(w, file, 0, is_private);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(to);
    return opened;
}

/*
 * Opens the damaged file. No line before `stale` may be returned; lines from `from` to `to` have to
 * be returned or, unless `is_durable`, reported. Returns false if the file was refused.
 */
static bool check_recovery(bool is_private, unsigned stale, unsigned from, unsigned to,
                           bool is_durable, const char *what)
{
    static bool present[LINES_MAX];
    struct window w;
    struct window_line line;
    bool is_unknown = false;
    unsigned next = stale;
    unsigned bad = 0;
    memset(present, 0, sizeof present);
    if (!open_reporting(&w, damaged, is_private))
        return false;
    while (window_next_line(&w, NULL, &line)) {
        char expected[10000];
        unsigned k = (unsigned)strtoul(line.text.data, NULL, 10);
        bool is_whole = k < LINES_MAX &&
                        slice_equal(line.text, (struct slice){expected, make_line(k, expected)});
        if (!is_whole || k < next) {
            unit(bad++, "%s: stale, repeated or torn after %u: %.*s", what, next, SHOW(line.text));
            continue;
        }
        present[k] = true;
        next = k + 1;
    }
    if (!is_durable)
        take_reports(present, &is_unknown);
    unsigned lost = 0;
    for (unsigned k = from; k < to; k++)
        lost += !present[k] && !is_unknown;
    unit(bad == 0, "%s: %u bad lines", what, bad);
    unit(lost == 0, "%s: %u of the lines %u to %u are neither recovered nor reported", what, lost,
         from, to);
    window_close(&w);
    return true;
}

/* Runs, and creates snapshots: `synced`, *old and *new, in that order. */
static void run(struct window *w, struct feeder *f, unsigned *confirmed, struct snapshot *old,
                struct snapshot *new)
{
    int fd = open(path, O_RDONLY);
    for (int i = 0; i < 3; i++) {
        for (unsigned rounds = 1 + random_below(i == 0 ? 20 : 6); rounds; rounds--) {
            feed(w, f);
            if (random_below(3))
                *confirmed = confirm(w, *confirmed);
        }
        if (i == 0) {
            synced.confirmed = *confirmed;
            synced.read = f->line;
            takes_synced = true;
            window_sync(w);
            takes_synced = false;
        } else {
            struct snapshot *s = i == 1 ? old : new;
            s->confirmed = *confirmed;
            s->read = f->line;
            snapshot_take(s, fd);
        }
    }
    close(fd);
}

/* Each page is that of one of two snapshots. */
static char *mix(const struct snapshot *a, const struct snapshot *b, bool *has_cursor)
{
    char *bytes = malloc(b->size);
    if (!bytes)
        abort();
    unsigned share = 1 + random_below(9);
    *has_cursor = false;
    for (size_t i = 0; i < b->size; i += PAGE) {
        bool is_new = random_below(10) < share;
        memcpy(bytes + i, (is_new ? b : a)->bytes + i, PAGE);
        *has_cursor = *has_cursor || (is_new && i < 2 * (size_t)PAGE);
    }
    return bytes;
}

static void test_power_failure(void)
{
    struct window w;
    struct feeder f = {0};
    struct snapshot old = {0};
    struct snapshot new = {0};
    unsigned confirmed = 0;
    unit(window_open(&w, path, SIZE, false), "opens");
    for (int i = 0; i < 150; i++) {
        bool has_cursor;
        run(&w, &f, &confirmed, &old, &new);
        char *bytes = mix(&old, &new, &has_cursor);
        write_damaged(bytes, new.size);
        free(bytes);
        unsigned from = new.confirmed;
        unsigned to = has_cursor ? new.read : old.read;
        unit(check_recovery(false, old.confirmed, from, to, false, "mixed pages"), "opens");
        /* Repaired blocks are not reported again. */
        unit(check_recovery(false, old.confirmed, 0, 0, true, "mixed pages, again"), "opens again");

        bytes = mix(&synced, &new, &has_cursor);
        write_damaged(bytes, new.size);
        free(bytes);
        unit(check_recovery(false, synced.confirmed, new.confirmed, synced.read, true,
                            "mixed pages after a sync"),
             "opens");
    }
    unit(f.line > 10000 && f.line < LINES_MAX, "%u lines", f.line);
    free(old.bytes);
    free(new.bytes);
    window_close(&w);
    unlink(path);
}

/* One flipped bit is corrected or reported. The file is not changed by a private spool. */
static void test_flipped_bits(void)
{
    struct window w;
    struct feeder f = {0};
    struct snapshot s = {0};
    struct snapshot after = {0};
    unsigned confirmed = 0;
    unsigned refused = 0;
    unit(window_open(&w, path, SIZE, false), "opens");
    for (int i = 0; i < 40; i++) {
        feed(&w, &f);
        confirmed = confirm(&w, confirmed);
    }
    feed(&w, &f);
    int fd = open(path, O_RDONLY);
    snapshot_take(&s, fd);
    write_damaged(s.bytes, s.size);
    int out = open(damaged, O_RDWR);
    size_t end = 2 * SPOOL_HEADER_SIZE + SIZE / SPOOL_BLOCK * sizeof(struct spool_block);
    for (size_t bit = 0; bit < end * 8; bit++) {
        size_t byte = bit / 8;
        size_t used = byte % SPOOL_HEADER_SIZE;
        if (byte < 2 * SPOOL_HEADER_SIZE &&
            (used >= sizeof(struct spool_header) || s.bytes[byte] == 0) && bit % 64)
            continue;
        char flipped = (char)(s.bytes[byte] ^ 1 << bit % 8);
        unit(pwrite(out, &flipped, 1, (off_t)byte) == 1, "flips");
        refused += !check_recovery(true, confirmed, confirmed, f.line, false, "a flipped bit");
        unit(pwrite(out, &s.bytes[byte], 1, (off_t)byte) == 1, "flips back");
    }
    unit(refused == 0, "%u refused", refused);
    snapshot_take(&after, out);
    unit(memcmp(s.bytes, after.bytes, s.size) == 0, "unchanged");
    close(out);
    close(fd);
    free(s.bytes);
    free(after.bytes);
    window_close(&w);
    unlink(path);
}

/* Progress of a process that is about to be killed. */
struct progress {
    volatile unsigned steps;
    volatile unsigned confirming;
    volatile unsigned confirmed;
    volatile unsigned read;
};

static void run_until_killed(struct progress *p, unsigned confirmed, struct feeder f)
{
    struct window w;
    if (!window_open(&w, path, SIZE, false))
        _exit(1);
    w.skipping = false;
    for (;;) {
        struct window_line line;
        size_t space;
        char *to = window_reserve(&w, &space);
        if (to) {
            size_t n = feeder_fill(&f, to, 1 + random_below((unsigned)space));
            p->read = f.line;
            p->steps++;
            window_commit(&w, n, &line);
        }
        p->steps++;
        for (unsigned n = random_below(500); n && window_next_line(&w, NULL, &line); n--)
            confirmed++;
        p->confirming = confirmed;
        window_confirm(&w, &w.next);
        p->confirmed = confirmed;
        p->steps++;
    }
}

/* Each process continues with the line that follows the last whole line in the spool. */
static void test_kill(void)
{
    struct progress *p =
        mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned next = 0;
    if (p == MAP_FAILED)
        abort();
    for (int i = 0; i < 100; i++) {
        struct window w;
        struct window_line line;
        unsigned goal = p->steps + 1 + random_below(40);
        unsigned first = p->confirmed;
        pid_t child = fork();
        if (child == 0) {
            seed += (unsigned)i;
            run_until_killed(p, first, (struct feeder){.line = next});
        }
        while (p->steps < goal && waitpid(child, NULL, WNOHANG) == 0)
            ;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        unit(window_open(&w, path, 0, false), "opens");
        unit(!w.continues && !w.has_loss, "another input, and no loss");
        unsigned before = 0;
        next = 0;
        while (window_next_line(&w, NULL, &line)) {
            unsigned k = (unsigned)strtoul(line.text.data, NULL, 10);
            char expected[10000];
            unit(slice_equal(line.text, (struct slice){expected, make_line(k, expected)}),
                 "a whole line: %.*s", SHOW(line.text));
            unit(before++ ? k == next : k == p->confirmed || k == p->confirming,
                 "kill %d: got %u after %u, %u to %u were confirmed", i, k, next, p->confirmed,
                 p->confirming);
            next = k + 1;
        }
        if (before == 0) /* it may have been killed after the last line was confirmed */
            next = p->confirmed = p->confirming;
        unit(next >= p->read, "kill %d: up to %u, %u were read", i, next, p->read);
        if (window_end_input(&w, &line))
            window_mark_rejected(&w, line.offset);
        window_rewind(&w);
        if (window_next_line(&w, NULL, &line))
            p->confirmed = (unsigned)strtoul(line.text.data, NULL, 10);
        p->confirming = p->confirmed;
        window_close(&w);
    }
    munmap(p, sizeof *p);
    unlink(path);
}

/* Rejected lines are not returned to the next process, whatever they contain. */
static void test_rejected(void)
{
    struct window w;
    struct window_line line;
    size_t space;
    unit(window_open(&w, path, SIZE, false), "opens");
    memcpy(window_reserve(&w, &space), "\0one\ntwo\n\0three\n", 16);
    window_commit(&w, 16, &line);
    window_next_line(&w, NULL, &line);
    unit(window_next_line(&w, NULL, &line) && line.text.data[0] == 't', "two");
    window_reject(&w, &line);
    for (int i = 0; i < 2; i++) {
        window_rewind(&w);
        unit(window_next_line(&w, NULL, &line) && line.text.len == 4 && line.number == 1, "one");
        unit(window_next_line(&w, NULL, &line) && line.text.len == 6 && line.number == 3, "three");
        unit(!window_next_line(&w, NULL, &line), "no more");
        window_close(&w);
        unit(window_open(&w, path, SIZE, false), "opens again");
    }
    window_close(&w);
    unlink(path);
}

int main(void)
{
    int fd = mkstemp(path);
    int null = open("/dev/null", O_RDONLY);
    if (fd < 0 || null < 0)
        return 1;
    dup2(null, STDIN_FILENO);
    close(fd);
    snprintf(damaged, sizeof damaged, "%s.damaged", path);
    snprintf(reports, sizeof reports, "%s.reports", path);
    test_rejected();
    test_power_failure();
    test_flipped_bits();
    test_kill();
    unlink(path);
    unlink(damaged);
    unlink(reports);
    free(synced.bytes);
    return unit_end("spool");
}
