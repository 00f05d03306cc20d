#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/backlog.h"

#define STACK_BYTES (256 * 1024)
#define RETRY_MS    500 /* a disk that was full */

struct pg_file {
    struct pg_file *next;
    const void *owner;
    int fd;
    bool is_regular;

    pthread_mutex_t lock; /* for all that follows */
    pthread_cond_t changed;
    pthread_t writer;
    bool has_writer;
    bool is_closing;  /* the writer ends when the ring is empty */
    bool is_orphaned; /* ... at once, and frees the file */
    bool is_dead;     /* nobody will ever read it */
    bool is_json;     /* the lines are objects: so is the announcement */
    uint64_t lost;    /* lines not announced yet */
    struct backlog backlog;
};

static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t files_once = PTHREAD_ONCE_INIT;
static struct pg_file stderr_file;
static struct pg_file *files; /* all but those closed; under files_lock */
static uint64_t unseen;       /* lines that closed files have lost; likewise */
static bool is_patient;       /* see output_be_patient() */

/* ---- life ------------------------------------------------------------- */

static void output_init_locks(struct pg_file *file)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&file->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&file->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* The writers stay behind in the parent, and maybe a lock with them. */
static void output_after_fork_in_child(void)
{
    pthread_mutex_init(&files_lock, NULL);
    for (struct pg_file *file = files; file; file = file->next) {
        output_init_locks(file);
        file->has_writer = false;
        backlog_taken(&file->backlog, file->backlog.len);
        file->lost = 0;
    }
    unseen = 0;
}

static void output_add_file(struct pg_file *file, int fd)
{
    struct stat status;

    file->fd = fd;
    file->is_regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    output_init_locks(file);
    pthread_mutex_lock(&files_lock);
    file->next = files;
    files = file;
    pthread_mutex_unlock(&files_lock);
}

static void output_remove_file(struct pg_file *file)
{
    struct pg_file **at = &files;

    pthread_mutex_lock(&files_lock);
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    pthread_mutex_unlock(&files_lock);
}

static void output_add_unseen(uint64_t lines)
{
    pthread_mutex_lock(&files_lock);
    unseen += lines;
    pthread_mutex_unlock(&files_lock);
}

static void output_free_file(struct pg_file *file)
{
    close(file->fd);
    pthread_cond_destroy(&file->changed);
    pthread_mutex_destroy(&file->lock);
    free(file);
}

static void output_begin(void)
{
    pthread_atfork(NULL, NULL, output_after_fork_in_child);
    output_add_file(&stderr_file, STDERR_FILENO);
}

struct pg_file *output_stderr(void)
{
    pthread_once(&files_once, output_begin);
    return &stderr_file;
}

/* O_NONBLOCK: a pipe without a reader is refused instead of waited for. */
struct pg_file *output_open(const char *path)
{
    struct pg_file *file;
    int fd = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
        0640);

    if (fd < 0)
        return NULL;
    file = calloc(1, sizeof(*file));
    if (!file) {
        close(fd);
        errno = ENOMEM;
        return NULL;
    }
    output_stderr();
    output_add_file(file, fd);
    return file;
}

void output_set_owner(struct pg_file *file, const void *owner)
{
    if (file != &stderr_file)
        file->owner = owner;
}

/* ---- the writer thread ------------------------------------------------ */

static struct timespec output_in_ms(unsigned ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return until;
}

/* In the place of the lines that were lost, before any that come after. */
static void output_announce(struct pg_file *file)
{
    char text[96];

    if (!file->lost || file->is_dead)
        return;
    snprintf(text, sizeof(text),
             file->is_json ? "{\"lost_lines\":%llu}\n"
                           : "(%llu lines lost here: the output was full)\n",
             (unsigned long long)file->lost);
    if (strlen(text) > backlog_room(&file->backlog))
        return;
    backlog_put(&file->backlog, pg_text(text));
    file->lost = 0;
}

static void output_write_failed(struct pg_file *file, int error)
{
    struct timespec until = output_in_ms(RETRY_MS);
    struct pollfd wanted = {.fd = file->fd, .events = POLLOUT};

    if (error == EINTR)
        return;
    if (error == EAGAIN) {
        pthread_mutex_unlock(&file->lock);
        poll(&wanted, 1, RETRY_MS);
        pthread_mutex_lock(&file->lock);
    } else if (error == ENOSPC || error == EDQUOT) {
        while (!file->is_orphaned &&
               pthread_cond_timedwait(&file->changed, &file->lock, &until) == 0)
            ;
    } else {
        file->is_dead = true;
        file->lost += backlog_lines(&file->backlog);
        backlog_taken(&file->backlog, file->backlog.len);
    }
}

/*
 * Gives the lock away while it writes; nobody else takes from the ring. Into
 * what is no plain file it writes only so much at once that the system keeps
 * it in one piece among other writers.
 */
