/* The threads that write the files of output.h. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/output_parts.h"

#define STACK_BYTES (256 * 1024)
#define STUCK_MS    100 /* then a write counts as one that does not come back */

static void *output_writer_lead(void *arg);

/* Signals are for the program's own thread. */
static bool output_writer_start(void *(*run)(void *))
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int error;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

/* ---- watching the leader ---------------------------------------------- */

/* Lines that only the leader can write. */
static bool output_writer_has_work(const struct pg_file *file)
{
    return file->backlog.len > 0 && !file->has_own && !file->is_full &&
           !file->is_dead;
}

static bool output_writer_others_wait(void)
{
    for (const struct pg_file *file = outputs.files; file; file = file->next)
        if (file != outputs.written && output_writer_has_work(file))
            return true;
    return false;
}

static void output_writer_watch_once(void)
{
    struct timespec until = output_in_ms(STUCK_MS);
    uint64_t writes = outputs.writes;

    if (!outputs.written || !output_writer_others_wait()) {
        outputs.is_parked = true;
        pthread_cond_wait(&outputs.watch, &outputs.lock);
        outputs.is_parked = false;
        return;
    }
    while (outputs.writes == writes && outputs.written)
        if (pthread_cond_timedwait(&outputs.watch, &outputs.lock, &until))
            break;
    if (outputs.writes != writes || !outputs.written)
        return;
    outputs.written->has_own = true;
    outputs.written = NULL;
    outputs.has_watcher = false;
    outputs.term++;
}

/* Becomes the leader when the one that is does not come back. */
static void *output_writer_watch(void *arg)
{
    pthread_mutex_lock(&outputs.lock);
    while (outputs.has_watcher)
        output_writer_watch_once();
    pthread_mutex_unlock(&outputs.lock);
    return output_writer_lead(arg);
}

/* The leader is in write(2) and there is more to do. */
static void output_writer_call_watcher(void)
{
    if (!outputs.has_watcher)
        outputs.has_watcher = output_writer_start(output_writer_watch);
    else if (outputs.is_parked)
        pthread_cond_signal(&outputs.watch);
}

/* ---- one file --------------------------------------------------------- */

/* Gives the lock away while it writes; nobody else takes from the ring. Into
   what is no plain file it writes only so much at once that the system keeps
   it in one piece among other writers. False: the file is closed and freed. */
static bool output_writer_write(struct pg_file *file)
{
    struct iovec parts[2];
    int count =
        backlog_next(&file->backlog, file->is_regular ? 0 : PIPE_BUF, parts);
    ssize_t result;

    file->is_written = true;
    pthread_mutex_unlock(&outputs.lock);
    result = output_file_write(file, parts, count);
    pthread_mutex_lock(&outputs.lock);
    file->is_written = false;
    if (file->is_closed) {
        output_file_free(file);
        return false;
    }
    output_file_settle(file, result);
    if (result >= 0) /* or it would be tried for the announcement's sake */
        output_announce(file);
    if (file->backlog.len == 0 || outputs.is_patient)
        pthread_cond_broadcast(&outputs.changed);
    return true;
}

/* Waits until the file may take something, or is closed. */
static void output_writer_wait_for(struct pg_file *file)
{
    struct timespec until = output_in_ms(OUTPUT_RETRY_MS);

    if (file->is_full || file->retry_ms)
        pthread_cond_timedwait(&outputs.changed, &outputs.lock, &until);
    else
        pthread_cond_wait(&outputs.changed, &outputs.lock);
    file->is_full = false;
    file->retry_ms = 0;
}

/* For the rest of the file's life. */
static void output_writer_keep(struct pg_file *file)
{
    while (!file->is_closed)
        if (!file->backlog.len || file->is_full || file->retry_ms)
            output_writer_wait_for(file);
        else if (!output_writer_write(file))
            return;
    output_file_free(file);
}

/* ---- the leader ------------------------------------------------------- */

/* The file that has waited longest, or NULL. */
static struct pg_file *output_writer_next(void)
{
    uint64_t now_ms = output_now_ms();
    struct pg_file *next = NULL;

    for (struct pg_file *file = outputs.files; file; file = file->next)
        if (output_writer_has_work(file) && file->retry_ms <= now_ms &&
            (!next || file->turn < next->turn))
            next = file;
    return next;
}

