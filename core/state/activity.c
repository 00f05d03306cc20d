/* The sessions of a listener of records, the longest silent first. */

#include "state/activity.h"

static struct activity *activity_list_of(const struct pg_session *session)
{
    struct listener_run *run = session_listener(session)->run;

    return session->flags & SESSION_STRANGER ? &run->strangers : &run->known;
}

static bool activity_is_listed(const struct pg_session *session)
{
    return session->older || session->newer ||
           activity_list_of(session)->oldest == session->slot + 1;
}

void activity_add(struct pg_session *session)
{
    struct activity *list = activity_list_of(session);

    session->newer = 0;
    session->older = list->newest;
    if (list->newest)
        session_at(list->newest - 1)->newer = session->slot + 1;
    else
        list->oldest = session->slot + 1;
    list->newest = session->slot + 1;
    list->count++;
}

void activity_remove(struct pg_session *session)
{
    struct activity *list = activity_list_of(session);

    if (!activity_is_listed(session))
        return;
    if (session->older)
        session_at(session->older - 1)->newer = session->newer;
    else
        list->oldest = session->newer;
    if (session->newer)
        session_at(session->newer - 1)->older = session->older;
    else
        list->newest = session->older;
    session->older = session->newer = 0;
    list->count--;
}

void activity_move_last(struct pg_session *session)
{
    if (!activity_is_listed(session))
        return;
    activity_remove(session);
    activity_add(session);
}
