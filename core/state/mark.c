/* A session's flags, and the lists of the core that it is on. */

#include "state/mark.h"

#include "memory/heap.h"
#include "state/counter.h"

#define REASON_SIZE 256

/* ---- the end ----------------------------------------------------------- */

void mark_closing(struct pg_session *session, uint32_t flags)
{
    session->flags |= flags;
    if (session->flags & SESSION_MARKED)
        return;
    session->flags |= SESSION_MARKED;
    session->next_closing = core->closing;
    core->closing = session->slot + 1;
}

static void mark_keep_text(struct pg_session *session, const char *text)
{
    session->reason = heap_alloc(&core->arena, REASON_SIZE);
    if (session->reason)
        snprintf((char *)heap_at(&core->arena, session->reason), REASON_SIZE,
                 "%s", text);
}

void mark_reason(struct pg_session *session, enum pg_why why, const char *text)
{
    if (session_is_closing(session))
        return;
    session->why = (uint8_t)why;
    mark_keep_text(session, text);
    counter_add_reason(counter_of_listener(session->listener), text);
}

const char *session_reason(const struct pg_session *session)
{
    return session->reason
               ? (const char *)heap_at(&core->arena, session->reason)
               : "no memory for the reason";
}

void session_abort(struct pg_session *session, enum pg_why why,
                   const char *text)
{
    mark_reason(session, why, text);
    mark_closing(session, SESSION_CLOSING | SESSION_ABORT);
}

/* ---- reading ----------------------------------------------------------- */

/* Datagrams do not wait for what is delayed: that has its own time. */
static bool mark_is_full(const struct pg_session *session)
{
    uint32_t late = session_is_connection(session) ? SESSION_LATE_OUT_FULL : 0;

    return session->flags & (SESSION_QUEUE_FULL | late);
}

void session_may_resume(struct pg_session *session)
{
    if (session->queued > core->high_water)
        session->flags |= SESSION_QUEUE_FULL;
    else if (session->queued <= core->high_water / 2)
        session->flags &= ~(uint32_t)SESSION_QUEUE_FULL;
    if (!(session->flags & (SESSION_INPUT_HELD | SESSION_WANTS_ROOM)) ||
        session->pauses ||
        session->flags & (SESSION_CLOSING | SESSION_STARVED) ||
        mark_is_full(session))
        return;
    mark_resuming(session);
}

void mark_starved(struct pg_session *session)
{
    session->flags |= SESSION_STARVED;
    core->has_starved = true;
}

void mark_fed(void)
{
    core->has_starved = core->has_freed = false;
    for (uint32_t i = 0; i < core->live_count; i++) {
        struct pg_session *session = session_at(core->live[i]);

        if (session->flags & SESSION_STARVED) {
            session->flags &= ~(uint32_t)SESSION_STARVED;
            session_may_resume(session);
        }
    }
}

void mark_resuming(struct pg_session *session)
{
    if (session->flags & SESSION_RESUMING)
        return;
    session->flags |= SESSION_RESUMING;
    session->next_resuming = 0;
    if (core->resuming)
        session_at(core->resuming_last - 1)->next_resuming = session->slot + 1;
    else
        core->resuming = session->slot + 1;
    core->resuming_last = session->slot + 1;
}

static bool mark_wants_input(const struct pg_session *session)
{
    if (session->flags & SESSION_CLOSING) /* the peer's goodbye, after ours */
        return session->flags & SESSION_FINISHED;
    return !(session->flags &
             (SESSION_EOF | SESSION_LEAVING | SESSION_QUEUE_FULL |
              SESSION_DELAY_FULL | SESSION_INPUT_HELD | SESSION_WANTS_ROOM)) &&
           !session->pauses;
}

/* For itself, and not for its peer to read: that one may go meanwhile. */
static bool mark_waits_long(const struct pg_session *session)
{
    return session->pauses || session->flags & (SESSION_EOF | SESSION_LEAVING |
                                                SESSION_DELAY_FULL);
}

static int mark_wanted(const struct pg_session *session)
{
    int events = 0;

    if (session->flags & SESSION_CONNECTING)
        return CORE_WRITE;
    if (mark_wants_input(session))
        events |= CORE_READ;
    if (session->flags & SESSION_SOCKET_FULL)
        events |= CORE_WRITE;
    if (!events && mark_waits_long(session))
        return CORE_BREAK;
    return events;
}

void session_watch(struct pg_session *session)
{
    int events = mark_wanted(session);

    if (session->fd < 0 || events == session->watching || !session->number)
        return;
    session->watching = (uint8_t)events;
    core->io->watch(session, events);
}
