/* A serving process, alone or as a worker. */

#include "process/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/inherited.h"
#include "base/output.h"
#include "base/own_file.h"
#include "engine/core.h"
#include "options/options.h"
#include "outside/listen.h"
#include "outside/simulate.h"
#include "outside/worker.h"
#include "places/problems.h"
#include "process/control.h"
#include "state/counter.h"
#include "state/listener.h"
#include "workers/commons.h"

#define WRITE_MS  40   /* for log lines at the very end */
#define ORPHAN_MS 1000 /* after drain_ms, without a guard */

struct server {
    struct problems *problems;
    struct config *config;
    struct worker *worker;
    uv_signal_t term, interrupt, hangup, report;
    uv_poll_t guard;
    bool is_last; /* nobody else removes the server's files */
};

static int serve_complain(struct server *server, int status)
{
    problems_print(server->problems, stderr);
    if (server->config)
        listener_runs_destroy(server->config);
    config_destroy(server->config);
    problems_destroy(server->problems);
    return status;
}

/* ---- signals ---------------------------------------------------------- */

static void serve_on_stop(uv_signal_t *signal, int number)
{
    struct server *server = signal->data;

    (void)number;
    worker_stop(server->worker);
}

/* Several workers write to one stderr: each line names its own. */
static void serve_tell(const char *owner, const char *name, uint64_t value)
{
    output_line(output_stderr(), "worker %u: %s: %s: %" PRIu64, core->worker,
                owner, name, value);
}

static void serve_tell_counter(uint16_t owner, const char *name, uint64_t value,
                               void *arg)
{
    (void)arg;
    serve_tell(counter_owner_name(owner), name, value);
}

/* Beside the entry that owns it, as a counter is shown. */
static void serve_tell_lost(const char *name, const void *owner, uint64_t lines,
                            void *arg)
{
    (void)arg;
    serve_tell(owner ? pg_entry_name(owner) : name, "lines lost", lines);
}

static void serve_on_report(uv_signal_t *signal, int number)
{
    (void)signal, (void)number;
    for (unsigned i = 0; i < core->config->listener_count; i++)
        listener_count_drops(core->config->listeners[i]);
    output_line(output_stderr(),
                "worker %u: %u sessions, %" PRIu64 " bytes queued, %" PRIu64
                " bytes kept",
                core->worker, core->live_count, core->arena.header->queued,
                core->arena.header->kept);
    counter_each(serve_tell_counter, NULL);
    output_each_lost(serve_tell_lost, NULL);
}

static void serve_watch_signal(struct server *server, uv_signal_t *handle,
                               uv_signal_cb fn, int number)
{
    if (inherited_is_ignored(number))
        return;
    uv_signal_init(worker_loop(server->worker), handle);
    handle->data = server;
    uv_signal_start(handle, fn, number);
}

/* ---- serving ---------------------------------------------------------- */

static int serve_finish(struct server *server)
{
    if (server->is_last)
        own_file_remove_all();
    worker_destroy(server->worker);
    output_finish_aloud(WRITE_MS);
    config_destroy(server->config);
    problems_destroy(server->problems);
    return 0;
}

static bool serve_has_option(const struct config *config, const char *name)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        if (options_find(config->listeners[i]->transport->options, name))
            return true;
    return false;
}

