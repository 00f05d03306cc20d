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

#include "base/text.h"
#include "wire/wire_command.h"

#define STOP_MS 2000 /* until a command is killed */

/* ---- signals ---------------------------------------------------------- */

bool wire_commands_init(struct wire_commands *commands)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* who reads stderr may go; we still clean up */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    *commands = (struct wire_commands){.server.fd = -1};
    commands->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (commands->signals >= 0)
        return true;
    text_print(stderr, "playground wire: signalfd: %s; close some files\n",
               strerror(errno));
    return false;
}

void wire_commands_finish(struct wire_commands *commands)
{
    if (commands->server.fd >= 0)
        close(commands->server.fd);
    close(commands->signals);
}

/* A Ctrl-C comes from the terminal, which has told the left command too. */
static void wire_jobs_take_signal(struct wire_commands *commands,
                                  const struct signalfd_siginfo *info)
{
    int number = (int)info->ssi_signo;

    if (number == SIGCHLD)
        return;
    if (number == SIGINT && info->ssi_code == SI_KERNEL) {
        commands->interrupts++;
        return;
    }
    commands->stop_signal = number;
    if (commands->pids[WIRE_LEFT])
        kill(commands->pids[WIRE_LEFT], number);
}

static void wire_jobs_take_ends(struct wire_commands *commands)
{
    for (int side = WIRE_LEFT; side <= WIRE_RIGHT; side++)
        if (commands->pids[side] &&
            waitpid(commands->pids[side], &commands->statuses[side], WNOHANG) ==
                commands->pids[side])
            commands->pids[side] = 0;
}

void wire_commands_wait(struct wire_commands *commands, int ms)
{
    struct pollfd fds[] = {{.fd = commands->signals, .events = POLLIN},
                           {.fd = commands->server.fd, .events = POLLIN}};
    struct signalfd_siginfo info;

    if (poll(fds, 2, ms) < 0)
        return;
    while (read(commands->signals, &info, sizeof(info)) == sizeof(info))
        wire_jobs_take_signal(commands, &info);
    if (fds[1].revents)
        server_lines_read(&commands->server);
    wire_jobs_take_ends(commands);
}

/* ---- starting --------------------------------------------------------- */

static bool wire_jobs_start(struct wire_commands *commands, enum wire_side side,
                            char *const argv[], const int fds[3])
{
    pid_t pid = wire_spawn(commands->wire, side, argv, fds);

    if (pid > 0) {
        commands->pids[side] = pid;
        return true;
    }
    text_print(stderr, "playground wire: %s: %s; the %s command cannot start\n",
               argv[0], strerror(-pid), side == WIRE_LEFT ? "left" : "right");
    return false;
}

/* This program. */
static char *wire_jobs_self(void)
{
    static char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

    path[len > 0 ? len : 0] = 0;
    return path;
}

static bool wire_jobs_start_server(struct wire_commands *commands,
                                   const char *config, int nothing, int log)
{
    char host[64];
    char *const argv[] = {wire_jobs_self(), "run", "--host", host,
                          (char *)config,   NULL};
    int out[2];
    bool is_started;

    snprintf(host, sizeof(host), "%s", wire_address(WIRE_RIGHT, AF_INET));
    if (pipe2(out, O_CLOEXEC) < 0) {
        text_print(stderr, "playground wire: pipe: %s; close some files\n",
                   strerror(errno));
        return false;
    }
    is_started = wire_jobs_start(commands, WIRE_RIGHT, argv,
                                 (const int[3]){nothing, out[1], log});
    close(out[1]);
    commands->server.fd = out[0];
    return is_started;
}

/* Where the right command's output goes: stdout belongs to the left one. */
static int wire_jobs_open_log(const char *path)
{
    int fd;

    if (!path)
        return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        text_print(stderr,
                   "playground wire: %s: %s; name a file that can be written\n",
                   path, strerror(errno));
    return fd;
}

bool wire_commands_start_right(struct wire_commands *commands,
                               const struct wire_command_line *line)
{
    int log = wire_jobs_open_log(line->log);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool is_started = false;

    if (log >= 0 && line->config)
        is_started =
            wire_jobs_start_server(commands, line->config, nothing, log);
    else if (log >= 0)
        is_started = wire_jobs_start(commands, WIRE_RIGHT, line->right,
                                     (const int[3]){nothing, log, log});
    if (nothing >= 0)
        close(nothing);
    if (log >= 0)
        close(log);
    return is_started;
}

bool wire_commands_start_left(struct wire_commands *commands,
                              const struct wire_command_line *line)
{
    char *const client[] = {wire_jobs_self(), "client", commands->server.url,
                            NULL};

    if (line->config)
        setenv("WIRE_URL", commands->server.url, 1);
    return wire_jobs_start(commands, WIRE_LEFT,
                           line->left ? line->left : client, NULL);
}

/* ---- their ends ------------------------------------------------------- */

bool wire_commands_is_running(const struct wire_commands *commands,
                              enum wire_side side)
{
    return commands->pids[side] != 0;
}

int wire_commands_status(const struct wire_commands *commands,
                         enum wire_side side)
{
    int status = commands->statuses[side];

    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The right one leads a group; the left one shares ours. */
static void wire_jobs_tell(const struct wire_commands *commands,
                           enum wire_side side, int number)
{
    pid_t pid = commands->pids[side];

    if (pid)
        kill(side == WIRE_RIGHT ? -pid : pid, number);
}

void wire_commands_stop(struct wire_commands *commands, enum wire_side side)
{
    wire_jobs_tell(commands, side, SIGTERM);
    for (int ms = 0; ms < STOP_MS && commands->pids[side]; ms += 20)
        wire_commands_wait(commands, 20);
    while (commands->pids[side]) {
        wire_jobs_tell(commands, side, SIGKILL);
        wire_commands_wait(commands, 20);
    }
}

/* Orphans of the commands are ours: we are their reaper, see prctl(2). */
void wire_commands_clear(void)
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
