/* Says which plugin was running when it ended the process. */

#include "base/crash.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <playground/handler.h>

#include "base/say.h"

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

/* Without a look at who has called it, see _exit() below. */
static _Noreturn void crash_end(int status)
{
    for (;;)
        syscall(SYS_exit_group, status);
}

/* ---- saying it, with what a signal handler may call -------------------- */

static struct say_line line;

static void crash_say(const char *text)
{
    say_add(&line, text);
}

/* The handler that runs now, or NULL. */
static const char *crash_running_handler(void)
{
    return ask_handler ? ask_handler() : NULL;
}

/* ---- a message, in parts ---------------------------------------------- */

static struct {
    const char *place; /* in a config, or NULL */
    void (*say)(const char *place, const char *text);
    char text[2048];
    size_t len;
} message;

static void crash_add(const char *text)
{
    while (*text && message.len < sizeof(message.text) - 2)
        message.text[message.len++] = *text++;
    message.text[message.len] = '\0';
}

static void crash_tell(void)
{
    if (message.say && message.place) {
        message.say(message.place, message.text);
        return;
    }
    crash_say(message.place ? message.place : "playground");
    crash_say(": ");
    crash_say(message.text);
    say_now(&line);
}

/* Names whoever runs. False: it is none of a plugin's. */
static bool crash_add_who(void)
{
    const char *handler = running.path ? NULL : crash_running_handler();

    message.len = 0;
    if (running.path) {
        crash_add(running.path);
        crash_add(": its ");
        crash_add(running.callback);
    } else if (handler) {
        crash_add("handler \"");
        crash_add(handler);
        crash_add("\"");
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

/* A worker is started by its guard, and what gdb is to be given is another. */
static void crash_add_where(void)
{
    if (served) {
        crash_add("; to see where: gdb --args playground run --single ");
        crash_add(served);
    } else {
        crash_add("; to see where: put `gdb --args` before the command");
    }
}

/* The arena is not in the child, so it does not come far. */
static void crash_say_forked(void)
{
    crash_say("playground: handler \"");
    crash_say(forked_by);
    crash_say(
        "\" called fork(), and its child went on as if it was the server; let "
        "the child call _exit() or execve()");
    say_now(&line);
    crash_end(1);
}

static void crash_on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (forked_by && getpid() != watched)
        crash_say_forked();
    if (crash_add_who()) {
        crash_add(" crashed: ");
        crash_add(crash_signal_text(number));
        crash_add_where();
        crash_tell();
        if (message.place) /* the config that names the plugin is at fault */
            crash_end(2);
    }
    for (size_t i = 0; i < SIGNALS; i++)
        if (signals[i] == number)
            sigaction(number, &before[i], NULL);
    if (info->si_code <= 0) /* sent; a fault comes again by itself */
        raise(number);
}

/* ---- a plugin ends the program ----------------------------------------- */

/* The status 0 would look as if all was well. */
static void crash_look_at_exit(const char *function)
{
    if (getpid() != watched || !crash_add_who())
        return;
    crash_add(" called ");
    crash_add(function);
    crash_add(", which ends the program; return an error instead");
    crash_tell();
    crash_end(message.place ? 2 : 1);
}

static void crash_on_exit_called(void)
{
    crash_look_at_exit("exit()");
}

static void crash_on_quick_exit_called(void)
{
    crash_look_at_exit("quick_exit()");
}

/* Plugins find these two before the C library's; nothing else tells of them. */
PG_API void _exit(int status)
{
    crash_look_at_exit("_exit()");
    crash_end(status);
}

PG_API void _Exit(int status)
{
    crash_look_at_exit("_Exit()");
    crash_end(status);
}

static void crash_before_fork(void)
{
    forked_by = crash_running_handler();
}

static void crash_after_fork(void)
{
    forked_by = NULL;
}

/* ---- a plugin that does not return ------------------------------------ */

/* No other part of the program uses this signal; alarm(2) belongs to a worker
   whose guard has gone. */
#define LIMIT_SIGNAL SIGVTALRM

static timer_t limit_timer;
static pid_t limit_owner; /* whose timer it is: a child has none of it */
static bool is_debugged;

static void crash_on_limit(int number)
{
    (void)number;
    if (!crash_add_who())
        return;
    crash_add(" does not return within 5 s; end the loop or the wait in it");
    crash_add_where();
    crash_tell();
    crash_end(2);
}
_Static_assert(CRASH_LIMIT_S == 5, "the message says so");

static bool crash_make_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = LIMIT_SIGNAL};

    if (limit_owner == getpid())
        return true;
    if (timer_create(CLOCK_MONOTONIC, &event, &limit_timer))
        return false; /* then it is as if there was no limit */
    limit_owner = getpid();
    return true;
}

static void crash_set_limit(unsigned seconds)
{
    const struct itimerspec limit = {.it_value = {.tv_sec = seconds}};

    if (watched && !is_debugged && crash_make_timer())
        timer_settime(limit_timer, 0, &limit, NULL);
}

/* The limit is off under a debugger, because stepping through a constructor
   takes longer. */
static bool crash_look_for_debugger(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char text[128];
    int tracer = 0;

    while (status && fgets(text, sizeof(text), status))
        if (sscanf(text, "TracerPid: %d", &tracer) == 1)
            break;
    if (status)
        fclose(status);
    return tracer != 0;
}

static void crash_watch_limit(void)
{
    const struct sigaction action = {.sa_handler = crash_on_limit,
                                     .sa_flags = SA_ONSTACK | SA_RESTART};

    is_debugged = crash_look_for_debugger();
    sigaction(LIMIT_SIGNAL, &action, NULL);
}

/* ---- watching --------------------------------------------------------- */

/* The handlers get a stack of their own, because endless recursion has used up
   the other. */
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
    crash_watch_limit();
    atexit(crash_on_exit_called);
    at_quick_exit(crash_on_quick_exit_called);
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

void crash_enter(const char *path, const char *callback, unsigned limit_s)
{
    running.path = path;
    running.callback = callback;
    if (limit_s)
        crash_set_limit(limit_s);
}

void crash_leave(void)
{
    crash_set_limit(0);
    running.path = NULL;
}

void crash_place(const char *place)
{
    message.place = place;
}

void crash_say_by(void (*say)(const char *place, const char *text))
{
    message.say = say;
}
