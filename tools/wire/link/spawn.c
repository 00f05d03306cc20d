/* The start of a command at one end of the wire. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire/link/namespaces.h"
#include "wire/link/wire_parts.h"

static int spawn_tell_addresses(const struct wire *wire, enum wire_side side)
{
    const char *name = side == WIRE_LEFT ? "left" : "right";

    if (setenv("WIRE_SIDE", name, 1) < 0 ||
        setenv("WIRE_SELF", wire_address(side, AF_INET), 1) < 0 ||
        setenv("WIRE_PEER", wire_address(!side, AF_INET), 1) < 0)
        return -errno;
    if (!wire->has_ipv6)
        return 0;
    if (setenv("WIRE_SELF6", wire_address(side, AF_INET6), 1) < 0 ||
        setenv("WIRE_PEER6", wire_address(!side, AF_INET6), 1) < 0)
        return -errno;
    return 0;
}

/* dup2() clears close-on-exec; a descriptor in the way of a later one is moved
   above all three first. */
static int spawn_use_files(const int fds[3])
{
    int copies[3];

    for (int i = 0; i < 3; i++) {
        copies[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
        if (fds[i] >= 0 && copies[i] < 0)
            return -errno;
    }
    for (int i = 0; i < 3; i++)
        if (copies[i] >= 0 && dup2(copies[i], i) < 0)
            return -errno;
    return 0;
}

/* The right end's command is a group of its own: Ctrl-C at the terminal means
   the left one, and a server ends when its client has. */
static int spawn_prepare(struct wire *wire, enum wire_side side,
                         const int fds[3], pid_t parent)
{
    int error = namespaces_switch(wire->namespaces[side]);
    sigset_t none;

    if (error == 0)
        error = namespaces_keep_rights();
    if (error == 0)
        error = spawn_tell_addresses(wire, side);
    if (error == 0 && fds)
        error = spawn_use_files(fds);
    if (error)
        return error;
    if (side == WIRE_RIGHT && setpgid(0, 0) < 0)
        return -errno;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* the parent has died already */
        raise(SIGKILL);
    return 0;
}

pid_t wire_spawn(struct wire *wire, enum wire_side side, char *const argv[],
                 const int fds[3])
{
    int failure[2], error = 0;
    pid_t parent = getpid(), pid;

    if (pipe2(failure, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid == 0) {
        error = spawn_prepare(wire, side, fds, parent);
        if (error == 0) {
            execvp(argv[0], argv);
            error = -errno;
        }
        _exit(write(failure[1], &error, sizeof(error)) < 0);
    }
    if (pid < 0)
        error = -errno;
    close(failure[1]);
    if (pid > 0 && read(failure[0], &error, sizeof(error)) > 0)
        waitpid(pid, NULL, 0);
    close(failure[0]);
    return error ? error : pid;
}
