/* The descriptors of sessions and listeners, watched by the loop. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/output.h"
#include "engine/life.h"
#include "engine/mail.h"
#include "out/flush.h"
#include "outside/worker_parts.h"
#include "state/listener.h"
#include "workers/commons.h"

#define ACCEPT_AGAIN_MS 100 /* out of descriptors, it waits so long */
#define GIVE_WAY_MS     10  /* others may accept before one that is ahead */

/* ---- watching descriptors --------------------------------------------- */

/* Errors come whatever is asked for, see epoll_ctl(2), but something must be.
 */
static int worker_watch_to_uv(int events)
{
    return (events & CORE_READ ? UV_READABLE : 0) |
           (events & CORE_WRITE ? UV_WRITABLE : 0) |
           (events & CORE_BREAK ? UV_DISCONNECT : 0);
}

static void worker_watch_free_watcher(uv_handle_t *handle)
{
    free(handle);
}

/* Watches a descriptor for `what`, a session or a listener. */
static uv_poll_t *worker_watch_make(int fd, void *what)
{
    uv_poll_t *watcher = malloc(sizeof(*watcher));

    if (!watcher)
        return NULL;
    if (uv_poll_init(&the_worker->loop, watcher, fd)) {
        free(watcher);
        return NULL;
    }
    watcher->data = what;
    return watcher;
}

static void worker_watch_set(uv_poll_t *watcher, int events, uv_poll_cb fn)
{
    if (events)
        uv_poll_start(watcher, worker_watch_to_uv(events), fn);
    else
        uv_poll_stop(watcher);
}

static void worker_watch_end(uv_poll_t *watcher)
{
    if (watcher)
        uv_close((uv_handle_t *)watcher, worker_watch_free_watcher);
}

/* ---- sessions --------------------------------------------------------- */

static void worker_watch_on_session(uv_poll_t *poll, int status, int events);

/* What waits on its descriptor; asked once, it is gone. */
static int worker_watch_error_of(const struct pg_session *session)
{
    int error = 0;
    socklen_t length = sizeof(error);

    return getsockopt(session->fd, SOL_SOCKET, SO_ERROR, &error, &length)
               ? errno
               : error;
}

static void worker_watch_connected(struct pg_session *session)
{
    int error = worker_watch_error_of(session);

    if (!error) {
        session_start(session);
        return;
    }
    session_abort(session, PG_WHY_RESET, strerror(error));
    if (the_worker->connect_failed)
        the_worker->connect_failed(-error, the_worker->connect_arg);
}

static bool worker_watch_hold(struct pg_session *session)
{
    if (!worker_must_hold())
        return false;
    the_worker->is_held = true;
    session->watching &= ~CORE_READ;
    core->io->watch(session, session->watching);
    return true;
}

/* After the end of input recv() gives that end again and again, and who is not
   read from is not asked: nobody but SO_ERROR tells of a reset. */
static void worker_watch_broken(struct pg_session *session, int error)
{
    session_abort(session, PG_WHY_RESET,
                  error && error != ECONNRESET && error != EPIPE
                      ? strerror(error)
                      : "connection reset");
}

/* Not an error: the peer's goodbye waits to be read, which would be told again
   and again. After it only urgent data is asked for, which is rare, and behind
   that nothing. */
static void worker_watch_stirred(struct pg_session *session, uv_poll_t *poll,
                                 int events)
{
    int error = worker_watch_error_of(session);

    if (error)
        worker_watch_broken(session, error);
    else if (events & UV_DISCONNECT)
        uv_poll_start(poll, UV_PRIORITIZED, worker_watch_on_session);
    else
        uv_poll_stop(poll);
}

/* An error waits, and libuv has stopped: recv() tells which, or SO_ERROR where
   nobody is read from. */
static void worker_watch_failed(struct pg_session *session)
{
    bool is_over =
        session->flags & SESSION_EOF || !(session->watching & CORE_READ);

    session->watching = 0;
    if (session->flags & SESSION_CONNECTING)
        worker_watch_connected(session);
    else if (is_over)
        worker_watch_broken(session, worker_watch_error_of(session));
    else if (!worker_watch_hold(session))
        session_readable(session);
}

static void worker_watch_on_session(uv_poll_t *poll, int status, int events)
{
    struct pg_session *session = poll->data;

    core_clock();
    if (status < 0) {
        worker_watch_failed(session);
    } else if (session->flags & SESSION_CONNECTING) {
        worker_watch_connected(session);
    } else if (events & (UV_DISCONNECT | UV_PRIORITIZED)) {
        worker_watch_stirred(session, poll, events);
    } else {
        if (events & UV_WRITABLE)
            session_writable(session);
        if (events & UV_READABLE && !worker_watch_hold(session))
            session_readable(session);
    }
    worker_turn_ends();
}

