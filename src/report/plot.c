#include "report/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/number.h"
#include "base/printable.h"

/* gnuplot reads the rows from descriptor 3 and draws to stdout, so no file name needs quoting. */
enum { ROWS_FD = 3 };
#define ROWS_FILE "'/dev/fd/3'"

/* The colours of the other charts of this project. */
#define AXIS_COLOUR "#333333"
#define GRID_COLOUR "#e4e4e4"
#define MAIN_COLOUR "#1b6ca8"

/* Points are shown while there are few. */
#define WITH_LINES_OF(width)                                                                       \
    " with linespoints pt (x_records > 60 ? -1 : 7) ps 0.4 lw " width " lc rgb "
#define WITH_LINES WITH_LINES_OF("1.5")
#define MAX_WIDTH  "(i == 1 ? 4 : 1.5)"

/* x_from: an interval before the first row, or 0. */
static const char script_start[] =
    "set terminal svg size 900,500 font 'sans,12' background '#ffffff' noenhanced;"
    "set datafile separator ',';"
    "set border 3 lc rgb '" AXIS_COLOUR "'; set tics nomirror tc rgb '" AXIS_COLOUR "';"
    "set grid lc rgb '" GRID_COLOUR "' lt 1;"
    "set lmargin 11; set key outside right Left reverse samplen 1 tc rgb '" AXIS_COLOUR "';";

static const char script_time[] =
    "stats " ROWS_FILE " using 1 name 'x' nooutput;"
    "stats " ROWS_FILE " using 3 name 'r' nooutput;"
    "x_from = x_records > 1 ? x_min - (x_max - x_min) / (x_records - 1) : 0;"
    "x_from = x_from > 0 && x_from > 0.1 * x_max ? x_from : 0;"
    "set xrange [x_from:(x_max > x_from ? x_max : x_from + 1)];";

static const char script_rate[] =
    "set yrange [0:(r_max > 1 ? 1.05 * r_max : 1)];"
    "set format y '%.1s%c';"
    "set ylabel 'throughput (messages/s)';"
    "plot " ROWS_FILE " using 1:3" WITH_LINES "'" MAIN_COLOUR "' notitle;";

#define SET_TIME_LABEL "set xlabel 'time since the start (s)';"
#define START_PANEL    SET_TIME_LABEL "set yrange [*:*]; set format y '%g';"

static const char script_lag[] =
    START_PANEL "stats " ROWS_FILE " using ($5*1e3) name 'l' nooutput;"
                "set yrange [0:(l_max > 1 ? 1.05 * l_max : 1)];"
                "set ylabel 'lag (ms)';"
                "plot " ROWS_FILE " using 1:($5*1e3)" WITH_LINES "'" MAIN_COLOUR "' notitle;";

/* The axis is logarithmic, so a latency of 0 is drawn as 1 us. The maximum is a wide line below the
 * others, because it often equals a percentile. */
#define DEFINE_MS "ms(s) = s > 1e-6 ? s * 1e3 : 1e-3;"

static const char script_latency[] =
    START_PANEL DEFINE_MS "stats " ROWS_FILE " using (ms($4)) name 'low' nooutput;"
                          "stats " ROWS_FILE " using (ms($9)) name 'high' nooutput;"
                          "set logscale y; set yrange [(0.5 * low_min):(2 * high_max)];"
                          "set ylabel 'latency (ms)';"
                          "colour(i) = word('#e3b23c #7a7a7a #0b3c5d #1b6ca8 #5a9fd0 #9cc4e4', i);"
                          "plot for [i=1:6] " ROWS_FILE " using 1:(ms(column(10-i)))" WITH_LINES_OF(
                              MAX_WIDTH) "colour(i) title word('max p99.99 p99.9 p99 p90 p50', i);";

/*
 * Requires `limit` in ms, and `best`, the highest rate that held, or 0. Failed trials are crosses.
 * The lines connect the means of all trials at each rate.
 */
