/*
 * peers - who is behind which datagram: the sessions of a listener that
 * provides records, by address and by last activity.
 */
#ifndef PEERS_H
#define PEERS_H

#include "state/session.h"

/* False: no memory; its address would not be found again. */
bool peers_add(struct pg_session *session);
/* Takes it out of the table and the list, so that its address may come anew
   while the session ends. */
void peers_forget(struct pg_session *session);
struct pg_session *peers_find(struct pg_listener *listener, const void *peer);
/* It was active: last in the list. */
void peers_touch(struct pg_session *session);

#endif
