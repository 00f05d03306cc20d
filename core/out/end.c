/* A session's end as it is decided. */

#include "out/end.h"

#include "out/broadcast.h"

void session_end(struct pg_session *session, enum pg_end how, enum pg_why why,
                 const char *text)
{
    /* While it connects, nobody is there to be said goodbye to. */
    if (how == PG_END_ABORT || session->flags & SESSION_CONNECTING) {
        session_abort(session, why, text);
        return;
    }
    if (session_is_closing(session))
        return;
    if (core->gathered)
        broadcast_before(session); /* was said while it was there */
    mark_reason(session, why, text);
    if (session->late_out) {
        session->flags |= SESSION_LEAVING;
        session_watch(session);
    } else {
        mark_closing(session, SESSION_CLOSING);
    }
}

void session_check_done(struct pg_session *session)
{
    uint32_t flags =
        session->flags & (SESSION_ENDED | SESSION_CLOSING | SESSION_LEAVING);

    if (flags == SESSION_ENDED && !session->timed && !session->head &&
        !(session->flags & (SESSION_INPUT_HELD | SESSION_WANTS_ROOM)))
        session_end(session, PG_END_FIN, PG_WHY_EOF, "end of input");
}

static void end_output(struct pg_session *session)
{
    const struct pg_transport *transport = session_listener(session)->transport;

    if (session->flags & SESSION_FINISHED)
        return;
    session->flags |= SESSION_FINISHED;
    if (transport->finish && session->fd >= 0)
        transport->finish(session, session->fd);
}

void session_drained(struct pg_session *session)
{
    if (session->flags & SESSION_CLOSED) {
        if (session->fd < 0 ||
            (session->flags & (SESSION_EOF | SESSION_CUT_OFF)) == SESSION_EOF)
            mark_closing(session, SESSION_GONE);
        else
            end_output(session);
    } else if (session->flags & SESSION_HALF_CLOSING && !session->late_out) {
        end_output(session);
    }
    session_check_done(session);
}
