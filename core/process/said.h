/*
 * said - what a worker prints.
 *
 * A worker's stdout and stderr are pipes. The guard empties them whatever its
 * own are, line by line into the one writer of logs: so no printf() of a
 * handler waits for a reader, none is lost when the worker crashes, and what
 * nobody could be shown is counted.
 */
#ifndef SAID_H
#define SAID_H

#include <uv.h>

#include "base/output.h"

struct said {
    uv_poll_t poll;
    struct pg_file *to;
    int fd; /* -1: there is none */
    size_t len;
    char line[OUTPUT_LINE_BYTES + 1]; /* whose end has not come */
};

/* Makes a pipe and reads it. Returns the end to write to, which is the
   caller's, or -errno. */
int said_begin(struct said *said, uv_loop_t *loop, struct pg_file *to);
/* The worker is no more: takes what is left, a line without an end, too. */
void said_end(struct said *said);

#endif
