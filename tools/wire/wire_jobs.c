/* The commands at the two ends: their start, their end, and our signals. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/anew.h"
#include "base/inherited.h"
#include "base/program.h"
#include "base/remedy.h"
#include "base/text.h"
#include "wire/wire_command.h"

#define STOP_MS 2000 /* until a command is killed */

/* ---- signals ---------------------------------------------------------- */

bool wire_jobs_init(struct wire_jobs *jobs, struct wire *wire, int log)
{
    char text[REMEDY_BYTES];
    static const int numbers[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP};
    sigset_t set =
        inherited_wanted(numbers, sizeof(numbers) / sizeof(*numbers));

    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* who reads stderr may go; we still clean up */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    *jobs = (struct wire_jobs){.wire = wire, .log = log, .server.fd = -1};
    jobs->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (jobs->signals >= 0)
        return true;
    text_print(stderr, "playground wire: signalfd: %s\n",
               remedy_resource(errno, text, sizeof(text)));
    return false;
}

void wire_jobs_finish(struct wire_jobs *jobs)
{
    if (jobs->server.fd >= 0)
        close(jobs->server.fd);
    close(jobs->signals);
    close(jobs->log);
}

/* A Ctrl-C comes from the terminal, which has told the left command too. */
static void wire_jobs_take_signal(struct wire_jobs *jobs,
                                  const struct signalfd_siginfo *info)
{
    int number = (int)info->ssi_signo;

    if (number == SIGCHLD)
        return;
    if (number == SIGINT && info->ssi_code == SI_KERNEL) {
        jobs->interrupts++;
        return;
    }
    jobs->stop_signal = number;
    if (jobs->pids[WIRE_LEFT])
        kill(jobs->pids[WIRE_LEFT], number);
}

bool wire_jobs_is_told(const struct wire_jobs *jobs)
{
    return jobs->stop_signal || jobs->interrupts;
}

/* Signals are blocked, so they are looked for while stderr takes nothing. */
bool wire_jobs_may_say(struct wire_jobs *jobs)
{
    struct pollfd fds[] = {{.fd = STDERR_FILENO, .events = POLLOUT},
                           {.fd = jobs->signals, .events = POLLIN}};
    struct signalfd_siginfo info;

    while (poll(fds, 2, wire_jobs_is_told(jobs) ? 0 : -1) > 0) {
        if (fds[0].revents)
            return true;
        while (read(jobs->signals, &info, sizeof(info)) == sizeof(info))
            wire_jobs_take_signal(jobs, &info);
    }
    return false;
}

static void wire_jobs_take_ends(struct wire_jobs *jobs)
{
    for (int side = WIRE_LEFT; side <= WIRE_RIGHT; side++)
        if (jobs->pids[side] && waitpid(jobs->pids[side], &jobs->statuses[side],
                                        WNOHANG) == jobs->pids[side])
            jobs->pids[side] = 0;
}

void wire_jobs_wait(struct wire_jobs *jobs, int ms)
{
    struct pollfd fds[] = {{.fd = jobs->signals, .events = POLLIN},
                           {.fd = jobs->server.fd, .events = POLLIN}};
    struct signalfd_siginfo info;

    if (poll(fds, 2, ms) < 0)
        return;
    while (read(jobs->signals, &info, sizeof(info)) == sizeof(info))
        wire_jobs_take_signal(jobs, &info);
    if (fds[1].revents && wire_jobs_may_say(jobs))
        server_lines_read(&jobs->server);
    wire_jobs_take_ends(jobs);
}

/* ---- starting --------------------------------------------------------- */

static bool wire_jobs_start(struct wire_jobs *jobs, enum wire_side side,
                            char *const argv[], const int fds[3])
{
    pid_t pid = wire_spawn(jobs->wire, side, argv, fds);
    char text[REMEDY_BYTES];

    if (pid > 0) {
        jobs->pids[side] = pid;
        return true;
    }
    text_print(stderr, "playground wire: the %s command cannot start: %s: %s\n",
               side == WIRE_LEFT ? "left" : "right", argv[0],
               remedy_file(REMEDY_RUN, argv[0], (int)-pid,
                           "try another command", text, sizeof(text)));
    return false;
}

