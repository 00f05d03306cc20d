/* A worker stops: it takes in no more, and delivers what is queued. */

#include <inttypes.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "base/output.h"
#include "engine/life.h"
#include "engine/mail.h"
#include "engine/turn.h"
#include "out/end.h"
#include "outside/worker_parts.h"
#include "state/listener.h"

#define DRAIN_LOOK_MS 10 /* between two looks at what is delivered */

/* Bytes that the peer's kernel has not taken yet, our FIN included; see tcp(7),
   SIOCOUTQ. -1: nobody knows. */
static int worker_stop_in_flight(const struct pg_session *session)
{
    int left;

    if (session->fd < 0 || ioctl(session->fd, SIOCOUTQ, &left))
        return -1;
    return left;
}

static uint64_t worker_stop_undelivered(const struct pg_session *session)
{
    int left = worker_stop_in_flight(session);

    if (left > 0 && session->flags & SESSION_FINISHED)
        left--;
    return session->queued + session->delayed_out +
           (left > 0 ? (uint64_t)left : 0);
}

static void worker_stop_report(void)
{
    uint64_t bytes = 0;
    uint32_t sessions = 0;

    for (uint32_t i = 0; i < core->live_count; i++) {
        uint64_t left = worker_stop_undelivered(session_at(core->live[i]));

        bytes += left;
        sessions += left > 0;
    }
    if (bytes)
        output_line(output_stderr(),
                    "stopped with %" PRIu64 " bytes not delivered to %" PRIu32
                    " peers that did not read them in drain_ms",
                    bytes, sessions);
}

/* Input that was read is dealt with, as far as nobody has to take something
   first; half of the time is for what that sends. */
static void worker_stop_held(void)
{
    uint64_t until =
        core->stop_by_ms - (uint64_t)core->config->limits.drain_ms / 2;

    while (core->resuming && core_ask_time() < until) {
        session_resume_marked();
        turn_end();
    }
}

static void worker_stop_sessions(void)
{
    worker_stop_held();
    mail_end();
    for (uint32_t i = 0; i < core->live_count; i++)
        session_end(session_at(core->live[i]), PG_END_FIN, PG_WHY_SHUTDOWN,
                    "the server stops");
}

void worker_stop_if_all_do(void)
{
    if (!core->is_over &&
        (mail_may_end() || core_now_ms() >= the_worker->wait_until_ms))
        worker_stop_sessions();
}

void worker_stop_say_lost(void)
{
    uint64_t lost = mail_count_lost();

    if (lost)
        output_line(output_stderr(),
                    "worker %u stopped with %" PRIu64
                    " messages from or to workers that stopped earlier or "
                    "later",
                    core->worker, lost);
}

static void worker_stop_now(uv_timer_t *timer)
{
    (void)timer;
    if (!core->is_over) {
        worker_stop_sessions();
        turn_end();
    }
    worker_stop_report();
    uv_stop(&the_worker->loop);
}

static bool worker_stop_is_delivered(const struct pg_session *session)
{
    return session->flags & SESSION_FINISHED &&
           worker_stop_in_flight(session) == 0;
}

/* A client that stays connected after our goodbye does not hold up the end. */
static void worker_stop_look(uv_timer_t *timer)
{
    (void)timer;
    core_clock();
    worker_let_go();
    for (uint32_t i = 0; i < core->live_count; i++)
        if (worker_stop_is_delivered(session_at(core->live[i])))
            session_let_go(session_at(core->live[i]));
    worker_turn_ends();
}

static void worker_stop_listening(void)
{
    for (unsigned i = 0; i < core->config->listener_count; i++) {
        struct pg_listener *listener = core->config->listeners[i];

        listener->run->is_paused = true;
        listener_watch(listener);
    }
}

void worker_stop(struct worker *worker)
{
    uint64_t drain_ms = (uint64_t)core->config->limits.drain_ms;

    if (worker->is_stopping) {
        worker_stop_now(NULL);
        return;
    }
    worker->is_stopping = true;
    core_clock();
    core->stop_by_ms = core_now_ms() + drain_ms;
    worker->wait_until_ms = core_now_ms() + drain_ms / 2;
    worker_stop_listening();
    worker_stop_held(); /* may post, so before the mail ends */
    mail_begin_end();
    worker_stop_if_all_do();
    uv_timer_start(&worker->drain_timer, worker_stop_now, drain_ms, 0);
    uv_timer_start(&worker->look_timer, worker_stop_look, DRAIN_LOOK_MS,
                   DRAIN_LOOK_MS);
    worker_turn_ends();
}
