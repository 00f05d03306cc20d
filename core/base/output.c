/* Lines into the rings of output.h, and the files' ends. */
#include "base/output.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/output_parts.h"

#define PATIENCE_MS 10000 /* of a simulation, for its lines at the end */

struct outputs outputs = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake_fd = -1};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct pg_file stdout_file, stderr_file;

/* ---- life ------------------------------------------------------------- */

static void output_init_locks(void)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&outputs.lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&outputs.changed, &attributes);
    pthread_cond_init(&outputs.watch, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* The threads stay behind in the parent, and maybe a lock with them. */
static void output_after_fork_in_child(void)
{
    output_init_locks();
    output_writer_forget();
    for (struct pg_file *file = outputs.files; file; file = file->next) {
        file->is_written = file->has_own = false;
        file->is_full = file->is_mid_line = false;
        file->lost = file->lost_all = file->notices = file->noticed = 0;
        backlog_taken(&file->backlog, file->backlog.len);
    }
    outputs.unseen = 0;
}

static void output_begin(void)
{
    output_init_locks();
    pthread_atfork(NULL, NULL, output_after_fork_in_child);
    output_file_add(&stdout_file, STDOUT_FILENO, "stdout");
    output_file_add(&stderr_file, STDERR_FILENO, "stderr");
}

struct pg_file *output_stdout(void)
{
    pthread_once(&once, output_begin);
    return &stdout_file;
}

struct pg_file *output_stderr(void)
{
    pthread_once(&once, output_begin);
    return &stderr_file;
}

void output_reserve(void)
{
    pthread_once(&once, output_begin);
    pthread_mutex_lock(&outputs.lock);
    output_writer_reserve();
    pthread_mutex_unlock(&outputs.lock);
}

static bool output_is_standard(const struct pg_file *file)
{
    return file == &stdout_file || file == &stderr_file;
}

void output_set_owner(struct pg_file *file, const void *owner)
{
    if (!output_is_standard(file))
        file->owner = owner;
}

/* ---- time ------------------------------------------------------------- */

uint64_t output_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct timespec output_in_ms(unsigned ms)
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

/* ---- lines ------------------------------------------------------------ */

/* In the place of the lines that were lost, before any that come after. */
void output_announce(struct pg_file *file)
{
    char text[96];

    if (!file->lost || file->is_dead)
        return;
    snprintf(text, sizeof(text),
             file->is_json
                 ? "{\"lost_lines\":%llu}\n"
                 : "(%llu lines lost here: the output was full or gone)\n",
             (unsigned long long)file->lost);
    if (strlen(text) > backlog_room(&file->backlog))
        return;
    backlog_put(&file->backlog, pg_text(text));
    file->notices++;
    file->noticed += file->lost;
    file->notice_end = file->backlog.taken + file->backlog.len;
    file->lost = 0;
}

void output_be_patient(void)
{
    outputs.is_patient = true;
}

static void output_wait_for_room(struct pg_file *file, size_t len)
{
    while (!file->is_dead && outputs.has_leader &&
           len > backlog_room(&file->backlog)) {
        struct timespec until = output_in_ms(OUTPUT_RETRY_MS);

        pthread_cond_timedwait(&outputs.changed, &outputs.lock, &until);
    }
}

int output_write(struct pg_file *file, struct pg_bytes bytes)
{
    int result = 0;

    if (bytes.len == 0)
        return 0;
    pthread_mutex_lock(&outputs.lock);
    file->is_json = bytes.data[0] == '{';
    if (outputs.is_patient)
        output_wait_for_room(file, bytes.len);
    output_announce(file);
    if (file->lost || file->is_dead ||
        bytes.len > backlog_room(&file->backlog)) {
        file->lost++;
        file->lost_all++;
        result = -EAGAIN;
    } else {
        backlog_put(&file->backlog, bytes);
    }
    output_writer_wake(file);
    pthread_mutex_unlock(&outputs.lock);
    return result;
}

void output_each_lost(void (*fn)(const char *name, const void *owner,
                                 uint64_t lines, void *arg),
                      void *arg)
{
    struct pg_file *file;

    output_stderr();
    pthread_mutex_lock(&outputs.lock);
    for (file = outputs.files; file; file = file->next) {
        uint64_t lines = file->lost_all;

        if (lines == 0)
            continue;
        /* Only the caller's thread takes files out of the list. */
        pthread_mutex_unlock(&outputs.lock);
        fn(file->name, file->owner, lines, arg);
        pthread_mutex_lock(&outputs.lock);
    }
    pthread_mutex_unlock(&outputs.lock);
}

/* ---- the end ---------------------------------------------------------- */

/* True when nothing is left. */
static bool output_wait_written(struct pg_file *file,
                                const struct timespec *until)
{
    while (file->backlog.len > 0 && outputs.has_leader &&
           pthread_cond_timedwait(&outputs.changed, &outputs.lock, until) == 0)
        ;
    return file->backlog.len == 0;
}

/* A thread that is stuck in write(2) cannot be waited for: it frees the file
   when it comes back. */
void output_close(struct pg_file *file, unsigned ms)
{
    struct timespec until = output_in_ms(ms);

    if (!file)
        return;
    pthread_mutex_lock(&outputs.lock);
    output_wait_written(file, &until);
    if (!output_is_standard(file)) {
        output_file_remove(file);
        outputs.unseen += output_file_missing(file);
        file->is_closed = true;
        if (file->is_written || file->has_own)
            pthread_cond_broadcast(&outputs.changed);
        else
            output_file_free(file);
    }
    pthread_mutex_unlock(&outputs.lock);
}

static struct pg_file *output_first_owned(const void *owner)
{
    struct pg_file *file;

    pthread_mutex_lock(&outputs.lock);
    for (file = outputs.files; file && file->owner != owner; file = file->next)
        ;
    pthread_mutex_unlock(&outputs.lock);
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
    unsigned least = outputs.is_patient ? PATIENCE_MS : 0;
    struct timespec until = output_in_ms(ms > least ? ms : least);
    uint64_t lines;

    output_stderr();
    pthread_mutex_lock(&outputs.lock);
    lines = outputs.unseen;
    for (struct pg_file *file = outputs.files; file; file = file->next) {
        output_wait_written(file, &until);
        lines += output_file_missing(file);
    }
    pthread_mutex_unlock(&outputs.lock);
    return lines;
}
