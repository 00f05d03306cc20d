/*
 * build - `playground build FILE.c`: what the files of this command share.
 *
 *   build.c           the command: places, usage, what to do next
 *   build_compile.c   runs the compiler
 *   build_check.c     loads what it made, in a process of its own
 *   build_open.c      warns of an open() that holds nobody back
 */
#ifndef BUILD_H
#define BUILD_H

#include <sys/types.h>

#include "plugin/plugin.h"

/* FOLDER/NAME.c becomes FOLDER/NAME.so by way of SCRATCH/NAME.so. */
struct build {
    const char *source;
    char *folder; /* ends with a slash, or is empty */
    char *name, *scratch, *made, *target;
    char *include; /* the compiler's -I option */
    char **extra;  /* the command line's own options; ends with NULL */
};

/* The report of the process that loads the plugin. */
struct verdict {
    enum plugin_kind kind;
    enum pg_kind needs, makes;
    bool has_open, may_hold; /* open(), and a call of pg_ready() */
    char text[1024];         /* its summary */
};

/* Returns 0, or 1 after saying why it could not be compiled. */
int build_compile(const struct build *build);

/* Loads build->made. False after saying why that failed. */
bool build_check(const struct build *build, struct verdict *verdict);

/* Warns if the source has an open() that returns PG_STOP for nothing. */
void build_warn_open(const struct build *build, const struct verdict *verdict);

/* The status of waitpid(2), however often it is interrupted. */
int build_wait(pid_t pid);

#endif
