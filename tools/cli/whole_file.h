/*
 * whole_file - a file that is written anew: all of it or nothing.
 *
 * A full disk, a signal or a crash leaves the old file as it was. The new one
 * has no name until it is whole, where the file system can do that, and then
 * takes the old one's place by rename(2), with its mode. What is no plain file
 * (/dev/stdout, a FIFO), or stands in a folder where nothing can be made, is
 * written as it is.
 *
 * For what is made in one piece. A capture or a log, which are read while they
 * grow, are for base/anew.h.
 */
#ifndef WHOLE_FILE_H
#define WHOLE_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct whole_file {
    FILE *out;
    char *path; /* of the file that it replaces; NULL: it is written as it is */
    char *beside;  /* its name until then, */
    bool is_named; /* which it has already */
};

/* False with errno. */
bool whole_file_begin(struct whole_file *file, const char *path);
/* Puts it in its place. False with errno: the old one stays. */
bool whole_file_end(struct whole_file *file);
/* Gives it up instead. */
void whole_file_drop(struct whole_file *file);

#endif
