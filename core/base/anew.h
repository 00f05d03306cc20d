/*
 * anew - begins a file anew that is read while it grows: a capture, a log, a
 * trace. What is made in one piece is for tools/cli/whole_file.h.
 */
#ifndef ANEW_H
#define ANEW_H

#include <stdio.h>

/* Opens for writing what is empty then (mode 0666 less the umask, if made). On
   a full disk an old file stays as it is. -1 with errno. */
int anew_open(const char *path);
/* The same as a stream. NULL with errno. */
FILE *anew_stream(const char *path);

#endif
