/*
 * mail - messages to and from the other workers.
 *
 * One message a worker, not one a receiver. When a ring is full the message
 * waits here as a letter, and until it is gone this worker reads nothing new:
 * so what waits is at most what one read brings.
 */
#ifndef MAIL_H
#define MAIL_H

#include "state/state.h"
#include "workers/commons.h"

/* To all other workers. -ENOBUFS: out of memory, counted. */
int mail_broadcast(struct pg_entry *entry, struct pg_bytes bytes,
                   enum pg_slow slow);
int mail_send_to(const struct claim_owner *owner, struct pg_bytes bytes);

/* Messages have come, or there is room again. */
void mail_take(void);
/* All that is there now, for a worker that stops. */
void mail_take_rest(void);
/* Wakes whom we have written to in this turn. */
void mail_wake(void);
/* True: something waits for room in a ring, so read nothing new. */
static inline bool mail_is_waiting(void)
{
    return core->mail_waits != 0;
}

void mail_finish(void);

#endif
