/* One process that serves: a libuv loop around the core. */

#include "outside/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/post.h"
#include "base/output.h"
#include "chain/chain.h"
#include "engine/core.h"
#include "engine/due.h"
#include "engine/life.h"
#include "engine/mail.h"
#include "engine/turn.h"
#include "memory/heap.h"
#include "out/end.h"
#include "out/flush.h"
#include "places/problems.h"
#include "state/listener.h"
#include "workers/commons.h"

#define TRIM_MS         1000
#define TRIM_LEAST      (1u << 20)
#define ACCEPT_AGAIN_MS 100
#define DRAIN_LOOK_MS   10

/* One a process, like the core it drives. */
struct worker {
    uv_loop_t loop;
    uv_timer_t timer;                   /* the core's next deadline */
    uv_timer_t trim_timer;              /* gives memory back after a burst */
    uv_timer_t drain_timer, look_timer; /* while it stops */
    uv_poll_t wake;                     /* messages of other workers */
    uv_async_t posted;                  /* pg_post() of other threads */
    struct worker_setup setup;
    struct config *config;
    bool is_trim_set, is_stopping, is_held;
    bool was_short; /* of descriptors: said once until it is over */
    void (*connect_failed)(int error, void *arg);
    void *connect_arg;
};

static struct worker *worker;

static void worker_on_trim(uv_timer_t *timer);

static void worker_turn_ends(void)
{
    turn_end();
    if (!worker->is_trim_set && core->arena.header->heap_used > TRIM_LEAST) {
        worker->is_trim_set = true;
        uv_timer_start(&worker->trim_timer, worker_on_trim, TRIM_MS, 0);
    }
    if (worker->is_stopping && core->live_count == 0)
        uv_stop(&worker->loop);
}

static void worker_on_trim(uv_timer_t *timer)
{
    (void)timer;
    worker->is_trim_set = false;
    heap_trim(&core->arena);
    worker_turn_ends();
}

/* ---- watching descriptors --------------------------------------------- */

static int worker_to_uv(int events)
{
    return (events & CORE_READ ? UV_READABLE : 0) |
           (events & CORE_WRITE ? UV_WRITABLE : 0);
}

static void worker_free_watcher(uv_handle_t *handle)
{
    free(handle);
}

/* Watches a descriptor for `what`, a session or a listener. */
static uv_poll_t *worker_watcher_create(int fd, void *what)
{
    uv_poll_t *watcher = malloc(sizeof(*watcher));

    if (!watcher)
        return NULL;
    if (uv_poll_init(&worker->loop, watcher, fd)) {
        free(watcher);
        return NULL;
    }
    watcher->data = what;
    return watcher;
}

static void worker_watcher_set(uv_poll_t *watcher, int events, uv_poll_cb fn)
{
    if (events)
        uv_poll_start(watcher, worker_to_uv(events), fn);
    else
        uv_poll_stop(watcher);
}

static void worker_watcher_destroy(uv_poll_t *watcher)
{
    if (watcher)
        uv_close((uv_handle_t *)watcher, worker_free_watcher);
}

/* ---- sessions --------------------------------------------------------- */

static void worker_connected(struct pg_session *session)
{
    int error = 0;
    socklen_t length = sizeof(error);

    if (getsockopt(session->fd, SOL_SOCKET, SO_ERROR, &error, &length))
        error = errno;
    if (!error) {
        session_start(session);
        return;
    }
    session_abort(session, PG_WHY_RESET, strerror(error));
    if (worker->connect_failed)
        worker->connect_failed(-error, worker->connect_arg);
}

/* While messages wait for another worker's ring, nothing new is read. */
static bool worker_hold(struct pg_session *session)
{
    if (!mail_is_waiting())
        return false;
    worker->is_held = true;
    session->watching &= ~CORE_READ;
    core->io->watch(session, session->watching);
    return true;
}

static void worker_on_session(uv_poll_t *poll, int status, int events)
{
    struct pg_session *session = poll->data;

    core_clock();
    if (status < 0) { /* an error waits: recv() tells which; libuv stopped */
        session->watching = 0;
        events = UV_READABLE;
    }
    if (session->flags & SESSION_CONNECTING) {
        worker_connected(session);
    } else {
        if (events & UV_WRITABLE)
            session_writable(session);
        if (events & UV_READABLE && !worker_hold(session))
            session_readable(session);
    }
    worker_turn_ends();
}

