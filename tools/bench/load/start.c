/* How long from exec to "ready": starts a server again and again, and ends it
   with SIGTERM. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_ready(int fd)
{
    char text[4096];
    size_t len = 0;
    ssize_t got;

    do {
        got = read(fd, text + len, sizeof(text) - 1 - len);
        if (got <= 0)
            fail("the server ended before it was ready");
        len += (size_t)got;
        text[len] = '\0';
    } while (!strstr(text, "ready\n"));
}

static double start_once_ms(const struct options *options)
{
    uint64_t begin, end;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC))
        fail("pipe2: %s", strerror(errno));
    begin = now_ns();
    pid = vfork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(ends[1], STDOUT_FILENO);
        execvp(options->command[0], options->command);
        _exit(127);
    }
    close(ends[1]);
    wait_ready(ends[0]);
    end = now_ns();
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    close(ends[0]);
    return (double)(end - begin) / 1e6;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

void start(const struct options *options)
{
    double *ms = calloc(options->times, sizeof(double));

    if (!ms || !options->command[0])
        fail("start needs -- and a command");
    for (unsigned i = 0; i < options->times; i++)
        ms[i] = start_once_ms(options);
    qsort(ms, options->times, sizeof(double), compare);
    printf("{\"median_ms\": %.3f, \"min_ms\": %.3f, \"max_ms\": %.3f}\n",
           ms[options->times / 2], ms[0], ms[options->times - 1]);
    free(ms);
}
