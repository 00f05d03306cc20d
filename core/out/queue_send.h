/*
 * queue_send - gives what a connection is sent to its socket.
 */
#ifndef QUEUE_SEND_H
#define QUEUE_SEND_H

#include "out/queue.h"

/* Sends what the socket takes, now. Records wait for the end of the turn. */
void queue_send_now(struct pg_session *session);
/* Gives bytes to the socket past its queue, which is empty. Returns how many it
   took: of a record all or none. -ECANCELED: the session has ended; -EMSGSIZE.
 */
int64_t queue_send_past(struct pg_session *session, struct pg_bytes bytes);

#endif