static void output_write_some(struct pg_file *file)
{
    struct iovec parts[2];
    int count =
        backlog_next(&file->backlog, file->is_regular ? 0 : PIPE_BUF, parts);
    ssize_t written;
    int error;

    pthread_mutex_unlock(&file->lock);
    written = writev(file->fd, parts, count);
    error = errno;
    pthread_mutex_lock(&file->lock);
    if (written < 0)
        output_write_failed(file, error);
    else
        backlog_taken(&file->backlog, (size_t)written);
}

static void *output_write_all(void *arg)
{
    struct pg_file *file = arg;
    bool is_orphaned;

    pthread_mutex_lock(&file->lock);
    while (!file->is_orphaned && (file->backlog.len || !file->is_closing)) {
        if (file->backlog.len == 0) {
            pthread_cond_broadcast(&file->changed);
            pthread_cond_wait(&file->changed, &file->lock);
            continue;
        }
        output_write_some(file);
        output_announce(file);
        if (is_patient)
            pthread_cond_broadcast(&file->changed);
    }
    is_orphaned = file->is_orphaned;
    pthread_mutex_unlock(&file->lock);
    if (is_orphaned)
        output_free_file(file);
    return NULL;
}

/* Signals are for the program's own thread. If no thread can be had now, the
   ring holds the lines and the next one tries again. */
static void output_start_writer(struct pg_file *file)
{
    pthread_attr_t attributes;
    sigset_t all, before;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    file->has_writer =
        pthread_create(&file->writer, &attributes, output_write_all, file) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

/* ---- patience --------------------------------------------------------- */

void output_be_patient(void)
{
    is_patient = true;
}

static void output_wait_for_room(struct pg_file *file, size_t len)
{
    while (!file->is_dead && file->has_writer &&
           len > backlog_room(&file->backlog)) {
        struct timespec until = output_in_ms(RETRY_MS);

        pthread_cond_timedwait(&file->changed, &file->lock, &until);
    }
}

/* ---- for the others --------------------------------------------------- */

int output_write(struct pg_file *file, struct pg_bytes bytes)
{
    bool is_first = false;
    int result = 0;

    if (bytes.len == 0)
        return 0;
    pthread_mutex_lock(&file->lock);
    file->is_json = bytes.data[0] == '{';
    if (is_patient)
        output_wait_for_room(file, bytes.len);
    output_announce(file);
    if (file->lost || file->is_dead ||
        bytes.len > backlog_room(&file->backlog)) {
        file->lost++;
        result = -EAGAIN;
    } else {
        is_first = file->backlog.len == 0; /* the writer may sleep */
        backlog_put(&file->backlog, bytes);
    }
    if (!file->has_writer)
        output_start_writer(file);
    pthread_mutex_unlock(&file->lock);
    if (is_first)
        pthread_cond_broadcast(&file->changed);
    return result;
}

/* True when nothing is left. */
static bool output_wait_written(struct pg_file *file,
                                const struct timespec *until)
{
    while (file->backlog.len > 0 && file->has_writer &&
           pthread_cond_timedwait(&file->changed, &file->lock, until) == 0)
        ;
    return file->backlog.len == 0;
}

/* A writer that is stuck in write(2) cannot be waited for: it frees the file
   when it comes back. */
static void output_end_writer(struct pg_file *file, bool is_stuck)
{
    pthread_t writer = file->writer;
    bool has_writer = file->has_writer;

    file->is_closing = true;
    file->is_orphaned = has_writer && is_stuck;
    pthread_cond_broadcast(&file->changed);
    pthread_mutex_unlock(&file->lock);
    if (has_writer && is_stuck) {
        pthread_detach(writer);
        return;
    }
    if (has_writer)
        pthread_join(writer, NULL);
    output_free_file(file);
}

void output_close(struct pg_file *file, unsigned ms)
{
    struct timespec until = output_in_ms(ms);
    bool is_written;
    uint64_t lines;

    if (!file)
        return;
    if (file != &stderr_file)
        output_remove_file(file);
    pthread_mutex_lock(&file->lock);
    is_written = output_wait_written(file, &until);
    lines = file->lost + backlog_lines(&file->backlog);
    if (file == &stderr_file) {
        pthread_mutex_unlock(&file->lock);
        return;
    }
    output_end_writer(file, !is_written);
    output_add_unseen(lines);
}

static struct pg_file *output_first_owned(const void *owner)
{
    struct pg_file *file;

    pthread_mutex_lock(&files_lock);
    for (file = files; file && file->owner != owner; file = file->next)
        ;
    pthread_mutex_unlock(&files_lock);
    return file;
}

void output_close_owned(const void *owner, unsigned ms)
{
    struct pg_file *file;

    while (owner && (file = output_first_owned(owner)))
        output_close(file, ms);
}

uint64_t output_finish(unsigned ms)
{
    struct timespec until = output_in_ms(ms);
    uint64_t lines;

    pthread_mutex_lock(&files_lock);
    lines = unseen;
    for (struct pg_file *file = files; file; file = file->next) {
        pthread_mutex_lock(&file->lock);
        output_wait_written(file, &until);
        lines += file->lost + backlog_lines(&file->backlog);
        pthread_mutex_unlock(&file->lock);
    }
    pthread_mutex_unlock(&files_lock);
    return lines;
}
