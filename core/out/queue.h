/*
 * queue - what waits to be sent to a session: a list of pieces in the arena.
 *
 * A piece is a range of a heap block that is counted by the pieces that use
 * it, or of the read buffer. Output is staged: copied once into the current
 * block, which many sessions may share (a broadcast), and sent at the end of
 * the turn. Only what the kernel did not take is kept: ranges of the read
 * buffer are copied then, and the block is cut to what is used.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "state/session.h"

/* A place in the arena: a heap block, or the read buffer when block is 0. */
struct range {
    uint32_t block, at, len;
};

/* Copies bytes into a stage, behind what it has if there is room. False: the
   heap is full. */
bool queue_stage(uint32_t *stage, struct pg_bytes bytes, struct range *range);
/* One use of a block less; 0: nothing. */
void queue_release(uint32_t block);

/*
 * Queues bytes of one's own for a session; see pg_send() for the result. Ends
 * the session when it does not fit and the transport is a stream.
 */
int queue_push(struct pg_session *session, struct pg_bytes bytes);
/* The same for its part of a broadcast: `slow` says what no room means. */
int queue_push_slow(struct pg_session *session, struct pg_bytes bytes,
                    enum pg_slow slow);
/* Queues a staged range as part of a broadcast: messages of `size` bytes, the
   last of which may be shorter. */
void queue_push_shared(struct pg_session *session, const struct range *range,
                       uint32_t size, enum pg_slow slow);

/* What waits is to be sent in this turn: after core_attach(). */
void queue_again(struct pg_session *session);
/* Sends what the sockets take, of every session that has something new. */
void queue_flush(void);
/* Tries to send now, in the middle of a turn. */
void queue_flush_session(struct pg_session *session);
/* A records socket takes bytes again. */
void queue_unblock(struct pg_listener *listener);
/* Throws away what waits. Returns how many bytes. */
uint32_t queue_clear(struct pg_session *session);

#endif
