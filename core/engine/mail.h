/*
 * mail - messages to and from the other workers.
 *
 * One message a worker, not one a receiver. When a ring is full the message
 * waits as a letter, see letters.h.
 *
 * A server that stops: each worker reads no more, puts what it has said into
 * the rings, and ends its sessions only when all others have done so, too. So
 * nobody misses what a client was told by its own worker. What comes later,
 * from a worker that stood still, is counted.
 */
#ifndef MAIL_H
#define MAIL_H

#include "state/state.h"
#include "workers/commons.h"

/* To all other workers. -ENOBUFS: dropped for one of them at least, counted. */
int mail_broadcast(struct pg_entry *entry, struct pg_bytes bytes,
                   enum pg_slow slow);
/* To those of `workers`, a bit each, but this one: for members of a group. */
int mail_publish(struct pg_entry *entry, const char *group,
                 struct pg_bytes bytes, enum pg_slow slow, uint64_t workers);
int mail_send_to(const struct claim_owner *owner, struct pg_bytes bytes);

/* Messages have come, or there is room again. */
void mail_take(void);
/* Wakes whom we have written to in this turn. */
void mail_wake(void);
/* True: something waits for room in a ring, so read nothing new. */
static inline bool mail_is_waiting(void)
{
    return core->mail_waits != 0;
}

/* The worker stops, and reads nothing more. */
void mail_begin_end(void);
/* True when nothing more can come from the others; else ask again after the
   next mail_take(), and after a while. */
bool mail_may_end(void);
/* Takes all that is in the rings. The sessions end now: what comes later is
   counted. */
void mail_end(void);
/* How many messages were lost by that, in both directions; at the very end. */
uint64_t mail_count_lost(void);

void mail_finish(void);

#endif
