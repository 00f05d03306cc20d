/*
 * queue_push - what goes into a session's queue, and what becomes of that which
 * does not fit: it is refused whole, or, of a broadcast, ends who reads slowly.
 */
#ifndef QUEUE_PUSH_H
#define QUEUE_PUSH_H

#include "out/queue.h"

/*
 * Queues bytes of one's own for a session; see pg_send() for the result. Who is
 * refused is marked as starved, see mark_starved(). Whoever calls this has
 * delivered what is gathered for the session: broadcast_before().
 */
int queue_push(struct pg_session *session, struct pg_bytes bytes);
/* The same for its part of a broadcast: `slow` says what no room means. */
int queue_push_slow(struct pg_session *session, struct pg_bytes bytes,
                    enum pg_slow slow);
/* Queues a staged range as part of a broadcast: messages of `size` bytes, the
   last of which may be shorter. */
void queue_push_shared(struct pg_session *session, const struct range *range,
                       uint32_t size, enum pg_slow slow);

#endif
