/*
 * syscalls - counts the system calls of a server, with nothing but ptrace(2):
 * each call stops it for a moment, so nothing else is measured meanwhile.
 */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SYSCALLS_MOST 512

struct syscalls {
    uint64_t counts[SYSCALLS_MOST]; /* by number */
    uint64_t total;
};

/*
 * Counts what the process and its children (threads too) call, from now until
 * `until_fd` is readable. They must descend from the caller, which has no
 * other children that end meanwhile. False, with errno: they may not be
 * traced.
 */
bool syscalls_count(struct syscalls *syscalls, pid_t server, int until_fd);

/* "recvmsg 1.0, sendmsg 1.0, epoll_wait 2.0": calls a message, the most
   frequent first, the rest in one sum. */
void syscalls_text(const struct syscalls *syscalls, uint64_t messages,
                   char *text, size_t size);

#endif
