/* The parent of the workers. */

#include "process/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/inherited.h"
#include "base/limit.h"
#include "base/output.h"
#include "base/own_file.h"
#include "base/program.h"
#include "memory/arena.h"
#include "process/control.h"
#include "process/said.h"
#include "workers/commons.h"

#define STEADY_MS    1000 /* a worker that lived so long is started at once */
#define BACKOFF_MS   100
#define BACKOFF_MOST 5000
#define AGAIN_MS     1000 /* when the system cannot start one */
#define HUNG_MS      150  /* after drain_ms, no handler should be running */
#define KILL_MS      5000 /* and so long after it no worker, on a busy machine */
#define WRITE_MS     200  /* for the last words at the very end */
#define LOOK_MS      1000 /* between two looks at who hangs */
#define LOOKS_MOST   2    /* in the same turn and handler: it is said */

struct guarded {
    uv_process_t process;
    uv_poll_t control;
    uv_timer_t restart;
    int control_fd;
    int arena_fd;
    int *listener_fds;
    uint64_t started_ms;
    unsigned deaths; /* in a row, each soon after the start */
    uint32_t turns;  /* when it was looked at last ... */
    unsigned looks;  /* how often it was in that turn, in a handler */
    bool is_running, is_ready;
    bool is_told_to_end; /* by us, with a signal that ends it at once */
    struct said said[2]; /* its stdout and stderr */
};

static struct guard {
    uv_loop_t loop;
    uv_signal_t signals[4];
    uv_timer_t kill_timer, look_timer;
    const char *path;
    const struct config_overrides *overrides;
    int config_fd;
    struct control_message plan; /* what worker 0 said */
    struct commons *commons;
    int wake_fds[WORKERS_MAX];
    struct guarded workers[WORKERS_MAX];
    unsigned running, sockets_known;
    bool is_planned, is_announced, is_stopping;
    bool is_alone; /* worker 0 needs no guard: it simulates */
    int status;
} guard;

static void guard_start_worker(unsigned index);

/* ---- on stderr -------------------------------------------------------- */

static void guard_say(const char *format, ...) PG_PRINTF(1, 2);

/* Gathers a line until its "\n". */
static void guard_say(const char *format, ...)
{
    static char line[1024];
    static size_t len;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line + len, sizeof(line) - len, format, arguments);
    va_end(arguments);
    len = strlen(line);
    if (line[len - 1] != '\n' && len < sizeof(line) - 1)
        return;
    output_line(output_stderr(), "%s", line);
    len = 0;
}

static void guard_say_lost(const char *name, const void *owner, uint64_t lines,
                           void *arg)
{
    (void)owner, (void)arg;
    guard_say("guard: %s: lines lost: %" PRIu64 "\n", name, lines);
}

/* ---- who is it -------------------------------------------------------- */

/* Zeroed: there is none yet. */
static struct arena_header guard_header_of(const struct guarded *worker)
{
    struct arena_header header;

    if (pread(worker->arena_fd, &header, sizeof(header), 0) !=
            (ssize_t)sizeof(header) ||
        header.magic != ARENA_MAGIC)
        return (struct arena_header){0};
    return header;
}

/* The name of the entry that runs, or ran when the worker died: the n-th line
   of the plan. Empty: none. */
static struct pg_bytes guard_culprit(const struct guarded *worker)
{
    const char *name = guard.plan.text + guard.plan.names_at;
    uint32_t running = guard_header_of(worker).running;

    if (!running)
        return pg_text("");
    for (uint32_t i = 1; i < running && name; i++) {
        name = strchr(name, '\n');
        name = name ? name + 1 : NULL;
    }
    return name ? pg_bytes(name, strcspn(name, "\n")) : pg_text("");
}

static uint32_t guard_turns_of(const struct guarded *worker)
{
    unsigned index = (unsigned)(worker - guard.workers);

    return guard.commons ? atomic_load(commons_turns(guard.commons, index)) : 0;
}

static void guard_print_worker(const struct guarded *worker, const char *what)
{
    guard_say("worker %u (pid %d) %s", (unsigned)(worker - guard.workers),
              worker->process.pid, what);
}

