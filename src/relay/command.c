#include "relay/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit-status.h"
#include "base/log.h"

/* In the new process. It must not inherit the sockets that systemd passed. */
static void command_execute(const char *text, int input_fd, int share_fd)
{
    enum { SHARE_FD = STDERR_FILENO + 1 };
    setpgid(0, 0);
    if (dup2(input_fd, STDIN_FILENO) >= 0 && dup2(share_fd, SHARE_FD) >= 0 &&
        close_range(SHARE_FD + 1, ~0U, 0) == 0 && stats_share_export(SHARE_FD)) {
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_FDNAMES");
        unsetenv("NOTIFY_SOCKET"); /* only this process reports the state of the service */
        execl("/bin/sh", "sh", "-c", text, (char *)NULL);
    }
    log_printf("--exec: %m");
    _exit(127);
}

static bool command_start(struct command *c, int share_fd)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    c->pid = fork();
    if (c->pid == 0)
        command_execute(c->text, fds[0], share_fd);
    bool good = c->pid > 0 && dup2(fds[1], STDOUT_FILENO) >= 0;
    close(fds[0]);
    close(fds[1]);
    return good;
}

/* After SIGTERM, shnek-pub writes its unconfirmed lines to --spill; other commands end. */
void command_terminate(struct command *c)
{
    pthread_mutex_lock(&c->lock);
    if (!c->ended)
        kill(-c->pid, SIGTERM);
    while (!c->ended)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

/* Other commands would be ended by it. */
void command_hang_up(struct command *c)
{
    pid_t pid = atomic_load(&c->share->pid);
    if (pid > 0)
        kill(pid, SIGHUP);
}

bool command_open(struct command *c, const char *text)
{
    int share_fd;
    *c = (struct command){
        .text = text, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    if (!text)
        return true;
    signal(SIGCHLD, SIG_DFL); /* if it is ignored, there is no exit status */
    c->share = stats_share_open(&share_fd);
    if (!c->share)
        return false;
    bool good = command_start(c, share_fd);
    if (!good)
        log_printf("--exec: %m");
    close(share_fd);
    return good;
}

static void command_set_ended(struct command *c, int wait_status)
{
    pthread_mutex_lock(&c->lock);
    c->ended = true;
    c->wait_status = wait_status;
    c->was_early = !c->input_ended;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    if (!c->was_early)
        return;
    sink_fail(c->sink);
    signals_request_stop(c->signals);
}

static void *command_reap(void *argument)
{
    struct command *c = argument;
    int wait_status;
    pid_t pid;
    while ((pid = wait(&wait_status)) != c->pid && (pid > 0 || errno == EINTR))
        ;
    command_set_ended(c, wait_status);
    return NULL;
}

bool command_watch(struct command *c, struct sink *sink, struct signals *signals)
{
    if (!c->text)
        return true;
    c->sink = sink;
    c->signals = signals;
    sink->stats->command = &c->share->stats;
    errno = pthread_create(&c->thread, NULL, command_reap, c);
    if (errno)
        log_printf("thread: %m");
    return errno == 0;
}

void command_end_input(struct command *c)
{
    if (!c->text)
        return;
    pthread_mutex_lock(&c->lock);
    c->input_ended = !sink_failed(c->sink); /* a write fails before the thread has waited */
    pthread_mutex_unlock(&c->lock);
}

/* Logs how the command ended, if that is a failure or too early. */
static int command_status(const struct command *c)
{
    int status = WIFEXITED(c->wait_status) ? WEXITSTATUS(c->wait_status) : STATUS_FAILED;
    const char *when = c->was_early ? " before its input ended; messages may be lost" : "";
    if (WIFSIGNALED(c->wait_status))
        log_printf("--exec: '%s' was ended by signal %d (%s)%s", c->text, WTERMSIG(c->wait_status),
                   strsignal(WTERMSIG(c->wait_status)), when);
    else if (c->was_early || status > STATUS_REJECTED)
        log_printf("--exec: '%s' ended with status %d%s", c->text, status, when);
    return c->was_early || status > STATUS_FAILED ? STATUS_FAILED : status;
}

int command_wait(struct command *c)
{
    if (!c->text)
        return STATUS_OK;
    pthread_join(c->thread, NULL);
    return command_status(c);
}

void command_close(struct command *c)
{
    stats_share_close(c->share);
}
