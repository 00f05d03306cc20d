/*
 * control - messages between the guard and its workers, with descriptors
 * (unix(7), SCM_RIGHTS) over a SOCK_SEQPACKET pair.
 *
 *   worker 0 -> guard   PLAN      what it will serve; text to print
 *   worker 0 -> guard   SOCKETS   for each worker: one descriptor a listener
 *   guard -> worker     START     who it is; arena, commons, eventfds, sockets
 *   worker -> guard     READY
 *   worker 0 -> guard   ALONE     instead of PLAN: there is nothing to guard,
 *                                 its exit status is the guard's
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_FDS       200 /* the kernel takes 253 a message */
#define CONTROL_TEXT_MOST 32768
#define CONTROL_FD        3 /* in a worker */
#define CONTROL_CONFIG_FD 4 /* in a worker: the config's text */
#define CONTROL_STDOUT_FD 5 /* in a worker: the guard's own stdout */
#define CONTROL_STDERR_FD 6 /* in a worker: its own stderr */

enum control_type {
    CONTROL_PLAN = 1,
    CONTROL_SOCKETS,
    CONTROL_START,
    CONTROL_READY,
    CONTROL_ALONE,
};

struct control_message {
    uint32_t type;
    uint32_t workers, listeners;
    uint32_t worker;          /* SOCKETS, START: which */
    uint32_t claims, members; /* PLAN: see struct commons_plan */
    uint32_t fd_count;
    uint64_t message_bytes; /* PLAN: the longest message between workers */
    uint64_t drain_ms;      /* PLAN */
    uint32_t names_at;      /* PLAN: in text: the entries' names, a line each */
    uint32_t files_at;      /* PLAN: in text: see own_file_write() */
    uint32_t text_len;
    /* PLAN: lines to print, and more; START: the files */
    char text[CONTROL_TEXT_MOST];
};

/* 0 or -errno. The descriptors stay the caller's. */
int control_send(int fd, const struct control_message *message, const int *fds);
/* Fills fds[CONTROL_FDS] and message->fd_count; they are the caller's. 0,
   -EPIPE at the end, or -errno. */
int control_receive(int fd, struct control_message *message, int *fds);

#endif
