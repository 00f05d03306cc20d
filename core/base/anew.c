/* Begins a file anew, unless there is no room for what is to come. */
#include "base/anew.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE       0666 /* less the umask */
#define ROOM_BYTES 4096 /* that must be free beside the old file */

/* Only some file systems can reserve; the others are not asked. */
static bool anew_has_room(int fd, off_t size)
{
    return fallocate(fd, FALLOC_FL_KEEP_SIZE, size, ROOM_BYTES) == 0 ||
           (errno != ENOSPC && errno != EDQUOT);
}

int anew_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, MODE), error;
    struct stat old;

    if (fd < 0 || fstat(fd, &old) || !S_ISREG(old.st_mode))
        return fd;
    if ((old.st_size == 0 || anew_has_room(fd, old.st_size)) &&
        ftruncate(fd, 0) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

FILE *anew_stream(const char *path)
{
    int fd = anew_open(path), error;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (file || fd < 0)
        return file;
    error = errno;
    close(fd);
    errno = error;
    return NULL;
}