static void guard_print_culprit(struct pg_bytes name)
{
    if (name.len)
        guard_say(" in handler \"%.*s\"", (int)name.len, name.data);
}

/* ---- a worker hangs --------------------------------------------------- */

static void guard_look_at(struct guarded *worker)
{
    struct pg_bytes name = guard_culprit(worker);
    uint32_t turns = guard_turns_of(worker);

    if (!name.len || turns != worker->turns)
        worker->looks = 0;
    worker->turns = turns;
    if (!name.len || worker->looks++ != LOOKS_MOST)
        return;
    guard_print_worker(worker, "does not come back from handler");
    guard_say(" \"%.*s\"; until it does, all its clients wait\n", (int)name.len,
              name.data);
}

static void guard_on_look_timer(uv_timer_t *timer)
{
    (void)timer;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        if (guard.workers[i].is_running)
            guard_look_at(&guard.workers[i]);
}

/* ---- the end ---------------------------------------------------------- */

/* One that has not started yet ends of SIGTERM, too. */
static void guard_signal(struct guarded *worker, int number)
{
    worker->is_told_to_end |= number == SIGKILL || !worker->is_ready;
    uv_process_kill(&worker->process, number);
}

static void guard_signal_all(int number)
{
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        if (guard.workers[i].is_running)
            guard_signal(&guard.workers[i], number);
}

/* A worker that is in a handler still will not come back from it; one that is
   not writes the last lines of its log. */
static void guard_kill_hung(bool is_last)
{
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        struct guarded *worker = &guard.workers[i];
        struct pg_bytes name = guard_culprit(worker);

        if (!worker->is_running || (!is_last && !name.len))
            continue;
        guard_print_worker(worker, "does not stop: it hangs");
        guard_print_culprit(name);
        guard_say(" and is killed\n");
        guard_signal(worker, SIGKILL);
    }
}

static void guard_on_kill_timer(uv_timer_t *timer)
{
    guard_kill_hung(true);
    uv_timer_stop(timer);
}

static void guard_on_hung_timer(uv_timer_t *timer)
{
    guard_kill_hung(false);
    uv_timer_start(timer, guard_on_kill_timer, KILL_MS - HUNG_MS, 0);
}

static void guard_stop(int status)
{
    if (guard.is_stopping)
        return;
    guard.is_stopping = true;
    guard.status = status;
    guard_signal_all(SIGTERM);
    uv_timer_start(&guard.kill_timer, guard_on_hung_timer,
                   guard.plan.drain_ms + HUNG_MS, 0);
    if (guard.running == 0)
        uv_stop(&guard.loop);
}

static void guard_on_stop_signal(uv_signal_t *handle, int number)
{
    (void)handle, (void)number;
    if (guard.is_stopping)
        guard_signal_all(SIGKILL); /* asked twice */
    guard_stop(0);
}

/* A worker that is still starting does not handle SIGUSR1 and would be killed
   by it. */
static void guard_on_report_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        if (guard.workers[i].is_running && guard.workers[i].is_ready)
            uv_process_kill(&guard.workers[i].process, number);
    output_each_lost(guard_say_lost, NULL);
}

/* ---- a worker dies ---------------------------------------------------- */

static void guard_say_death(const struct guarded *worker, int64_t status,
                            int number, uint64_t delay_ms)
{
    guard_print_worker(worker, "ended");
    if (number)
        guard_say(": signal %d, %s", number, strsignal(number));
    else
        guard_say(" with status %" PRId64, status);
    guard_print_culprit(guard_culprit(worker));
    if (guard.is_announced)
        guard_say("; its clients are disconnected%s",
                  guard.is_stopping ? "" : ", a new one starts");
    if (guard.is_announced && delay_ms)
        guard_say(" in %.1f s", (double)delay_ms / 1000);
    if (guard.is_announced && worker->deaths > 1)
        guard_say(": %u have died at once", worker->deaths);
    guard_say("\n");
}

static void guard_on_restart(uv_timer_t *timer)
{
    struct guarded *worker = timer->data;

    if (!guard.is_stopping)
        guard_start_worker((unsigned)(worker - guard.workers));
}

