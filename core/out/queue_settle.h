/*
 * queue_settle - what the kernel did not take is made fit to wait.
 */
#ifndef QUEUE_SETTLE_H
#define QUEUE_SETTLE_H

#include "out/queue.h"

/* Makes what could not be sent independent of the read buffer, and of blocks
   that it uses little of. */
void queue_settle(struct pg_session *session);

#endif
