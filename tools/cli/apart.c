/* Loads a plugin in a child, and takes what it has to tell through a pipe. */

#include "cli/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/must.h"
#include "base/remedy.h"

#define ERROR_BYTES 1024
/* The child ends itself after CRASH_LIMIT_S and says where it was; a plugin
   that has blocked all signals is ended here. */
#define PATIENCE_MS (2000 * CRASH_LIMIT_S)

/* The first byte of an answer, so that an empty one is none. */
#define SHOWN   'y'
#define REFUSED 'n'

/* ---- the child -------------------------------------------------------- */

/* The pipe takes the place of stdout only now: constructors may print, too. */
static void apart_answer(int out, char first)
{
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    putchar(first);
}

/* Without exit(): its destructors are no better than its constructors. */
static void apart_child(enum plugin_kind kind, const char *name,
                        struct plugin_search *search,
                        void (*show)(const struct plugin *plugin, void *arg),
                        void *arg, int out)
{
    char error[ERROR_BYTES];
    const struct plugin *plugin =
        plugin_load(kind, name, search, error, sizeof(error));

    apart_answer(out, plugin ? SHOWN : REFUSED);
    if (plugin)
        show(plugin, arg);
    else
        fputs(error, stdout);
    fflush(stdout);
    _exit(0);
}

/* ---- the parent ------------------------------------------------------- */

static int64_t apart_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* False: there was nothing in time, or no more. */
static bool apart_read_some(struct apart *apart, int in, int64_t until_ms)
{
    struct pollfd poll_fd = {.fd = in, .events = POLLIN};
    int64_t left_ms = until_ms - apart_now_ms();
    ssize_t got;

    if (poll(&poll_fd, 1, left_ms > 0 ? (int)left_ms : 0) < 0)
        return errno == EINTR;
    if (!poll_fd.revents)
        return false;
    apart->text = must_realloc(apart->text, apart->len + 4096, 1);
    got = read(in, apart->text + apart->len, 4095);
    if (got > 0)
        apart->len += (size_t)got;
    return got > 0 || (got < 0 && errno == EINTR);
}

/* The status as of waitpid(2). */
static int apart_bury(pid_t child, int64_t until_ms)
{
    int status = 0;

    if (apart_now_ms() >= until_ms)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void apart_judge(struct apart *apart, int status)
{
    bool is_whole =
        WIFEXITED(status) && WEXITSTATUS(status) == 0 && apart->len > 0;

    if (!is_whole) {
        free(apart->text);
        *apart = (struct apart){
            .end = APART_DIED,
            .text = WIFSIGNALED(status)
                        ? must_copy(strsignal(WTERMSIG(status)))
                        : must_printf("status %d", WEXITSTATUS(status))};
        return;
    }
    apart->end = apart->text[0] == SHOWN ? APART_SHOWN : APART_REFUSED;
    memmove(apart->text, apart->text + 1, --apart->len);
    apart->text[apart->len] = '\0';
}

/* The plugin has done nothing yet, so it is not to blame. */
static struct apart apart_failed(int error)
{
    char text[REMEDY_BYTES];

    return (struct apart){
        .end = APART_REFUSED,
        .text = must_printf("no process to load it in: %s",
                            remedy_resource(error, text, sizeof(text)))};
}

struct apart apart_load(enum plugin_kind kind, const char *name,
                        struct plugin_search *search,
                        void (*show)(const struct plugin *plugin, void *arg),
                        void *arg)
{
    int64_t until_ms = apart_now_ms() + PATIENCE_MS;
    struct apart apart = {0};
    int ends[2], error;
    pid_t child;

    fflush(NULL); /* or both would write what waits */
    if (pipe2(ends, O_CLOEXEC))
        return apart_failed(errno);
    child = fork();
    error = errno;
    if (child == 0)
        apart_child(kind, name, search, show, arg, ends[1]);
    close(ends[1]);
    while (child > 0 && apart_read_some(&apart, ends[0], until_ms))
        ;
    close(ends[0]);
    if (child < 0)
        return apart_failed(error);
    apart_judge(&apart, apart_bury(child, until_ms));
    return apart;
}
