/*
 * remedy - what to do about an error of the system, by what has caused it.
 *
 * One errno has many causes: EACCES may be the rights of the file, of a folder
 * on the way to it, or a file system mounted noexec. So advice is a row of a
 * table, a row for each cause, and its check looks whether that cause is there:
 * nobody is told to mend what was not looked at. A class of errors has a table:
 * files here, addresses in config/address_remedy.c, name look-ups in
 * client/client_connect.c. What any call may run out of stands in remedy.c, for
 * all of them.
 */
#ifndef REMEDY_H
#define REMEDY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define REMEDY_BYTES (PATH_MAX + 512)

/* An error that was met, and what its checks find out. */
struct remedy_case {
    int error;            /* an errno, positive */
    const void *about;    /* what the table's checks look at */
    char place[PATH_MAX]; /* what they found, such as the folder to blame */
};

struct remedy {
    int error;
    bool (*is_so)(struct remedy_case *met); /* NULL: the errno says it all */
    const char *advice; /* what to do; a "%s" in it is the place */
    const char *key;    /* the option of a config to blame, or NULL */
};

/* The first row that fits; the table ends with an element without advice. Then
   come the rows of what any call may run out of. NULL: none fits. */
const struct remedy *remedy_find(const struct remedy *table,
                                 struct remedy_case *met);

/* The advice with its place. */
void remedy_fill(const struct remedy *remedy, const struct remedy_case *met,
                 char *text, size_t size);

/* "Too many open files; this process may hold 64 ...": for a pipe, a fork or
   the like, which fail for want of something. Returns `text`. */
const char *remedy_resource(int error, char *text, size_t size);

/* For a fork that failed, with the number that there may be as its place. */
bool remedy_has_few_processes(struct remedy_case *met);
#define REMEDY_PROCESSES                                                       \
    "you may have %s processes: end some, or raise that with `ulimit -u`"

/* ---- remedy_file.c ---------------------------------------------------- */

enum remedy_deed {
    REMEDY_READ,
    REMEDY_WRITE,  /* the file, made if it is missing */
    REMEDY_MAKE,   /* a new file in its place, by rename(2) or mkdtemp(3) */
    REMEDY_RUN,    /* as a program; a name without a slash is sought in PATH */
    REMEDY_SEARCH, /* a folder, for the files in it */
    REMEDY_LOAD,   /* as a plugin: read, and mapped as code */
};

/* "Permission denied; run chmod u+r a.json": the error of open(2), execvp(3)
   and the like, and what to do. `usual` is the advice when the path is simply
   wrong, or nothing known fits. Returns `text`. */
const char *remedy_file(enum remedy_deed deed, const char *path, int error,
                        const char *usual, char *text, size_t size);

/* Puts the path into quotes where a shell needs them. */
void remedy_quote(char path[PATH_MAX]);

/* Keeps what remedy_file() says for remedy_noted(), as dlerror(3) does: for
   plugins, which know no more than that a file was not opened. Keeps errno. */
void remedy_note(enum remedy_deed deed, const char *path, int error);
/* The last note of this thread. */
const char *remedy_noted(void);

#endif
