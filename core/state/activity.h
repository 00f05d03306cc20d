/*
 * activity - the sessions of a listener that provides records, by when they
 * were last heard from: the one that was silent for longest is first. What we
 * send is no sign of the peer's life. Strangers, heard from once, have a list
 * of their own. Who is forgotten for silence: peers_expire(); for another's
 * sake: room.c.
 */
#ifndef ACTIVITY_H
#define ACTIVITY_H

#include "state/slot.h"

void activity_add(struct pg_session *session);
/* Does nothing when it is not in the list. */
void activity_remove(struct pg_session *session);
void activity_move_last(struct pg_session *session);

/* The session, no stranger, was heard from just now; often it was the last one
   already. */
static inline void activity_renew(struct pg_session *session)
{
    if (session_listener(session)->run->known.newest != session->slot + 1)
        activity_move_last(session);
}

#endif
