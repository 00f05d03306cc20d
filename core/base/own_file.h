/*
 * own_file - the files that a server has made and is to remove at its end.
 *
 * Each process of a server keeps the same list, because any of them may be the
 * last: the worker that has made them tells the guard, who tells the others.
 * A file that somebody else has put in the place of one stays.
 */
#ifndef OWN_FILE_H
#define OWN_FILE_H

#include <stdio.h>

/* Adds a file that is there. 0 or -errno. */
int own_file_add(const char *path);
/* The list as text for another process, and back: the list is then that. */
void own_file_write(FILE *out);
void own_file_read(const char *text);
/* Removes those that are still the same, each under pg_lock_folder(), which
   whoever puts one there holds as well. The descriptors that
   keep them in use must be open still. */
void own_file_remove_all(void);

#endif
