/* The files that a server has made and is to remove at its end. */

#include "base/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <playground/transport.h>

#include "base/must.h"
#include "base/text.h"

#define LOCK_TRIES 100 /* with a nap of 10 ms before each but the first */
#define NAP_NS     10000000

struct own_file {
    uint64_t device, inode; /* while a socket is in use no other file has its */
    char *path;
};

static struct own_file *files;
static size_t file_count;

static void own_file_keep(struct own_file file)
{
    files = must_grow(files, file_count, sizeof(*files));
    files[file_count++] = file;
}

static void own_file_forget_all(void)
{
    for (size_t i = 0; i < file_count; i++)
        free(files[i].path);
    free(files);
    files = NULL;
    file_count = 0;
}

int own_file_add(const char *path)
{
    struct stat status;

    if (lstat(path, &status))
        return -errno;
    own_file_keep((struct own_file){.device = (uint64_t)status.st_dev,
                                    .inode = (uint64_t)status.st_ino,
                                    .path = must_copy(path)});
    return 0;
}

/* ---- for another process ----------------------------------------------- */

/* A path may hold any byte but NUL, hence its length in front. */
void own_file_write(FILE *out)
{
    for (size_t i = 0; i < file_count; i++)
        fprintf(out, "%" PRIu64 " %" PRIu64 " %zu %s\n", files[i].device,
                files[i].inode, strlen(files[i].path), files[i].path);
}

void own_file_read(const char *text)
{
    struct own_file file;
    size_t len;
    int used;

    own_file_forget_all();
    while (sscanf(text, "%" SCNu64 " %" SCNu64 " %zu%n", &file.device,
                  &file.inode, &len, &used) == 3) {
        text += used + 1;
        file.path = must_printf("%.*s", (int)len, text);
        text += len + 1;
        own_file_keep(file);
    }
}

/* ---- the end ----------------------------------------------------------- */

static int own_file_flock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

int pg_lock_folder(const char *path)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};
    const char *slash = strrchr(path, '/');
    char *folder = slash ? must_printf("%.*s", (int)(slash - path) + 1, path)
                         : must_copy(".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 ? -errno : own_file_flock(fd);

    free(folder);
    for (int i = 1; i < LOCK_TRIES && error == -EWOULDBLOCK; i++) {
        nanosleep(&nap, NULL);
        error = own_file_flock(fd);
    }
    if (error && fd >= 0)
        close(fd);
    return error ? error : fd;
}

/* Without the lock somebody might just be putting another file there, which is
   as unlikely as that nobody gives the lock back for a second. */
static void own_file_remove(const struct own_file *file)
{
    int lock = pg_lock_folder(file->path);
    struct stat status;

    if (lstat(file->path, &status) == 0 &&
        (uint64_t)status.st_dev == file->device &&
        (uint64_t)status.st_ino == file->inode && unlink(file->path))
        text_print(stderr, "%s: stays behind: %s; delete it\n", file->path,
                   strerror(errno));
    if (lock >= 0)
        close(lock);
}

void own_file_remove_all(void)
{
    for (size_t i = 0; i < file_count; i++)
        own_file_remove(&files[i]);
    own_file_forget_all();
}
