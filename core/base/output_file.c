/* One file of output.h: opened, opened anew, given to write(2). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/output_parts.h"

/* O_NONBLOCK: a pipe without a reader is refused instead of waited for, and a
   full one says so. */
#define FLAGS                                                                  \
    (O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
#define MODE 0640

/* ---- life ------------------------------------------------------------- */

static void output_file_set(struct pg_file *file, int fd)
{
    struct stat status;
    int flags;

    file->fd = fd;
    if (fd < 0)
        return;
    flags = fcntl(fd, F_GETFL);
    file->is_regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    file->may_block = flags < 0 || !(flags & O_NONBLOCK);
}

void output_file_add(struct pg_file *file, int fd, const char *name)
{
    output_file_set(file, fd);
    file->name = name;
    pthread_mutex_lock(&outputs.lock);
    file->next = outputs.files;
    outputs.files = file;
    pthread_mutex_unlock(&outputs.lock);
}

void output_file_remove(struct pg_file *file)
{
    struct pg_file **at = &outputs.files;

    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
}

void output_file_free(struct pg_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    free(file);
}

/* A pipe that waits for its reader: a server may start before it. */
static bool output_file_has_no_reader(const char *path)
{
    struct stat status;

    return errno == ENXIO && stat(path, &status) == 0 &&
           S_ISFIFO(status.st_mode);
}

struct pg_file *output_open(const char *path)
{
    struct pg_file *file;
    int fd = open(path, FLAGS, MODE);

    if (fd < 0 && !output_file_has_no_reader(path))
        return NULL;
    file = calloc(1, sizeof(*file));
    if (file)
        file->path = strdup(path);
    if (!file || !file->path) {
        free(file);
        if (fd >= 0)
            close(fd);
        errno = ENOMEM;
        return NULL;
    }
    output_stderr();
    output_file_add(file, fd, file->path);
    return file;
}

uint64_t output_file_missing(const struct pg_file *file)
{
    return file->lost + file->noticed + backlog_lines(&file->backlog) -
           file->notices;
}

/* ---- opening anew ----------------------------------------------------- */

/* True when the path still leads to this file. A device or a terminal is not
   asked, because nobody moves one. */
static bool output_file_is_there(const struct pg_file *file, struct stat *here)
{
    struct stat there;

    if (fstat(file->fd, here) ||
        !(S_ISREG(here->st_mode) || S_ISFIFO(here->st_mode)))
        return true;
    return stat(file->path, &there) == 0 && there.st_dev == here->st_dev &&
           there.st_ino == here->st_ino;
}

/* A file that was moved goes on to be written where no other can be made in
   its place; one that was removed would swallow its lines. */
static void output_file_renew(struct pg_file *file)
{
    struct stat here = {0};
    int fd;

    if (!file->path || file->is_mid_line ||
        (file->fd >= 0 && output_file_is_there(file, &here)))
        return;
    fd = open(file->path, FLAGS, MODE);
    if (fd < 0 && here.st_nlink > 0)
        return;
    if (file->fd >= 0)
        close(file->fd);
    output_file_set(file, fd);
}

/* ---- writing ---------------------------------------------------------- */

ssize_t output_file_write(struct pg_file *file, const struct iovec *parts,
                          int count)
{
    struct pollfd wanted = {.events = POLLOUT};
    ssize_t written;

    output_file_renew(file);
    if (file->fd < 0)
        return -ENXIO;
    wanted.fd = file->fd;
    if (file->may_block && poll(&wanted, 1, 0) == 0)
        return -EAGAIN;
    written = writev(file->fd, parts, count);
    return written < 0 ? -errno : written;
}

/* Gives up the lines in the ring. */
static void output_file_drop(struct pg_file *file)
{
    uint64_t lines = backlog_lines(&file->backlog) - file->notices;

    file->lost_all += lines;
    file->lost += lines + file->noticed;
    file->notices = file->noticed = 0;
    file->is_mid_line = false;
    backlog_taken(&file->backlog, file->backlog.len);
}

/* Another reader of the pipe may be there by now: the next turn finds out. */
static void output_file_lost_reader(struct pg_file *file)
{
    close(file->fd);
    file->fd = -1;
    if (file->is_mid_line)
        output_file_drop(file);
}

static void output_file_taken(struct pg_file *file, size_t len)
{
    struct backlog *backlog = &file->backlog;

    file->retry_ms = 0;
    if (len == 0)
        return;
    file->is_mid_line = backlog_byte(backlog, len - 1) != '\n';
    backlog_taken(backlog, len);
    if (file->notices && backlog->taken >= file->notice_end)
        file->notices = file->noticed = 0;
}

void output_file_settle(struct pg_file *file, ssize_t result)
{
    switch (result < 0 ? -result : 0) {
    case 0:
        output_file_taken(file, (size_t)result);
        break;
    case EINTR:
        break;
    case EAGAIN:
        file->is_full = true;
        break;
    case ENOSPC:
    case EDQUOT:
        file->retry_ms = output_now_ms() + OUTPUT_RETRY_MS;
        break;
    case EPIPE:
        if (file->path) {
            output_file_lost_reader(file);
            break;
        }
        /* fall through */
    default:
        file->is_dead = !file->path;
        output_file_drop(file);
    }
}
