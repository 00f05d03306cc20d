/* Finds the file of the program that is running. */
#include "base/program.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#define EXE "/proc/self/exe"

const char *program_path(void)
{
    static char path[PATH_MAX];
    const char *given = (const char *)getauxval(AT_EXECFN);
    ssize_t len;

    if (path[0])
        return path;
    len = readlink(EXE, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    if (len <= 0 && (!given || !realpath(given, path)))
        path[0] = '\0';
    return path;
}

const char *program_to_run(void)
{
    return access(EXE, X_OK) == 0 ? EXE : program_path();
}
