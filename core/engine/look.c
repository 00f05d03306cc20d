/* Ends connections whose peers take nothing, or have gone without a word. */

#include "engine/look.h"

#include <errno.h>
#include <string.h>

#include "engine/peers.h"
#include "out/end.h"
#include "state/timer.h"

#define UNREAD_LOOKS 4 /* in limits.unread_s */
#define GONE_LOOKS   2 /* in the time after which a silent peer has gone */

/* ---- when -------------------------------------------------------------- */

static void look_sooner(uint64_t *step, uint64_t ms)
{
    if (ms && (!*step || ms < *step))
        *step = ms;
}

/* 0: there is nothing to look for. */
static uint64_t look_step_ms(void)
{
    const struct config *config = core->config;
    uint64_t step = 0;

    look_sooner(&step, (uint64_t)config->limits.unread_s * 1000 / UNREAD_LOOKS);
    for (unsigned i = 0; i < config->listener_count; i++)
        look_sooner(&step, config->listeners[i]->run->gone_ms / GONE_LOOKS);
    return step;
}

static void look_again(void)
{
    uint64_t step = look_step_ms();

    if (core->is_looking || !step)
        return;
    core->is_looking =
        timer_add(core_now_ms() + step, 0, 0, TIMER_LOOK, 0) == 0;
}

void look_begin(struct pg_session *session)
{
    struct listener_run *run = session_listener(session)->run;

    if (run->idle_ms) {
        session->flags |= SESSION_MAY_IDLE;
        activity_add(session);
        if (!run->expiry_at)
            peers_expire(session_listener(session));
    }
    look_again();
}

/* ---- what for ---------------------------------------------------------- */

/* Bytes that the peer has not taken count from the first look that finds it, so
   that it has its time whatever was taken before. */
static void look_at_reading(struct pg_session *session,
                            const struct pg_look *look)
{
    uint64_t most = (uint64_t)core->config->limits.unread_s * 1000;

    if (!look->is_waiting || !session->unread_ms ||
        look->taken != session->taken) {
        session->taken = look->taken;
        session->unread_ms = look->is_waiting ? core_now_ms() : 0;
    } else if (most && core_now_ms() - session->unread_ms >= most) {
        session_abort(session, PG_WHY_LIMIT,
                      "has read nothing for limits.unread_s");
    }
}

/* An answer is owed from the first look that finds it so. Nothing has come
   since then, nor before that for as long as makes the listener's time full:
   the system at the other end answers sooner than that, however long its
   program does not read. */
static void look_at_life(struct pg_session *session, const struct pg_look *look)
{
    uint64_t gone_ms = session_listener(session)->run->gone_ms;
    uint64_t owed_ms = core_now_ms() - session->owed_ms;

    if (!gone_ms || !look->is_owed)
        session->owed_ms = 0;
    else if (!session->owed_ms || look->silent_ms < owed_ms)
        session->owed_ms = core_now_ms();
    else if (owed_ms >= gone_ms / GONE_LOOKS && look->silent_ms >= gone_ms)
        session_abort(session, PG_WHY_RESET, strerror(ETIMEDOUT));
}

static void look_at(struct pg_session *session)
{
    const struct pg_transport *transport = session_listener(session)->transport;
    struct pg_look look = {.is_waiting = session->flags & SESSION_SOCKET_FULL};

    if (transport->look)
        transport->look(session, session->fd, &look);
    if (!look.is_waiting && !look.is_owed && !session->head)
        session->flags &= ~(uint32_t)SESSION_SENT; /* all has been taken */
    look_at_reading(session, &look);
    look_at_life(session, &look);
}

bool look_has_taken(struct pg_session *session)
{
    const struct pg_transport *transport = session_listener(session)->transport;
    struct pg_look look = {.taken = session->taken};
    bool has_taken;

    if (transport->look && session->flags & SESSION_SENT)
        transport->look(session, session->fd, &look);
    has_taken = look.taken != session->taken;
    session->taken = look.taken;
    return has_taken;
}

/* Most have been sent nothing since the last look and cost a glance; those that
   are closing have linger_ms. */
void look_run(void)
{
    bool has_connections = false;

    core->is_looking = false;
    for (uint32_t i = 0; i < core->live_count; i++) {
        struct pg_session *session = session_at(core->live[i]);

        has_connections |= session_is_connection(session);
        if (session->flags & SESSION_SENT &&
            !(session->flags & SESSION_CLOSING))
            look_at(session);
    }
    if (has_connections)
        look_again();
}
