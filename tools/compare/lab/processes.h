/*
 * processes - a process and all that descend from it, by /proc.
 */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <stddef.h>
#include <sys/types.h>

#define PROCESSES_MOST 256

struct processes {
    pid_t list[PROCESSES_MOST];
    size_t count;
};

/* The threads of all of them. */
struct processes processes_threads(pid_t process);

/* Proportional set size of all of them together, in bytes: what they share
   counts once. 0: /proc does not tell. */
double processes_memory(pid_t process);

#endif