/* How long the next one has to wait, so that one which dies at once does not
   keep the machine busy. */
static uint64_t guard_restart_delay(struct guarded *worker)
{
    uint64_t delay;

    if (uv_now(&guard.loop) - worker->started_ms >= STEADY_MS) {
        worker->deaths = 0;
        return 0;
    }
    delay = (uint64_t)BACKOFF_MS << (worker->deaths < 6 ? worker->deaths : 6);
    worker->deaths++;
    return delay < BACKOFF_MOST ? delay : BACKOFF_MOST;
}

/* Nobody may wait for room in the rings of one that is no more. */
static void guard_bury(unsigned index)
{
    const uint64_t one = 1;
    ssize_t done;

    if (!guard.commons)
        return;
    commons_worker_died(guard.commons, index);
    for (unsigned i = 0; i < guard.plan.workers; i++) {
        done = write(guard.wake_fds[i], &one, sizeof(one));
        (void)done;
    }
}

static void guard_on_exit_of(uv_process_t *process, int64_t status, int number)
{
    struct guarded *worker = process->data;
    uint64_t delay;

    worker->is_running = false;
    worker->is_ready = false;
    guard.running--;
    guard_bury((unsigned)(worker - guard.workers));
    said_end(&worker->said[0]);
    said_end(&worker->said[1]);
    uv_poll_stop(&worker->control);
    uv_close((uv_handle_t *)&worker->control, NULL);
    close(worker->control_fd);
    uv_close((uv_handle_t *)process, NULL);
    if (guard.is_stopping) {
        if (number && !worker->is_told_to_end)
            guard_say_death(worker, status, number, 0);
        if (guard.running == 0)
            uv_stop(&guard.loop);
        return;
    }
    if (!guard.is_announced) { /* mostly it has said why on stderr */
        bool is_silent = number || status > 2 || (!status && !guard.is_alone);

        if (is_silent)
            guard_say_death(worker, status, number, 0);
        guard_stop(is_silent ? 1 : (int)status);
        return;
    }
    delay = guard_restart_delay(worker);
    guard_say_death(worker, status, number, delay);
    uv_timer_start(&worker->restart, guard_on_restart, delay, 0);
}

/* ---- talking with workers --------------------------------------------- */

static void guard_failed(const char *what, int error)
{
    guard_say("%s: %s\n", what, strerror(error < 0 ? -error : error));
    guard_stop(1);
}

static void guard_announce(void)
{
    const struct control_message *plan = &guard.plan;

    for (unsigned i = 0; i < guard.plan.workers; i++)
        if (!guard.workers[i].is_ready)
            return;
    if (guard.is_announced)
        return;
    output_write(output_stdout(), pg_bytes(plan->text, plan->names_at));
    output_write(output_stdout(), pg_text("ready\n"));
    guard.is_announced = true;
}

static bool guard_make_shared(void)
{
    struct commons_plan plan = {guard.plan.workers, guard.plan.claims,
                                guard.plan.members, guard.plan.message_bytes};

    guard.commons = commons_create(-1, &plan);
    if (!guard.commons)
        return false;
    for (unsigned i = 0; i < guard.plan.workers; i++) {
        guard.wake_fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        guard.workers[i].arena_fd =
            memfd_create("playground-arena", MFD_CLOEXEC);
        if (guard.wake_fds[i] < 0 || guard.workers[i].arena_fd < 0)
            return false;
    }
    return true;
}

/* arena, commons, eventfds, listeners: serve.c takes them in this order. */
static void guard_send_start(unsigned index)
{
    struct control_message *message = calloc(1, sizeof(*message));
    struct guarded *worker = &guard.workers[index];
    int fds[CONTROL_FDS], error = -ENOMEM;
    uint32_t count = 0;

    fds[count++] = worker->arena_fd;
    fds[count++] = commons_fd(guard.commons);
    for (unsigned i = 0; i < guard.plan.workers; i++)
        fds[count++] = guard.wake_fds[i];
    for (unsigned i = 0; i < guard.plan.listeners; i++)
        fds[count++] = worker->listener_fds[i];
    if (message) {
        *message = (struct control_message){.type = CONTROL_START,
                                            .workers = guard.plan.workers,
                                            .worker = index,
                                            .fd_count = count};
        message->text_len = guard.plan.text_len - guard.plan.files_at;
        memcpy(message->text, guard.plan.text + guard.plan.files_at,
               message->text_len);
        error = control_send(worker->control_fd, message, fds);
    }
    free(message);
    if (error && error != -EPIPE)
        guard_failed("cannot start a worker", error);
}

