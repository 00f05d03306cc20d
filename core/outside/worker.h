/*
 * worker - one process that serves: a libuv loop, the listeners' sockets, the
 * sessions, and what comes from other workers. One thread, no locks.
 *
 * struct core (core.h) is the part without sockets; a worker lends it a loop.
 */
#ifndef WORKER_H
#define WORKER_H

#include <uv.h>

#include "config/config.h"

struct worker;
struct commons;

/* Given to a worker by its starter; see guard.c. */
struct worker_setup {
    unsigned index, count;      /* this worker and how many there are */
    int arena_fd;               /* memfd, or -1: make one */
    struct commons *commons;    /* shared with the other workers; NULL: alone */
    const int *wake_fds;        /* count eventfds: a write wakes that worker */
    const int *listener_fds;    /* one a listener, or -1: connect only */
    void (*stopped)(void *arg); /* drained: the loop is about to end */
    void *arg;
};

/* Runs init() of the entries and adopts the sockets. NULL after adding to
   config->problems. `config` must outlive the worker. */
struct worker *worker_create(struct config *config,
                             const struct worker_setup *setup);
void worker_destroy(struct worker *worker);

uv_loop_t *worker_loop(struct worker *worker);

/* Runs the loop until worker_stop() has drained. */
void worker_run(struct worker *worker);

/* Stops taking in, delivers what is queued for at most limits.drain_ms, ends
   every session with PG_WHY_SHUTDOWN, says on stderr what was left, ends
   worker_run(). A second call stops at once. */
void worker_stop(struct worker *worker);

/*
 * For programs that talk first (the client). Opens a session towards the
 * listener's address. The entries' open() runs once it is connected; when that
 * fails, `failed` gets a negative errno. 0, or -EINVAL with a problem added.
 */
int worker_connect(struct worker *worker, struct pg_listener *listener,
                   void (*failed)(int error, void *arg), void *arg);

/* Calls fn with the ctx of `entry` in session `number` (pg_session_number()),
   from outside of any callback. False: there is no such session. */
bool worker_with_ctx(struct pg_entry *entry, uint64_t number,
                     void (*fn)(struct pg_ctx *ctx, void *arg), void *arg);

/* No more output: after what is queued has been sent, half-closes (TCP:
   shutdown(SHUT_WR)); input goes on. For use inside worker_with_ctx(). */
void worker_finish_output(struct pg_ctx *ctx);

/* How many bytes wait to be sent to this session. */
size_t worker_queued(const struct pg_ctx *ctx);

#endif
