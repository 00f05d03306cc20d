/*
 * mark - a session's flags, and the lists of the core that it is on.
 *
 * Nothing here calls a handler, a queue or a transport: a mark says what is to
 * be done, turn_end() does it.
 */
#ifndef MARK_H
#define MARK_H

#include "state/activity.h"
#include "state/slot.h"

static inline bool session_is_stream(const struct pg_session *session)
{
    return session->flags & SESSION_STREAM;
}

/* Has it a socket of its own? Then it is not read from while it waits, and none
   of its records is dropped for want of room. */
static inline bool session_is_connection(const struct pg_session *session)
{
    return session->flags & SESSION_CONNECTION;
}

/* True when nothing more is delivered to its entries. */
static inline bool session_is_closing(const struct pg_session *session)
{
    return session->flags & (SESSION_CLOSING | SESSION_LEAVING);
}

/* Is the way to the peer full, or, where its input can wait, reading paused? */
static inline bool session_is_pressed(const struct pg_session *session)
{
    return session->queued > core->high_water ||
           ((session->pauses || session->flags & SESSION_LATE_OUT_FULL) &&
            session_is_connection(session));
}

/* ---- lists -------------------------------------------------------------- */

/* The session has output: flush_all() sends it. */
static inline void mark_dirty(struct pg_session *session)
{
    if (session->flags & SESSION_DIRTY)
        return;
    session->flags |= SESSION_DIRTY;
    session->next_dirty = core->dirty;
    core->dirty = session->slot + 1;
}

/* Sets flags too: session_close_marked() looks at it at the end of this turn.
 */
void mark_closing(struct pg_session *session, uint32_t flags);
/* A session has left the list of dirty or resuming ones: if it is gone, it may
   be released now. */
static inline void mark_unlisted(struct pg_session *session)
{
    if (session->flags & SESSION_GONE)
        mark_closing(session, 0);
}

/* ---- the end ------------------------------------------------------------ */

/* Ends it without sending what is queued. session_end() is for all who are not
   below the queues. */
void session_abort(struct pg_session *session, enum pg_why why,
                   const char *text);
/* Keeps and counts why it ends; the first reason counts. */
void mark_reason(struct pg_session *session, enum pg_why why, const char *text);
/* Why, in words; once it is closing. */
const char *session_reason(const struct pg_session *session);

/* ---- reading ------------------------------------------------------------ */

/* Watches for what it wants now. */
void session_watch(struct pg_session *session);
/* Lets it go on reading when its queue is short, lets held bytes come again,
   and tells those who wait for room. */
void session_may_resume(struct pg_session *session);
/* The session was refused what it has to send, or to delay: it is not resumed
   until its socket has taken something, or others have given back room. */
void mark_starved(struct pg_session *session);
/* There is more room: those who were refused may try again. */
void mark_fed(void);
/* The session goes on in the next turn: session_resume_marked(). */
void mark_resuming(struct pg_session *session);

/* A sign of life. Connections without an idle time do without: only when they
   end does it matter who is silent. So do strangers, who are as old as their
   one record. Silence is counted in seconds, so the time may be a little old.
 */
static inline void session_touch(struct pg_session *session)
{
    if (session->flags & SESSION_STRANGER ||
        (session->flags & (SESSION_CONNECTION | SESSION_MAY_IDLE)) ==
            SESSION_CONNECTION)
        return;
    session->active_ms = core->io->woke_ms();
    activity_renew(session);
}

#endif
