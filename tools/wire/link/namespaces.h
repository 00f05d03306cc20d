/* namespaces - network namespaces of our own, with or without root. */
#ifndef NAMESPACES_H
#define NAMESPACES_H

#include <stdbool.h>
#include <stddef.h>

enum namespaces_step {
    NAMESPACES_USER,    /* unshare(CLONE_NEWUSER) */
    NAMESPACES_MAP,     /* writing uid_map and gid_map */
    NAMESPACES_NETWORK, /* unshare(CLONE_NEWNET) */
    NAMESPACES_DEVICE   /* making the devices in it */
};

/* Moves the calling process, which has one thread, into a new network
   namespace, and into a user namespace of its own where it has not the right
   otherwise. False after saying what is missing. */
bool namespaces_enter(char *error, size_t size);
/* Returns the descriptor of the current network namespace, or -errno. */
int namespaces_current(void);
/* Makes a network namespace and enters it; returns its descriptor, or -errno.
 */
int namespaces_add(void);
/* Enters a namespace again: 0 or -errno. */
int namespaces_switch(int fd);

/* Lets the command that this process is about to exec keep the rights over
   its network (ping, tcpdump, ports below 1024): 0 or -errno. They are worth
   nothing outside of the namespaces. */
int namespaces_keep_rights(void);

/* What to do about the error of a call that makes or enters namespaces. */
void namespaces_remedy(int error_number, const char *usual, char *text,
                       size_t size);
/* Says what stands in the way and what to do, found out from the error and from
   the settings below `settings`, usually /proc/sys. */
void namespaces_explain(enum namespaces_step step, int error_number,
                        const char *settings, char *error, size_t size);

#endif