static bool wire_jobs_start_server(struct wire_jobs *jobs, const char *config,
                                   int nothing, int log)
{
    char host[64];
    char *const argv[] = {(char *)(uintptr_t)program_path(),
                          "run",
                          "--host",
                          host,
                          (char *)config,
                          NULL};
    int out[2];
    char text[REMEDY_BYTES];
    bool is_started;

    snprintf(host, sizeof(host), "%s", wire_address(WIRE_RIGHT, AF_INET));
    if (pipe2(out, O_CLOEXEC) < 0) {
        text_print(stderr, "playground wire: pipe: %s\n",
                   remedy_resource(errno, text, sizeof(text)));
        return false;
    }
    is_started = wire_jobs_start(jobs, WIRE_RIGHT, argv,
                                 (const int[3]){nothing, out[1], log});
    close(out[1]);
    jobs->server.fd = out[0];
    return is_started;
}

int wire_jobs_open_log(const char *path)
{
    char text[REMEDY_BYTES];
    int fd;

    if (!path)
        return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    fd = anew_open(path);
    if (fd < 0)
        text_print(stderr, "playground wire: %s: %s\n", path,
                   remedy_file(REMEDY_WRITE, path, errno,
                               "name a file that can be written", text,
                               sizeof(text)));
    return fd;
}

bool wire_jobs_start_right(struct wire_jobs *jobs,
                           const struct wire_command_line *line)
{
    int log = jobs->log, nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool is_started = false;

    if (line->config)
        is_started = wire_jobs_start_server(jobs, line->config, nothing, log);
    else
        is_started = wire_jobs_start(jobs, WIRE_RIGHT, line->right,
                                     (const int[3]){nothing, log, log});
    if (nothing >= 0)
        close(nothing);
    return is_started;
}

bool wire_jobs_start_left(struct wire_jobs *jobs,
                          const struct wire_command_line *line)
{
    char *const client[] = {(char *)(uintptr_t)program_path(), "client",
                            jobs->server.url, NULL};

    if (line->config)
        setenv("WIRE_URL", jobs->server.url, 1);
    return wire_jobs_start(jobs, WIRE_LEFT, line->left ? line->left : client,
                           NULL);
}

/* ---- their ends ------------------------------------------------------- */

bool wire_jobs_is_running(const struct wire_jobs *jobs, enum wire_side side)
{
    return jobs->pids[side] != 0;
}

int wire_jobs_status(const struct wire_jobs *jobs, enum wire_side side)
{
    int status = jobs->statuses[side];

    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The right command leads a process group; the left one shares ours. */
static void wire_jobs_tell(const struct wire_jobs *jobs, enum wire_side side,
                           int number)
{
    pid_t pid = jobs->pids[side];

    if (pid)
        kill(side == WIRE_RIGHT ? -pid : pid, number);
}

void wire_jobs_stop(struct wire_jobs *jobs, enum wire_side side)
{
    wire_jobs_tell(jobs, side, SIGTERM);
    for (int ms = 0; ms < STOP_MS && jobs->pids[side]; ms += 20)
        wire_jobs_wait(jobs, 20);
    while (jobs->pids[side]) {
        wire_jobs_tell(jobs, side, SIGKILL);
        wire_jobs_wait(jobs, 20);
    }
}

/* Orphans of the commands are ours: we are their reaper, see prctl(2). */
void wire_jobs_clear(void)
{
    char path[64];
    bool is_any = true;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    while (is_any) {
        FILE *file = fopen(path, "re");
        int pid;

        is_any = false;
        while (file && fscanf(file, "%d", &pid) == 1) {
            is_any = true;
            kill(pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        if (file)
            fclose(file);
    }
}