/* Until the first full disk is to be tried again; -1: there is none. */
static int output_writer_timeout(void)
{
    uint64_t now_ms = output_now_ms();
    int timeout = -1;

    for (struct pg_file *file = outputs.files; file; file = file->next) {
        int left = file->retry_ms > now_ms ? (int)(file->retry_ms - now_ms) : 0;

        if (output_writer_has_work(file) && (timeout < 0 || left < timeout))
            timeout = left;
    }
    return timeout;
}

static bool output_writer_is_polled(const struct pg_file *file)
{
    return file->is_full && !file->has_own && file->fd >= 0;
}

/* The descriptors to poll, the wake-up first; NULL: no memory. */
static struct pollfd *output_writer_polls(nfds_t *count)
{
    nfds_t most = 1;
    struct pollfd *fds;

    for (struct pg_file *file = outputs.files; file; file = file->next)
        most += output_writer_is_polled(file);
    fds = calloc(most, sizeof(*fds));
    if (!fds)
        return NULL;
    fds[0] = (struct pollfd){.fd = outputs.wake_fd, .events = POLLIN};
    *count = 1;
    for (struct pg_file *file = outputs.files; file; file = file->next)
        if (output_writer_is_polled(file))
            fds[(*count)++] = (struct pollfd){file->fd, POLLOUT, 0};
    return fds;
}

/* A file may have been closed meanwhile, and its descriptor be another's: that
   one finds out that it is full still. */
static void output_writer_note(const struct pollfd *fds, nfds_t count)
{
    for (struct pg_file *file = outputs.files; file; file = file->next)
        for (nfds_t i = 1; i < count && output_writer_is_polled(file); i++)
            if (fds[i].fd == file->fd && fds[i].revents)
                file->is_full = false;
}

static void output_writer_sleep(void)
{
    int timeout = output_writer_timeout();
    nfds_t count = 0;
    struct pollfd *fds = output_writer_polls(&count);
    uint64_t wakes;
    ssize_t got = 0;

    outputs.is_asleep = true;
    pthread_mutex_unlock(&outputs.lock);
    poll(fds, count, fds ? timeout : OUTPUT_RETRY_MS);
    if (fds && fds[0].revents)
        got = read(outputs.wake_fd, &wakes, sizeof(wakes));
    (void)got;
    pthread_mutex_lock(&outputs.lock);
    outputs.is_asleep = false;
    output_writer_note(fds, count);
    free(fds);
}

static void *output_writer_lead(void *arg)
{
    struct pg_file *file;
    uint64_t term;
    bool is_there;

    pthread_mutex_lock(&outputs.lock);
    term = outputs.term;
    while (term == outputs.term) {
        file = output_writer_next();
        if (!file) {
            output_writer_sleep();
            continue;
        }
        file->turn = ++outputs.writes;
        outputs.written = file;
        if (output_writer_others_wait())
            output_writer_call_watcher();
        is_there = output_writer_write(file);
        if (term == outputs.term)
            outputs.written = NULL;
        else if (is_there)
            output_writer_keep(file);
    }
    pthread_mutex_unlock(&outputs.lock);
    return arg;
}

void output_writer_reserve(void)
{
    if (outputs.wake_fd < 0)
        outputs.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* If no thread can be had now, the ring holds the lines and the next one tries
   again. */
static void output_writer_start_leader(void)
{
    output_writer_reserve();
    outputs.has_leader =
        outputs.wake_fd >= 0 && output_writer_start(output_writer_lead);
}

/* ---- for the others --------------------------------------------------- */

void output_writer_wake(struct pg_file *file)
{
    const uint64_t one = 1;
    ssize_t done = 0;

    if (!outputs.has_leader) {
        output_writer_start_leader();
    } else if (file->has_own) {
        pthread_cond_broadcast(&outputs.changed);
    } else if (outputs.is_asleep && !file->is_full && !file->retry_ms) {
        outputs.is_asleep = false;
        done = write(outputs.wake_fd, &one, sizeof(one));
    } else if (outputs.written && outputs.written != file) {
        output_writer_call_watcher();
    }
    (void)done;
}

void output_writer_forget(void)
{
    if (outputs.wake_fd >= 0)
        close(outputs.wake_fd);
    outputs.wake_fd = -1;
    outputs.has_leader = outputs.is_asleep = false;
    outputs.has_watcher = outputs.is_parked = false;
    outputs.written = NULL;
    outputs.term++;
}