static void worker_watch_session(struct pg_session *session, int events)
{
    struct session_run *run = &core->runs[session->slot];

    if (!run->watcher)
        run->watcher = worker_watcher_create(session->fd, session);
    if (run->watcher)
        worker_watcher_set(run->watcher, events, worker_on_session);
    else
        session_abort(session, PG_WHY_LIMIT, strerror(ENOMEM));
}

static void worker_release_session(struct pg_session *session)
{
    struct session_run *run = &core->runs[session->slot];
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    worker_watcher_destroy(run->watcher);
    run->watcher = NULL;
    if (session->fd < 0)
        return;
    if (session->flags & SESSION_ABORT) /* close(2) then sends RST */
        setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(session->fd);
}

/* ---- listeners -------------------------------------------------------- */

static bool worker_is_shortage(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS ||
           error == -ENOMEM;
}

/* New clients wait in the backlog until descriptors are free again. */
static void worker_pause_listener(struct pg_listener *listener, int error)
{
    if (!worker->was_short)
        output_line(output_stderr(),
                    "%s: cannot accept: %s; new clients wait until others "
                    "leave (`ulimit -n` raises the limit)",
                    listener->name, strerror(-error));
    worker->was_short = true;
    pg_refuse(listener, "waiting for free descriptors");
    listener->run->is_paused = true;
    listener_watch(listener);
    timer_add(core_now_ms() + ACCEPT_AGAIN_MS, listener->id, 0, TIMER_ACCEPT,
              0);
}

static void worker_listener_ready(struct pg_listener *listener)
{
    int error;

    if (mail_is_waiting()) {
        worker->is_held = listener->run->is_held = true;
        listener_watch(listener);
        return;
    }
    error = listener->transport->ready(listener, listener->run->fd);
    if (worker_is_shortage(error))
        worker_pause_listener(listener, error);
    else if (error == 0)
        worker->was_short = false;
    else
        pg_refuse(listener, strerror(-error));
}

static void worker_on_listener(uv_poll_t *poll, int status, int events)
{
    struct pg_listener *listener = poll->data;

    core_clock();
    if (events & UV_WRITABLE)
        flush_unblock(listener);
    if (events & UV_READABLE || status < 0)
        worker_listener_ready(listener);
    if (status < 0) /* libuv has stopped it */
        listener_watch(listener);
    worker_turn_ends();
}

static void worker_watch_listener(struct pg_listener *listener, int events)
{
    struct listener_run *run = listener->run;

    if (run->fd < 0)
        return;
    if (!run->watcher)
        run->watcher = worker_watcher_create(run->fd, listener);
    if (run->watcher)
        worker_watcher_set(run->watcher, events, worker_on_listener);
}

/* ---- other workers and threads ---------------------------------------- */

static void worker_read_again(void)
{
    worker->is_held = false;
    for (uint32_t i = 0; i < core->live_count; i++)
        session_watch(session_at(core->live[i]));
    for (unsigned i = 0; i < core->config->listener_count; i++) {
        core->config->listeners[i]->run->is_held = false;
        listener_watch(core->config->listeners[i]);
    }
}

static void worker_on_wake(uv_poll_t *poll, int status, int events)
{
    uint64_t count;
    ssize_t got = read(worker->setup.wake_fds[worker->setup.index], &count,
                       sizeof(count));

    (void)poll, (void)status, (void)events, (void)got;
    core_clock();
    mail_take();
    if (worker->is_held && !mail_is_waiting())
        worker_read_again();
    worker_turn_ends();
}

static void worker_wake_worker(unsigned which)
{
    const uint64_t one = 1;
    ssize_t done = write(worker->setup.wake_fds[which], &one, sizeof(one));

    (void)done; /* EAGAIN: its counter is full, so it will wake */
}

static void worker_on_posted(uv_async_t *async)
{
    (void)async;
    core_clock();
    post_run();
    worker_turn_ends();
}

static void worker_wake_for_post(void)
{
    uv_async_send(&worker->posted);
}

/* ---- time ------------------------------------------------------------- */

static void worker_on_timer(uv_timer_t *timer)
{
    (void)timer;
    core_clock();
    due_run();
    worker_turn_ends();
}

static void worker_arm(uint64_t at_ms)
{
    uint64_t now;

    if (at_ms == UINT64_MAX) {
        uv_timer_stop(&worker->timer);
        return;
    }
    uv_update_time(&worker->loop);
    now = uv_now(&worker->loop);
    uv_timer_start(&worker->timer, worker_on_timer,
                   at_ms > now ? at_ms - now : 0, 0);
}

