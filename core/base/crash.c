/* Says which plugin was running when it ended the process. */

#include "base/crash.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK_BYTES (64 * 1024)

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define SIGNALS (sizeof(signals) / sizeof(*signals))

static struct sigaction before[SIGNALS]; /* a sanitizer's, or the default */
static struct {
    const char *path, *callback;
} running;
static const char *(*ask_handler)(void); /* see crash_ask() */
static const char *served;               /* the config of a worker, or NULL */
static pid_t watched;
static const char *forked_by; /* a child's: what ran when it was made */

/* ---- saying it, with what a signal handler may call -------------------- */

static void crash_say(const char *text)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    ssize_t done;

    if (poll(&out, 1, 0) != 1 || out.revents != POLLOUT)
        return; /* a stopped terminal must not keep us from ending */
    done = write(STDERR_FILENO, text, strlen(text));
    (void)done;
}

/* The handler that runs now, or NULL. */
static const char *crash_running_handler(void)
{
    return ask_handler ? ask_handler() : NULL;
}

/* False: it is none of a plugin's. */
static bool crash_say_who(void)
{
    const char *handler = running.path ? NULL : crash_running_handler();

    if (running.path) {
        crash_say("playground: ");
        crash_say(running.path);
        crash_say(": its ");
        crash_say(running.callback);
    } else if (handler) {
        crash_say("playground: handler \"");
        crash_say(handler);
        crash_say("\"");
    }
    return running.path || handler;
}

static const char *crash_signal_text(int number)
{
    return number == SIGSEGV  ? "it used memory that is not there (SIGSEGV)"
           : number == SIGBUS ? "it used memory that is not there (SIGBUS)"
           : number == SIGFPE ? "it divided by zero (SIGFPE)"
           : number == SIGILL ? "it ran what is no code (SIGILL)"
                              : "it gave up (SIGABRT)";
}

/* A worker is started by its guard: not what gdb is to be given. */
static void crash_say_where(void)
{
    if (served) {
        crash_say("; to see where: gdb --args playground run --single ");
        crash_say(served);
        crash_say("\n");
    } else {
        crash_say("; to see where: put `gdb --args` before the command\n");
    }
}

/* The arena is not in the child, so it does not come far. */
static void crash_say_forked(void)
{
    crash_say("playground: handler \"");
    crash_say(forked_by);
    crash_say(
        "\" called fork(), and its child went on as if it was the server; let "
        "the child call _exit() or execve()\n");
    _exit(1);
}

static void crash_on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (forked_by && getpid() != watched)
        crash_say_forked();
    if (crash_say_who()) {
        crash_say(" crashed: ");
        crash_say(crash_signal_text(number));
        crash_say_where();
    }
    for (size_t i = 0; i < SIGNALS; i++)
        if (signals[i] == number)
            sigaction(number, &before[i], NULL);
    if (info->si_code <= 0) /* sent; a fault comes again by itself */
        raise(number);
}

/* exit() with the status 0 would look as if all was well. */
static void crash_on_exit_called(void)
{
    if (getpid() != watched || !crash_say_who())
        return;
    crash_say(
        " called exit(), which ends the program; return an error instead\n");
    _exit(1);
}

static void crash_before_fork(void)
{
    forked_by = crash_running_handler();
}

static void crash_after_fork(void)
{
    forked_by = NULL;
}

/* ---- watching --------------------------------------------------------- */

/* Its own stack: endless recursion has used up the other. */
void crash_watch(void)
{
    static uint8_t stack[STACK_BYTES];
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_sigaction = crash_on_signal,
                               .sa_flags = SA_ONSTACK | SA_SIGINFO};

    watched = getpid();
    sigaltstack(&other, NULL);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &action, &before[i]);
    atexit(crash_on_exit_called);
    pthread_atfork(crash_before_fork, crash_after_fork, NULL);
}

void crash_serves(const char *path)
{
    served = path;
}

void crash_ask(const char *(*running_handler)(void))
{
    ask_handler = running_handler;
}

void crash_enter(const char *path, const char *callback)
{
    running.path = path;
    running.callback = callback;
}

void crash_leave(void)
{
    running.path = NULL;
}