/* An override of the command line must be for somebody. */
static bool serve_overrides_fit(struct server *server)
{
    static const char *const names[] = {"host", "port"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (config_override(server->config, names[i]) &&
            !serve_has_option(server->config, names[i]))
            problems_add(server->problems, "", false,
                         "--%s on the command line: nothing in this config has "
                         "a %s; leave it out",
                         names[i], names[i]);
    return problems_count(server->problems) == 0;
}

static bool serve_load(struct server *server, const char *path,
                       const char *text, size_t len,
                       const struct config_overrides *overrides)
{
    signal(SIGPIPE, SIG_IGN);
    server->problems = problems_create(path);
    server->config = config_load(path, text, len, overrides, server->problems);
    return server->config && serve_overrides_fit(server);
}

static int serve_run_simulation(struct server *server)
{
    int status;

    output_be_patient();
    status = simulate(server->config);
    output_finish(WRITE_MS);
    problems_print(server->problems, stderr);
    serve_finish(server);
    return status;
}

int serve_single(const char *path, const struct config_overrides *overrides)
{
    struct server server = {.is_last = true};
    struct worker_setup setup = {.count = 1, .arena_fd = -1};
    int fds[CONFIG_LISTENERS_MAX];

    if (!serve_load(&server, path, NULL, 0, overrides))
        return serve_complain(&server, 2);
    if (config_is_virtual(server.config))
        return serve_run_simulation(&server);
    listen_raise_limit(server.config);
    if (!listen_open(server.config, 1, fds))
        return serve_complain(&server, 1);
    setup.listener_fds = fds;
    server.worker = worker_create(server.config, &setup);
    if (!server.worker) {
        own_file_remove_all();
        return serve_complain(&server, 1);
    }
    serve_watch_signal(&server, &server.term, serve_on_stop, SIGTERM);
    serve_watch_signal(&server, &server.interrupt, serve_on_stop, SIGINT);
    serve_watch_signal(&server, &server.hangup, serve_on_stop, SIGHUP);
    serve_watch_signal(&server, &server.report, serve_on_report, SIGUSR1);
    problems_print(server.problems, stderr); /* warnings */
    listen_print(server.config, fds, stdout);
    printf("ready\n");
    fflush(stdout);
    worker_run(server.worker);
    return serve_finish(&server);
}

/* ---- a worker --------------------------------------------------------- */

static char *serve_read_all(int fd, size_t *len)
{
    struct stat status;
    char *text;
    ssize_t got;

    if (fstat(fd, &status))
        return NULL;
    text = malloc((size_t)status.st_size + 1);
    if (!text)
        return NULL;
    got = pread(fd, text, (size_t)status.st_size, 0);
    *len = got > 0 ? (size_t)got : 0;
    text[*len] = '\0';
    return text;
}

static void serve_add_names(const struct config *config, FILE *out)
{
    for (unsigned i = 0; i < config->entry_count; i++)
        fprintf(out, "%s\n", config->entries[i]->name);
}

static void serve_write_plan(const struct config *config,
                             struct control_message *plan, const int *fds)
{
    struct commons_plan commons =
        core_commons_plan(config, (unsigned)config->workers);
    /* The last byte stays 0, however long the text. */
    FILE *out = fmemopen(plan->text, sizeof(plan->text) - 1, "w");

    *plan = (struct control_message){.type = CONTROL_PLAN};
    plan->workers = commons.workers;
    plan->listeners = config->listener_count;
    plan->claims = commons.claims;
    plan->members = commons.members;
    plan->message_bytes = commons.message_bytes;
    plan->drain_ms = (uint64_t)config->limits.drain_ms;
    if (!out)
        return;
    listen_print((struct config *)(uintptr_t)config, fds, out);
    plan->names_at = (uint32_t)ftell(out);
    serve_add_names(config, out);
    plan->files_at = (uint32_t)ftell(out) + 1;
    fputc('\0', out);
    own_file_write(out);
    plan->text_len = (uint32_t)ftell(out);
    fclose(out);
}

/* Worker 0 tells the guard what to keep, before anybody is served. */
static bool serve_send_plan(const struct config *config)
{
    unsigned workers = (unsigned)config->workers;
    unsigned count = config->listener_count;
    int *fds = calloc((size_t)count * workers, sizeof(*fds));
    struct control_message *message = calloc(1, sizeof(*message));
    bool is_good =
        fds && message &&
        listen_open((struct config *)(uintptr_t)config, workers, fds);

    if (is_good) {
        serve_write_plan(config, message, fds);
        is_good = control_send(CONTROL_FD, message, NULL) == 0;
    }
    for (unsigned i = 0; is_good && i < workers; i++) {
        *message = (struct control_message){
            .type = CONTROL_SOCKETS, .worker = i, .fd_count = count};
        is_good = control_send(CONTROL_FD, message, fds + i * count) == 0;
    }
    for (unsigned i = 0; is_good && i < count * workers; i++)
        close(fds[i]); /* the guard has them now */
    if (!is_good)
        own_file_remove_all();
    free(message);
    free(fds);
    return is_good;
}

/* arena, commons, eventfds, listeners: in this order, see guard.c. */
static struct worker *serve_start(struct server *server,
                                  const struct control_message *message,
                                  int *fds)
{
    struct worker_setup setup = {
        .index = message->worker,
        .count = message->workers,
        .arena_fd = fds[0],
        .commons = commons_attach(fds[1]),
        .wake_fds = fds + 2,
        .listener_fds = fds + 2 + message->workers,
    };

    if (!setup.commons) {
        problems_add(server->problems, "", false,
                     "cannot map what the workers share: %s", strerror(errno));
        return NULL;
    }
    return worker_create(server->config, &setup);
}

/*
 * When the guard has gone, nobody else ends a worker that hangs in a handler:
 * then SIGALRM does. The kernel sends SIGUSR2, see prctl(2), and the loop of a
 * worker that does not hang finds out by serve_on_guard().
 */
static volatile sig_atomic_t orphan_s = ORPHAN_MS / 1000;

static void serve_on_orphaned(int number)
{
    (void)number;
    alarm((unsigned)orphan_s);
}

static void serve_watch_parent(void)
{
    const struct sigaction action = {.sa_handler = serve_on_orphaned,
                                     .sa_flags = SA_RESTART};

    sigaction(SIGUSR2, &action, NULL);
    prctl(PR_SET_PDEATHSIG, SIGUSR2);
}

static void serve_on_guard(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;

    (void)status, (void)events;
    uv_poll_stop(poll);
    server->is_last = true;
    worker_stop(server->worker);
}

static void serve_run_worker(struct server *server)
{
    struct control_message ready = {.type = CONTROL_READY};

    serve_watch_signal(server, &server->term, serve_on_stop, SIGTERM);
    serve_watch_signal(server, &server->report, serve_on_report, SIGUSR1);
    uv_poll_init(worker_loop(server->worker), &server->guard, CONTROL_FD);
    server->guard.data = server;
    uv_poll_start(&server->guard, UV_READABLE | UV_DISCONNECT, serve_on_guard);
    control_send(CONTROL_FD, &ready, NULL);
    worker_run(server->worker);
}

/* A simulation writes to the guard's own stdout and stderr, because it may
   wait for who reads them, and no line may be lost. */
static void serve_take_streams(void)
{
    int mode = isatty(CONTROL_STDOUT_FD) ? _IOLBF : _IOFBF;

    output_finish(WRITE_MS);
    dup2(CONTROL_STDOUT_FD, STDOUT_FILENO);
    dup2(CONTROL_STDERR_FD, STDERR_FILENO);
    setvbuf(stdout, NULL, mode, BUFSIZ);
}

/* Nothing listens, so there is nothing to guard. */
static int serve_simulate_for_guard(struct server *server)
{
    struct control_message alone = {.type = CONTROL_ALONE};

    if (control_send(CONTROL_FD, &alone, NULL))
        return serve_complain(server, 1); /* the guard has gone */
    serve_take_streams();
    return serve_run_simulation(server);
}

static int serve_load_for_worker(struct server *server, const char *path,
                                 const struct config_overrides *overrides)
{
    size_t len = 0;
    char *text = serve_read_all(CONTROL_CONFIG_FD, &len);
    bool is_good = text && serve_load(server, path, text, len, overrides);

    free(text);
    close(CONTROL_CONFIG_FD);
    return is_good ? 0 : 2;
}

/* The terminal tells all its processes of a Ctrl-C or its end; what it means is
   for the guard to say. */
static void serve_leave_to_guard(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
}

int serve_worker(bool opens_sockets, const char *path,
                 const struct config_overrides *overrides)
{
    static int fds[CONTROL_FDS]; /* used as long as the worker runs */
    static struct control_message message;
    struct server server = {0};

    serve_leave_to_guard();
    crash_serves(path);
    /* Each printf() of a handler is at the guard when it returns. */
    setvbuf(stdout, NULL, _IONBF, 0);
    serve_watch_parent();
    prctl(PR_SET_NAME, "playground");
    if (serve_load_for_worker(&server, path, overrides))
        return server.problems ? serve_complain(&server, 2) : 1;
    orphan_s = (int)((server.config->limits.drain_ms + ORPHAN_MS + 999) / 1000);
    if (config_is_virtual(server.config))
        return serve_simulate_for_guard(&server);
    close(CONTROL_STDOUT_FD);
    close(CONTROL_STDERR_FD);
    if (opens_sockets) {
        listen_raise_limit(server.config);
        if (!serve_send_plan(server.config))
            return serve_complain(&server, 1);
    }
    if (control_receive(CONTROL_FD, &message, fds)) {
        own_file_remove_all();
        return serve_complain(&server, 1); /* the guard has gone */
    }
    own_file_read(message.text);
    server.worker = serve_start(&server, &message, fds);
    if (!server.worker)
        return serve_complain(&server, 1);
    if (opens_sockets)
        problems_print(server.problems, stderr); /* warnings, once */
    serve_run_worker(&server);
    return serve_finish(&server);
}
