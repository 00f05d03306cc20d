/*
 * peers - who is behind which datagram: the sessions of a listener that
 * provides records, by address; and who is forgotten because it is silent,
 * which streams may be as well.
 */
#ifndef PEERS_H
#define PEERS_H

#include "state/mark.h"

/* False: no memory; its address would not be found again. */
bool peers_add(struct pg_session *session);
/* A stranger was heard from again. */
void peers_make_known(struct pg_session *session);
/* Takes it out of the table and the list, so that its address may come anew
   while the session ends. */
void peers_forget(struct pg_session *session);
struct pg_session *peers_find(struct pg_listener *listener, const void *peer);
/* Ends sessions that were silent for too long; sets the timer for the next. */
void peers_expire(struct pg_listener *listener);

#endif
