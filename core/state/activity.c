/* The sessions of a listener of records, the longest silent first. */

#include "state/activity.h"

static bool activity_is_listed(const struct pg_session *session)
{
    return session->older || session->newer ||
           session_listener(session)->run->oldest == session->slot + 1;
}

void activity_add(struct pg_session *session)
{
    struct listener_run *run = session_listener(session)->run;

    session->newer = 0;
    session->older = run->newest;
    if (run->newest)
        session_at(run->newest - 1)->newer = session->slot + 1;
    else
        run->oldest = session->slot + 1;
    run->newest = session->slot + 1;
}

void activity_remove(struct pg_session *session)
{
    struct listener_run *run = session_listener(session)->run;

    if (!activity_is_listed(session))
        return;
    if (session->older)
        session_at(session->older - 1)->newer = session->newer;
    else
        run->oldest = session->newer;
    if (session->newer)
        session_at(session->newer - 1)->older = session->older;
    else
        run->newest = session->older;
    session->older = session->newer = 0;
}

void activity_move_last(struct pg_session *session)
{
    if (!activity_is_listed(session))
        return;
    activity_remove(session);
    activity_add(session);
}