static const char script_trials[] = DEFINE_MS
    "set rmargin 18;"
    "stats " ROWS_FILE " using 2 name 'x' nooutput;"
    "stats " ROWS_FILE " using (ms($9)) name 'low' nooutput;"
    "stats " ROWS_FILE " using (ms($11)) name 'high' nooutput;"
    "set logscale xy;"
    "set xrange [(0.9 * x_min):(1.1 * x_max)];"
    "set yrange [(0.5 * (low_min < limit ? low_min : limit)):"
    "(3 * (high_max > limit ? high_max : limit))];"
    "set format x '%.0s%c'; set format y '%g';"
    "set xlabel 'rate (messages/s)'; set ylabel 'latency (ms)';"
    "if (best) set arrow from best, graph 0 to best, graph 1 nohead dt 3 lw 1.5 lc rgb "
    "'" AXIS_COLOUR "';"
    "if (best) set label best_text at best, graph 0.96 "
    "right offset -0.7,0 tc rgb "
    "'" AXIS_COLOUR "';"
    "column_of(i) = word('11 10 9', i) + 0; colour(i) = word('#e3b23c #1b6ca8 #9cc4e4', i);"
    "held(s) = strcol(3) eq 'held' ? ms(s) : NaN; failed(s) = strcol(3) eq 'held' ? NaN : ms(s);"
    "plot for [i=1:3] " ROWS_FILE " using 2:(ms(column(column_of(i)))) smooth unique with lines "
    "lw " MAX_WIDTH " lc rgb colour(i) title word('max p99 p50', i), "
    "limit with lines dt 2 lw 1.5 lc rgb '#b22222' title limit_text, "
    "for [i=1:3] " ROWS_FILE " using 2:(held(column(column_of(i)))) with points pt 7 ps 0.5 "
    "lc rgb colour(i) notitle, "
    "for [i=1:3] " ROWS_FILE " using 2:(failed(column(column_of(i)))) with points pt 2 ps 0.7 "
    "lc rgb colour(i) notitle, "
    "NaN with points pt 7 ps 0.5 lc rgb '" AXIS_COLOUR "' title 'held', "
    "NaN with points pt 2 ps 0.7 lc rgb '" AXIS_COLOUR "' title 'failed'";

static const struct {
    const char *layout;
    const char *lower_panel;
} panels[] = {
    [PLOT_LAG] = {"set rmargin 4; set multiplot layout 2,1 title ", script_lag},
    [PLOT_LATENCY] = {"set rmargin 14; set multiplot layout 2,1 title ", script_latency},
    [PLOT_RATE_ONLY] = {"set rmargin 4;" SET_TIME_LABEL "set multiplot layout 1,1 title ", ""}};

