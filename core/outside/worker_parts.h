/*
 * worker_parts - what the files of worker.h share.
 *
 *   worker.c          the loop: time, other workers, its life
 *   worker_watch.c    descriptors of sessions and listeners
 *   worker_away.c     connections that get no session
 *   worker_stop.c     delivers what is queued, then ends
 *   worker_connect.c  for programs that talk first
 */
#ifndef WORKER_PARTS_H
#define WORKER_PARTS_H

#include "engine/mail.h"
#include "outside/worker.h"
#include "state/state.h"

/* One a process, like the core it drives. */
struct worker {
    uv_loop_t loop;
    uv_timer_t timer;                   /* the core's next deadline */
    uv_idle_t no_sleep;                 /* it has come, and the loop looks */
    uv_check_t due;                     /* it has looked */
    uv_timer_t trim_timer;              /* gives memory back after a burst */
    uv_timer_t drain_timer, look_timer; /* while it stops */
    uv_poll_t wake;                     /* messages of other workers */
    uv_async_t posted;                  /* pg_post() of other threads */
    struct worker_setup setup;
    struct config *config;
    uint64_t wait_until_ms; /* it stops, and waits so long for the others */
    bool is_trim_set, is_stopping, is_held;
    bool was_short; /* of descriptors: said once until it is over */
    void (*connect_failed)(int error, void *arg);
    void *connect_arg;
};

/* For libuv's and the core's callbacks, which are given no worker. */
extern struct worker *the_worker;

/* The end of a turn: called last after a call by the loop, and by all who enter
   the core from outside. */
void worker_turn_ends(void);

/* Gives the worker a listener's descriptor, -1 being none. 0 or -EINVAL with a
   problem added. */
int worker_adopt(struct pg_listener *listener, int fd);

/* As core_io asks for. */
void worker_watch_session(struct pg_session *session, int events);
void worker_release_session(struct pg_session *session);
void worker_watch_listener(struct pg_listener *listener, int events);
void worker_close_listeners(void);
/* Reads again. */
void worker_read_again(void);
/* Nothing new is read while messages wait for another worker's ring, or all
   workers are to stop. */
static inline bool worker_must_hold(void)
{
    return mail_is_waiting() || (the_worker->is_stopping && !core->is_over);
}

/* Looks whether that is over. */
void worker_let_go(void);

/* Ends the sessions once no other worker has anything to say to them. */
void worker_stop_if_all_do(void);
/* Says what other workers have lost by the end. */
void worker_stop_say_lost(void);

/* Connections that get no session: the peer sees an end, not a reset. */
void worker_turn_away(int fd);
void worker_forget_turned_away(void);

#endif
