/*
 * backlog - the ring behind an output: whole lines in, pieces to write out.
 */
#ifndef BACKLOG_H
#define BACKLOG_H

#include <sys/uio.h>

#include "base/output.h"

struct backlog {
    size_t start, len;
    uint64_t taken; /* bytes, from the beginning on */
    char ring[OUTPUT_RING_BYTES];
};

size_t backlog_room(const struct backlog *backlog);
/* Appends bytes there is room for. */
void backlog_put(struct backlog *backlog, struct pg_bytes bytes);
/* The byte `i` of what it holds. */
char backlog_byte(const struct backlog *backlog, size_t i);
/* How many ends of line it holds. */
uint64_t backlog_lines(const struct backlog *backlog);

/*
 * The next bytes to write, in one or two parts; returns how many. With `most`
 * only whole lines up to that many bytes, or one longer line.
 */
int backlog_next(struct backlog *backlog, size_t most, struct iovec parts[2]);
/* So much of it has been written. */
void backlog_taken(struct backlog *backlog, size_t len);

#endif
