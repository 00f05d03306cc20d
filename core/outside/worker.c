/* One process that serves: a libuv loop around the core. */

#include "outside/worker.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/post.h"
#include "engine/core.h"
#include "engine/due.h"
#include "engine/mail.h"
#include "engine/turn.h"
#include "memory/heap.h"
#include "outside/worker_parts.h"
#include "places/problems.h"

#define TRIM_MS    1000
#define TRIM_LEAST (1u << 20)

struct worker *the_worker;

static void worker_on_trim(uv_timer_t *timer);

void worker_turn_ends(void)
{
    turn_end();
    if (!the_worker->is_trim_set &&
        core->arena.header->heap_used > TRIM_LEAST) {
        the_worker->is_trim_set = true;
        uv_timer_start(&the_worker->trim_timer, worker_on_trim, TRIM_MS, 0);
    }
    if (core->is_over && core->live_count == 0)
        uv_stop(&the_worker->loop);
}

static void worker_on_trim(uv_timer_t *timer)
{
    (void)timer;
    the_worker->is_trim_set = false;
    heap_trim(&core->arena);
    worker_turn_ends();
}

/* ---- other workers and threads ---------------------------------------- */

/* Others have taken their messages, are left out, or have no more to say. */
void worker_let_go(void)
{
    if (the_worker->is_stopping)
        worker_stop_if_all_do();
    if (the_worker->is_held && !worker_must_hold())
        worker_read_again();
}

static void worker_on_wake(uv_poll_t *poll, int status, int events)
{
    uint64_t count;
    ssize_t got = read(the_worker->setup.wake_fds[the_worker->setup.index],
                       &count, sizeof(count));

    (void)poll, (void)status, (void)events, (void)got;
    core_clock();
    mail_take();
    worker_let_go();
    worker_turn_ends();
}

static void worker_wake_worker(unsigned which)
{
    const uint64_t one = 1;
    ssize_t done = write(the_worker->setup.wake_fds[which], &one, sizeof(one));

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
    uv_async_send(&the_worker->posted);
}

/* ---- time ------------------------------------------------------------- */

static void worker_on_due(uv_check_t *check)
{
    uv_check_stop(check);
    uv_idle_stop(&the_worker->no_sleep);
    core_clock();
    due_run();
    worker_let_go();
    worker_turn_ends();
}

static void worker_on_no_sleep(uv_idle_t *idle)
{
    (void)idle;
}

/* The process may have stood still. Whoever waits to be heard is heard before
   a timer says that they were silent: the loop looks at its descriptors without
   sleeping, see uv_idle_t, and then what is due runs. */
static void worker_on_timer(uv_timer_t *timer)
{
    (void)timer;
    uv_idle_start(&the_worker->no_sleep, worker_on_no_sleep);
    uv_check_start(&the_worker->due, worker_on_due);
}

static bool worker_has_input(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    return poll(&ready, 1, 0) > 0;
}

static void worker_arm(uint64_t at_ms)
{
    uint64_t now;

    uv_timer_stop(&the_worker->timer);
    uv_idle_stop(&the_worker->no_sleep);
    uv_check_stop(&the_worker->due);
    if (at_ms == UINT64_MAX)
        return;
    uv_update_time(&the_worker->loop);
    now = uv_now(&the_worker->loop);
    if (at_ms > now)
        uv_timer_start(&the_worker->timer, worker_on_timer, at_ms - now, 0);
    else
        worker_on_timer(NULL);
}

static uint64_t worker_woke_ms(void)
{
    return uv_now(&the_worker->loop);
}

static uint64_t worker_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static const struct core_io worker_io = {
    .watch = worker_watch_session,
    .release = worker_release_session,
    .turn_away = worker_turn_away,
    .watch_listener = worker_watch_listener,
    .has_input = worker_has_input,
    .arm = worker_arm,
    .wake = worker_wake_worker,
    .now_ns = uv_hrtime,
    .woke_ms = worker_woke_ms,
    .wall_ms = worker_wall_ms,
};

/* ---- life ------------------------------------------------------------- */

static bool worker_adopt_all(void)
{
    bool is_good = true;

    for (unsigned i = 0; i < the_worker->config->listener_count; i++) {
        int fd = the_worker->setup.listener_fds
                     ? the_worker->setup.listener_fds[i]
                     : -1;

        if (worker_adopt(the_worker->config->listeners[i], fd))
            is_good = false;
    }
    return is_good;
}

static int worker_start_loop(void)
{
    int error = uv_loop_init(&the_worker->loop);

    if (error)
        return error;
    uv_timer_init(&the_worker->loop, &the_worker->timer);
    uv_idle_init(&the_worker->loop, &the_worker->no_sleep);
    uv_check_init(&the_worker->loop, &the_worker->due);
    uv_timer_init(&the_worker->loop, &the_worker->trim_timer);
    uv_timer_init(&the_worker->loop, &the_worker->drain_timer);
    uv_timer_init(&the_worker->loop, &the_worker->look_timer);
    error =
        uv_async_init(&the_worker->loop, &the_worker->posted, worker_on_posted);
    if (!error && the_worker->setup.wake_fds) {
        error =
            uv_poll_init(&the_worker->loop, &the_worker->wake,
                         the_worker->setup.wake_fds[the_worker->setup.index]);
        if (!error)
            uv_poll_start(&the_worker->wake, UV_READABLE, worker_on_wake);
    }
    return error;
}

static struct worker *worker_failed(struct config *config, int error)
{
    problems_add(config->problems, "", false,
                 "the worker cannot start: %s; free memory or lower limits",
                 strerror(-error));
    free(the_worker);
    the_worker = NULL;
    return NULL;
}

struct worker *worker_create(struct config *config,
                             const struct worker_setup *setup)
{
    unsigned count = setup->count ? setup->count : 1;
    int error;

    the_worker = calloc(1, sizeof(*the_worker));
    if (!the_worker)
        return worker_failed(config, -ENOMEM);
    the_worker->config = config;
    the_worker->setup = *setup;
    error = worker_start_loop();
    if (!error)
        error = core_create(config, &worker_io, setup->arena_fd, setup->commons,
                            setup->index, count);
    if (error)
        return worker_failed(config, error);
    post_start(worker_wake_for_post);
    if (!core_init_entries() || !worker_adopt_all()) {
        worker_destroy(the_worker);
        return NULL;
    }
    worker_turn_ends();
    return the_worker;
}

static void worker_close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void worker_destroy(struct worker *worker)
{
    if (!worker)
        return;
    post_stop();
    worker_forget_turned_away();
    if (core)
        worker_close_listeners();
    core_destroy();
    uv_walk(&worker->loop, worker_close_handle, NULL);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    uv_loop_close(&worker->loop);
    free(worker);
    the_worker = NULL;
}

uv_loop_t *worker_loop(struct worker *worker)
{
    return &worker->loop;
}

void worker_run(struct worker *worker)
{
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    worker_stop_say_lost();
}