static const struct core_io worker_io = {
    .watch = worker_watch_session,
    .release = worker_release_session,
    .watch_listener = worker_watch_listener,
    .arm = worker_arm,
    .wake = worker_wake_worker,
    .now_ns = uv_hrtime,
};

/* ---- life ------------------------------------------------------------- */

static int worker_adopt_one(struct pg_listener *listener, int fd)
{
    listener->run->fd = fd;
    if (fd < 0)
        return 0;
    if (listener->transport->adopt && listener->transport->adopt(listener, fd))
        return -EINVAL;
    listener_note_port(listener, fd);
    listener_watch(listener);
    return listener->run->watcher
               ? 0
               : pg_listen_fail(listener, NULL,
                                "no memory to watch it; close other programs");
}

static bool worker_adopt_all(void)
{
    bool is_good = true;

    for (unsigned i = 0; i < worker->config->listener_count; i++) {
        int fd =
            worker->setup.listener_fds ? worker->setup.listener_fds[i] : -1;

        if (worker_adopt_one(worker->config->listeners[i], fd))
            is_good = false;
    }
    return is_good;
}

static int worker_start_loop(void)
{
    int error = uv_loop_init(&worker->loop);

    if (error)
        return error;
    uv_timer_init(&worker->loop, &worker->timer);
    uv_timer_init(&worker->loop, &worker->trim_timer);
    uv_timer_init(&worker->loop, &worker->drain_timer);
    uv_timer_init(&worker->loop, &worker->look_timer);
    error = uv_async_init(&worker->loop, &worker->posted, worker_on_posted);
    if (!error && worker->setup.wake_fds) {
        error = uv_poll_init(&worker->loop, &worker->wake,
                             worker->setup.wake_fds[worker->setup.index]);
        if (!error)
            uv_poll_start(&worker->wake, UV_READABLE, worker_on_wake);
    }
    return error;
}

static struct worker *worker_failed(struct config *config, int error)
{
    problems_add(config->problems, "", false,
                 "the worker cannot start: %s; free memory or lower limits",
                 strerror(-error));
    free(worker);
    worker = NULL;
    return NULL;
}

struct worker *worker_create(struct config *config,
                             const struct worker_setup *setup)
{
    unsigned count = setup->count ? setup->count : 1;
    int error;

    worker = calloc(1, sizeof(*worker));
    if (!worker)
        return worker_failed(config, -ENOMEM);
    worker->config = config;
    worker->setup = *setup;
    error = worker_start_loop();
    if (!error)
        error = core_create(config, &worker_io, setup->arena_fd, setup->commons,
                            setup->index, count);
    if (error)
        return worker_failed(config, error);
    post_start(worker_wake_for_post);
    if (!core_init_entries() || !worker_adopt_all()) {
        worker_destroy(worker);
        return NULL;
    }
    worker_turn_ends();
    return worker;
}

static void worker_close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void worker_close_listeners(void)
{
    for (unsigned i = 0; i < worker->config->listener_count; i++) {
        struct listener_run *run = worker->config->listeners[i]->run;

        if (!run)
            continue;
        worker_watcher_destroy(run->watcher);
        run->watcher = NULL;
        if (run->fd >= 0)
            close(run->fd);
        run->fd = -1;
    }
}

void worker_destroy(struct worker *unused)
{
    (void)unused;
    if (!worker)
        return;
    post_stop();
    if (core)
        worker_close_listeners();
    core_destroy();
    uv_walk(&worker->loop, worker_close_handle, NULL);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    uv_loop_close(&worker->loop);
    free(worker);
    worker = NULL;
}

uv_loop_t *worker_loop(struct worker *unused)
{
    (void)unused;
    return &worker->loop;
}

void worker_run(struct worker *unused)
{
    (void)unused;
    uv_run(&worker->loop, UV_RUN_DEFAULT);
}

/* ---- stopping --------------------------------------------------------- */

/* What its peer's kernel has not taken yet, our FIN included; see tcp(7),
   SIOCOUTQ. -1: nobody knows. */
static int worker_in_flight(const struct pg_session *session)
{
    int left;

    if (session->fd < 0 || ioctl(session->fd, SIOCOUTQ, &left))
        return -1;
    return left;
}

static uint64_t worker_undelivered(const struct pg_session *session)
{
    int left = worker_in_flight(session);

    if (left > 0 && session->flags & SESSION_FINISHED)
        left--;
    return session->queued + (session->late_out ? session->delayed : 0) +
           (left > 0 ? (uint64_t)left : 0);
}