static void guard_take_sockets(const struct control_message *message,
                               const int *fds)
{
    struct guarded *worker = &guard.workers[message->worker % WORKERS_MAX];

    worker->listener_fds = calloc(message->fd_count + 1, sizeof(*fds));
    if (!worker->listener_fds) {
        guard_failed("cannot keep the sockets", ENOMEM);
        return;
    }
    memcpy(worker->listener_fds, fds, message->fd_count * sizeof(*fds));
    if (++guard.sockets_known < guard.plan.workers)
        return;
    guard.is_planned = true;
    if (!guard_make_shared()) {
        guard_failed("cannot make what the workers share", errno);
        return;
    }
    guard_send_start(0);
    for (unsigned i = 1; i < guard.plan.workers; i++)
        guard_start_worker(i);
}

static void guard_take_message(struct guarded *worker,
                               const struct control_message *message,
                               const int *fds)
{
    switch (message->type) {
    case CONTROL_PLAN:
        guard.plan = *message;
        own_file_read(guard.plan.text + guard.plan.files_at);
        break;
    case CONTROL_SOCKETS:
        guard_take_sockets(message, fds);
        break;
    case CONTROL_READY:
        worker->is_ready = true;
        guard_announce();
        break;
    case CONTROL_ALONE:
        guard.is_alone = true;
        break;
    default:
        guard_failed("a worker sent what nobody understands", EPROTO);
    }
}

static void guard_on_control(uv_poll_t *poll, int status, int events)
{
    static struct control_message message;
    struct guarded *worker = poll->data;
    int fds[CONTROL_FDS], error = -EPIPE;

    (void)events;
    if (status >= 0)
        error = control_receive(worker->control_fd, &message, fds);
    if (!error) {
        guard_take_message(worker, &message, fds);
        return;
    }
    uv_poll_stop(poll); /* it has gone: guard_on_exit_of() follows */
    if (error != -EPIPE && error != -ECONNRESET && !guard.is_announced)
        guard_failed(
            "cannot take a worker's sockets (`ulimit -n` raises the limit "
            "of descriptors)",
            error);
}

/* ---- starting a worker ------------------------------------------------ */

