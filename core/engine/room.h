/*
 * room - who gets a place, and who goes for another's sake.
 *
 * limits.max_sessions is for those that are known: connections, and peers
 * heard from twice. With all places taken a newcomer has that of the UDP peer
 * silent for longest, since addresses can be forged and connections cannot.
 * Strangers, heard from once, have places of their own. Whoever has to go frees
 * its place at once, and its slot at the end of the turn: a newcomer is refused
 * only if nobody goes for it.
 */
#ifndef ROOM_H
#define ROOM_H

#include "state/slot.h"

/* Makes room for one more session of a listener, and counts it as one of
   limits.max_sessions. False: there is none, counted. */
bool room_for_session(struct pg_listener *listener);
/* Makes room for one more stranger. False: there is none, counted. */
bool room_for_stranger(struct pg_listener *listener);
/* A stranger was heard from again: makes room for it among the known. False:
   there is none, counted; it stays a stranger. */
bool room_for_known(struct pg_session *session);
/* Ends as many UDP peers as other workers need places. */
void room_make_for_others(void);

#endif
