/*
 * queue_send - gives a stream's queue to its socket.
 */
#ifndef QUEUE_SEND_H
#define QUEUE_SEND_H

#include "out/queue.h"

/* Sends what the socket takes, now. Records wait for the end of the turn. */
void queue_send_now(struct pg_session *session);

#endif