static int guard_spawn(struct guarded *worker, int child_fd, const int out[2])
{
    bool is_first = !guard.is_planned;
    const char *host = guard.overrides->host, *port = guard.overrides->port;
    char *args[] = {"playground",
                    GUARD_WORKER_COMMAND,
                    is_first ? "first" : "next",
                    (char *)(uintptr_t)(host ? host : "-"),
                    (char *)(uintptr_t)(port ? port : "-"),
                    (char *)(uintptr_t)guard.path,
                    NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_INHERIT_FD, .data.fd = 0},
        {.flags = UV_INHERIT_FD, .data.fd = out[0]},
        {.flags = UV_INHERIT_FD, .data.fd = out[1]},
        [CONTROL_FD] = {.flags = UV_INHERIT_FD, .data.fd = child_fd},
        [CONTROL_CONFIG_FD] = {.flags = UV_INHERIT_FD,
                               .data.fd = guard.config_fd},
        [CONTROL_STDOUT_FD] = {.flags = UV_INHERIT_FD, .data.fd = 1},
        [CONTROL_STDERR_FD] = {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    const uv_process_options_t options = {
        .exit_cb = guard_on_exit_of,
        .file = program_to_run(),
        .args = args,
        .stdio = stdio,
        .stdio_count = sizeof(stdio) / sizeof(*stdio),
    };

    int error;

    worker->process.data = worker;
    error = uv_spawn(&guard.loop, &worker->process, &options);
    if (error)
        uv_close((uv_handle_t *)&worker->process, NULL);
    return error;
}

/* Starts a worker whose words come through two pipes. 0 or -errno. */
static int guard_spawn_heard(struct guarded *worker, int child_fd)
{
    int out[2] = {said_begin(&worker->said[0], &guard.loop, output_stdout()),
                  said_begin(&worker->said[1], &guard.loop, output_stderr())};
    int error = out[0] < 0 ? out[0] : out[1] < 0 ? out[1] : 0;

    if (!error)
        error = guard_spawn(worker, child_fd, out);
    for (unsigned i = 0; i < 2; i++) {
        if (out[i] >= 0)
            close(out[i]);
        if (error)
            said_end(&worker->said[i]);
    }
    return error;
}

/* A lack that may pass is no reason to end those that serve. */
static void guard_cannot_start(struct guarded *worker, int error)
{
    if (!guard.is_announced) {
        guard_failed("cannot start a worker", error);
        return;
    }
    guard_say("worker %u cannot start: %s; it is tried again\n",
              (unsigned)(worker - guard.workers), strerror(abs(error)));
    uv_timer_start(&worker->restart, guard_on_restart, AGAIN_MS, 0);
}

static void guard_start_worker(unsigned index)
{
    struct guarded *worker = &guard.workers[index];
    int pair[2], error;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        guard_cannot_start(worker, errno);
        return;
    }
    error = guard_spawn_heard(worker, pair[1]);
    close(pair[1]);
    if (error) {
        close(pair[0]);
        guard_cannot_start(worker, error);
        return;
    }
    worker->is_running = true;
    worker->started_ms = uv_now(&guard.loop);
    worker->control_fd = pair[0];
    guard.running++;
    uv_poll_init(&guard.loop, &worker->control, pair[0]);
    worker->control.data = worker;
    uv_poll_start(&worker->control, UV_READABLE, guard_on_control);
    if (guard.is_planned)
        guard_send_start(index);
}

/* ---- life ------------------------------------------------------------- */

/* The config as it is now: later workers start with the same. -1: it cannot
   be read, or has no end. */
static int guard_snapshot(const char *path)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int to = memfd_create("playground-config", MFD_CLOEXEC);
    char buffer[16384];
    ssize_t got = -1;
    size_t all = 0;

    while (from >= 0 && to >= 0 && all < CONFIG_BYTES_MOST &&
           (got = read(from, buffer, sizeof(buffer))) > 0) {
        if (write(to, buffer, (size_t)got) != got)
            break;
        all += (size_t)got;
    }
    if (from >= 0)
        close(from);
    if (got == 0)
        return to;
    if (to >= 0)
        close(to);
    return -1;
}

static void guard_watch_signal(unsigned at, int number, uv_signal_cb fn)
{
    if (inherited_is_ignored(number))
        return;
    uv_signal_init(&guard.loop, &guard.signals[at]);
    uv_signal_start(&guard.signals[at], fn, number);
}

int guard_run(const char *path, const struct config_overrides *overrides)
{
    guard.path = path;
    guard.overrides = overrides;
    guard.config_fd = guard_snapshot(path);
    if (guard.config_fd < 0)
        return -1;            /* the loader says it better */
    signal(SIGPIPE, SIG_IGN); /* whoever reads stderr may go */
    limit_raise_descriptors();
    output_reserve();
    uv_loop_init(&guard.loop);
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        uv_timer_init(&guard.loop, &guard.workers[i].restart);
        guard.workers[i].restart.data = &guard.workers[i];
    }
    uv_timer_init(&guard.loop, &guard.kill_timer);
    uv_timer_init(&guard.loop, &guard.look_timer);
    uv_timer_start(&guard.look_timer, guard_on_look_timer, LOOK_MS, LOOK_MS);
    guard_watch_signal(0, SIGTERM, guard_on_stop_signal);
    guard_watch_signal(1, SIGINT, guard_on_stop_signal);
    guard_watch_signal(2, SIGHUP, guard_on_stop_signal);
    guard_watch_signal(3, SIGUSR1, guard_on_report_signal);
    guard_start_worker(0);
    uv_run(&guard.loop, UV_RUN_DEFAULT);
    own_file_remove_all();
    output_finish_aloud(WRITE_MS);
    return guard.status;
}
