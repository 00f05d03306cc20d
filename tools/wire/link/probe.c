/* The trial whether a wire can be made on this machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/remedy.h"
#include "wire/link/wire.h"

/* Runs in a child, since whoever makes a wire is moved for good. */
static _Noreturn void probe_make(int out)
{
    struct wire_options options = {0};
    char why[512];
    struct wire *wire = wire_create(&options, why, sizeof(why));

    if (wire)
        snprintf(why, sizeof(why), "%s", wire_kind(wire));
    wire_destroy(wire);
    _exit(write(out, why, strlen(why)) < 0 || !wire);
}

bool wire_is_possible(char *why, size_t size)
{
    char text[REMEDY_BYTES];
    size_t len = 0;
    int pipe_fds[2], status = -1, fork_error;
    ssize_t got;
    pid_t pid;

    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        snprintf(why, size, "pipe: %s",
                 remedy_resource(errno, text, sizeof(text)));
        return false;
    }
    pid = fork();
    fork_error = errno;
    if (pid == 0)
        probe_make(pipe_fds[1]);
    close(pipe_fds[1]);
    while (pid > 0 && len + 1 < size &&
           (got = read(pipe_fds[0], why + len, size - 1 - len)) > 0)
        len += (size_t)got;
    why[len] = 0;
    close(pipe_fds[0]);
    if (pid < 0)
        snprintf(why, size, "fork: %s",
                 remedy_resource(fork_error, text, sizeof(text)));
    else
        waitpid(pid, &status, 0);
    return status == 0;
}
