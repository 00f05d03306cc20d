/*
 * share - how much one session may hold of what all of them share.
 *
 * A session may hold as much as is still free of three quarters of the total
 * (the dynamic threshold of Choudhury and Hahne, 1998): the more is taken, the
 * less anybody may take, so that who holds little always finds room and nobody
 * has to be searched for. The last quarter is divided evenly: sessions that
 * came one after the other and each took half of what was left leave everybody
 * else that part.
 *
 * What is counted is memory: heap blocks, each once, however many sessions use
 * one of them.
 */
#ifndef SHARE_H
#define SHARE_H

#include "state/state.h"

/* The bytes that one session may hold, when `used` bytes of `total` are taken.
 */
uint64_t share_of(uint64_t total, uint64_t used);

/* A session that is alone may hold this part of a total: as much as is then
   left free. */
static inline uint64_t share_alone(uint64_t total)
{
    return total * 3 / 8;
}

/* Blocks of the queues have come or gone, or a session has: what one may queue
   is reckoned anew. */
void share_queue(int64_t bytes);

/* Sets the sizes of one message and of one read, from the config. */
void share_set_sizes(void);

/* May one session, when it is alone, queue so much? */
bool share_may_queue(size_t len);
/* The rest of a message, of which a part is sent, can be refused no more. All
   rests together may take as much again as all that is queued otherwise; false:
   they do. */
bool share_has_room_for_rest(size_t len);

/* What one session may keep and delay. */
uint64_t share_to_keep(void);
/* May the session keep or delay so many bytes more? */
bool share_has_room_to_keep(const struct pg_session *session, size_t more);
/* Counts heap blocks of what it keeps or delays. */
void share_keep(struct pg_session *session, int64_t bytes);

#endif