void worker_watch_session(struct pg_session *session, int events)
{
    struct session_run *run = &core->runs[session->slot];

    if (!run->watcher)
        run->watcher = worker_watch_make(session->fd, session);
    if (run->watcher)
        worker_watch_set(run->watcher, events, worker_watch_on_session);
    else
        session_abort(session, PG_WHY_LIMIT, strerror(ENOMEM));
}

void worker_release_session(struct pg_session *session)
{
    struct session_run *run = &core->runs[session->slot];
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    worker_watch_end(run->watcher);
    run->watcher = NULL;
    if (session->fd < 0)
        return;
    if (session->flags & SESSION_ABORT) /* close(2) then sends RST */
        setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(session->fd);
}

/* ---- listeners -------------------------------------------------------- */

static bool worker_watch_is_shortage(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS ||
           error == -ENOMEM;
}

static void worker_watch_accept_later(struct pg_listener *listener, uint64_t ms)
{
    listener->run->is_paused = true;
    listener_watch(listener);
    timer_add(core_now_ms() + ms, listener->id, 0, TIMER_ACCEPT, 0);
}

/* New clients wait in the backlog until descriptors are free again. */
static void worker_watch_pause_listener(struct pg_listener *listener, int error)
{
    if (!the_worker->was_short)
        output_line(output_stderr(),
                    "%s: cannot accept: %s; new clients wait until others "
                    "leave (`ulimit -n` raises the limit)",
                    listener->name, strerror(-error));
    the_worker->was_short = true;
    pg_refuse(listener, "waiting for free descriptors");
    worker_watch_accept_later(listener, ACCEPT_AGAIN_MS);
}

/* All workers wait at one socket, and whoever wakes first would take every
   connection. One that has more than others leaves each to them for a moment,
   no longer: they may be stopped, or busy. */
static bool worker_watch_gives_way(struct pg_listener *listener)
{
    struct listener_run *run = listener->run;
    bool has_given =
        run->gave_way_ms && core_now_ms() - run->gave_way_ms < 10 * GIVE_WAY_MS;

    run->gave_way_ms = 0;
    if (has_given || !listener->transport->listens_once ||
        !commons_is_ahead(core->commons, core->worker))
        return false;
    run->gave_way_ms = core_now_ms();
    worker_watch_accept_later(listener, GIVE_WAY_MS);
    return true;
}

static void worker_watch_listener_ready(struct pg_listener *listener)
{
    int error;

    if (worker_must_hold()) {
        the_worker->is_held = listener->run->is_held = true;
        listener_watch(listener);
        return;
    }
    if (worker_watch_gives_way(listener))
        return;
    error = listener->transport->ready(listener, listener->run->fd);
    if (worker_watch_is_shortage(error))
        worker_watch_pause_listener(listener, error);
    else if (error == 0)
        the_worker->was_short = false;
    else
        pg_refuse(listener, strerror(-error));
}

static void worker_watch_on_listener(uv_poll_t *poll, int status, int events)
{
    struct pg_listener *listener = poll->data;

    core_clock();
    if (events & UV_WRITABLE)
        flush_unblock(listener);
    if (events & UV_READABLE || status < 0)
        worker_watch_listener_ready(listener);
    if (status < 0) /* libuv has stopped it */
        listener_watch(listener);
    worker_turn_ends();
}

void worker_watch_listener(struct pg_listener *listener, int events)
{
    struct listener_run *run = listener->run;

    if (run->fd < 0)
        return;
    if (!run->watcher)
        run->watcher = worker_watch_make(run->fd, listener);
    if (run->watcher)
        worker_watch_set(run->watcher, events, worker_watch_on_listener);
}

/* ---- all of them ------------------------------------------------------- */

int worker_adopt(struct pg_listener *listener, int fd)
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

/* The listener ends, and nobody can ask any more. */
static void worker_watch_say_drops(struct pg_listener *listener)
{
    uint64_t drops = listener_count_drops(listener);

    if (drops)
        output_line(output_stderr(), "worker %u: %s: %s: %" PRIu64,
                    core->worker, listener->name, listener_drops_name(listener),
                    drops);
}

static void worker_watch_close_listener(struct pg_listener *listener)
{
    struct listener_run *run = listener->run;

    if (core->arena.base)
        worker_watch_say_drops(listener);
    worker_watch_end(run->watcher);
    run->watcher = NULL;
    if (run->fd < 0)
        return;
    if (listener->transport->ended)
        listener->transport->ended(listener, run->fd);
    close(run->fd);
    run->fd = -1;
}

void worker_close_listeners(void)
{
    for (unsigned i = 0; i < the_worker->config->listener_count; i++)
        if (the_worker->config->listeners[i]->run)
            worker_watch_close_listener(the_worker->config->listeners[i]);
}

void worker_read_again(void)
{
    the_worker->is_held = false;
    for (uint32_t i = 0; i < core->live_count; i++)
        session_watch(session_at(core->live[i]));
    for (unsigned i = 0; i < core->config->listener_count; i++) {
        core->config->listeners[i]->run->is_held = false;
        listener_watch(core->config->listeners[i]);
    }
}