/* Returns the status of waitpid(2), or -1 with errno set if gnuplot could not be run. */
static int gnuplot_run(char *const *arguments, int rows, int out)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t child;
    int status = 0;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    if (rows >= 0)
        posix_spawn_file_actions_adddup2(&files, rows, ROWS_FD);
    int error = posix_spawnp(&child, *arguments, &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    while (!error && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            error = errno;
    errno = error;
    return error ? -1 : status;
}

static bool gnuplot_check_status(int status)
{
    if (status == 0)
        return true;
    if (status < 0)
        log_printf("--plot: gnuplot: %m; install gnuplot (Debian: gnuplot-nox)");
    else if (WIFSIGNALED(status))
        log_printf("--plot: gnuplot was killed by a signal (%s)", strsignal(WTERMSIG(status)));
    else
        log_printf("--plot: gnuplot failed with status %d", WEXITSTATUS(status));
    return false;
}

/* Does not run it: that needs hundreds of milliseconds, during which messages may arrive. */
static bool gnuplot_check(void)
{
    const char *variable = getenv("PATH");
    const char *dirs = variable ? variable : "/usr/bin:/bin";
    for (const char *end; *dirs; dirs = *end ? end + 1 : end) {
        char path[4096];
        end = strchrnul(dirs, ':');
        int len = snprintf(path, sizeof path, "%.*s/gnuplot", (int)(end - dirs), dirs);
        if (end > dirs && len < (int)sizeof path && access(path, X_OK) == 0)
            return true;
    }
    errno = ENOENT;
    return gnuplot_check_status(-1);
}

/* An unnamed file in $TMPDIR, or /tmp. */
static bool plot_open_rows(struct output *rows)
{
    const char *tmpdir = getenv("TMPDIR");
    const char *dir = tmpdir && *tmpdir ? tmpdir : "/tmp";
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/spamlog-XXXXXX", dir);
    errno = ENAMETOOLONG;
    int fd = len < (int)sizeof path ? mkostemp(path, O_CLOEXEC) : -1;
    if (fd < 0 || unlink(path) != 0) {
        log_printf("--plot: %s: %m", dir);
        if (fd >= 0)
            close(fd);
        return false;
    }
    output_init(rows, fd, "--plot rows");
    return true;
}

bool plot_open(struct plot *p, const char *path)
{
    *p = (struct plot){.rows = {.fd = -1}, .svg = {.fd = -1}};
    return !path || (gnuplot_check() && plot_open_rows(&p->rows) &&
                     output_open_truncate(&p->svg, "--plot", path));
}

/* gnuplot ignores write errors, so the end of its output is checked. */
static bool plot_is_complete(const char *path)
{
    static const char last[] = "</svg>\n";
    char end[64];
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool complete = false;
    if (fd >= 0 && fstat(fd, &s) == 0) {
        off_t from = s.st_size > (off_t)sizeof end ? s.st_size - (off_t)sizeof end : 0;
        ssize_t n = S_ISREG(s.st_mode) ? pread(fd, end, sizeof end, from) : 0;
        complete = !S_ISREG(s.st_mode) || (n > 0 && memmem(end, (size_t)n, last, sizeof last - 1));
    }
    if (fd >= 0)
        close(fd);
    if (!complete)
        log_printf("--plot: %s: gnuplot could not write all of it", path);
    return complete;
}

/* Quotes a gnuplot string. The text must be well-formed UTF-8, as SVG is. */
static void plot_add_quoted(struct buffer *b, const char *text)
{
    struct buffer title = {0};
    buffer_reserve(&title, strlen(text) + 1);
    title.len = printable_copy(title.data, (struct slice){text, strlen(text)});
    buffer_puts(b, "'");
    for (size_t i = 0; i < title.len; i++) {
        buffer_append(b, (struct slice){title.data + i, 1});
        if (title.data[i] == '\'')
            buffer_puts(b, "'");
    }
    buffer_puts(b, "'");
    buffer_free(&title);
}

void plot_add_row(struct plot *p, const struct values *row, uint64_t messages)
{
    if (p->rows.fd < 0 || (p->skips_silence && !messages))
        return;
    p->ends_in_silence = messages == p->messages;
    if (!p->ends_in_silence)
        p->end_of_traffic = p->len;
    p->messages = messages;
    values_print_csv_row(row, &p->rows.buffer);
    p->len += (off_t)p->rows.buffer.len;
    output_flush(&p->rows);
}

/* Consumes `script`. */
static bool plot_run(const struct plot *p, struct buffer *script)
{
    *buffer_reserve(script, 1) = '\0';
    char *arguments[] = {"gnuplot", "-d", "-e", script->data, NULL};
    bool ok = gnuplot_check_status(gnuplot_run(arguments, p->rows.fd, p->svg.fd)) &&
              plot_is_complete(p->svg.name);
    buffer_free(script);
    return ok;
}

/* The interval in which traffic ended would look like a drop. */
static bool plot_cut_end(const struct plot *p)
{
    if (!p->skips_silence || !p->ends_in_silence || p->end_of_traffic == 0 ||
        ftruncate(p->rows.fd, p->end_of_traffic) == 0)
        return true;
    log_printf("--plot: %m");
    return false;
}

bool plot_draw(struct plot *p, enum plot_kind kind, const char *title)
{
    struct buffer script = {0};
    if (p->rows.fd < 0)
        return true;
    if (!plot_cut_end(p))
        return false;
    buffer_puts(&script, script_start);
    buffer_puts(&script, script_time);
    buffer_puts(&script, panels[kind].layout);
    plot_add_quoted(&script, title);
    buffer_puts(&script, ";");
    buffer_puts(&script, script_rate);
    buffer_puts(&script, panels[kind].lower_panel);
    buffer_puts(&script, "unset multiplot");
    return plot_run(p, &script);
}

bool plot_draw_trials(struct plot *p, const char *title, uint64_t limit_ns, uint64_t best_rate)
{
    struct buffer script = {0};
    char number[NUMBER_SIZE];
    double limit_ms = (double)limit_ns / 1e6;
    if (p->rows.fd < 0)
        return true;
    buffer_puts(&script, script_start);
    buffer_puts(&script, "set title ");
    plot_add_quoted(&script, title);
    buffer_printf(&script, "; limit = %.9g; limit_text = 'limit of p99'; best = %" PRIu64 ".0;",
                  limit_ms, best_rate);
    buffer_printf(&script, "best_text = '%s/s';", number_format(number, best_rate));
    buffer_puts(&script, script_trials);
    return plot_run(p, &script);
}

bool plot_close(struct plot *p)
{
    bool ok = p->rows.fd < 0 || output_close(&p->rows);
    ok = (p->svg.fd < 0 || output_close(&p->svg)) && ok;
    p->rows.fd = p->svg.fd = -1;
    return ok;
}
