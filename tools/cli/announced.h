/*
 * announced - what `playground run` says on stdout before it serves:
 *
 *   listening tcp 127.0.0.1:5000
 *   ready
 */
#ifndef ANNOUNCED_H
#define ANNOUNCED_H

#include <stdbool.h>

struct announced {
    char transport[32];
    char address[128]; /* as the transport writes it */
};

/* False: the line announces no listener. */
bool announced_listener(const char *line, struct announced *announced);
/* The line is the last: all listeners have been announced. */
bool announced_ready(const char *line);

#endif
