/* Writes a file anew beside the old one. */

#include "cli/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"

#define MODE        0666 /* less the umask */
#define DESCRIPTORS "/proc/self/fd"

static char *whole_file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? must_printf("%.*s", (int)(slash + 1 - path), path)
                 : must_copy(".");
}

/* Without a name, so that a process that dies leaves nothing; not all file
   systems can do that, see open(2), O_TMPFILE. */
static int whole_file_make(struct whole_file *file)
{
    char *folder = whole_file_folder(file->path);
    int fd = -1;

    file->beside = must_printf("%s/.playground.%d.new", folder, (int)getpid());
    if (access(DESCRIPTORS, X_OK) == 0) /* or it never got a name */
        fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, MODE);
    free(folder);
    if (fd >= 0)
        return fd;
    unlink(file->beside); /* of one that had our number and died */
    fd = open(file->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
    file->is_named = fd >= 0;
    return fd;
}

/* The rights of the old file are the new one's; its owner is, who may. */
static void whole_file_take_rights(int fd, const struct stat *old)
{
    int done = fchown(fd, old->st_uid, old->st_gid);

    done |= fchmod(fd, old->st_mode & 07777);
    (void)done;
}

static bool whole_file_open(struct whole_file *file, int fd)
{
    file->out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file->out)
        return true;
    if (fd >= 0)
        close(fd);
    whole_file_drop(file);
    return false;
}

/* The folder takes no new file, so the old one is all there is. A full disk is
   no reason: the old one would be lost, and the new one not be whole. */
static bool whole_file_may_not(void)
{
    return errno == EACCES || errno == EPERM || errno == EROFS;
}

bool whole_file_begin(struct whole_file *file, const char *path)
{
    struct stat old;
    bool is_there = stat(path, &old) == 0;
    int fd = -1;

    *file = (struct whole_file){0};
    if (!is_there || S_ISREG(old.st_mode)) {
        file->path = is_there ? realpath(path, NULL) : must_copy(path);
        if (file->path)
            fd = whole_file_make(file);
        if (fd >= 0 && is_there)
            whole_file_take_rights(fd, &old);
    }
    if (fd < 0 && is_there && (!file->path || whole_file_may_not())) {
        whole_file_drop(file);
        fd = open(path, O_WRONLY | O_CLOEXEC);
    }
    return whole_file_open(file, fd);
}

/* A name for what has none. */
static bool whole_file_name(struct whole_file *file)
{
    char from[64];

    if (file->is_named)
        return true;
    snprintf(from, sizeof(from), DESCRIPTORS "/%d", fileno(file->out));
    unlink(file->beside); /* of one that had our number and died */
    file->is_named =
        linkat(AT_FDCWD, from, AT_FDCWD, file->beside, AT_SYMLINK_FOLLOW) == 0;
    return file->is_named;
}

/* Takes off what an older and longer one leaves behind; no device has that. */
static void whole_file_cut(FILE *out)
{
    int done = ftruncate(fileno(out), ftell(out));

    (void)done;
}

bool whole_file_end(struct whole_file *file)
{
    bool is_good = fflush(file->out) == 0 && !ferror(file->out);
    int error;

    if (is_good && file->path)
        is_good = fsync(fileno(file->out)) == 0 && whole_file_name(file) &&
                  rename(file->beside, file->path) == 0;
    else if (is_good)
        whole_file_cut(file->out);
    if (is_good)
        file->is_named = false; /* it is the file's own now */
    error = errno;
    if (fclose(file->out) && is_good) {
        is_good = false;
        error = errno;
    }
    file->out = NULL;
    whole_file_drop(file);
    errno = error;
    return is_good;
}

void whole_file_drop(struct whole_file *file)
{
    int error = errno;

    if (file->out)
        fclose(file->out);
    if (file->is_named)
        unlink(file->beside);
    free(file->beside);
    free(file->path);
    *file = (struct whole_file){0};
    errno = error;
}