static void worker_report_left(void)
{
    uint64_t bytes = 0;
    uint32_t sessions = 0;

    for (uint32_t i = 0; i < core->live_count; i++) {
        uint64_t left = worker_undelivered(session_at(core->live[i]));

        bytes += left;
        sessions += left > 0;
    }
    if (bytes)
        output_line(output_stderr(),
                    "stopped with %" PRIu64 " bytes not delivered to %" PRIu32
                    " peers that did not read them in drain_ms",
                    bytes, sessions);
}

static void worker_on_drained(uv_timer_t *timer)
{
    (void)timer;
    worker_report_left();
    uv_stop(&worker->loop);
}

static bool worker_is_delivered(const struct pg_session *session)
{
    return session->flags & SESSION_FINISHED && worker_in_flight(session) == 0;
}

/* A client that stays connected after our goodbye does not hold up the end. */
static void worker_on_drain_look(uv_timer_t *timer)
{
    (void)timer;
    core_clock();
    for (uint32_t i = 0; i < core->live_count; i++)
        if (worker_is_delivered(session_at(core->live[i])))
            session_let_go(session_at(core->live[i]));
    worker_turn_ends();
}

static void worker_end_sessions(void)
{
    for (uint32_t i = 0; i < core->live_count; i++)
        session_end(session_at(core->live[i]), PG_END_FIN, PG_WHY_SHUTDOWN,
                    "the server stops");
}

void worker_stop(struct worker *unused)
{
    (void)unused;
    if (worker->is_stopping) {
        worker_on_drained(NULL);
        return;
    }
    worker->is_stopping = true;
    core_clock();
    core->stop_by_ms = core_now_ms() + (uint64_t)core->config->limits.drain_ms;
    for (unsigned i = 0; i < core->config->listener_count; i++) {
        struct pg_listener *listener = core->config->listeners[i];

        listener->run->is_paused = true;
        listener_watch(listener);
    }
    mail_take_rest(); /* was said before */
    worker_end_sessions();
    uv_timer_start(&worker->drain_timer, worker_on_drained,
                   (uint64_t)core->config->limits.drain_ms, 0);
    uv_timer_start(&worker->look_timer, worker_on_drain_look, DRAIN_LOOK_MS,
                   DRAIN_LOOK_MS);
    worker_turn_ends();
}

/* ---- talking first ---------------------------------------------------- */

int worker_connect(struct worker *unused, struct pg_listener *listener,
                   void (*on_failed)(int error, void *arg), void *arg)
{
    bool is_stream = listener->transport->provides == PG_STREAM;
    struct pg_session *session;
    void *data;
    int fd;

    (void)unused;
    if (!listener->transport->connect)
        return pg_listen_fail(listener, NULL, "%s cannot connect",
                              listener->transport->name);
    fd = listener->transport->connect(listener);
    if (fd < 0)
        return -EINVAL;
    worker->connect_failed = on_failed;
    worker->connect_arg = arg;
    if (!is_stream && worker_adopt_one(listener, fd))
        return -EINVAL;
    data = calloc(1, listener->transport->session_size + 1);
    session = data ? session_create(listener, is_stream ? fd : -1, data) : NULL;
    free(data);
    if (!session) {
        if (is_stream)
            close(fd);
        return pg_listen_fail(listener, NULL, "no memory for a session");
    }
    if (is_stream) {
        session->flags |= SESSION_CONNECTING;
        session_watch(session);
    } else {
        session->heard = 2; /* we asked first: no limit on what we send */
        session_start(session);
    }
    worker_turn_ends();
    return 0;
}

bool worker_with_ctx(struct worker *unused, struct pg_entry *entry,
                     uint64_t number, void (*fn)(struct pg_ctx *ctx, void *arg),
                     void *arg)
{
    struct pg_session *session = session_by_number(number);
    int place;

    (void)unused;
    if (!session || session->flags & SESSION_CLOSED)
        return false;
    place = session_listener(session)->run->place[entry->id];
    if (place < 0)
        return false;
    core_clock();
    chain_with(session, (unsigned)place, fn, arg);
    worker_turn_ends();
    return true;
}

void worker_finish_output(struct pg_ctx *ctx)
{
    if (!ctx->session)
        return;
    ctx->session->flags |= SESSION_HALF_CLOSING;
    if (!ctx->session->head && !ctx->session->late_out)
        session_drained(ctx->session);
}

size_t worker_queued(const struct pg_ctx *ctx)
{
    return ctx->session ? ctx->session->queued + ctx->session->delayed : 0;
}
