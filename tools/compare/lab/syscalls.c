/* System calls, counted with ptrace(2). */

#include "compare/lab/syscalls.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "compare/lab/processes.h"

#define SHOWN 6

/* Names of the calls that a server makes again and again; others show as a
   number. */
static const char *const names[SYSCALLS_MOST] = {
    [SYS_read] = "read",
    [SYS_write] = "write",
    [SYS_readv] = "readv",
    [SYS_writev] = "writev",
    [SYS_recvfrom] = "recvfrom",
    [SYS_sendto] = "sendto",
    [SYS_recvmsg] = "recvmsg",
    [SYS_sendmsg] = "sendmsg",
    [SYS_recvmmsg] = "recvmmsg",
    [SYS_sendmmsg] = "sendmmsg",
    [SYS_accept4] = "accept4",
    [SYS_close] = "close",
    [SYS_ioctl] = "ioctl",
    [SYS_futex] = "futex",
    [SYS_getpid] = "getpid",
    [SYS_clock_gettime] = "clock_gettime",
    [SYS_timerfd_settime] = "timerfd_settime",
    [SYS_pread64] = "pread64",
    [SYS_epoll_ctl] = "epoll_ctl",
    [SYS_epoll_pwait] = "epoll_pwait",
#ifdef SYS_epoll_wait
    [SYS_epoll_wait] = "epoll_wait",
#endif
#ifdef SYS_poll
    [SYS_poll] = "poll",
#endif
    [SYS_io_uring_enter] = "io_uring_enter",
    [SYS_madvise] = "madvise",
    [SYS_munmap] = "munmap",
    [SYS_mmap] = "mmap",
    [SYS_setsockopt] = "setsockopt",
    [SYS_getsockopt] = "getsockopt",
    [SYS_shutdown] = "shutdown",
};

/* ---- tracing ---------------------------------------------------------- */

static void syscalls_count_entry(struct syscalls *syscalls, pid_t thread)
{
    struct __ptrace_syscall_info info;

    if (ptrace((enum __ptrace_request)PTRACE_GET_SYSCALL_INFO, thread,
               sizeof(info), &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return;
    syscalls->total++;
    if (info.entry.nr < SYSCALLS_MOST)
        syscalls->counts[info.entry.nr]++;
}

/* Handles a stop of a thread, which goes on with the signal that came for it,
   if any. */
static void syscalls_handle_stop(struct syscalls *syscalls, pid_t thread,
                                 int status)
{
    int signal_number = WSTOPSIG(status);

    if (signal_number == (SIGTRAP | 0x80)) {
        syscalls_count_entry(syscalls, thread);
        signal_number = 0;
    } else if (status >> 16) { /* an event of ptrace, no signal */
        signal_number = 0;
    }
    ptrace(PTRACE_SYSCALL, thread, NULL, signal_number);
}

/* Every thread that has stopped by now. */
static void syscalls_handle_all(struct syscalls *syscalls)
{
    int status;
    pid_t thread;

    while ((thread = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
        if (WIFSTOPPED(status))
            syscalls_handle_stop(syscalls, thread, status);
}

static bool syscalls_seize(const struct processes *threads)
{
    for (size_t i = 0; i < threads->count; i++)
        if (ptrace(PTRACE_SEIZE, threads->list[i], NULL,
                   PTRACE_O_TRACESYSGOOD) ||
            ptrace(PTRACE_INTERRUPT, threads->list[i], NULL, NULL))
            return false;
    return threads->count > 0;
}

/* Lets go of the threads; each must stop once more before that. */
static void syscalls_release(struct syscalls *syscalls,
                             const struct processes *threads)
{
    for (size_t i = 0; i < threads->count; i++) {
        pid_t thread = threads->list[i];
        int status;

        if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL))
            continue;
        while (waitpid(thread, &status, __WALL) == thread &&
               WIFSTOPPED(status)) {
            if (WSTOPSIG(status) == (SIGTRAP | 0x80))
                syscalls_count_entry(syscalls, thread);
            if (ptrace(PTRACE_DETACH, thread, NULL, NULL) == 0)
                break;
        }
    }
}

static int syscalls_watch_children(sigset_t *before)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, before);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void syscalls_follow(struct syscalls *syscalls, int stops_fd,
                            int until_fd)
{
    struct pollfd fds[] = {{.fd = stops_fd, .events = POLLIN},
                           {.fd = until_fd, .events = POLLIN}};
    struct signalfd_siginfo info;

    do {
        while (read(stops_fd, &info, sizeof(info)) > 0)
            ;
        syscalls_handle_all(syscalls);
        fds[1].revents = 0;
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return;
    } while (!fds[1].revents);
}

bool syscalls_count(struct syscalls *syscalls, pid_t server, int until_fd)
{
    struct processes threads = processes_threads(server);
    sigset_t before;
    int stops_fd = syscalls_watch_children(&before), error = 0;

    *syscalls = (struct syscalls){.total = 0};
    if (stops_fd >= 0 && syscalls_seize(&threads))
        syscalls_follow(syscalls, stops_fd, until_fd);
    else
        error = errno ? errno : ESRCH;
    syscalls_release(syscalls, &threads);
    close(stops_fd);
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return error == 0;
}

/* ---- in words --------------------------------------------------------- */

static size_t syscalls_most_frequent(const uint64_t *counts)
{
    size_t most = 0;

    for (size_t i = 1; i < SYSCALLS_MOST; i++)
        if (counts[i] > counts[most])
            most = i;
    return most;
}

void syscalls_text(const struct syscalls *syscalls, uint64_t messages,
                   char *text, size_t size)
{
    struct syscalls left = *syscalls;
    size_t len = 0;

    text[0] = '\0';
    for (int i = 0; i < SHOWN && len < size; i++) {
        size_t at = syscalls_most_frequent(left.counts);
        char number[32];

        if (left.counts[at] * 100 < messages)
            break;
        snprintf(number, sizeof(number), "no. %zu", at);
        len += (size_t)snprintf(text + len, size - len, "%s%s %.2f",
                                i ? ", " : "", names[at] ? names[at] : number,
                                (double)left.counts[at] / (double)messages);
        left.total -= left.counts[at];
        left.counts[at] = 0;
    }
    if (len < size && left.total * 100 >= messages)
        snprintf(text + len, size - len, ", others %.2f",
                 (double)left.total / (double)messages);
}
