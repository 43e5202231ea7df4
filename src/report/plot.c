#include "report/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/printable.h"

/* gnuplot reads the rows from descriptor 3 and draws to stdout, so no file name needs quoting. */
enum { ROWS_FD = 3 };
#define ROWS_FILE "'/dev/fd/3'"

#define WITH_LINES " with linespoints pt 7 ps 0.3 lw 1.5 "

static const char script_start[] =
    "set terminal svg size 900,500 font 'sans,12' background '#ffffff' noenhanced;"
    "set datafile separator ',';"
    "set grid; set lmargin 11; set key outside right Left reverse samplen 1;"
    "stats " ROWS_FILE " using 1 name 'x' nooutput;"
    "stats " ROWS_FILE " using 3 name 'r' nooutput;"
    "set xrange [0:(x_max > 0 ? x_max : 1)];";

static const char script_rate[] = "set yrange [0:(r_max > 1 ? 1.05 * r_max : 1)];"
                                  "set format y '%.1s%c';"
                                  "set ylabel 'throughput (messages/s)';"
                                  "plot " ROWS_FILE " using 1:3" WITH_LINES "notitle;";

#define SET_TIME_LABEL "set xlabel 'time since the start (s)';"
#define START_PANEL    SET_TIME_LABEL "set yrange [*:*]; set format y '%g';"

static const char script_lag[] =
    START_PANEL "stats " ROWS_FILE " using ($5*1e3) name 'l' nooutput;"
                "set yrange [0:(l_max > 1 ? 1.05 * l_max : 1)];"
                "set ylabel 'lag (ms)';"
                "plot " ROWS_FILE " using 1:($5*1e3)" WITH_LINES "lt 4 notitle;";

/* The axis is logarithmic, so a latency of 0 is drawn as 1 us. */
static const char script_latency[] =
    START_PANEL "ms(s) = s > 1e-6 ? s * 1e3 : 1e-3;"
                "stats " ROWS_FILE " using (ms($4)) name 'low' nooutput;"
                "stats " ROWS_FILE " using (ms($9)) name 'high' nooutput;"
                "set logscale y; set yrange [(0.3 * low_min):(3.4 * high_max)];"
                "set ylabel 'latency (ms)';"
                "set linetype 5 lc rgb '#b22222';"
                "plot for [i=1:6] " ROWS_FILE " using 1:(ms(column(10-i)))" WITH_LINES
                "title word('max p99.99 p99.9 p99 p90 p50', i);";

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

static bool gnuplot_check(void)
{
    char *arguments[] = {"gnuplot", "--version", NULL};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0) {
        log_printf("/dev/null: %m");
        return false;
    }
    int status = gnuplot_run(arguments, -1, null);
    bool ok = gnuplot_check_status(status);
    close(null);
    return ok;
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

bool plot_draw(struct plot *p, enum plot_kind kind, const char *title)
{
    struct buffer script = {0};
    if (p->rows.fd < 0)
        return true;
    buffer_puts(&script, script_start);
    buffer_puts(&script, panels[kind].layout);
    plot_add_quoted(&script, title);
    buffer_puts(&script, ";");
    buffer_puts(&script, script_rate);
    buffer_puts(&script, panels[kind].lower_panel);
    buffer_puts(&script, "unset multiplot");
    *buffer_reserve(&script, 1) = '\0';
    char *arguments[] = {"gnuplot", "-d", "-e", script.data, NULL};
    bool ok = gnuplot_check_status(gnuplot_run(arguments, p->rows.fd, p->svg.fd)) &&
              plot_is_complete(p->svg.name);
    buffer_free(&script);
    return ok;
}

bool plot_close(struct plot *p)
{
    bool ok = p->rows.fd < 0 || output_close(&p->rows);
    ok = (p->svg.fd < 0 || output_close(&p->svg)) && ok;
    p->rows.fd = p->svg.fd = -1;
    return ok;
}
